package bench

import "ivrqueue/queue"

// idleObserver does nothing with events.
type idleObserver struct{}

func (idleObserver) Observe(queue.Event) {}

// tripObserver wakes who waits for the end of an operation, if somebody does.
type tripObserver struct{}

func (tripObserver) Observe(e queue.Event) {
	if e.Kind == queue.Ended {
		e.Operation.Request().(*Work).end()
	}
}

// deliver delivers an event to a test, and wakes who waits for the end.
func deliver(observe func(Event), e queue.Event) {
	t := Event{Seq: e.Seq, What: e.Kind.String(), Reason: e.Result().Reason}
	if e.Operation != nil {
		t.Op = e.Operation
	}
	observe(t)
	tripObserver{}.Observe(e)
}
