package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Baseline is the least that an operation's round trip can cost: allocate it, make an id, take a
// lock twice, store a state twice, read the clock twice. It is no queue; nothing could be faster
// and be one.
var Baseline = &Contestant{
	Name:   "baseline",
	How:    "no queue: allocate, uuid.New, two locks, two state stores, two clock reads",
	Claims: Orders | IDs | States | Sleeps,
	Open:   func(Setting) Call { return new(baseline) },
}

type baseline struct {
	mu   sync.Mutex
	last *baselineOp
	_    apart
}

// apart keeps what is written in every operation of a call off the cache lines of the call that was
// made next: by chance they would share one, and two processors fight for it.
type apart [128]byte

// baselineOp has the fields that an operation can be asked for, laid down plainly, and nothing that
// a queue needs: 192 bytes. So the baseline pays for the memory that a round trip needs, and no
// more.
//
//nolint:unused // its size is what counts
type baselineOp struct {
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

func (o *baselineOp) ID() uuid.UUID            { return o.id }
func (o *baselineOp) Status() operation.Status { return operation.Status(o.state.Load()) }
func (o *baselineOp) Times() operation.Times   { return operation.Times{} }

func (f *baseline) Do(w *Work) { f.Submit(w) }

func (f *baseline) Submit(w *Work) Op {
	o := new(baselineOp)
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

func (f *baseline) Close() {}
