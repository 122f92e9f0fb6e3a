package bench_test

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/bench"
	"ivrqueue/operation"
)

// each runs a test with every contestant that claims what the test is about.
func each(t *testing.T, claims bench.Claims, f func(t *testing.T, c *bench.Contestant)) {
	t.Helper()
	for _, c := range bench.Contestants() {
		if c.Claims.Has(claims) {
			t.Run(c.Name, func(t *testing.T) { f(t, c) })
		}
	}
}

// open opens a call that the test closes.
func open(t *testing.T, c *bench.Contestant, s bench.Setting) bench.Call {
	t.Helper()
	call := c.Open(s)
	t.Cleanup(call.Close)
	return call
}

// Whatever a contestant claims besides, it does what it was given: each once, in order, one at a
// time, and is through with it when Do returns.
func TestEveryContestantDoesItsWorkInOrder(t *testing.T) {
	each(t, bench.Orders, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Stream})
		var at atomic.Int32
		var order []int
		const n = 200
		for i := range n {
			call.Submit(bench.NewWork(func() {
				if at.Add(1) != 1 {
					t.Error("two operations at once")
				}
				order = append(order, i)
				at.Add(-1)
			}))
		}
		call.Do(bench.NewTrip(func() { order = append(order, n) }))
		if len(order) != n+1 || !slices.IsSorted(order) {
			t.Errorf("%d done, want %d in order: %v", len(order), n+1, order)
		}
	})
}

// The trips that are timed are whole ones.
func TestATripIsOverWhenDoReturns(t *testing.T) {
	each(t, 0, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{})
		done := 0
		w := bench.NewTrip(func() { done++ })
		for want := range 100 {
			call.Do(w)
			if done != want+1 {
				t.Fatalf("%d operations done after trip %d", done, want+1)
			}
		}
	})
}

// Two producers at once lose nothing.
func TestProducersMayBeTwo(t *testing.T) {
	each(t, 0, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Stream})
		var done atomic.Int32
		w := bench.NewWork(func() { done.Add(1) })
		var producers sync.WaitGroup
		const n = 2000
		for range 2 {
			producers.Go(func() {
				for range n {
					call.Submit(w)
				}
			})
		}
		producers.Wait()
		call.Do(bench.NewTrip(func() {}))
		if got := done.Load(); got != 2*n {
			t.Errorf("%d operations done, want %d", got, 2*n)
		}
	})
}

func TestIDsDifferAndStatesMove(t *testing.T) {
	each(t, bench.IDs|bench.States, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Stream})
		release := make(chan struct{})
		ids := map[uuid.UUID]bool{}
		for range 100 {
			o := call.Submit(bench.NewWork(func() {}))
			if id := o.ID(); id.Version() != 4 || ids[id] {
				t.Fatalf("id %v: not random, or not new", id)
			}
			ids[o.ID()] = true
			call.Do(bench.NewTrip(func() {}))
			if s := o.Status(); s != operation.Completed {
				t.Fatalf("status %v, want completed", s)
			}
		}
		if c.Claims.Has(bench.Isolates) || c == bench.Hand { // those that run elsewhere
			o := call.Submit(bench.NewWork(func() { <-release }))
			next := call.Submit(bench.NewWork(func() {}))
			for o.Status() != operation.Running {
				runtime.Gosched()
			}
			if s := next.Status(); s != operation.NotStarted {
				t.Errorf("the next one is %v, want notStarted", s)
			}
			close(release)
			call.Do(bench.NewTrip(func() {}))
			if s := next.Status(); s != operation.Completed {
				t.Errorf("the next one is %v, want completed", s)
			}
		}
	})
}

func TestTimesAreThereAndInOrder(t *testing.T) {
	each(t, bench.Times, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Stream})
		op := call.Submit(bench.NewWork(func() {}))
		call.Do(bench.NewTrip(func() {}))
		at := op.Times()
		if at.Accepted.IsZero() || at.Started.Before(at.Accepted) || at.Ended.Before(at.Started) {
			t.Errorf("times %v", at)
		}
	})
}

func TestEventsAreNumberedAndComplete(t *testing.T) {
	each(t, bench.Events, func(t *testing.T, c *bench.Contestant) {
		var mu sync.Mutex
		var seqs []uint64
		events := map[uuid.UUID][]string{}
		call := c.Open(bench.Setting{Use: bench.Stream, Observe: func(e bench.Event) {
			mu.Lock()
			defer mu.Unlock()
			seqs = append(seqs, e.Seq)
			if e.Op != nil {
				events[e.Op.ID()] = append(events[e.Op.ID()], e.What)
			}
		}})
		const n = 100
		for range n {
			call.Submit(bench.NewWork(func() {}))
		}
		call.Close()
		mu.Lock()
		defer mu.Unlock()
		for i, seq := range seqs {
			if seq != uint64(i+1) {
				t.Fatalf("event %d has the number %d", i+1, seq)
			}
		}
		if len(events) != n {
			t.Errorf("events of %d operations, want %d", len(events), n)
		}
		for id, kinds := range events {
			// What is closed before it starts has no start; what is closed while it runs, a release.
			if kinds[len(kinds)-1] == "released" {
				kinds = kinds[:len(kinds)-1]
			}
			if kinds[0] != "accepted" || kinds[len(kinds)-1] != "ended" || len(kinds) > 3 {
				t.Errorf("operation %v: %v", id, kinds)
			}
		}
	})
}

func TestACancelEndsAllAndSaysWhom(t *testing.T) {
	each(t, bench.Cancels|bench.Receipts, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Held}).(bench.Canceller)
		for _, depth := range []int{1, 10, 100} {
			for _, awaited := range []bool{false, true} {
				var ops []bench.Op
				started := atomic.Int32{}
				for range depth {
					ops = append(ops, call.Hold(bench.NewWork(func() { started.Add(1) }), awaited))
				}
				call.Settle()
				if n := call.CancelAll(); n != depth {
					t.Errorf("%d ended, want %d", n, depth)
				}
				for i, op := range call.Cancelled() {
					if op.ID() != ops[i].ID() || op.Status() != operation.Failed {
						t.Errorf("operation %d is %v, %v", i, op.ID(), op.Status())
					}
				}
				call.Settle()
				if n := started.Load(); n > 1 {
					t.Errorf("%d operations were started, want the first only", n)
				}
				if n := call.CancelAll(); n != 0 {
					t.Errorf("%d ended of a call that has nothing", n)
				}
			}
		}
	})
}

// Any reader who sees one operation failed sees all of them failed.
func TestACancelIsOneInstantForEveryReader(t *testing.T) {
	each(t, bench.Cancels, func(t *testing.T, c *bench.Contestant) {
		call := open(t, c, bench.Setting{Use: bench.Held}).(bench.Canceller)
		for range 200 {
			var ops []bench.Op
			for range 8 {
				ops = append(ops, call.Hold(bench.NewWork(func() {}), false))
			}
			call.Settle()
			var reader sync.WaitGroup
			reader.Go(func() {
				for ops[0].Status() != operation.Failed {
					runtime.Gosched()
				}
				for i, op := range ops {
					if s := op.Status(); s != operation.Failed {
						t.Errorf("operation %d is %v when the first is failed", i, s)
					}
				}
			})
			call.CancelAll()
			reader.Wait()
			call.Settle()
		}
	})
}
