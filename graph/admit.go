package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// MediaRequest is what a client asks of a call's queue, as [Platform.Admit] sees it: it is well
// formed, and the call is one that media can be asked for.
type MediaRequest struct {
	Call          *Call
	Application   Application
	Kind          operation.Kind    // of the operation
	Request       operation.Request // nil for a cancelMediaProcessing, which has none
	ClientContext string

	Header          http.Header // of the HTTP request, for traces; not to be changed
	RequestID       string      // that the answer has, ours
	ClientRequestID string      // that the answer has: the client's, or ours if it sent none
}

// String says what is asked of which call, by whom, and leaves out the header, which has the
// client's token; package encoding/json and the verb %#v do not.
func (r MediaRequest) String() string {
	return fmt.Sprintf("%s on %v by application %q", r.Kind, r.Call, r.Application.ID)
}

// LogValue returns what String does.
func (r MediaRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Admission says how a request is enqueued. The zero Admission changes nothing.
type Admission struct {
	// Context has the values that the operation gets. If it has ended, the request is refused, as
	// an internal error. Default: that of Admit.
	Context context.Context //nolint:containedctx // for one call

	// Request takes the place of the one that the client has asked for: a wrapper, which barges in
	// and stops on tones if it has the methods for it, or another one altogether. The operation is
	// shown as one of its kind. It must be nil for a cancel. Default: the client's.
	Request operation.Request

	// Options are those of Enqueue, or of CancelAll, such as queue.Protected(). Client context, id
	// and Value are the handler's, whatever is here, and with [WithIdempotency] the key of a request
	// that has one.
	Options []queue.EnqueueOption

	// Answered is called once, after the client was answered: with the operation, or with the error
	// for which it was refused after Admit had admitted it. Default: none.
	Answered func(op *operation.Operation, err error)
}

// admit asks the platform what it says to a request for an operation; req is nil for a cancel.
func (x *request) admit(
	kind operation.Kind, req operation.Request, clientContext string,
) (Admission, error) {
	ctx := x.r.Context()
	ask := x.handler.platform.Admit
	if ask == nil {
		return Admission{Context: ctx, Request: req}, nil
	}
	a, err := ask(ctx, MediaRequest{
		Call: x.call, Application: x.application, Kind: kind, Request: req,
		ClientContext: clientContext,
		Header:        x.r.Header, RequestID: x.id, ClientRequestID: x.clientID,
	})
	if err != nil {
		return Admission{}, named("Admit", err)
	}
	x.admitted = a.Answered
	switch {
	case ctx.Err() != nil: // it has taken long, and the client has gone
		return Admission{}, ErrUnavailable
	case req == nil && a.Request != nil:
		return Admission{}, named("Admit", errors.New("a Request for a cancel"))
	}
	if a.Context == nil {
		a.Context = ctx
	}
	if a.Request == nil {
		a.Request = req
	}
	return a, nil
}

// settle reports to the platform what has become of what it has admitted.
func (x *request) settle() {
	if x.admitted == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			x.handler.config.logger.Error("graph: callback of the platform panicked",
				slog.String("callback", "Answered"), slog.Any("panic", v),
				slog.String("stack", string(debug.Stack())), slog.String("request", x.id))
		}
	}()
	err := x.refusal
	switch {
	case x.made != nil:
		err = nil
	case err == nil: // it panicked
		err = errInternal
	}
	x.admitted(x.made, err)
}
