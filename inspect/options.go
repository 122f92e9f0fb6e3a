package inspect

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Defaults of the options.
const (
	DefaultPath          = "/debug/calls/"
	DefaultMaxCalls      = 10_000           // that live
	DefaultKeep          = 1000             // calls that have ended
	DefaultKeepFor       = 10 * time.Minute // each of them
	DefaultMaxOperations = 64               // of a call
	DefaultMaxStreams    = 32
)

// Option configures a handler. Of those of a kind the last counts; a wrong one is an error of New,
// wherever it stands.
type Option func(*config)

type config struct {
	path       string
	maxCalls   int
	keep       int
	keepFor    time.Duration
	operations int
	streams    int
	keys       bool
	owner      func(r *http.Request) (owner string, all bool)
	err        error
}

// WithPath sets the path that the handler is mounted at, as requests have it when they get here:
// it begins and ends with a slash. Nothing else below it is there. Default: /debug/calls/.
func WithPath(path string) Option { return func(c *config) { c.path = path } }

// WithMaxCalls bounds the live calls that are recorded; those that begin when there are as many
// are not, and the page says how many. It must be positive. Default: 10,000.
func WithMaxCalls(n int) Option { return func(c *config) { c.maxCalls = n } }

// WithRetention sets how many calls that have ended can still be looked at, and for how long. The
// oldest go first. Neither must be negative; zero means not at all. Default: 1,000 and 10 minutes.
func WithRetention(calls int, d time.Duration) Option {
	return func(c *config) { c.keep, c.keepFor = calls, d }
}

// WithMaxOperations bounds what is kept of a call: so many operations, the same number of
// deliveries of notifications, and twice as many keys, cancels and notes. The oldest go first, of
// operations those that have ended. It must be from 8 to 10,000. Default: 64.
func WithMaxOperations(n int) Option { return func(c *config) { c.operations = n } }

// WithMaxStreams bounds the pages that are kept up to date at once: each takes one stream for the
// list, and one for the call that it shows. More are answered with 503. It must be positive.
// Default: 32.
func WithMaxStreams(n int) Option { return func(c *config) { c.streams = n } }

// WithKeyValues shows which keys callers press. They may be PINs and card numbers. Without it they
// are not even kept. Default: that a key was pressed, and when.
func WithKeyValues() Option { return func(c *config) { c.keys = true } }

// WithOwner sets whose calls a request may see: those that were attached with this Owner, or all.
// It is asked once for each request, after whoever mounts the handler has let it pass; a panic in
// it is answered with 500. Nil is an error. Default: all calls, for everybody who gets here.
func WithOwner(f func(r *http.Request) (owner string, all bool)) Option {
	return func(c *config) {
		if f == nil {
			c.err = errors.New("inspect: WithOwner: nil function")
		}
		c.owner = f
	}
}

func newConfig(opts []Option) (config, error) {
	c := config{
		path: DefaultPath, maxCalls: DefaultMaxCalls, keep: DefaultKeep, keepFor: DefaultKeepFor,
		operations: DefaultMaxOperations, streams: DefaultMaxStreams,
	}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
		if err := c.check(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// check returns an error that names what an option has got wrong.
func (c *config) check() error {
	switch {
	case c.err != nil:
		return c.err
	case !strings.HasPrefix(c.path, "/") || !strings.HasSuffix(c.path, "/"):
		return fmt.Errorf("inspect: WithPath(%q): must begin and end with a slash", c.path)
	case c.maxCalls <= 0:
		return fmt.Errorf("inspect: WithMaxCalls(%d): must be more than 0", c.maxCalls)
	case c.keep < 0 || c.keepFor < 0:
		return fmt.Errorf("inspect: WithRetention(%d, %v): must be 0 or more", c.keep, c.keepFor)
	case c.operations < 8 || c.operations > 10_000:
		return fmt.Errorf("inspect: WithMaxOperations(%d): must be 8 to 10,000", c.operations)
	case c.streams <= 0:
		return fmt.Errorf("inspect: WithMaxStreams(%d): must be more than 0", c.streams)
	}
	return nil
}
