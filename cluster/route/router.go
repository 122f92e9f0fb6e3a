package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
	"ivrqueue/internal/foreign"
)

// Limits of forwarded requests.
const (
	MaxServed      = 1024             // at once, by an owner
	MaxAnswer      = 16 << 20         // bytes of an answer that is forwarded
	DefaultTimeout = 30 * time.Second // of a forwarded request
	MaxHead        = 64 << 10         // bytes of a request besides its body
	restTime       = 10 * time.Second // for which the rest of a long answer is kept
	maxRest        = 64 << 20         // bytes of such answers that are kept
	heldTime       = 2 * time.Second  // longer than notifications wait for an answer
)

// Whereabouts is what a node knows of a call of another owner.
type Whereabouts uint8

// What can be known of a call.
const (
	Lives  Whereabouts = iota + 1 // its owner lives, as far as is known
	Ending                        // its owner is dead, and its end was not notified yet
	Gone                          // there is no such call any more
)

// Options are what a router is made of. All are required but Timeout and Logger.
type Options struct {
	Subject string // the first tokens of the subjects

	// Owner returns who this node is: false while it has no lease that holds. It is asked before
	// and after each request is served here.
	Owner func() (callid.Owner, bool)

	// Find returns what becomes of the calls of another owner.
	Find func(callid.Owner, uuid.UUID) Whereabouts

	// Life returns a context that ends when the owner is known to be dead, so that nobody waits for
	// its answer.
	Life func(callid.Owner) context.Context

	// Draining reports whether new calls are for other nodes to take.
	Draining func() bool

	Timeout time.Duration // of a forwarded request; default: 30 s
	Logger  *slog.Logger  // default: slog.Default
}

// Stats are counts of a router.
type Stats struct {
	Local     uint64 // requests that were served here for clients of this node
	Forwarded uint64 // to other nodes
	Messages  uint64 // of NATS that carried requests and answers: under load fewer than those
	Served    uint64 // for other nodes
	Refused   uint64 // with 503, by this node for itself: without a lease, draining, or full
	Lost      uint64 // forwarded, and no answer came
	Gone      uint64 // for calls whose owner is dead
}

// Router brings requests to where their call is. It is made by [New].
type Router struct {
	options Options
	conn    *nats.Conn
	next    http.Handler // of the platform

	inbox   string // the subject of the answers to this node
	answers []*nats.Subscription

	maxPayload atomic.Int64 // see payload

	local, forwarded, messages, served, refused, lost, gone atomic.Uint64

	jobs    chan job  // to goroutines that rest
	waiting sync.Pool // waiters that nobody uses

	mu        sync.Mutex // guards everything below
	serving   int        // requests that are served for others
	resting   int        // goroutines that have served, and wait for another request
	subs      map[callid.Owner]*nats.Subscription
	answering map[string]*line // of answers, by the subject
	owners    map[callid.Owner]*line
	senders   int       // lines that are being sent
	idle      sync.Cond // one was sent, or a request is served
	last      uint64    // number of a request that was sent
	waiters   map[uint64]*waiter
	held      map[origin]func() // what waits until an answer is with its client
	before    map[origin]func() // the same, of the time before held was made
	turned    time.Time         // when that was
	rests     map[string][]byte // of answers that are longer than a message
	kept      int               // bytes of them
	ended     bool
}

// String names the subjects, for logs: what is given to package fmt would be read without the lock
// otherwise, with the answers of clients.
func (t *Router) String() string { return "router of " + t.options.Subject }

