package graph

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"ivrqueue/egress"
	"ivrqueue/internal/foreign"
	"ivrqueue/webhook"
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
	DefaultAnswerTimeout      = 15 * time.Second
)

// Option configures a handler. Of those of a kind the last counts; a wrong one is an error of New,
// wherever it stands.
type Option func(*config)

type config struct {
	base               string
	maxBody            int64
	maxCalls           int
	maxRequests        int
	maxBytesPerCall    int64
	maxBytes           int64
	outbox             int
	guids              bool
	ownKinds           []KindSpec
	spares             bool
	idempotent         bool
	keepFor            time.Duration
	keepPerCall        int
	keepPerApplication int
	keepInAll          int
	notifier           *webhook.Notifier
	answerTimeout      time.Duration
	roster             bool
	newCallID          func() uuid.UUID
	ledger             *Ledger
	lost               func(DeliveryFailure)
	logger             *slog.Logger
}

// WithBaseURL sets where clients find the handler, for Location headers: scheme, host and the path
// that it is mounted under, without a version, such as "https://media.example/graph". It is needed
// behind a proxy. Default: what the request says in its Host and its TLS, or in its URL.Scheme
// where something in front, which knows its proxies, has set that.
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
// until their end was delivered, and of the lists of participants that are sent for their muting:
// of one call, and of all calls of one application, in bytes. With more, such requests are answered
// with 429. Neither must be negative; 0 means no limit. Default: 8 MiB and 256 MiB. What is kept
// after the end is bounded by [WithRetention].
func WithMaxBytes(perCall, perApplication int64) Option {
	return func(c *config) { c.maxBytesPerCall, c.maxBytes = perCall, perApplication }
}

// WithOutbox sets how many notifications of a call may wait for their turn. With more, the handler
// lets the queue wait that reports ends to it, until the queue's own bound is reached: then
// requests for operations are answered with 429; tones that are pressed meanwhile are kept up to
// the 256 of a tone stream, where the oldest make room, which shows as a gap in sequenceId. Nothing
// else is lost. It must be positive, and should be more than a queue's WithMaxPending, so that a
// cancel of a full queue fits. Default: 2,048.
func WithOutbox(notifications int) Option { return func(c *config) { c.outbox = notifications } }

// WithGUIDs writes the ids in resourceUrl and @odata.id of an operation's notification as
// lower-case GUIDs, as they are everywhere else. Default: upper-case without dashes, as Graph's
// page on cancelMediaProcessing shows them.
func WithGUIDs() Option { return func(c *config) { c.guids = true } }

// WithSpareProtected has a client's cancelMediaProcessing leave alone what the platform has
// protected, with queue.Protected() in its own Enqueue or in an [Admission]: a notice that the law
// demands, say. The answer is the same. Default: a cancel ends everything, as Graph's page has it
// (https://learn.microsoft.com/graph/api/call-cancelmediaprocessing).
func WithSpareProtected() Option { return func(c *config) { c.spares = true } }

// WithIdempotency has a client repeat a request whose answer it did not get: a request for an
// operation, or a cancel, with the Client-Request-Id of an earlier one to the same call is answered
// with the operation of that one, and changes nothing. How many the call remembers, and for how
// long, is for queue.WithIdempotency to say. An id of more than 128 characters, or of others than
// visible ASCII, counts as none. A request for an operation of another kind is 422 with it; a
// cancel with an id that was not a cancel's cancels.
//
// Graph says nothing of the kind: a client may use one id for all that it does, and would be
// answered with its first operation then. So it is for bots that know of it. What a call remembers
// it keeps besides what [WithMaxBytes] bounds: by default up to 64 requests of [WithMaxBody] each,
// for 5 minutes. Default: every request counts.
func WithIdempotency() Option { return func(c *config) { c.idempotent = true } }

// WithRetention sets how long operations that have ended can be read, and how many of a call. Zero
// means not at all. What is kept of one is what is shown of it: some 500 bytes, its client context,
// the address of its recording, and its outcome. Default: 10 minutes and 100.
func WithRetention(d time.Duration, perCall int) Option {
	return func(c *config) { c.keepFor, c.keepPerCall = d, perCall }
}

// WithMaxRetained bounds the operations that have ended and can be read: of all calls of one
// application together, and of all applications; the oldest go first. Default: 10,000 and 100,000.
func WithMaxRetained(perApplication, inAll int) Option {
	return func(c *config) { c.keepPerApplication, c.keepInAll = perApplication, inAll }
}

// WithAnswerTimeout sets how long an incoming call waits to be answered, rejected or redirected. It
// must be positive, and at most a day. Default: 15 s, as Graph has it
// (https://learn.microsoft.com/graph/api/call-answer).
func WithAnswerTimeout(d time.Duration) Option {
	return func(c *config) { c.answerTimeout = d }
}

