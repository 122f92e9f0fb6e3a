package operation

import (
	"sync/atomic"
	"time"
)

// progress is how far media has come with an operation, and whether it has said so lately: one
// word, so that media reports it with one store. The top bit is set by whoever watches for
// progress, and cleared by the next store: reporting the same position again is progress too.
type progress struct{ word atomic.Int64 }

const stalledBit = -1 << 63

// report stores a position. One before the beginning is the beginning.
func (p *progress) report(position time.Duration) { p.word.Store(int64(max(position, 0))) }

func (p *progress) position() time.Duration { return time.Duration(p.word.Load() &^ stalledBit) }

// place is where in its prompts a play is: one word, so that media reports it with one store. The
// number of the prompt is above the time into it, of which there is room for 78 hours.
type place struct{ word atomic.Uint64 }

const (
	offsetBits = 48
	maxOffset  = 1<<offsetBits - 1
	maxPrompt  = 1<<(64-offsetBits) - 1
)

// report stores a place. What is out of range is the nearest that is not.
func (p *place) report(prompt int, offset time.Duration) {
	prompt, offset = min(max(prompt, 0), maxPrompt), min(max(offset, 0), maxOffset)
	p.word.Store(uint64(prompt)<<offsetBits | uint64(offset)) //nolint:gosec // never negative
}

func (p *place) get() (prompt int, offset time.Duration) {
	w := p.word.Load()
	return int(w >> offsetBits), time.Duration(w & maxOffset) //nolint:gosec // 16 and 48 bits
}

// stalled reports whether nothing was reported since it was last asked.
func (p *progress) stalled() bool {
	w := p.word.Load()
	if w&stalledBit != 0 {
		return true
	}
	p.word.CompareAndSwap(w, w|stalledBit) // or somebody has just reported
	return false
}
