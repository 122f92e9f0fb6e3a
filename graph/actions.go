package graph

import (
	"net/http"
	"time"

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
	if !x.call.State().Call.established() {
		return nil, errNotEstablished
	}
	if err := operation.ValidateClientContext(clientContext); err != nil {
		return nil, err
	}
	reg := &registration{cost: cost + int64(len(clientContext))}
	if !x.call.reserve(reg.cost) {
		return nil, errTooMuch
	}
	op, err := x.call.given.Queue.Enqueue(x.r.Context(), req,
		queue.ClientContext(clientContext), queue.Value(reg))
	if err != nil {
		x.call.release(reg.cost)
		if x.r.Context().Err() != nil { // nobody reads the answer
			return nil, ErrUnavailable
		}
		return nil, err
	}
	x.call.release(x.call.history.add(op, reg))
	status := op.Status()
	if status.Terminal() {
		// Graph: a final status in the answer means that no notification follows. One does, so this
		// is the status that it had until then.
		status = operation.Running
	}
	return x.accepted(op, status), nil
}

// cancelMediaProcessing: https://learn.microsoft.com/graph/api/call-cancelmediaprocessing.
func (x *request) cancelMediaProcessing() (*reply, error) {
	var body actionBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if err := operation.ValidateClientContext(body.ClientContext); err != nil {
		return nil, err
	}
	if !x.call.State().Call.established() {
		return nil, errNotEstablished
	}
	op := x.call.given.Queue.CancelAll(queue.ClientContext(body.ClientContext)).Operation()
	x.call.history.addEnded(op)
	return x.accepted(op, op.Status()), nil
}

// subscribeToTone: https://learn.microsoft.com/graph/api/call-subscribetotone.
func (x *request) subscribeToTone() (*reply, error) {
	var body actionBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if err := operation.ValidateClientContext(body.ClientContext); err != nil {
		return nil, err
	}
	if !x.call.State().Call.established() {
		return nil, errNotEstablished
	}
	if err := x.call.subscribe(); err != nil {
		return nil, err
	}
	op := newSubscribeToTone(body.ClientContext)
	x.call.history.addEnded(op)
	return x.accepted(op, op.Status()), nil
}

// accepted answers with the operation that the request made.
func (x *request) accepted(op *operation.Operation, status operation.Status) *reply {
	return &reply{
		status:   http.StatusOK,
		location: x.callPath() + "/operations/" + op.ID().String(),
		body:     created(op, status),
	}
}

func (x *request) callPath() string { return "/communications/calls/" + x.call.given.ID.String() }

// subscribeToTone is the request of an operation that is a thing of the wire: a subscription is no
// work for media, and lies beside the queue.
type subscribeToTone struct{}

func (subscribeToTone) Kind() operation.Kind { return kindSubscribeToTone }

func (subscribeToTone) Validate() error {
	return &operation.FieldError{
		Field: "request", Value: string(kindSubscribeToTone), Limit: "a kind that media can do",
	}
}

// newSubscribeToTone makes the operation, born completed.
func newSubscribeToTone(clientContext string) *operation.Operation {
	c := new(operation.Control)
	c.Init(operation.Spec{Request: subscribeToTone{}, ClientContext: clientContext})
	c.Complete(time.Now())
	return c.Operation()
}
