package graph

import "sync"

// drainTracker knows which calls have notifications to deliver, for a Shutdown that waits for them.
type drainTracker struct {
	mu      sync.Mutex // guards everything below
	busy    map[*Call]struct{}
	ending  int           // calls that are detached, and have not put their last notification
	waiting chan struct{} // closed when there is nothing; nil if nothing waits
}

// note is called by an outbox when it begins and ceases to have something to deliver.
func (f *drainTracker) note(c *Call, busy bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !busy {
		delete(f.busy, c)
		f.look()
		return
	}
	if f.busy == nil {
		f.busy = make(map[*Call]struct{})
	}
	f.busy[c] = struct{}{}
}

func (f *drainTracker) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending++
}

func (f *drainTracker) done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending--
	f.look()
}

func (f *drainTracker) look() {
	if f.waiting != nil && f.ending == 0 && len(f.busy) == 0 {
		close(f.waiting)
		f.waiting = nil
	}
}

func (f *drainTracker) pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.busy)
}

// drained returns a channel that is closed when no notification is left.
func (f *drainTracker) drained() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = make(chan struct{})
	}
	waiting := f.waiting
	f.look()
	return waiting
}

// drop has every call drop what it has to deliver.
func (f *drainTracker) drop() {
	f.mu.Lock()
	calls := make([]*Call, 0, len(f.busy))
	for c := range f.busy {
		calls = append(calls, c)
	}
	f.mu.Unlock()
	for _, c := range calls { // an outbox calls note, so not under the lock
		c.out.drop()
	}
}
