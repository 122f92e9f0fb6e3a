package webhook

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// places bound how many requests are under way, and share them out between applications and between
// hosts.
//
// An application may have as many places as are free besides, and a host, which serves several
// perhaps, three times as many. So an application that is slow takes half of them at most, two of
// them three quarters, and a slow host three quarters, whoever its applications are: there is a
// place for whoever comes new, however many deliveries of the slow ones wait. Of those that may
// have a place, the one gets it that came first.
type places struct {
	mu      sync.Mutex // guards everything below
	free    int
	apps    map[string]int // places taken by application
	hosts   map[string]int // places taken by host
	waiting map[peer]*line
	came    uint64
}

// peer is who a delivery goes to.
type peer struct{ application, host string }

// line is who waits for a place for the same peer, in order. It is never empty.
type line []*waiter

type waiter struct {
	number uint64        // in the order of arrival
	enters chan struct{} // closed when it has a place
}

func newPlaces(n int) *places {
	return &places{
		free: n, apps: map[string]int{}, hosts: map[string]int{}, waiting: map[peer]*line{},
	}
}

// enter waits for a place, until ctx ends. The error is the cause of ctx.
func (p *places) enter(ctx context.Context, to peer) error {
	p.mu.Lock()
	if p.waiting[to] == nil && p.open(to) {
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
	return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
}

// leave gives a place back.
func (p *places) leave(to peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(to)
}

// open reports whether there is a place for the peer.
func (p *places) open(to peer) bool {
	return p.apps[to.application] < p.free && p.hosts[to.host] < 3*p.free
}

func (p *places) take(to peer) {
	p.free--
	p.apps[to.application]++
	p.hosts[to.host]++
}

// give gives a place back, and lets in who may come now.
func (p *places) give(to peer) {
	p.free++
	lessen(p.apps, to.application)
	lessen(p.hosts, to.host)
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

func lessen(taken map[string]int, of string) {
	if taken[of]--; taken[of] == 0 {
		delete(taken, of)
	}
}

// next returns the peer whose first in line enters next.
func (p *places) next() (next peer, found bool) {
	var number uint64
	for to, l := range p.waiting {
		if first := (*l)[0].number; p.open(to) && (!found || first < number) {
			next, number, found = to, first, true
		}
	}
	return next, found
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
