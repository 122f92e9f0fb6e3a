package webhook

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"ivrqueue/egress"
)

// Option configures a Notifier. Of those of a kind the last counts; a wrong one is an error of New,
// wherever it stands.
type Option func(*config)

type config struct {
	addresses   egress.Addresses
	plain       bool // http to the addresses that are named
	plainHere   bool // http to loopback
	token       func(ctx context.Context, application string) (string, error)
	permit      func(d *Delivery) error
	tls         *tls.Config
	policy      Policy
	connections int
	attempts    func(Attempt) // may be nil
	resolver    *net.Resolver // nil: the default one
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
}

// WithAddresses sets which addresses may be connected to. Default: those of the public Internet.
func WithAddresses(a egress.Addresses) Option {
	return func(c *config) { c.addresses = a }
}

// WithLoopback allows callbacks on this machine, with http too: for development. Default: https to
// other machines only.
func WithLoopback() Option {
	return func(c *config) { c.addresses.Loopback, c.plainHere = true, true }
}

// WithPlainHTTP allows http to the addresses that [WithAddresses] names, and to no other: for a
// network of one's own, such as that of the containers of one machine. A name may be any; what it
// resolves to is looked at when it is connected to. Default: https only.
func WithPlainHTTP() Option { return func(c *config) { c.plain = true } }

// WithTokens sets where the bearer token for an application's callback comes from; an error or a
// panic of it counts as an error of the network. It is asked before every attempt, on a goroutine
// of its own, so it should keep tokens as long as they are good, and it must return when its
// context ends: the attempt does not wait for longer, but the goroutine stays. Default: no token.
func WithTokens(f func(ctx context.Context, application string) (string, error)) Option {
	return func(c *config) { c.token = f }
}

// WithPermit sets who may forbid to send: f is asked before each attempt, and again when the
// connection is there and the next thing is to write to it, on the goroutine of Deliver. Its error
// ends the delivery for good, and is why; so does a panic. It must return at once, and not change
// the Delivery. It is for a process that may lose the right to speak for a call while it connects,
// or waits to try again. Default: whatever is to be sent is sent.
func WithPermit(f func(d *Delivery) error) Option {
	return func(c *config) { c.permit = f }
}

// WithTLS sets the client's side of TLS, such as the authorities that are trusted. Default: as
// crypto/tls has it.
func WithTLS(t *tls.Config) Option { return func(c *config) { c.tls = t } }

// WithMaxConnections bounds the requests that are under way; an application has half of them at
// most. It must be at least 4. Default: 1,000.
func WithMaxConnections(n int) Option {
	return func(c *config) { c.connections = n }
}

// WithAttemptTimeout bounds one attempt, from the place it gets to the head of the answer,
// redirects included. It must be positive, and at most a day. Default: 10 s.
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *config) { c.policy.AttemptTimeout = d }
}

// WithMaxElapsedTime sets how long notifications are tried to be delivered: after it no attempt
// begins. It must be positive, and at most a day. Default: 2 min.
func WithMaxElapsedTime(d time.Duration) Option {
	return func(c *config) { c.policy.MaxElapsedTime = d }
}

// WithBackoff sets the mean wait before the second attempt, which doubles with each further one up
// to longest; each wait is between half and one and a half of it. Both must be positive, and at
// most a day. Default: 0.5 s and 15 s.
func WithBackoff(first, longest time.Duration) Option {
	return func(c *config) { c.policy.Backoff, c.policy.MaxBackoff = first, longest }
}

// WithMaxRetryAfter bounds the wait that an answer asks for: a longer one counts as this. It must
// not be negative, and at most a day. Default, and for 0: a quarter of [WithMaxElapsedTime], so
// that several attempts are made whatever a callback says.
func WithMaxRetryAfter(d time.Duration) Option {
	return func(c *config) { c.policy.MaxRetryAfter = d }
}

// WithMaxRedirects sets how many redirects one attempt follows: 301, 302, 307 and 308, always with
// POST and the same bytes. Each address is checked as a callback's is, by [Notifier.Check] and when
// it is connected to; a token goes to the callback's own scheme, host and port alone. It must be 0
// (none is followed) to 20. Default: 3.
func WithMaxRedirects(n int) Option {
	return func(c *config) { c.policy.MaxRedirects = n }
}

// WithFinal sets the statuses after which a delivery is given up at once, each 300 to 599; none
// means that every answer but 2xx is repeated. Default: 400, 410, 413, 415 and 422, by which a
// receiver says that it will never take these bytes, or is gone for good.
func WithFinal(statuses ...int) Option {
	statuses = slices.Clone(statuses)
	return func(c *config) { c.policy.Final = statuses }
}

// WithAttemptHandler sets a function that gets every attempt when it is over, for logs, metrics and
// debuggers. Of a delivery that is given up while it waits for its next attempt it gets the last
// one again, as Last. So each delivery has exactly one Last. It is called on its own goroutine, one
// call at a time for each delivery, and the delivery waits for it: a function that blocks holds up
// the notifications of that call and no others. When it panics or exits its goroutine, [log/slog]'s
// default logger gets a warning. Default, and for nil: none.
func WithAttemptHandler(f func(Attempt)) Option {
	return func(c *config) { c.attempts = f }
}
