package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
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
	heldTime       = 2 * time.Second  // after which notifications have gone in any case
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

	local, forwarded, served, refused, lost, gone atomic.Uint64

	places chan struct{} // of requests that are served for others
	work   sync.WaitGroup

	mu    sync.Mutex // guards everything below
	subs  map[callid.Owner]*nats.Subscription
	held  map[string]func() // what waits until an answer is with its client
	rests map[string][]byte // of answers that are longer than a message
	kept  int               // bytes of them
	ended bool
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
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Router{
		options: o, conn: conn, next: next, places: make(chan struct{}, MaxServed),
		subs: make(map[callid.Owner]*nats.Subscription), held: make(map[string]func()),
		rests: make(map[string][]byte),
	}, nil
}

func (t *Router) subject(o callid.Owner) string {
	return fmt.Sprintf("%s.call.%04x.%d", t.options.Subject, uint16(o.Node), o.Epoch)
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
		return errors.Join(errors.New("route: closed"), sub.Unsubscribe())
	}
	t.subs[o] = sub
	return nil
}

// Cease takes nothing more for an owner.
func (t *Router) Cease(o callid.Owner) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sub := t.subs[o]; sub != nil {
		_ = sub.Unsubscribe() // fails if the connection is closed
		delete(t.subs, o)
	}
}

// Close ends the router, and waits until what it serves for others is served, or for ctx, whose
// error it returns.
func (t *Router) Close(ctx context.Context) error {
	t.mu.Lock()
	t.ended = true
	for o, sub := range t.subs {
		_ = sub.Unsubscribe() // fails if the connection is closed
		delete(t.subs, o)
	}
	t.mu.Unlock()
	served := make(chan struct{})
	go func() {
		defer close(served)
		t.work.Wait()
	}()
	select {
	case <-served:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("route: the platform serves yet: %w", context.Cause(ctx))
	}
}

// Stats returns the counts of this moment.
func (t *Router) Stats() Stats {
	return Stats{
		Local: t.local.Load(), Forwarded: t.forwarded.Load(), Served: t.served.Load(),
		Refused: t.refused.Load(), Lost: t.lost.Load(), Gone: t.gone.Load(),
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
	most := max(0, t.conn.MaxPayload()-MaxHead)
	body, err := readBody(http.MaxBytesReader(w, r.Body, most), min(r.ContentLength, most))
	if err != nil {
		t.unreadable(w, r, err, most)
		return
	}
	t.forwarded.Add(1)
	reply, err := t.ask(r, o, body)
	if err != nil {
		t.lost.Add(1)
		t.options.Logger.Warn("route: no answer from the owner of a call", slog.Any("error", err),
			slog.String("call", id.String()))
		unavailable(w, r)
		return
	}
	if err := answer(w, r, reply.text); err != nil {
		t.options.Logger.Error("route: an answer that is none", slog.Any("error", err))
		unavailable(w, r)
	}
	if reply.held != "" {
		m := nats.NewMsg(t.subject(o) + ".answered")
		m.Header.Set(headHeld, reply.held)
		_ = t.conn.PublishMsg(m) // if it is lost, a second passes
	}
}

// readBody reads a body that is as long as its header says, or of unknown length, then -1.
func readBody(body io.Reader, length int64) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(int(max(length, 0)) + bytes.MinRead) // so that it finds the end without growing again
	_, err := text.ReadFrom(body)
	return text.Bytes(), err
}

func (t *Router) unreadable(w http.ResponseWriter, r *http.Request, err error, most int64) {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		graph.WriteError(w, r, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("The body is too large, must be at most %d bytes.", most))
		return
	}
	graph.WriteError(w, r, http.StatusBadRequest, "BadRequest",
		"The body could not be read to its end.")
}

// forwardedAnswer is what came back.
type forwardedAnswer struct {
	text []byte
	held string
}

// ask forwards a request, and waits for its answer: until the client has gone, its time is over, or
// the owner is dead.
func (t *Router) ask(r *http.Request, o callid.Owner, body []byte) (forwardedAnswer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), t.options.Timeout)
	defer cancel()
	stop := context.AfterFunc(t.options.Life(o), cancel) //nolint:contextcheck // the owner's
	defer stop()
	m, err := forward(t.subject(o)+".request", r, body, t.options.Timeout)
	if err != nil {
		return forwardedAnswer{}, err
	}
	reply, err := t.conn.RequestMsgWithContext(ctx, m)
	switch {
	case err != nil:
		return forwardedAnswer{}, err
	case reply.Header.Get(headFenced) != "":
		return forwardedAnswer{}, errors.New("route: it has lost its lease")
	case reply.Header.Get(headBusy) != "":
		return forwardedAnswer{}, errors.New("route: it is busy")
	}
	a := forwardedAnswer{text: reply.Data, held: reply.Header.Get(headHeld)}
	if size := reply.Header.Get(headSize); size != "" {
		a.text, err = t.fetch(ctx, o, reply.Header.Get(headRest), a.text, size)
	}
	return a, err
}

// fetch gets the rest of a long answer.
func (t *Router) fetch(
	ctx context.Context, o callid.Owner, rest string, text []byte, size string,
) ([]byte, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < len(text) || n > MaxAnswer+MaxHead {
		return nil, fmt.Errorf("route: an answer of %.20q bytes", size)
	}
	text = bytes.Clone(text)
	for len(text) < n {
		m := nats.NewMsg(t.subject(o) + ".rest")
		m.Header.Set(headRest, rest)
		m.Header.Set(headOffset, strconv.Itoa(len(text)))
		more, err := t.conn.RequestMsgWithContext(ctx, m)
		switch {
		case err != nil:
			return nil, err
		case len(more.Data) == 0 || len(text)+len(more.Data) > n:
			return nil, errors.New("route: the rest of the answer is gone")
		}
		text = append(text, more.Data...)
	}
	return text, nil
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

// guarded lets an answer out only if the node has the right to give one at that instant.
type guarded struct {
	http.ResponseWriter

	router  *Router
	owner   callid.Owner
	request *http.Request
	state   guardState
}

type guardState uint8

const (
	unanswered guardState = iota
	answered
	fenced
)

func (g *guarded) WriteHeader(status int) {
	if g.state != unanswered || status < http.StatusOK {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if now, ok := g.router.options.Owner(); ok && now == g.owner {
		g.state = answered
		g.ResponseWriter.WriteHeader(status)
		return
	}
	g.state = fenced
	clear(g.Header())
	g.router.refuse(g.ResponseWriter, g.request)
}

func (g *guarded) Write(p []byte) (int, error) {
	if g.state == unanswered {
		g.WriteHeader(http.StatusOK)
	}
	if g.state == fenced {
		return len(p), nil
	}
	return g.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }
