package main

import (
	"sync"
	"time"
)

// heldUp notes for how long the machine has this process wait for a processor. The service fares no
// better, and that is no attack.
type heldUp struct {
	quit chan struct{}
	done sync.WaitGroup

	mu  sync.Mutex // guards sum
	sum time.Duration
}

func newHeldUp() *heldUp {
	h := &heldUp{quit: make(chan struct{})}
	h.done.Go(h.watch)
	return h
}

func (h *heldUp) stop() {
	close(h.quit)
	h.done.Wait()
}

func (h *heldUp) watch() {
	const often, much = 10 * time.Millisecond, 20 * time.Millisecond
	timer := time.NewTimer(often)
	defer timer.Stop()
	for due := time.Now().Add(often); ; due = time.Now().Add(often) {
		timer.Reset(often)
		select {
		case <-h.quit:
			return
		case <-timer.C:
		}
		if late := time.Since(due); late > much {
			h.mu.Lock()
			h.sum += late
			h.mu.Unlock()
		}
	}
}

// soFar returns the sum of what was more than 20 ms.
func (h *heldUp) soFar() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sum
}
