package graph

import (
	"context"
	"slices"
	"sync"
)

// places bound how many requests are under way, and share them out between applications and between
// hosts.
//
// An application, and a host, may have as many places as are free besides. So one that is slow takes
// half of them at most, two of them three quarters: there is a place for whoever comes new, however
// many deliveries of the slow ones wait. Of those that wait, the one goes first that has the fewest
// places; between equals, the one that came first.
type places struct {
	mu      sync.Mutex // guards everything below
	free    int
	taken   map[holder]int
	waiting map[peer]*line
	came    uint64
}

// peer is who a delivery goes to.
type peer struct{ application, host string }

// holder is an application or a host; one of them is empty.
type holder struct{ application, host string }

// line is who waits for a place for the same peer, in order. It is never empty.
type line []*waiter

type waiter struct {
	number uint64        // in the order of arrival
	enters chan struct{} // closed when it has a place
}

func newPlaces(n int) *places {
	return &places{free: n, taken: map[holder]int{}, waiting: map[peer]*line{}}
}

// enter waits for a place, until ctx ends. The error is the cause of ctx.
func (p *places) enter(ctx context.Context, to peer) error {
	p.mu.Lock()
	if p.waiting[to] == nil && p.load(to) < p.free {
		p.take(to)
		p.mu.Unlock()
		return nil
	}
	p.came++
	w := &waiter{number: p.came, enters: make(chan struct{})}
	if p.waiting[to] == nil {
		p.waiting[to] = new(line)
	}
	*p.waiting[to] = append(*p.waiting[to], w)
	p.mu.Unlock()
	select {
	case <-w.enters:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-w.enters: // meanwhile
		p.give(to)
	default:
		p.remove(to, w)
	}
	return context.Cause(ctx)
}

// leave gives a place back.
func (p *places) leave(to peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(to)
}

// holders returns who a place is counted for.
func (to peer) holders() []holder {
	if to.application == "" { // not known
		return []holder{{host: to.host}}
	}
	return []holder{{application: to.application}, {host: to.host}}
}

// load is how many places the peer's application has, or its host, whichever is more.
func (p *places) load(to peer) int {
	most := 0
	for _, h := range to.holders() {
		most = max(most, p.taken[h])
	}
	return most
}

func (p *places) take(to peer) {
	p.free--
	for _, h := range to.holders() {
		p.taken[h]++
	}
}

// give gives a place back, and lets in who may come now.
func (p *places) give(to peer) {
	p.free++
	for _, h := range to.holders() {
		if p.taken[h]--; p.taken[h] == 0 {
			delete(p.taken, h)
		}
	}
	for range p.free { // each that enters takes one
		next, ok := p.next()
		if !ok {
			return
		}
		w := (*p.waiting[next])[0]
		p.remove(next, w)
		p.take(next)
		close(w.enters)
	}
}

// next returns the peer whose first in line enters next.
func (p *places) next() (best peer, found bool) {
	var load int
	var number uint64
	for to, l := range p.waiting {
		has := p.load(to)
		if has >= p.free {
			continue
		}
		if first := (*l)[0].number; !found || has < load || has == load && first < number {
			best, load, number, found = to, has, first, true
		}
	}
	return best, found
}

// remove takes a waiter out of its line.
func (p *places) remove(to peer, w *waiter) {
	l := p.waiting[to]
	if i := slices.Index(*l, w); i >= 0 {
		*l = slices.Delete(*l, i, i+1)
	}
	if len(*l) == 0 {
		delete(p.waiting, to)
	}
}
