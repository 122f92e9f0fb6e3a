package queue_test

import (
	"math/rand/v2"
	"runtime"

	"ivrqueue/internal/trace"
	"ivrqueue/queue"
)

// sceneObserver is an observer with a fault.
type sceneObserver struct {
	s      *scene
	number int
	draw   *rand.Rand
	fault  observerFault
}

type observerFault int

const (
	fast observerFault = iota
	panicsAtTimes
	reEntersAtTimes
	inlineFaults // what an inline observer may do
	slow
	exitsAtTimes
	blocked // until the scene is quiet
	observerFaults
)

// observer makes one with a fault; the first one, whose events are judged, lets everybody go on.
func (s *scene) observer(number int, draw *rand.Rand) queue.Observer {
	o := &sceneObserver{s: s, number: number, draw: s.source(uint64(50 + number))}
	if number == 0 {
		o.fault = observerFault(draw.IntN(int(inlineFaults)))
	} else {
		o.fault = observerFault(draw.IntN(int(observerFaults)))
		s.lags = s.lags || o.fault == blocked
	}
	return o
}

func (o *sceneObserver) Observe(e queue.Event) {
	s := o.s
	i := trace.Item{
		What: trace.Delivering, Who: o.number, Event: e.Kind, Op: e.Operation.ID(), Seq: e.Seq,
		Reason: e.Result().Reason, Position: e.Result().Position, Time: e.Time,
	}
	if by, known := e.Cause(); known {
		i.By = by.ID
	}
	s.look(e.Result())
	s.Add(i)
	defer s.Add(trace.Item{What: trace.Delivered, Who: o.number, Seq: e.Seq})
	if o.fault == blocked {
		<-s.released
		s.sleep(o.draw, 1)
		return
	}
	if o.draw.IntN(4) > 0 {
		return
	}
	switch o.fault {
	case panicsAtTimes:
		panic("x")
	case reEntersAtTimes:
		if e.Seq < 60 { // or it feeds itself for ever
			s.reEnter(o.draw)
		}
	case slow:
		s.sleep(o.draw, sceneWork)
	case exitsAtTimes:
		runtime.Goexit()
	default:
	}
}
