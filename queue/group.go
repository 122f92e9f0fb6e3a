package queue

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// Group holds the queues of a service's calls by call id, from New until each is done. Its zero
// value is empty and ready. It must not be copied. All methods are safe for concurrent use, also in
// callbacks; only Drain and Shutdown wait, and must not be called there.
//
// A call costs about 100 bytes more in a group. A group has no goroutine and no timer: Drain and
// Shutdown work on that of their caller, however many calls there are.
type Group struct {
	mu sync.Mutex // the last lock that is taken; guards everything below

	queues map[string]*Queue // that are not done, by call id
	empty  chan struct{}     // of a sealed group: closed when no queue is left
}

// byGroup is the actor for a goroutine that serves many calls: no callback is made on it, since one
// that does not return would hold up the others.
const byGroup actor = 1 << 58

// New makes the queue of a call, as the function [New] does, and holds it until its Done. The
// queue is closed as any other is. The call id may be used again once Done is closed, not yet in
// the observers of the Closed event.
//
// Errors: those of the function New; [ErrDuplicateID] if the group holds a queue with this call id;
// [ErrClosed] once the group is sealed. With an error nothing has changed.
func (g *Group) New(callID string, media Media, opts ...Option) (*Queue, error) {
	q, err := New(callID, media, opts...) // without the lock: options are code of others
	if err != nil {
		return nil, err
	}
	q.shellState().group = g // before anybody else can see the queue
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return nil, fmt.Errorf("%w: the group of call %q is sealed", ErrClosed, callID)
	}
	if g.queues[callID] != nil {
		return nil, fmt.Errorf("%w: the group has a call %q", ErrDuplicateID, callID)
	}
	if g.queues == nil {
		g.queues = make(map[string]*Queue)
	}
	g.queues[callID] = q
	return q, nil
}

// Queue returns the queue of a call, if it is not done.
func (g *Group) Queue(callID string) (*Queue, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q, ok := g.queues[callID]
	return q, ok
}

// Len returns how many queues there are that are not done.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queues)
}

// String says how many queues there are, for logs: what is given to package fmt would be read
// without the lock otherwise.
func (g *Group) String() string { return fmt.Sprintf("group of %d queues", g.Len()) }

// All yields the queues that are there when the iteration begins, by call id, in no order. No lock
// is held meanwhile: calls may come and go, those that come are not yielded, and those that go may
// be. It holds a list of them, of 8 bytes for each.
func (g *Group) All() iter.Seq2[string, *Queue] {
	return func(yield func(string, *Queue) bool) {
		for _, q := range g.list() {
			if !yield(q.callID, q) {
				return
			}
		}
	}
}

// list returns the queues that are not done.
func (g *Group) list() []*Queue {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*Queue, 0, len(g.queues))
	for _, q := range g.queues {
		all = append(all, q)
	}
	return all
}

// Seal makes the group accept no new call, for good. The calls that are there go on, and accept
// operations: a service that is to be replaced keeps its callers until they hang up.
func (g *Group) Seal() { g.seal() }

// seal is Seal. It returns a channel that is closed when no queue is left.
func (g *Group) seal() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty == nil {
		g.empty = make(chan struct{})
		g.closeEmpty()
	}
	return g.empty
}

// Drain seals the group and waits until all its calls are done, which it leaves alone, or ctx is.
// It returns nil if they were done in time, else the cause of ctx. A nil context, and one that
// panics, are errors; the group is not sealed then.
func (g *Group) Drain(ctx context.Context) error {
	over, err := doneOf(ctx)
	if err != nil {
		return err
	}
	if inTime(g.seal(), over) {
		return nil
	}
	return causeOf(ctx)
}

// Shutdown seals the group and all its queues, waits until they are done or ctx is, and then closes
// the rest with cause, as [Queue.Close] does. It returns zero and nil if all were done in time.
// Else it returns the cause of ctx, and how many calls it has closed, which is less than were left
// if some were closed already and wait for their media. For what those still do it does not wait;
// Drain does: media that does not report is abandoned after the stop timeout.
//
// A call is in the count of one Shutdown only. A nil context, and one that panics, are errors;
// nothing is sealed then. Inline callbacks are made on goroutines of the queues, so that one which
// blocks holds up no other call.
func (g *Group) Shutdown(ctx context.Context, cause error) (closed int, err error) {
	over, err := doneOf(ctx)
	if err != nil {
		return 0, err
	}
	r := closedFor(cause) // once for all, and before anything has changed
	empty := g.seal()
	for _, q := range g.list() {
		q.seal(byGroup)
	}
	if inTime(empty, over) {
		return 0, nil
	}
	for _, q := range g.list() {
		if q.close(byGroup, r).Len() > 0 { // what is sealed and not closed has operations
			closed++
		}
	}
	return closed, causeOf(ctx)
}

// leaveGroup is for a queue that is done, and is in a group. It is a function of its own, so that a
// queue that is in none needs little of a stack.
//
//go:noinline
func (q *Queue) leaveGroup() {
	s := &q.machine.cold.shell
	s.group.remove(q)
	s.group = nil
}

// remove takes out a queue that is done. The queue's lock is held.
func (g *Group) remove(q *Queue) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.queues, q.callID)
	if g.empty != nil {
		g.closeEmpty()
	}
}

// closeEmpty closes empty if no queue is left.
func (g *Group) closeEmpty() {
	if len(g.queues) == 0 {
		close(g.empty)
	}
}
