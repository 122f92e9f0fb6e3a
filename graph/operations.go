package graph

import (
	"net/http"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// operationList is a collection as OData has it.
type operationList struct {
	Value []*operationResource `json:"value"`
}

// listOperations shows one instant: no operation of a cancel ended and another not.
func (x *exchange) listOperations() (*reply, error) {
	ops := x.call.shelf.all() // first: what of it is not in the snapshot has ended by then
	now := x.call.given.Queue.Snapshot()
	live := make(map[uuid.UUID]operation.Status, len(now.Waiting)+1)
	if now.Running != nil {
		live[now.Running.ID()] = operation.Running
	}
	for _, op := range now.Waiting {
		live[op.ID()] = operation.NotStarted
	}
	list := operationList{Value: []*operationResource{}}
	show := func(op *operation.Operation) {
		status, ok := live[op.ID()]
		if !ok {
			status = op.Status()
		}
		delete(live, op.ID())
		list.Value = append(list.Value, read(op, status))
	}
	for _, op := range ops {
		show(op)
	}
	if now.Running != nil && live[now.Running.ID()] != 0 { // accepted after ops was taken
		show(now.Running)
	}
	for _, op := range now.Waiting {
		if live[op.ID()] != 0 {
			show(op)
		}
	}
	return &reply{status: http.StatusOK, body: list}, nil
}

func (x *exchange) getOperation() (*reply, error) {
	id, ok := parseID(x.path.PathValue("operation"))
	if !ok {
		return nil, errOperationNotFound
	}
	op := x.call.shelf.get(id)
	if op == nil { // one of the platform's own, of which the handler was not told yet
		if op, ok = x.call.given.Queue.Operation(id); !ok {
			return nil, errOperationNotFound
		}
	}
	status := op.Status()
	return &reply{
		status: http.StatusOK, etag: operationETag(status), body: read(op, status),
	}, nil
}
