package bench

import (
	"sync/atomic"

	"github.com/google/uuid"

	"ivrqueue/bench/ids"
	"ivrqueue/operation"
)

// record is what a user of a pool or an actor adds at the least to make a function an operation: an
// id, and a state. It is one allocation.
type record struct {
	id     uuid.UUID
	status atomic.Uint32
	work   *Work
}

func newRecord(w *Work) *record {
	r := &record{work: w}
	ids.Fill(&r.id)
	r.status.Store(uint32(operation.NotStarted))
	return r
}

// do is what the pool or the actor runs.
func (r *record) do() {
	r.status.Store(uint32(operation.Running))
	r.work.Run()
	r.status.Store(uint32(operation.Completed))
	r.work.end()
}

func (r *record) ID() uuid.UUID            { return r.id }
func (r *record) Status() operation.Status { return operation.Status(r.status.Load()) }
func (r *record) Times() operation.Times   { return operation.Times{} }
