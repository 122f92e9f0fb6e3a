package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Defaults and limits of the options.
const (
	DefaultMaxPending  = 1024
	DefaultStopTimeout = 5 * time.Second
	MaxObservers       = 30
)

// Option configures a queue. The last of a kind wins, except where it says repeatable.
type Option func(*config)

// config is what options make. It never changes once New has it, so queues may share one.
type config struct {
	observers      []Observer // the inline one first, if there is one
	inlineObserver bool
	inlineMedia    bool
	allInline      bool // the media, and the only observer, if there is one
	logger         *slog.Logger
	maxPending     int
	maxUndelivered int // ended operations that the slowest observer has yet to get
	stopTimeout    time.Duration
	runTimeout     time.Duration
	clocks         *clocks
	tickEvery      time.Duration
	oneBubble      bool           // false but in tests: all its queues live in one synctest bubble
	seam           func(by actor) // nil but in tests
	err            error

	touched bool    // by some option
	shared  *config // what Options has validated, if there was nothing else
}

// wrong notes an error of an option, for New to return.
func (c *config) wrong(format string, args ...any) {
	c.err = errors.Join(c.err, fmt.Errorf("queue: "+format, args...))
}

func (c *config) apply(o Option) {
	if o == nil {
		return
	}
	c.shared = nil
	o(c)
	c.touched = true
}

// WithObserver adds an observer whose calls are made on a goroutine of the queue's own, which
// exists only while there is something to tell. Repeatable, at most [MaxObservers]; each gets every
// event, in order, and one that is slow holds up only itself. Default: none.
func WithObserver(o Observer) Option {
	return func(c *config) {
		if isNil(o) {
			c.wrong("WithObserver: nil observer (%T)", o)
			return
		}
		c.observers = append(slices.Clip(c.observers), o) // a shared config keeps its own
	}
}

// WithInlineObserver adds the one observer that is called on the goroutine that changed the state:
// the fastest form, for one that returns at once, takes no lock that a caller of the queue may
// hold, and does not exit. Default: none.
func WithInlineObserver(o Observer) Option {
	return func(c *config) {
		switch {
		case isNil(o):
			c.wrong("WithInlineObserver: nil observer (%T)", o)
		case c.inlineObserver:
			c.wrong("WithInlineObserver: given twice: there can be one")
		default:
			c.observers = append([]Observer{o}, c.observers...)
			c.inlineObserver = true
		}
	}
}

// WithInlineMedia has the media called on the goroutine that changed the state: the fastest form,
// for media that returns at once, takes no lock that a caller of the queue may hold, and does not
// exit. Default: calls on a goroutine of the queue's own.
func WithInlineMedia() Option { return func(c *config) { c.inlineMedia = true } }

// WithLogger sets where the queue warns of callbacks that panicked or exited, and of media that was
// abandoned. It is called on a goroutine of the queue's own. A logger without a handler is an
// error. Defaults to [slog.Default], also for nil.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) {
		if l != nil && isNil(l.Handler()) {
			c.wrong("WithLogger: a logger without a handler")
			return
		}
		c.logger = l
	}
}

// WithMaxPending bounds the operations that wait; the running one is not counted. An observer that
// lags has a bound of its own, see [ErrFull]. Zero means no limit, for both; negative is an error.
// Default: 1,024.
func WithMaxPending(n int) Option { return func(c *config) { c.maxPending = n } }

// WithStopTimeout sets how long media may take to report after its operation was preempted, and, if
// it has reported before, to return from its callback after a cancel of everything or the end of
// the call; then it is abandoned. No other timeout puts it off. Zero and negative are errors.
// Defaults to 5 s.
func WithStopTimeout(d time.Duration) Option { return func(c *config) { c.stopTimeout = d } }

// WithRunTimeout ends a running operation whose media has shown neither progress nor end for d (it
// may take a quarter of d longer, since it looks four times in d). Zero means never; negative is an
// error. Default: never.
func WithRunTimeout(d time.Duration) Option { return func(c *config) { c.runTimeout = d } }

// Options makes one option of several, to be made once and shared by all calls: queues that are
// given nothing else share its memory too. Its errors are those of New.
func Options(opts ...Option) Option {
	opts = slices.Clone(opts)
	shared, err := newConfig(opts)
	return func(c *config) {
		if c.touched { // not the first: it adds to what there is
			for _, o := range opts {
				c.apply(o)
			}
			return
		}
		*c = *shared
		c.err, c.shared = err, shared
	}
}

// defaults is the config of a queue without options.
var defaults = &config{
	maxPending:     DefaultMaxPending,
	maxUndelivered: 4 * DefaultMaxPending,
	stopTimeout:    DefaultStopTimeout,
	clocks:         newClocks(DefaultStopTimeout, 0),
	tickEvery:      tick,
}

func newConfig(opts []Option) (*config, error) {
	c := new(config)
	*c = *defaults
	for _, o := range opts {
		c.apply(o)
	}
	if c.err != nil {
		return c, c.err
	}
	if c.shared != nil {
		return c.shared, nil
	}
	switch {
	case c.maxPending < 0:
		return c, fmt.Errorf("queue: WithMaxPending(%d): must be 0 (no limit) or more", c.maxPending)
	case c.stopTimeout <= 0:
		return c, fmt.Errorf("queue: WithStopTimeout(%v): must be more than 0", c.stopTimeout)
	case c.runTimeout < 0:
		return c, fmt.Errorf("queue: WithRunTimeout(%v): must be 0 (never) or more", c.runTimeout)
	case len(c.observers) > MaxObservers:
		return c, fmt.Errorf("queue: %d observers: must be at most %d", len(c.observers), MaxObservers)
	}
	c.maxUndelivered = math.MaxInt
	if c.maxPending <= math.MaxInt/4 {
		c.maxUndelivered = 4 * c.maxPending
	}
	c.allInline = c.inlineMedia &&
		(len(c.observers) == 0 || len(c.observers) == 1 && c.inlineObserver)
	c.clocks = newClocks(c.stopTimeout, c.runTimeout)
	return c, nil
}

// isNil reports whether v is nil, or holds something that is.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice,
		reflect.UnsafePointer:
		return r.IsNil()
	default:
		return false
	}
}

// EnqueueOption is what an operation may be given besides its request. It is a value, so that it
// costs no allocation; the last of a kind wins, and the zero EnqueueOption says nothing.
type EnqueueOption struct {
	what  enqueueOption
	text  string
	value any
	id    uuid.UUID
}

type enqueueOption uint8

const (
	setClientContext enqueueOption = iota + 1
	setValue
	setID
)

// ClientContext marks an operation with the bot's own text, at most 256 characters; it comes back
// with the operation and is never read. Default: none.
func ClientContext(s string) EnqueueOption { return EnqueueOption{what: setClientContext, text: s} }

// Value hangs the platform's own datum on an operation: see [operation.Operation.Value].
func Value(v any) EnqueueOption { return EnqueueOption{what: setValue, value: v} }

// ID gives an operation its id. Default, and for the zero id: a random one.
func ID(id uuid.UUID) EnqueueOption { return EnqueueOption{what: setID, id: id} }

func apply(s *operation.Spec, opts []EnqueueOption) {
	for i := range opts {
		switch o := &opts[i]; o.what {
		case setClientContext:
			s.ClientContext = o.text
		case setValue:
			s.Value = o.value
		case setID:
			s.ID = o.id
		}
	}
}

func hasID(opts []EnqueueOption) bool {
	for i := range opts {
		if opts[i].what == setID {
			return true
		}
	}
	return false
}
