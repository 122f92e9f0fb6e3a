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