// New makes a router for the platform's HTTP handler, over a connection that stays the caller's.
func New(conn *nats.Conn, next http.Handler, o Options) (*Router, error) {
	switch {
	case conn == nil || foreign.IsNil(next):
		return nil, errors.New("route: the connection and the handler must not be nil")
	case o.Subject == "" || o.Owner == nil || o.Find == nil || o.Life == nil || o.Draining == nil:
		return nil, errors.New("route: Subject, Owner, Find, Life and Draining are required")
	case o.Timeout < 0:
		return nil, fmt.Errorf("route: Timeout is %v, must be 0 (the default) or more", o.Timeout)
	case foreign.NoHandler(o.Logger):
		return nil, errors.New("route: Logger has no handler")
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	o.Logger = foreign.Logger(o.Logger)
	t := &Router{
		options: o, conn: conn, next: next, inbox: conn.NewInbox(),
		jobs: make(chan job, maxResting),
		subs: make(map[callid.Owner]*nats.Subscription), answering: make(map[string]*line),
		owners:  make(map[callid.Owner]*line),
		waiters: make(map[uint64]*waiter), held: make(map[origin]func()),
		rests: make(map[string][]byte),
	}
	t.waiting.New = newWaiter
	t.learnMax()
	t.idle.L = &t.mu
	for _, subject := range []string{t.inbox, t.inbox + ".*.*"} {
		sub, err := conn.Subscribe(subject, t.hear)
		if err != nil {
			t.unsubscribe()
			return nil, fmt.Errorf("route: %w", err)
		}
		sub.SetClosedHandler(func(string) { t.abandon() }) // also when the connection is closed
		t.answers = append(t.answers, sub)
	}
	return t, nil
}

// unsubscribe hears no more answers.
func (t *Router) unsubscribe() {
	for _, sub := range t.answers {
		_ = sub.Unsubscribe() // fails if the connection is closed
	}
}

func (t *Router) subject(o callid.Owner) string {
	return t.options.Subject + ".node." + strconv.FormatUint(uint64(o.Node), 16) + "." +
		strconv.FormatUint(uint64(o.Epoch), 10)
}

// Serve begins to take what others forward to this owner.
func (t *Router) Serve(o callid.Owner) error {
	sub, err := t.conn.Subscribe(t.subject(o)+".*", func(m *nats.Msg) { t.receive(o, m) })
	if err != nil {
		return fmt.Errorf("route: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return errors.Join(errClosed, sub.Unsubscribe())
	}
	t.subs[o] = sub
	return nil
}

// Cease takes nothing more for an owner.
func (t *Router) Cease(o callid.Owner) {
	t.mu.Lock()
	sub := t.subs[o]
	delete(t.subs, o)
	t.mu.Unlock()
	if sub != nil {
		_ = sub.Unsubscribe() // fails if the connection is closed
	}
}

// Close ends the router, and waits until what it serves for others is served and answered, or for
// ctx, whose error it returns. Clients who wait for another node's answer then get 503.
func (t *Router) Close(ctx context.Context) error {
	t.mu.Lock()
	t.ended = true
	subs := slices.Collect(maps.Values(t.subs))
	clear(t.subs)
	t.mu.Unlock()
	for _, sub := range subs {
		_ = sub.Unsubscribe() // fails if the connection is closed
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.mu.Lock()
		defer t.mu.Unlock()
		for t.serving > 0 || t.senders > 0 {
			t.idle.Wait()
		}
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("route: the platform serves yet: %w", context.Cause(ctx))
	}
	t.endRest()
	t.unsubscribe()
	t.abandon()
	return err
}

// abandon says to all who wait that there will be no answer: nobody would hear it.
func (t *Router) abandon() {
	t.mu.Lock()
	waiters := slices.Collect(maps.Keys(t.waiters))
	t.mu.Unlock()
	for _, number := range waiters {
		t.fail(number, 1, errClosed)
	}
}

// Stats returns the counts of this moment.
func (t *Router) Stats() Stats {
	return Stats{
		Local: t.local.Load(), Forwarded: t.forwarded.Load(), Messages: t.messages.Load(),
		Served: t.served.Load(), Refused: t.refused.Load(), Lost: t.lost.Load(), Gone: t.gone.Load(),
	}
}

// ServeHTTP serves a request here, or brings it to where its call is.
func (t *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	self, ok := t.options.Owner()
	if !ok {
		t.refuse(w, r)
		return
	}
	id, about := CallOf(r)
	owner, known := callid.OwnerOf(id)
	switch {
	case !about && creates(r) && t.options.Draining():
		t.refuse(w, r)
	case !about || !known || owner == self:
		t.local.Add(1)
		t.next.ServeHTTP(&guarded{ResponseWriter: w, router: t, owner: self, request: r}, r)
	default:
		t.elsewhere(w, r, owner, id)
	}
}

// elsewhere brings a request to another owner.
func (t *Router) elsewhere(w http.ResponseWriter, r *http.Request, o callid.Owner, id uuid.UUID) {
	switch t.options.Find(o, id) {
	case Gone:
		t.gone.Add(1)
		graph.WriteError(w, r, http.StatusNotFound, "8522", "Call not found.")
		return
	case Ending:
		t.gone.Add(1)
		unavailable(w, r)
		return
	case Lives:
	}
	payload := t.payload()
	most := max(0, payload-MaxHead)
	body, err := readBody(w, r, int64(most))
	if err != nil {
		t.unreadable(w, r, err, most)
		return
	}
	text := newRequest(r, body, t.options.Timeout)
	if len(text) > payload {
		graph.WriteError(w, r, http.StatusRequestHeaderFieldsTooLarge, "RequestHeaderFieldsTooLarge",
			fmt.Sprintf("The header is too large, must be at most %d bytes.", MaxHead))
		return
	}
	t.forwarded.Add(1)
	to := t.lineToOwner(o)
	a, err := t.ask(r, o, to, text)
	if err == nil {
		err = writeAnswer(w, r.Method, a.head, a.body)
	}
	if err != nil {
		t.lost.Add(1)
		t.options.Logger.Warn("route: no answer from the owner of a call", slog.Any("error", err),
			slog.String("call", id.String()))
		unavailable(w, r)
	}
	if a.verdict == held {
		t.send(to, item{text: appendNumber([]byte{isThere}, a.number)})
	}
}

// readBody reads a body, unless its header says that it is longer than it may be.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	const likely = 16 << 10 // more is not set aside until it comes
	body, length := http.MaxBytesReader(w, r.Body, most), r.ContentLength
	switch {
	case length > most:
		return nil, &http.MaxBytesError{Limit: most}
	case length < 0 || length > likely:
		return io.ReadAll(body)
	}
	text := make([]byte, length+1) // so that its end is seen
	switch n, err := io.ReadFull(body, text); {
	case err == nil: // it is longer
		more, err := io.ReadAll(body)
		return slices.Concat(text, more), err
	case int64(n) == length && isEnd(err):
		return text[:n], nil
	default:
		return nil, err
	}
}

// isEnd reports whether an error of io.ReadFull says that there was no more to read.
func isEnd(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // it returns these
}

func (t *Router) unreadable(w http.ResponseWriter, r *http.Request, err error, most int) {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		graph.WriteError(w, r, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("The body is too large, must be at most %d bytes.", most))
		return
	}
	graph.WriteError(w, r, http.StatusBadRequest, "BadRequest",
		"The body could not be read to its end.")
}

// refuse answers for a node that may not, or does not want to.
func (t *Router) refuse(w http.ResponseWriter, r *http.Request) {
	t.refused.Add(1)
	unavailable(w, r)
}

func unavailable(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "5")
	graph.WriteError(w, r, http.StatusServiceUnavailable, "serviceNotAvailable",
		"The service is not available.")
}
