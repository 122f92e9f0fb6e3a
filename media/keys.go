package media

import (
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// keys knows when each tone of a call came last, and which record listens: one listens from the
// instant that it runs, which is a moment before the engine gets it. It ends with the stream.
type keys struct {
	mu     sync.Mutex // guards the block below
	last   [tone.Flash + 1]time.Time
	record *job // nil if none listens
}

// newKeys follows the tones of a stream.
func newKeys(s *tone.Stream) (*keys, error) {
	k := new(keys)
	_, err := s.Handle(tone.All, k.pressed)
	return k, err
}

func (k *keys) pressed(e tone.Event) {
	k.mu.Lock()
	k.last[e.Tone] = e.Time
	j := k.record
	k.mu.Unlock()
	if j != nil && j.stoppedBy(e.Tone, e.Time) {
		j.finish(operation.Result{Reason: operation.StopTone})
	}
}

// listen has the stop tones that have come since j runs, and those to come, end it.
func (k *keys) listen(j *job) {
	k.mu.Lock()
	k.record = j
	late := false
	for t, at := range k.last {
		late = late || j.stoppedBy(tone.Tone(t), at)
	}
	k.mu.Unlock()
	if late {
		j.finish(operation.Result{Reason: operation.StopTone})
	}
}

func (k *keys) unlisten(j *job) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.record == j {
		k.record = nil
	}
}
