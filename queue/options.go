package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
)

// Defaults and limits of the options.
const (
	DefaultMaxPending  = 1024
	DefaultStopTimeout = 5 * time.Second
	MaxObservers       = 30
	MaxCallID          = 256 // bytes of a call id

	DefaultMaxKeys = 64              // idempotency keys that a queue remembers
	DefaultKeyAge  = 5 * time.Minute // and for how long

	MaxIdempotencyKey = 256 // characters of an idempotency key
)

// Option configures a queue. Of those of a kind the last counts, except where it says repeatable; a
// wrong one is an error of New, wherever it stands. A nil Option says nothing.
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
	maxKeys        int // that are remembered
	keyAge         time.Duration
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
	c.err = fmt.Errorf("queue: "+format, args...)
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
// exists only while there is something to deliver. Repeatable, at most [MaxObservers]; each gets
// every event, in order, and one that is slow holds up only itself. A nil observer, also a typed
// nil, is an error. Default: none.
func WithObserver(o Observer) Option {
	return func(c *config) {
		if foreign.IsNil(o) {
			c.wrong("WithObserver: nil observer (%T)", o)
			return
		}
		c.observers = append(slices.Clip(c.observers), o) // a shared config keeps its own
	}
}

// WithInlineObserver adds the one observer that is called on the goroutine that changed the state:
// the fastest form, for one that returns at once, takes no lock that a caller of the queue may
// hold, and does not exit. A second one is an error, and so is a nil one, also a typed nil.
// Default: none.
func WithInlineObserver(o Observer) Option {
	return func(c *config) {
		switch {
		case foreign.IsNil(o):
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
// abandoned. It is called on a goroutine of the queue's own. A logger without a handler, or with a
// nil one, is an error. Defaults to [slog.Default], also for a nil logger.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) {
		if foreign.NoHandler(l) {
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

// WithIdempotency sets how many calls with an [IdempotencyKey] a queue remembers, the last n, and
// for how long. Each keeps its operation, with its request, and the receipt: at most 1,024
// operations in the receipts of all but the last. Answers that are too old are dropped with the
// next call that has a key, all of them at Done. Zero and negative are errors. Defaults to 64 and
// 5 minutes.
func WithIdempotency(n int, d time.Duration) Option {
	return func(c *config) { c.maxKeys, c.keyAge = n, d }
}

// Options makes one option of several, to be made once and shared by all calls: queues that are
// given nothing else share its memory too. Its errors are those of New.
func Options(opts ...Option) Option {
	opts = slices.Clone(opts)
	shared, err := newConfig(opts)
	return func(c *config) {
		switch {
		case err != nil:
			c.err = err
		case c.touched: // not the first: it adds to what there is
			for _, o := range opts {
				c.apply(o)
			}
		default:
			*c = *shared
			c.shared = shared
		}
	}
}

// defaults is the config of a queue without options.
var defaults = &config{
	maxPending:     DefaultMaxPending,
	maxUndelivered: 4 * DefaultMaxPending,
	stopTimeout:    DefaultStopTimeout,
	maxKeys:        DefaultMaxKeys,
	keyAge:         DefaultKeyAge,
	clocks:         newClocks(DefaultStopTimeout, 0),
	tickEvery:      tick,
}

func newConfig(opts []Option) (*config, error) {
	c := new(config)
	*c = *defaults
	for _, o := range opts {
		c.apply(o)
		if err := c.check(); err != nil {
			return c, err
		}
	}
	if c.shared != nil {
		return c.shared, nil
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

// check returns an error that names what an option has got wrong.
func (c *config) check() error {
	switch {
	case c.err != nil:
		return c.err
	case c.maxPending < 0:
		return fmt.Errorf("queue: WithMaxPending(%d): must be 0 (no limit) or more", c.maxPending)
	case c.stopTimeout <= 0:
		return fmt.Errorf("queue: WithStopTimeout(%v): must be more than 0", c.stopTimeout)
	case c.runTimeout < 0:
		return fmt.Errorf("queue: WithRunTimeout(%v): must be 0 (never) or more", c.runTimeout)
	case c.maxKeys <= 0:
		return fmt.Errorf("queue: WithIdempotency: n is %d: must be 1 or more", c.maxKeys)
	case c.keyAge <= 0:
		return fmt.Errorf("queue: WithIdempotency: d is %v: must be more than 0", c.keyAge)
	case len(c.observers) > MaxObservers:
		return fmt.Errorf("queue: %d observers: must be at most %d", len(c.observers), MaxObservers)
	}
	return nil
}

// EnqueueOption is what an operation may be given besides its request, and how a cancel ends. It is
// a value, so that it costs no allocation; of those of a kind the last counts, and the zero
// EnqueueOption says nothing. Each says which calls it is for. One that is wrong, or not for the
// call, is an error that names it, wherever it stands, save for CancelAll, which is never refused
// and ignores it.
type EnqueueOption struct {
	what     enqueueOption
	reason   operation.Reason
	text     string
	value    any
	id       uuid.UUID
	duration time.Duration
}

type enqueueOption uint8

const (
	setClientContext enqueueOption = iota + 1
	setValue
	setID
	setStopTimeout
	setProtected
	spareProtected
	setReason
	setCause
	setKey
	setContext
)

// calls is a set of calls that take options.
type calls uint8

const (
	ofEnqueue calls = 1 << iota
	ofEnqueueNext
	ofInterrupt
	ofCancelAll
	ofCancel
	ofCancelWhere

	ofAccepting = ofEnqueue | ofEnqueueNext | ofInterrupt
)

// callNames are those of the calls, in the order of their bits.
var callNames = [...]string{
	"Enqueue", "EnqueueNext", "Interrupt", "CancelAll", "Cancel", "CancelWhere",
}

func (c calls) String() string {
	var names []string
	for i, name := range callNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// optionRules say how an option is called, and which calls it is for.
var optionRules = [...]struct {
	name string
	of   calls
}{
	setClientContext: {"ClientContext", ofAccepting | ofCancelAll},
	setValue:         {"Value", ofAccepting | ofCancelAll},
	setID:            {"ID", ofAccepting | ofCancelAll},
	setStopTimeout:   {"StopTimeout", ofAccepting},
	setProtected:     {"Protected", ofAccepting},
	spareProtected:   {"SpareProtected", ofCancelAll | ofCancelWhere},
	setReason:        {"Because", ofCancelAll | ofCancel | ofCancelWhere},
	setCause:         {"CausedBy", ofCancelAll | ofCancel | ofCancelWhere},
	setKey:           {"IdempotencyKey", ofAccepting | ofCancelAll},
	setContext:       {"Context", ofCancelAll},
}

// ClientContext marks an operation with the bot's own text, at most 256 characters; it comes back
// with the operation and is never read. Default: none. For what accepts operations, where another
// text is an error, and for the own operation of CancelAll, which is never refused and ignores it.
func ClientContext(s string) EnqueueOption { return EnqueueOption{what: setClientContext, text: s} }

// Value attaches the platform's own datum to an operation, which releases it after its last event;
// the operation of a CancelAll has no event, and keeps it. See [operation.Operation.Value]. For
// what accepts operations, and for the own operation of CancelAll.
func Value(v any) EnqueueOption { return EnqueueOption{what: setValue, value: v} }

// Context gives the own operation of a CancelAll the values of ctx, never its end, as Enqueue gives
// them to others, so that observers learn from whom a cancel came: see [Event.By]. They are
// released when the end of all that it has ended was delivered. A nil context, also a typed nil, is
// none. For CancelAll. Default: no values.
func Context(ctx context.Context) EnqueueOption {
	return EnqueueOption{what: setContext, value: ctx}
}

// contextOf returns what the last Context was given, or nil.
func contextOf(opts []EnqueueOption) context.Context {
	for i := len(opts) - 1; i >= 0; i-- {
		if o := &opts[i]; o.what == setContext && foreign.IsNil(o.value) {
			return nil
		} else if o.what == setContext {
			return o.value.(context.Context) //nolint:forcetypeassert // Context has put it there
		}
	}
	return nil
}

// ID gives an operation its id. Default, and for the zero id: a random one. For what accepts
// operations, and for the own operation of CancelAll.
func ID(id uuid.UUID) EnqueueOption { return EnqueueOption{what: setID, id: id} }

// StopTimeout is how long the media of this operation has to report once it was preempted, and to
// return from a callback in which it has reported, in place of [WithStopTimeout]: longer for a
// recording that has to be uploaded, shorter for a prompt. It holds up what comes next for as long.
// Zero and negative are errors. For what accepts operations. Default: the queue's.
func StopTimeout(d time.Duration) EnqueueOption {
	return EnqueueOption{what: setStopTimeout, duration: d}
}

// Protected accepts an operation that nothing ends which barges in: an Interrupt, and a request
// that barges in, end all others that are live and take the place after it. CancelAll ends it,
// unless it is given [SpareProtected]; Cancel, which names it, and Close always do. It counts for
// WithMaxPending like others. For what accepts operations.
func Protected() EnqueueOption { return EnqueueOption{what: setProtected} }

// SpareProtected has a cancel leave protected operations alone: CancelAll ends all others at one
// instant, CancelWhere does not ask for them. For CancelAll and CancelWhere.
func SpareProtected() EnqueueOption { return EnqueueOption{what: spareProtected} }

// Because has a cancel end operations with another reason than [operation.Cancelled]. It must be
// one of a failure: of another one Cancel and CancelWhere return an error, and CancelAll, which is
// never refused, ends with Cancelled. For CancelAll, Cancel and CancelWhere.
func Because(why operation.Reason) EnqueueOption {
	return EnqueueOption{what: setReason, reason: why}
}

// CausedBy names who ends operations: see [operation.Operation.Cause]. The cause must be valid: of
// another one Cancel and CancelWhere return an error, and CancelAll, which is never refused,
// ignores it. Default, and for the zero Cause: of CancelAll its own operation, of the others
// none. For CancelAll, Cancel and CancelWhere.
func CausedBy(c operation.Cause) EnqueueOption { return EnqueueOption{what: setCause, value: &c} }

// IdempotencyKey names a call, with 1 to 256 characters of valid UTF-8, so that it may be repeated
// by a caller who does not know whether it has arrived. A call with the key of one that was
// accepted, and is still remembered (see [WithIdempotency]), returns the same operation and the
// same receipt, and changes nothing, also if the operation has ended and the queue is closed, until
// Done. It is checked as every call is, and the rest of it is dropped, its id included. What was
// refused is not remembered: the same key may be tried again.
//
// Another method than the first time, or a request of another kind, is [ErrKeyReused]. An empty
// key, a longer one and one that is not UTF-8 are errors. CancelAll, which is never refused,
// cancels as without such a key, each time. Default: no key. For what accepts operations and for
// CancelAll.
func IdempotencyKey(key string) EnqueueOption { return EnqueueOption{what: setKey, text: key} }

// keyedBy returns the call with its idempotency key, or nil if it has none, and the first error.
// The key is a copy: what remembers it must not keep a whole message that it is a part of.
func keyedBy(opts []EnqueueOption, call calls, kind operation.Kind) (k *keyed, err error) {
	for i := range opts {
		o := &opts[i]
		if o.what != setKey {
			continue
		}
		if wrong := validateKey(o.text); wrong != nil {
			err = cmp.Or(err, wrong)
			continue
		}
		k = &keyed{strings.Clone(o.text), call, kind}
	}
	return k, err
}

func validateKey(key string) error {
	const field = "idempotencyKey"
	limit := fmt.Sprintf("1 to %d characters", MaxIdempotencyKey)
	switch n := utf8.RuneCountInString(key); {
	case n == 0:
		return &operation.FieldError{Field: field, Value: `""`, Limit: limit}
	case n > MaxIdempotencyKey:
		return &operation.FieldError{Field: field, Value: fmt.Sprintf("%d characters", n), Limit: limit}
	case !utf8.ValidString(key):
		return &operation.FieldError{Field: field, Value: "invalid UTF-8", Limit: "valid UTF-8"}
	}
	return nil
}

// checkOptions returns an error that names an option which is not for the call.
func checkOptions(opts []EnqueueOption, call calls) error {
	for i := range opts {
		if o := opts[i].what; o != 0 && optionRules[o].of&call == 0 {
			return fmt.Errorf("queue: option %s is not for %v, only for %v",
				optionRules[o].name, call, optionRules[o].of)
		}
	}
	return nil
}

// apply gives a spec what the options say of it. What is wrong is left out; it returns the first
// error.
func apply(s *operation.Spec, opts []EnqueueOption) (err error) {
	for i := range opts {
		switch o := &opts[i]; o.what {
		case setClientContext:
			if wrong := operation.ValidateClientContext(o.text); wrong != nil {
				err = cmp.Or(err, wrong)
				continue
			}
			s.ClientContext = o.text
		case setValue:
			s.Value = o.value
		case setID:
			s.ID = o.id
		case setStopTimeout:
			if o.duration <= 0 {
				err = cmp.Or(err, fmt.Errorf("queue: StopTimeout(%v): must be more than 0", o.duration))
				continue
			}
			s.StopTimeout = o.duration
		default: // not of the operation's own part
		}
	}
	return err
}

// endingOf is how a cancel with these options ends operations. What is wrong is left out; it
// returns the first error.
func endingOf(opts []EnqueueOption, call calls) (how ending, err error) {
	how.why = operation.Cancelled
	err = checkOptions(opts, call)
	for i := range opts {
		switch o := &opts[i]; o.what {
		case spareProtected:
			how.spare = true
		case setReason:
			if o.reason.Status() != operation.Failed {
				err = cmp.Or(err,
					fmt.Errorf("queue: Because(%v): must be a reason of a failure", o.reason.String()))
				continue
			}
			how.why = o.reason
		case setCause:
			c := o.value.(*operation.Cause) //nolint:forcetypeassert // CausedBy has put it there
			if wrong := c.Validate(); wrong != nil {
				err = cmp.Or(err, fmt.Errorf("queue: CausedBy: %w", wrong))
				continue
			}
			if how.by = nil; *c != (operation.Cause{}) {
				how.by = c
			}
		default:
		}
	}
	return how, err
}

// has reports whether an option is there.
func has(opts []EnqueueOption, what enqueueOption) bool {
	for i := range opts {
		if opts[i].what == what {
			return true
		}
	}
	return false
}