// WithRoster has the application notified of a call's participants when it is established, as Graph
// does. Default: when they change after that.
func WithRoster() Option { return func(c *config) { c.roster = true } }

// WithNotifier sets who delivers, unless Platform.Deliver does. One Notifier may serve several
// handlers. Default, and for nil: that of webhook.New without options, which takes no callback on
// this machine; see [webhook.WithLoopback].
func WithNotifier(n *webhook.Notifier) Option { return func(c *config) { c.notifier = n } }

// WithFailureHandler sets a function that gets the notifications that failed for good. It is called
// where Deliver is, by a Shutdown that gives up, and for each end that comes after that on a new
// goroutine. It may block; a panic in it is logged. Default: none.
func WithFailureHandler(f func(DeliveryFailure)) Option { return func(c *config) { c.lost = f } }

// WithCallIDs sets where the ids on the wire come from of calls whose [Attachment] has none, such
// as ids that say which of several machines has the call. An id that is taken is [ErrAttached]. f
// is called with no lock held. Default, and for nil: random ids.
func WithCallIDs(f func() uuid.UUID) Option { return func(c *config) { c.newCallID = f } }

// WithLedger sets the ledger that has what the calls owe. One ledger may serve several handlers.
// Default, and for nil: none, and nothing waits.
func WithLedger(l *Ledger) Option { return func(c *config) { c.ledger = l } }

// WithLogger sets where the handler logs internal errors and notifications that were given up: with
// ids, never with tones, tokens, bodies or callback URIs. A logger without a handler is an error.
// Default, and for nil: slog.Default.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

func newConfig(opts []Option) (config, error) {
	c := config{
		maxBody: DefaultMaxBody, outbox: DefaultOutbox, keepFor: DefaultKeepFor,
		keepPerCall: DefaultKeepPerCall, keepPerApplication: DefaultKeepPerApplication,
		keepInAll: DefaultKeepInAll, maxCalls: DefaultMaxCalls, maxRequests: DefaultMaxRequests,
		maxBytesPerCall: DefaultMaxBytesPerCall, maxBytes: DefaultMaxBytes,
		answerTimeout: DefaultAnswerTimeout,
	}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
		if err := c.check(); err != nil {
			return c, err
		}
	}
	if c.newCallID == nil {
		c.newCallID = uuid.New
	}
	c.logger = foreign.Logger(c.logger)
	c.base = egress.EscapeURL(strings.TrimRight(c.base, "/")) // as it goes into Location headers
	return c, nil
}

// check returns an error that names what an option has got wrong.
func (c *config) check() error {
	switch {
	case foreign.NoHandler(c.logger):
		return errors.New("graph: WithLogger: a logger without a handler")
	case c.maxBody <= 0 || c.maxBody > 64<<20:
		return fmt.Errorf("graph: WithMaxBody(%d): must be more than 0, at most 64 MiB", c.maxBody)
	case c.maxCalls < 0:
		return fmt.Errorf("graph: WithMaxCalls(%d): must be 0 (no limit) or more", c.maxCalls)
	case c.maxRequests < 0 || c.maxRequests > 1_000_000:
		return fmt.Errorf("graph: WithMaxRequests(%d): must be 0 (no limit) to a million",
			c.maxRequests)
	case c.maxBytesPerCall < 0 || c.maxBytes < 0:
		return fmt.Errorf("graph: WithMaxBytes(%d, %d): must be 0 (no limit) or more",
			c.maxBytesPerCall, c.maxBytes)
	case c.answerTimeout <= 0 || c.answerTimeout > longest:
		return fmt.Errorf("graph: WithAnswerTimeout(%v): must be more than 0, at most %v",
			c.answerTimeout, longest)
	case c.outbox <= 0:
		return fmt.Errorf("graph: WithOutbox(%d): must be more than 0", c.outbox)
	case c.keepFor < 0 || c.keepPerCall < 0:
		return fmt.Errorf("graph: WithRetention(%v, %d): must be 0 or more", c.keepFor, c.keepPerCall)
	case c.keepPerApplication < 0 || c.keepInAll < 0:
		return fmt.Errorf("graph: WithMaxRetained(%d, %d): must be 0 or more",
			c.keepPerApplication, c.keepInAll)
	}
	if c.base != "" {
		u, _ := egress.ParseURL(egress.EscapeURL(strings.TrimRight(c.base, "/")))
		if u == nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(c.base, "?#") ||
			u.Path != "" && path.Clean(u.Path) != u.Path {
			return fmt.Errorf("graph: WithBaseURL(%q): must be http or https, a host, and a path "+
				"without //, /./ and /../", c.base)
		}
	}
	return nil
}
