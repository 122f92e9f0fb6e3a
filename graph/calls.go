package graph

import (
	"errors"
	"fmt"
	"net/http"

	"ivrqueue/operation"
)

// createCall: https://learn.microsoft.com/graph/api/application-post-calls.
func (x *request) createCall() (*reply, error) {
	if err := x.application.need(rolesToCreate); err != nil {
		return nil, err
	}
	var body callBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if body.CallbackURI == "" {
		return nil, &operation.FieldError{Field: "callbackUri", Value: "missing", Limit: "an address"}
	}
	if err := x.handler.checkCallback(body.CallbackURI); err != nil {
		return nil, err
	}
	resource, err := body.resource(x.application)
	if err != nil {
		return nil, err
	}
	if err := x.application.need(body.roles()); err != nil {
		return nil, err
	}
	if !x.pending.openPlace(x.application.ID) {
		return nil, errTooManyCalls
	}
	defer x.pending.leavePlace(x.application.ID)
	c, err := x.handler.platform.CreateCall(x.r.Context(), NewCall{
		Application: x.application, CallbackURI: body.CallbackURI, Resource: resource,
		pending: x.pending,
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("CreateCall: %w", err)
	case c == nil:
		return nil, errors.New("CreateCall returned no call")
	case c.handler != x.handler || c.given.Application != x.application.ID:
		return nil, errors.New("CreateCall returned a call of another handler or application")
	}
	x.call = c
	x.awaitKept()
	return &reply{
		status: http.StatusCreated, location: x.callPath(), body: c.resource(c.given.State, x.base),
	}, nil
}

// getCall: https://learn.microsoft.com/graph/api/call-get.
func (x *request) getCall() (*reply, error) {
	state, version := x.call.current()
	return &reply{
		status: http.StatusOK, etag: etag(version), body: x.call.resource(state, x.base),
	}, nil
}

// deleteCall: https://learn.microsoft.com/graph/api/call-delete.
func (x *request) deleteCall() (*reply, error) {
	if !x.call.beginHangUp() {
		return &reply{status: http.StatusNoContent}, nil
	}
	done := false
	defer func() {
		if !done {
			x.call.hangUpFailed()
		}
	}()
	if err := x.handler.platform.HangUp(x.r.Context(), x.call); err != nil {
		return nil, fmt.Errorf("HangUp: %w", err)
	}
	done = true
	return &reply{status: http.StatusNoContent}, nil
}

// keepAlive: https://learn.microsoft.com/graph/api/call-keepalive. What happens to a call without
// it is the platform's affair.
func (x *request) keepAlive() (*reply, error) { return &reply{status: http.StatusOK}, nil }
