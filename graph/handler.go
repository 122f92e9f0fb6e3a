package graph

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"ivrqueue/queue"
)

// RoleInitiate is the role that an application needs to create calls.
const RoleInitiate = "Calls.Initiate.All"

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
	// answered with 400, ErrUnavailable with 503, anything else with 500; its text goes on the wire
	// in the first case only.
	CreateCall func(ctx context.Context, n NewCall) (*Call, error)

	// HangUp ends a call: it sees to it that the call is detached, soon. It is called once per call,
	// after the state has become Terminating; if it fails, again with the next request. Default:
	// clients can't hang up (405).
	HangUp func(ctx context.Context, c *Call) error

	// Deliver brings notifications to the application, in the platform's own way; they have arrived,
	// or were given up, when it returns. It is called for one batch of a call at a time, in order.
	// Default: the Notifier.
	Deliver func(ctx context.Context, d Delivery) error
}

// Application is who makes a request.
type Application struct {
	ID    string   // must not be empty
	Name  string   // as the source of the calls that it makes shows it; optional
	Roles []string // see [RoleInitiate]
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
	mux       *http.ServeMux
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

// New makes a handler. Its errors name what is wrong.
func New(p Platform, opts ...Option) (*Handler, error) {
	if p.Authenticate == nil {
		return nil, errors.New("graph: New: nil Authenticate")
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if p.Deliver == nil && c.notifier == nil {
		if c.notifier, err = NewNotifier(); err != nil {
			return nil, err
		}
	}
	h := &Handler{
		platform: p, config: c, calls: map[uuid.UUID]*Call{}, observed: map[*queue.Queue]*Call{},
	}
	h.retention.keepFor, h.retention.keepInAll = c.keepFor, c.keepInAll
	h.retention.keepPerCall, h.retention.keepPerApplication = c.keepPerCall, c.keepPerApplication
	h.accounts.maxCalls, h.accounts.maxRequests = c.maxCalls, c.maxRequests
	h.accounts.maxPerCall, h.accounts.maxBytes = c.maxBytesPerCall, c.maxBytes
	h.deliveries, h.abandon = context.WithCancelCause(context.Background())
	h.mux = h.routes()
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

// hide takes a call away from the clients. It has its end to tell yet.
func (h *Handler) hide(c *Call) {
	h.drain.begin()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, c.given.ID)
}

// forget lets go of a call whose last notification was put.
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
// have been delivered or given up, those of calls being detached included; calls that are still
// attached are the platform's to detach. When ctx ends first, it gives up what is left, and returns
// the cause of ctx.
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
