package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"ivrqueue/queue"
	"ivrqueue/webhook"
)

// Platform is what the platform brings. Only Authenticate is required. The functions are called
// on the goroutine of the request that needs them, Deliver on one of the call's own; they may
// block, which holds up that request or that call's notifications and nothing else. A panic in one
// is an internal error to the client, and logged.
type Platform struct {
	// Authenticate says which application a request comes from, usually by its bearer token. An
	// error is answered with 401, one that is ErrUnavailable with 503; its text does not go on the
	// wire.
	Authenticate func(r *http.Request) (Application, error)

	// CreateCall makes a call, attaches it with [NewCall.Attach], and returns it; it need not be
	// established yet. Default: calls can't be created (405). An *operation.FieldError is
	// answered with 400, ErrUnavailable with 503, an [*Error] as it says, anything else with 500;
	// only the text of the first and of an *Error goes on the wire.
	CreateCall func(ctx context.Context, n NewCall) (*Call, error)

	// HangUp ends a call: it sees to it that the call is detached, soon. It is called once per
	// call, after the state has become Terminating; if it fails, again with the next request;
	// and for a call that was not answered in time, which is detached already. Default: clients
	// can't hang up (405).
	HangUp func(ctx context.Context, c *Call) error

	// The functions from here to Transfer are what clients can ask of a call besides: see
	// docs/incoming.md. They are called one at a time for a call; an error, answered as one of
	// CreateCall, means that nothing has happened. Default, for each: not implemented (501).

	// Answer connects the caller of an incoming call. The call becomes Establishing when it returns,
	// if the platform has set no state by then; the platform sets Established.
	Answer func(ctx context.Context, c *Call, a Answer) error

	// Reject turns the caller of an incoming call away. The call is detached when it returns, if the
	// platform has not done so with another result.
	Reject func(ctx context.Context, c *Call, why RejectReason) error

	// Redirect has others ring in the place of an incoming call, whose state becomes Redirecting, if
	// the platform has set none by then. The platform detaches it.
	Redirect func(ctx context.Context, c *Call, to Redirection) error

	// Mute has what the application sends not heard any more, or heard again.
	Mute func(ctx context.Context, c *Call, muted bool) error

	// UpdateRecordingStatus notes that the application records the call, or does not.
	UpdateRecordingStatus func(ctx context.Context, c *Call, s RecordingStatus) error

	// Transfer connects the other side with somebody else. The call becomes Transferring when it
	// returns, if the platform has set no state by then; the platform sets what comes of it.
	Transfer func(ctx context.Context, c *Call, to Transfer) error

	// SendsTones says that the media of the platform's calls can do operation.SendTones. Default:
	// tones can't be sent (501).
	SendsTones bool

	// Deliver brings notifications to the application, in the platform's own way; they have
	// arrived, or failed for good, when it returns. It is called for one batch of a call at a time,
	// in order. Default: the Notifier.
	Deliver func(ctx context.Context, d webhook.Delivery) error

	// Admit sees each request for an operation before it is enqueued, cancels included: to protect
	// it, to wrap it, to count it, to refuse it, by an [*Error] with its own status and code.
	// Other errors are answered as those of CreateCall. It is called on the goroutine of the
	// request, and again for one that the client repeats. Default: all is enqueued as it is asked
	// for.
	Admit func(ctx context.Context, r MediaRequest) (Admission, error)
}

// Application is who makes a request.
type Application struct {
	ID    string   // must not be empty
	Name  string   // as the source of the calls that it makes shows it; optional
	Roles []string // that its token has; see [RoleInitiate] and those beside it
}

// NewCall is a client's wish for a call. The application has the role for it, the callback address
// is one that the Notifier takes, and the media is to be hosted by the service.
type NewCall struct {
	Application Application
	CallbackURI string
	Resource    Resource // as asked for, outgoing; for [Attachment.Resource]

	pending *pendingAnswer
}

// Handler serves the Graph API of the calls that are attached to it, and notifies their
// applications. New makes it, Shutdown ends it. It is safe for concurrent use.
//
// It is an observer of the queues of its calls: give it to each with queue.WithObserver, in options
// that all of them may share.
type Handler struct {
	platform  Platform
	config    config
	kinds     kinds
	router    router
	retention retention
	accounts  accounts
	drain     drainTracker

	//nolint:containedctx // of the deliveries, which no request owns
	deliveries context.Context
	abandon    context.CancelCauseFunc
	delivered  atomic.Uint64
	givenUp    atomic.Uint64

	mu       sync.RWMutex           // guards everything below
	calls    map[uuid.UUID]*Call    // by wire id: what a client can see
	observed map[*queue.Queue]*Call // what is not finished
	shut     bool
}

