package softmedia

import (
	"fmt"
	"sync"
	"unsafe"
)

// MaxPrompts is how many bytes the samples of one operation's prompts may have, together: 32 MiB,
// more than 17 minutes of audio. A prompt that is played twice counts once if its samples are the
// same ones.
const MaxPrompts = 32 << 20

// Budget bounds the samples that the operations of some calls hold at once: those of one
// application, say. An operation holds those of its prompts from when they are loaded, which may be
// before its turn, until its end. Samples that several operations share count once. NewBudget makes
// it. It is safe for concurrent use.
type Budget struct {
	most int

	mu    sync.Mutex     // guards the block below
	held  map[*int16]int // how often, by the first sample
	bytes int
}

// NewBudget makes a budget of so many bytes, two for each sample.
func NewBudget(bytes int) *Budget {
	return &Budget{most: bytes, held: make(map[*int16]int)}
}

// Held returns how many bytes are held.
func (b *Budget) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// hold counts samples, of which there is at least one, or says why they may not be held.
func (b *Budget) hold(samples []int16) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	first := unsafe.SliceData(samples)
	size := sampleSize * len(samples)
	switch {
	case b.held[first] > 0:
		size = 0
	case size > b.most-b.bytes:
		return fmt.Errorf("%d bytes of samples beside %d, must be at most %d together",
			size, b.bytes, b.most)
	}
	b.held[first]++
	b.bytes += size
	return nil
}

// release counts samples as no longer held.
func (b *Budget) release(parts [][]int16) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, samples := range parts {
		first := unsafe.SliceData(samples)
		if b.held[first]--; b.held[first] == 0 {
			delete(b.held, first)
			b.bytes -= sampleSize * len(samples)
		}
	}
}
