package operation

import (
	"sync/atomic"
	"time"
)

// progress is how far media has come with an operation, and whether it has said so lately: one
// word, so that media tells it with one store. The top bit is set by whoever watches for progress,
// and cleared by the next store: telling the same position again is progress too.
type progress struct{ word atomic.Int64 }

const stalledBit = -1 << 63

// tell stores a position. One before the beginning is the beginning.
func (p *progress) tell(position time.Duration) { p.word.Store(int64(max(position, 0))) }

func (p *progress) position() time.Duration { return time.Duration(p.word.Load() &^ stalledBit) }

// stalled reports whether nothing was told since it was last asked.
func (p *progress) stalled() bool {
	w := p.word.Load()
	if w&stalledBit != 0 {
		return true
	}
	p.word.CompareAndSwap(w, w|stalledBit) // or somebody has just told
	return false
}
