package graph

import (
	"context"
	"fmt"
	"net"
	"time"
)

// WithDial replaces the network of a Notifier.
func WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) NotifierOption {
	return func(c *notifierConfig) { c.dial = dial }
}

// WithResolver replaces the resolver of a Notifier.
func WithResolver(r *net.Resolver) NotifierOption {
	return func(c *notifierConfig) { c.resolver = r }
}

// Batch is how many notifications are sent at once.
const Batch = batch

// RetryAfter reads the header of that name.
func RetryAfter(s string) time.Duration { return retryAfter(s) }

// OutboxRoom is how many notifications the call's outbox has memory for.
func (c *Call) OutboxRoom() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return cap(c.out.waiting)
}

// Kept is how many operations that have ended the handler keeps.
func (h *Handler) Kept() int {
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	return h.retention.ended.Len()
}

// Observed is of how many calls the handler is told.
func (h *Handler) Observed() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.observed)
}

// Accounts is how many applications have an account.
func (h *Handler) Accounts() int {
	h.accounts.mu.Lock()
	defer h.accounts.mu.Unlock()
	return len(h.accounts.byID)
}

// Busy is how many applications have a call, or bytes that are reserved.
func (h *Handler) Busy() int {
	h.accounts.mu.Lock()
	defer h.accounts.mu.Unlock()
	busy := 0
	for _, a := range h.accounts.byID {
		if a.calls != 0 || a.bytes != 0 {
			busy++
		}
	}
	return busy
}

// Places are those of a Notifier.
type Places struct{ places *places }

// NewPlaces makes n of them.
func NewPlaces(n int) Places { return Places{newPlaces(n)} }

// Enter waits for a place.
func (p Places) Enter(ctx context.Context, application, host string) error {
	return p.places.enter(ctx, peer{application, host})
}

// Leave gives it back.
func (p Places) Leave(application, host string) { p.places.leave(peer{application, host}) }

// String counts what there is.
func (p Places) String() string {
	p.places.mu.Lock()
	defer p.places.mu.Unlock()
	return fmt.Sprintf("%d free, %d applications, %d hosts, %d waiting",
		p.places.free, len(p.places.apps), len(p.places.hosts), len(p.places.waiting))
}
