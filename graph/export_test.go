package graph

import (
	"context"
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

// OutboxRoom is how many notices the call's outbox has memory for.
func (c *Call) OutboxRoom() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return cap(c.out.notices)
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
