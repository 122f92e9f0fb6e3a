package webhook

import (
	"context"
	"fmt"
	"net"
	"time"
)

// WithDial replaces the network of a Notifier.
func WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(c *config) { c.dial = dial }
}

// WithResolver replaces the resolver of a Notifier.
func WithResolver(r *net.Resolver) Option {
	return func(c *config) { c.resolver = r }
}

// RetryAfter reads the header of that name.
func RetryAfter(s string) time.Duration { return retryAfter(s) }

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
