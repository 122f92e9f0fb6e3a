package graph

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// playPrompt: https://learn.microsoft.com/graph/api/call-playprompt.
func (x *request) playPrompt() (*reply, error) {
	var body playPromptBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	req, err := body.request()
	if err != nil {
		return nil, err
	}
	return x.enqueue(req, body.ClientContext, costOfPrompts(req.Prompts))
}

// recordResponse: https://learn.microsoft.com/graph/api/call-record.
func (x *request) recordResponse() (*reply, error) {
	var body recordResponseBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	req, err := body.request()
	if err != nil {
		return nil, err
	}
	return x.enqueue(req, body.ClientContext, costOfPrompts(req.Prompts))
}

// What is reserved for an operation that a client asks for, and for the notification of its end
// with its part of a request's body, besides their texts: bytes.
const (
	operationCost = 1024
	noticeCost    = 1024
	promptCost    = 48
)

func costOfPrompts(prompts []operation.Prompt) int64 {
	cost := int64(operationCost + promptCost*len(prompts))
	for _, p := range prompts {
		cost += int64(len(p.URI) + len(p.ResourceID))
	}
	return cost
}

// enqueue has the call's queue accept a request, for which so many bytes are kept besides the
// client context.
func (x *request) enqueue(
	req operation.Request, clientContext string, cost int64,
) (*reply, error) {
	if err := x.call.mustBeEstablished(); err != nil {
		return nil, err
	}
	if err := operation.ValidateClientContext(clientContext); err != nil {
		return nil, err
	}
	admission, err := x.admit(req.Kind(), req, clientContext)
	if err != nil {
		return nil, err
	}
	reg, id := &registration{cost: cost + int64(len(clientContext))}, uuid.New()
	if !x.call.reserve(reg.cost) {
		return nil, errTooMuch
	}
	op, err := x.call.given.Queue.Enqueue(admission.Context, admission.Request,
		x.options(admission, clientContext, reg, id)...)
	if err != nil {
		x.call.release(reg.cost)
		if x.r.Context().Err() != nil { // the client has gone
			return nil, ErrUnavailable
		}
		return nil, err
	}
	x.made = op
	if op.ID() == id {
		x.call.release(x.call.history.add(op, reg))
	} else { // an earlier request has made it, which this one repeats
		x.call.release(reg.cost)
	}
	x.awaitKept()
	status := op.Status()
	if status.Terminal() {
		// Graph: a final status in the answer means that no notification follows. One does, so this
		// is the status that it had until then.
		status = operation.Running
	}
	return x.accepted(op, status), nil
}

// awaitKept has the answer wait until what the call owes is kept, if there is a ledger.
func (x *request) awaitKept() {
	if d := x.call.debt; d != nil {
		d.await(x.r.Context(), &d.ledger.operations)
	}
}

// options are those of the platform, and then, so that they count, the handler's own. It gives the
// operation its id to know it by: one that has another was made by an earlier request.
func (x *request) options(
	a Admission, clientContext string, value any, id uuid.UUID,
) []queue.EnqueueOption {
	opts := append(slices.Clip(a.Options),
		queue.ClientContext(clientContext), queue.Value(value), queue.ID(id))
	if x.handler.config.idempotent && x.clientID != x.id {
		// The platform may have keys of its own, which are others.
		opts = append(opts, queue.IdempotencyKey("client-request-id:"+x.clientID))
	}
	return opts
}

// cancelMediaProcessing: https://learn.microsoft.com/graph/api/call-cancelmediaprocessing.
func (x *request) cancelMediaProcessing() (*reply, error) {
	clientContext, err := x.clientContext()
	if err != nil {
		return nil, err
	}
	if err := x.call.mustBeEstablished(); err != nil {
		return nil, err
	}
	admission, err := x.admit(operation.KindCancelMediaProcessing, nil, clientContext)
	if err != nil {
		return nil, err
	}
	id := uuid.New()
	opts := append(x.options(admission, clientContext, nil, id),
		queue.Context(admission.Context))
	if x.handler.config.spares {
		opts = append(opts, queue.SpareProtected())
	}
	op := x.call.given.Queue.CancelAll(opts...).Operation()
	x.made = op
	if op.ID() == id { // else an earlier request has made it
		x.call.history.addEnded(op)
	}
	return x.accepted(op, op.Status()), nil
}

// subscribeToTone: https://learn.microsoft.com/graph/api/call-subscribetotone.
func (x *request) subscribeToTone() (*reply, error) {
	clientContext, err := x.clientContext()
	if err != nil {
		return nil, err
	}
	if err := x.call.mustBeEstablished(); err != nil {
		return nil, err
	}
	if err := x.call.subscribe(); err != nil {
		return nil, err
	}
	return x.done(kindSubscribeToTone, clientContext), nil
}

// clientContext reads the body of an action that has nothing else in it.
func (x *request) clientContext() (string, error) {
	var body actionBody
	if err := x.decode(&body); err != nil {
		return "", err
	}
	return body.ClientContext, operation.ValidateClientContext(body.ClientContext)
}

// done answers with an operation that is born completed.
func (x *request) done(k operation.Kind, clientContext string) *reply {
	op := newInstant(k, clientContext)
	x.call.history.addEnded(op)
	return x.accepted(op, op.Status())
}

// accepted answers with the operation that the request made.
func (x *request) accepted(op *operation.Operation, status operation.Status) *reply {
	return &reply{
		status:   http.StatusOK,
		location: x.callPath() + "/operations/" + op.ID().String(),
		body:     x.handler.kinds.created(op, status),
	}
}

func (x *request) callPath() string { return "/communications/calls/" + x.call.given.ID.String() }

// instant is the request of an operation that is a thing of the wire: it is no work for media, and
// lies beside the queue. Its value is its kind.
type instant operation.Kind

func (i instant) Kind() operation.Kind { return operation.Kind(i) }

func (i instant) Validate() error {
	return &operation.FieldError{
		Field: "request", Value: string(i), Limit: "a kind that media can do",
	}
}

// newInstant makes the operation, born completed.
func newInstant(k operation.Kind, clientContext string) *operation.Operation {
	c := new(operation.Control)
	c.Init(operation.Spec{Request: instant(k), ClientContext: clientContext})
	c.Complete(time.Now())
	return c.Operation()
}
