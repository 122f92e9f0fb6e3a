package media

import (
	"fmt"
	"sync"
)

// MaxPrompts is how many bytes the samples of one operation's prompts may have, together: 32 MiB,
// more than 17 minutes at [Rate]. A prompt that is played twice counts once if its samples are the
// same ones.
const MaxPrompts = 32 << 20

// Budget bounds the samples that the operations of some calls hold at once: those of one
// application, say. An operation holds those of its prompts from when they are loaded, which may be
// before its turn, until its end. Samples that several operations share count once. NewBudget makes
// it. It is safe for concurrent use.
type Budget struct {
	most int

	mu    sync.Mutex      // guards the block below
	held  map[audioID]int // how often
	bytes int
}

// NewBudget makes a budget of so many bytes: two for each linear sample, one for each of G.711.
func NewBudget(bytes int) *Budget {
	return &Budget{most: bytes, held: make(map[audioID]int)}
}

// Held returns how many bytes are held.
func (b *Budget) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// String says how much is held, for logs: what is given to package fmt would be read without the
// lock otherwise.
func (b *Budget) String() string {
	return fmt.Sprintf("budget, %d of %d bytes held", b.Held(), b.most)
}

// hold counts audio that has a sample, or says why it may not be held.
func (b *Budget) hold(a Audio) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id, size := a.id(), a.Size()
	switch {
	case b.held[id] > 0:
		size = 0
	case size > b.most-b.bytes:
		return fmt.Errorf("%d bytes of samples beside %d, must be at most %d together",
			size, b.bytes, b.most)
	}
	b.held[id]++
	b.bytes += size
	return nil
}

// release counts audio as no longer held.
func (b *Budget) release(a Audio) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id := a.id()
	if b.held[id]--; b.held[id] == 0 {
		delete(b.held, id)
		b.bytes -= a.Size()
	}
}