// New makes a handler. Of p, only Authenticate is required. Errors: what p lacks, or what is wrong
// with an option, by name.
func New(p Platform, opts ...Option) (*Handler, error) {
	if p.Authenticate == nil {
		return nil, errors.New("graph: New: nil Authenticate")
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if p.Deliver == nil && c.notifier == nil {
		if c.notifier, err = webhook.New(); err != nil {
			return nil, err
		}
	}
	h := &Handler{
		platform: p, config: c, calls: map[uuid.UUID]*Call{}, observed: map[*queue.Queue]*Call{},
	}
	if err := h.checkKinds(c.ownKinds); err != nil {
		return nil, err
	}
	h.retention.kinds = &h.kinds
	h.retention.keepFor, h.retention.keepInAll = c.keepFor, c.keepInAll
	h.retention.keepPerCall, h.retention.keepPerApplication = c.keepPerCall, c.keepPerApplication
	h.accounts.maxCalls, h.accounts.maxRequests = c.maxCalls, c.maxRequests
	h.accounts.maxPerCall, h.accounts.maxBytes = c.maxBytesPerCall, c.maxBytes
	h.deliveries, h.abandon = context.WithCancelCause(context.Background())
	h.router = h.newRouter()
	return h, nil
}

// Observe makes the handler a queue.Observer. Events of queues that are not attached are nothing
// to it.
func (h *Handler) Observe(e queue.Event) {
	h.mu.RLock()
	c := h.observed[e.Queue]
	h.mu.RUnlock()
	if c != nil {
		c.observe(e)
	}
}

// String says how many calls are attached, for logs: what is given to package fmt would be read
// without the lock otherwise.
func (h *Handler) String() string { return fmt.Sprintf("graph handler, %d calls", h.Stats().Calls) }

// Call returns the call that is attached with this wire id. It reports whether there is one.
func (h *Handler) Call(id uuid.UUID) (*Call, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	c, ok := h.calls[id]
	return c, ok
}

// call returns the call with this wire id if it is the application's: for others there is no such
// call.
func (h *Handler) call(id uuid.UUID, application string) *Call {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if c := h.calls[id]; c != nil && c.given.Application == application {
		return c
	}
	return nil
}

// hide takes a call away from the clients. The notification of its end is not delivered yet.
func (h *Handler) hide(c *Call) {
	h.drain.begin()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, c.given.ID)
}

// forget drops a call whose last notification was put.
func (h *Handler) forget(c *Call) {
	h.mu.Lock()
	delete(h.observed, c.given.Queue)
	h.mu.Unlock()
	h.drain.done()
}

// checkCallback says whether notifications can go there.
func (h *Handler) checkCallback(uri string) error {
	if err := checkLength("callbackUri", uri, MaxURI); err != nil {
		return err
	}
	if h.platform.Deliver != nil {
		return nil
	}
	return h.config.notifier.Check(uri)
}

// deliverer is who brings notifications to applications.
func (h *Handler) deliverer() func(context.Context, webhook.Delivery) error {
	if h.platform.Deliver != nil {
		return h.platform.Deliver
	}
	return h.config.notifier.Deliver
}

// Stats counts what a handler does.
type Stats struct {
	Calls     int    // attached
	Pending   int    // calls with notifications on the way
	Delivered uint64 // notifications
	GivenUp   uint64 // notifications that could not be delivered
}

// Stats returns the counts of this moment.
func (h *Handler) Stats() Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return Stats{
		Calls: len(h.calls), Pending: h.drain.pending(),
		Delivered: h.delivered.Load(), GivenUp: h.givenUp.Load(),
	}
}

// Shutdown attaches no more calls, answers requests with 503, and waits until all notifications
// have been delivered or failed for good, those of calls being detached included; calls that are
// still attached are the platform's to detach. When ctx ends first, it drops what is left, and
// returns the cause of ctx.
func (h *Handler) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return errors.New("graph: Shutdown: nil context")
	}
	h.mu.Lock()
	h.shut = true
	h.mu.Unlock()
	var err error
	select {
	case <-h.drain.drained():
	case <-ctx.Done():
		err = context.Cause(ctx)
		h.abandon(ErrShutDown)
		h.drain.drop()
	}
	if h.config.notifier != nil {
		h.config.notifier.CloseIdleConnections()
	}
	return err
}

func (h *Handler) isShut() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.shut
}
