package bench

import (
	"crypto/rand"
	"sync/atomic"

	"github.com/google/uuid"

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
	newID(&r.id)
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

// newID makes a random UUID in place, which is the cheapest way there is: everybody gets it, but
// the floor, which is defined with uuid.New.
func newID(id *uuid.UUID) {
	_, _ = rand.Read(id[:]) // never fails, says its documentation
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
}
