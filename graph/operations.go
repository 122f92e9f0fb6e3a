package graph

import (
	"net/http"

	"ivrqueue/operation"
)

// operationList is a collection as OData has it.
type operationList struct {
	Value []*operationResource `json:"value"`
}

// listOperations shows one instant: no operation of a cancel ended and another not.
func (x *request) listOperations() (*reply, error) {
	entries := x.call.history.all() // first: what of it is not in the snapshot has ended by then
	now := x.call.given.Queue.Snapshot()
	live := make(map[*operation.Operation]operation.Status, len(now.Waiting)+1)
	if now.Running != nil {
		live[now.Running] = operation.Running
	}
	for _, op := range now.Waiting {
		live[op] = operation.NotStarted
	}
	list := operationList{Value: []*operationResource{}}
	show := func(op *operation.Operation) {
		status, ok := live[op]
		if !ok {
			status = op.Status()
		}
		delete(live, op)
		list.Value = append(list.Value, x.handler.kinds.read(op, status))
	}
	for i := range entries {
		if e := &entries[i]; e.operation == nil {
			list.Value = append(list.Value, e.shown)
		} else {
			show(e.operation)
		}
	}
	if now.Running != nil && live[now.Running] != 0 { // accepted after the entries were taken
		show(now.Running)
	}
	for _, op := range now.Waiting {
		if live[op] != 0 {
			show(op)
		}
	}
	return &reply{status: http.StatusOK, body: list}, nil
}

func (x *request) getOperation() (*reply, error) {
	id, ok := parseID(x.path.id())
	if !ok {
		return nil, errOperationNotFound
	}
	e, ok := x.call.history.get(id)
	if !ok { // one of the platform's own, whose event the handler did not get yet
		if e.operation, ok = x.call.given.Queue.Operation(id); !ok {
			return nil, errOperationNotFound
		}
	}
	if e.operation != nil {
		e.status = e.operation.Status()
		e.shown = x.handler.kinds.read(e.operation, e.status)
	}
	return &reply{status: http.StatusOK, etag: operationETag(e.status), body: e.shown}, nil
}
