package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// request is one request and its answer.
type request struct {
	handler     *Handler
	w           http.ResponseWriter
	r           *http.Request // as the client sent it
	path        apiPath
	base        string // scheme, host, mount and version, as the client named them
	id          string
	clientID    string
	application Application
	call        *Call // that the request is about, if it is about one
	written     bool
	pending     *pendingAnswer

	admitted func(*operation.Operation, error) // Answered of what the platform has admitted, or nil
	made     *operation.Operation              // by the request
	refusal  error                             // that the client was answered with
}

// reply is the answer to a request that succeeded.
type reply struct {
	status   int
	location string // below the base
	etag     string
	body     any // nil for none
}

// endpoint answers a request.
type endpoint func(x *request) (*reply, error)

// newRequest gives a request its ids. A client's own is taken if it can be echoed.
func newRequest(h *Handler, w http.ResponseWriter, r *http.Request) *request {
	x := &request{handler: h, w: w, r: r, id: uuid.NewString()}
	x.clientID = r.Header.Get("Client-Request-Id")
	if !plain(x.clientID) || len(x.clientID) > 128 {
		x.clientID = x.id
	}
	return x
}

// ServeHTTP serves the Graph API below any prefix: everything before /communications/calls or
// /app/calls is taken for the place where the handler is mounted, with v1.0, beta or no version at
// its end. It reads at most WithMaxBody of the body; how long that may take is for the server's
// timeouts to say.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newRequest(h, w, r)
	x.pending = &pendingAnswer{handler: h}
	defer x.settle()
	defer x.answered()
	defer x.recovered()
	x.serve()
}

// plain reports whether a header's value is text that is the same in the answer's header and in its
// body: visible ASCII.
func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// serve finds out who asks for what, and answers.
func (x *request) serve() {
	h := x.handler
	if h.isShut() {
		x.refuse(ErrShutDown)
		return
	}
	app, err := h.platform.Authenticate(x.r)
	switch {
	case err != nil && problemOf(err) == errUnavailable:
		x.refuse(err)
		return
	case err != nil:
		x.refuse(unauthorized(x.r))
		return
	case app.ID == "":
		x.refuse(errors.New("platform: Authenticate returned an application without an ID"))
		return
	}
	x.application = app
	if wait := h.accounts.request(app.ID, time.Now()); wait > 0 {
		x.refuse(tooFast(wait))
		return
	}
	var ok bool
	if x.path, ok = parsePath(x.r.URL.Path); !ok {
		x.refuse(errNoResource)
		return
	}
	route, none := h.router.find(x.r.Method, &x.path)
	if none != nil {
		x.refuse(none)
		return
	}
	x.r.Pattern = route.pattern // for what is in front, and counts requests by their routes
	x.base = x.baseURL(x.path.mount)
	rep, err := route.endpoint(x)
	if err != nil {
		x.refuse(err)
		return
	}
	x.answer(rep)
}

// ofCall is the endpoint of a call: it finds the call before. The notifications of the call wait
// for the answer of a request that changes it.
func ofCall(e endpoint) endpoint {
	return func(x *request) (*reply, error) {
		id, ok := parseID(x.path.call)
		if !ok {
			return nil, errCallNotFound
		}
		if x.call = x.handler.call(id, x.application.ID); x.call == nil {
			return nil, errCallNotFound
		}
		if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
			x.pending.hold(x.call)
		}
		return e(x)
	}
}

// recovered answers a request whose endpoint panicked, or exited its goroutine. net/http's own
// panic goes on.
func (x *request) recovered() {
	v := recover()
	if v == nil && x.written {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(v)
	}
	x.failed(fmt.Errorf("panic or exit: %v\n%s", v, debug.Stack()))
	if !x.written {
		x.write(errInternal.status, errInternal.envelope(x.id, x.clientID))
	}
}

// answer sends a success.
func (x *request) answer(rep *reply) {
	header := x.w.Header()
	if rep.location != "" {
		header.Set("Location", x.base+rep.location)
	}
	if rep.etag != "" {
		header.Set("Etag", rep.etag)
	}
	x.write(rep.status, rep.body)
}

// refuse sends an error.
func (x *request) refuse(err error) {
	x.refusal = err
	p := problemOf(err)
	if p == errInternal {
		x.failed(err)
	}
	if p.header[0] != "" {
		x.w.Header().Set(p.header[0], p.header[1])
	}
	x.write(p.status, p.envelope(x.id, x.clientID))
}

// write sends the answer, and sees it off: when it returns, what is sent afterwards follows it.
func (x *request) write(status int, body any) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil { // of what the platform gave
			x.refuse(fmt.Errorf("graph: the answer: %w", err))
			return
		}
	}
	header := x.w.Header()
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	header.Set("Request-Id", x.id)
	header.Set("Client-Request-Id", x.clientID)
	if status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(data)))
	}
	x.written = true
	x.w.WriteHeader(status)
	_, _ = x.w.Write(data) // a client that is gone has its notifications
	_ = http.NewResponseController(x.w).Flush()
}

// failed logs what must not go on the wire.
func (x *request) failed(err error) {
	attrs := []any{slog.Any("error", err), slog.String("request", x.id)}
	if x.call != nil {
		attrs = append(attrs, slog.String("call", x.call.given.ID.String()))
	}
	x.handler.config.logger.Error("graph: request failed", attrs...)
}
