package bench

import (
	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"
)

// A pool of one worker runs one function at a time. What is run is a record, so that there is an id
// and a state; a channel of the record's work wakes who waits, which costs less than the wait
// that each pool offers.

// Pond is a pond pool of one worker for each call.
var Pond = &Contestant{
	Name:   "pond",
	How:    "alitto/pond: a pool of one worker for each call, given functions with Go",
	Claims: Orders | Queues | IDs | States | Sleeps,
	Most:   10_000, // each pool keeps 19 KB
	Open: func(Setting) Call {
		p := pond.NewPool(1)
		return &pool{
			give: func(r *record) {
				if err := p.Go(r.do); err != nil {
					panic(err)
				}
			},
			stop: p.StopAndWait,
		}
	},
}

// WorkerPool is a gammazero pool of one worker for each call.
var WorkerPool = &Contestant{
	Name:   "workerpool",
	How:    "gammazero/workerpool: a pool of one worker for each call, given functions with Submit",
	Claims: Orders | Queues | IDs | States,
	Open: func(Setting) Call {
		p := workerpool.New(1)
		return &pool{give: func(r *record) { p.Submit(r.do) }, stop: p.StopWait}
	},
}

// Ants is an ants pool of one worker for each call, of the kind that its authors advise where all
// tasks run the same function: they are arguments, not functions. It holds none back: who gives it
// a second one waits for the first. Two who wait may be let in in another order.
var Ants = &Contestant{
	Name:   "ants",
	How:    "panjf2000/ants: a generic pool of one worker for each call, invoked with the operation",
	Claims: Orders | IDs | States,
	Most:   1000, // each pool has a goroutine that ticks twice a second
	Open: func(Setting) Call {
		p, err := ants.NewPoolWithFuncGeneric(1, (*record).do, ants.WithDisablePurge(true))
		if err != nil {
			panic(err)
		}
		return &pool{
			give: func(r *record) {
				if err := p.Invoke(r); err != nil {
					panic(err)
				}
			},
			stop: p.Release,
		}
	},
}

type pool struct {
	give func(*record)
	stop func()
}

func (p *pool) Do(w *Work) {
	p.give(newRecord(w))
	<-w.ended
}

func (p *pool) Submit(w *Work) Op {
	r := newRecord(w)
	p.give(r)
	return r
}

func (p *pool) Close() { p.stop() }
