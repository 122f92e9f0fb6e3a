package graph

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Defaults of the options.
const (
	DefaultMaxBody            = 128 << 10 // bytes
	DefaultOutbox             = 2048      // notifications
	DefaultKeepFor            = 10 * time.Minute
	DefaultKeepPerCall        = 100       // operations
	DefaultKeepPerApplication = 10_000    // operations
	DefaultKeepInAll          = 100_000   // operations
	DefaultMaxCalls           = 1000      // of an application
	DefaultMaxRequests        = 1000      // of an application in a second
	DefaultMaxBytesPerCall    = 8 << 20   // bytes
	DefaultMaxBytes           = 256 << 20 // bytes of an application
)

// Option configures a handler. The last of a kind wins.
type Option func(*config)

type config struct {
	base               string
	maxBody            int64
	maxCalls           int
	maxRequests        int
	maxBytesPerCall    int64
	maxBytes           int64
	outbox             int
	keepFor            time.Duration
	keepPerCall        int
	keepPerApplication int
	keepInAll          int
	notifier           *Notifier
	lost               func(DeliveryFailure)
	logger             *slog.Logger
}

// WithBaseURL sets where clients find the handler, for Location headers: scheme, host and the path
// that it is mounted under, without a version, such as "https://media.example/graph". It is needed
// behind a proxy. Default: what the request says.
func WithBaseURL(base string) Option { return func(c *config) { c.base = base } }

// WithMaxBody bounds the body of a request, in bytes, before and after it was inflated. It must be
// positive, and at most 64 MiB. A gzip body is bounded by [MaxInflation] besides. Default: 128 KiB.
func WithMaxBody(bytes int64) Option { return func(c *config) { c.maxBody = bytes } }

// WithMaxCalls bounds the calls of one application: those that live, those that are being made, and
// those that have ended and have notifications on the way. An application that has as many can't
// create another (429); calls that the platform attaches by itself count, and are never refused. It
// must not be negative; 0 means no limit. Default: 1,000.
func WithMaxCalls(n int) Option { return func(c *config) { c.maxCalls = n } }

// WithMaxRequests bounds the requests of one application in a second; after a rest, those of one
// second may come at once. With more, requests are answered with 429 and a Retry-After. It must not
// be negative, and at most a million; 0 means no limit. Default: 1,000.
func WithMaxRequests(perSecond int) Option {
	return func(c *config) { c.maxRequests = perSecond }
}

// WithMaxBytes bounds what is kept of the operations that clients ask for, from their acceptance
// until their end was told: of one call, and of all calls of one application, in bytes. With more,
// requests for operations are answered with 429. Neither must be negative; 0 means no limit.
// Default: 8 MiB and 256 MiB. What is kept after the end is bounded by [WithRetention].
func WithMaxBytes(perCall, perApplication int64) Option {
	return func(c *config) { c.maxBytesPerCall, c.maxBytes = perCall, perApplication }
}

// WithOutbox sets how many notifications of a call may wait for their turn. With more, the handler
// lets the queue wait that tells it of ends, until the queue's own bound is reached: then requests
// for operations are answered with 429; tones that are pressed meanwhile are kept up to the 256 of
// a tone stream, where the oldest make room, which shows as a gap in sequenceId. Nothing else is
// lost. It must be positive, and should be more than a queue's WithMaxPending, so that a cancel of
// a full queue fits. Default: 2,048.
func WithOutbox(notifications int) Option { return func(c *config) { c.outbox = notifications } }

// WithRetention sets how long operations that have ended can be read, and how many of a call. Zero
// means not at all. What is kept of one is what is shown of it: some 500 bytes, its client context,
// and the address of its recording. Default: 10 minutes and 100.
func WithRetention(d time.Duration, perCall int) Option {
	return func(c *config) { c.keepFor, c.keepPerCall = d, perCall }
}

// WithMaxRetained bounds the operations that have ended and can be read: of all calls of one
// application together, and of all applications; the oldest go first. Default: 10,000 and 100,000.
func WithMaxRetained(perApplication, inAll int) Option {
	return func(c *config) { c.keepPerApplication, c.keepInAll = perApplication, inAll }
}

// WithNotifier sets who delivers, unless Platform.Deliver does. One Notifier may serve several
// handlers. Default, and for nil: that of NewNotifier without options.
func WithNotifier(n *Notifier) Option { return func(c *config) { c.notifier = n } }

// WithFailureHandler sets a function that is told of notifications that were given up. It is called
// where Deliver is, or by Shutdown, and may block; a panic in it is logged. Default: none.
func WithFailureHandler(f func(DeliveryFailure)) Option { return func(c *config) { c.lost = f } }

// WithLogger sets where the handler tells of internal errors and of notifications that were given
// up: with ids, never with tones, tokens, bodies or callback URIs. Default, and for nil:
// slog.Default.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

func newConfig(opts []Option) (config, error) {
	c := config{
		maxBody: DefaultMaxBody, outbox: DefaultOutbox, keepFor: DefaultKeepFor,
		keepPerCall: DefaultKeepPerCall, keepPerApplication: DefaultKeepPerApplication,
		keepInAll: DefaultKeepInAll, maxCalls: DefaultMaxCalls, maxRequests: DefaultMaxRequests,
		maxBytesPerCall: DefaultMaxBytesPerCall, maxBytes: DefaultMaxBytes,
	}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	c.logger = slog.New(guarded{c.logger.Handler()})
	c.base = strings.TrimSuffix(c.base, "/")
	switch {
	case c.maxBody <= 0 || c.maxBody > 64<<20:
		return c, fmt.Errorf("graph: WithMaxBody(%d): must be more than 0, at most 64 MiB", c.maxBody)
	case c.maxCalls < 0:
		return c, fmt.Errorf("graph: WithMaxCalls(%d): must be 0 (no limit) or more", c.maxCalls)
	case c.maxRequests < 0 || c.maxRequests > 1_000_000:
		return c, fmt.Errorf("graph: WithMaxRequests(%d): must be 0 (no limit) to a million",
			c.maxRequests)
	case c.maxBytesPerCall < 0 || c.maxBytes < 0:
		return c, fmt.Errorf("graph: WithMaxBytes(%d, %d): must be 0 (no limit) or more",
			c.maxBytesPerCall, c.maxBytes)
	case c.outbox <= 0:
		return c, fmt.Errorf("graph: WithOutbox(%d): must be more than 0", c.outbox)
	case c.keepFor < 0 || c.keepPerCall < 0:
		return c, fmt.Errorf("graph: WithRetention(%v, %d): must be 0 or more", c.keepFor, c.keepPerCall)
	case c.keepPerApplication < 0 || c.keepInAll < 0:
		return c, fmt.Errorf("graph: WithMaxRetained(%d, %d): must be 0 or more",
			c.keepPerApplication, c.keepInAll)
	}
	if c.base != "" {
		u, err := url.Parse(c.base)
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
			u.RawQuery != "" || u.Fragment != "") {
			err = errors.New("must be http or https, a host, and a path")
		}
		if err != nil {
			return c, fmt.Errorf("graph: WithBaseURL(%q): %w", c.base, err)
		}
	}
	return c, nil
}
