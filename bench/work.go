package bench

import "ivrqueue/operation"

// Work is what one operation is to do. It is made once and used for every operation of a producer,
// with all contestants: as a request by those that take requests, as a function by those that take
// functions.
type Work struct {
	operation.PlayPrompt // so that a request is as expensive to validate as a real one

	Run func()

	ended chan struct{} // wakes who waits for the end, one at a time; nil if nobody does
}

// NewWork makes work for Submit and Hold.
func NewWork(run func()) *Work {
	return &Work{
		PlayPrompt: operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}},
		Run:        run,
	}
}

// NewTrip makes work for Do.
func NewTrip(run func()) *Work {
	w := NewWork(run)
	w.ended = make(chan struct{}, 1)
	return w
}

// end wakes who waits.
func (w *Work) end() {
	if w.ended != nil {
		w.ended <- struct{}{}
	}
}
