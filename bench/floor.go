package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Floor is the least that an operation's life can cost: allocate it, make an id, take a lock twice,
// store a state twice, read the clock twice. It is no queue; nothing could be faster and be one.
var Floor = &Contestant{
	Name:   "floor",
	How:    "no queue: allocate, uuid.New, two locks, two state stores, two clock reads",
	Claims: Orders | IDs | States | Sleeps,
	Open:   func(Setting) Call { return new(floor) },
}

type floor struct {
	mu   sync.Mutex
	last *floorOp
	_    apart
}

// apart keeps what is written in every operation of a call off the cache lines of the call that was
// made next: by chance they would share one, and two processors fight for it.
type apart [128]byte

// floorOp has the fields that an operation can be asked for, laid down plainly, and nothing that a
// queue needs: 192 bytes. So the floor pays for the memory that a life needs, and for no more.
//
//nolint:unused // its size is what counts
type floorOp struct {
	id                       uuid.UUID
	request                  operation.Request
	clientContext            string
	ctx                      context.Context //nolint:containedctx // can be asked for
	value                    any
	state                    atomic.Uint32
	accepted, started, ended time.Time
	position                 time.Duration
	err                      error
	done                     chan struct{}
}

func (o *floorOp) ID() uuid.UUID            { return o.id }
func (o *floorOp) Status() operation.Status { return operation.Status(o.state.Load()) }
func (o *floorOp) Times() operation.Times   { return operation.Times{} }

func (f *floor) Do(w *Work) { f.Submit(w) }

func (f *floor) Submit(w *Work) Op {
	o := new(floorOp)
	o.id = uuid.New()
	o.request = w
	f.mu.Lock()
	o.accepted = time.Now()
	o.state.Store(uint32(operation.Running))
	f.last = o
	f.mu.Unlock()
	w.Run()
	f.mu.Lock()
	o.ended = time.Now()
	o.state.Store(uint32(operation.Completed))
	f.mu.Unlock()
	return o
}

func (f *floor) Close() {}
