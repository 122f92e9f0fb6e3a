package queuetest_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ivrqueue/queue"
)

// backEnd is what the tests' media waits for, and what may hang. Its zero value is ready.
type backEnd struct {
	heard atomic.Int64 // frames

	mu   sync.Mutex    // guards the block below
	hung chan struct{} // closed when it goes on; nil if it does not hang
	held []func()
}

// backEndOf returns the back end of media that has one.
func backEndOf(m queue.Media) *backEnd {
	return m.(interface{ backEnd() *backEnd }).backEnd()
}

// stall has it hang until release is called. It takes a moment to get going again, so that an
// answer that was held back comes later than one that was waited for.
func (b *backEnd) stall() (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hung = make(chan struct{})
	return func() {
		b.mu.Lock()
		close(b.hung)
		b.hung = nil
		b.mu.Unlock()
		time.AfterFunc(time.Millisecond, b.catchUp)
	}
}

func (b *backEnd) catchUp() {
	b.mu.Lock()
	held := b.held
	b.held = nil
	b.mu.Unlock()
	for _, f := range held {
		f()
	}
}

// hangs reports whether it does.
func (b *backEnd) hangs() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hung != nil
}

// wait waits for an answer, which comes at once unless it hangs.
func (b *backEnd) wait(ctx context.Context) error {
	b.mu.Lock()
	hung := b.hung
	b.mu.Unlock()
	if hung == nil {
		return nil
	}
	select {
	case <-hung:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// notify reports something to the media: f is called, now or when the back end goes on.
func (b *backEnd) notify(f func()) {
	b.mu.Lock()
	if b.hung != nil {
		b.held = append(b.held, f)
		b.mu.Unlock()
		return
	}
	b.mu.Unlock()
	f()
}
