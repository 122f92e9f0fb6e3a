package bench

import "ivrqueue/queue"

// idleObserver does nothing with what it is told.
type idleObserver struct{}

func (idleObserver) Observe(queue.Event) {}

// tripObserver tells who waits for the end of an operation, if somebody does.
type tripObserver struct{}

func (tripObserver) Observe(e queue.Event) {
	if e.Kind == queue.Ended {
		e.Operation.Request().(*Work).end()
	}
}

// tell tells an event to a test, and to who waits for the end.
func tell(observe func(Told), e queue.Event) {
	t := Told{Seq: e.Seq, What: e.Kind.String(), Reason: e.Result.Reason}
	if e.Operation != nil {
		t.Op = e.Operation
	}
	observe(t)
	tripObserver{}.Observe(e)
}
