package queue_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Values are released exactly once, whoever comes last; what is kept keeps nothing else.

// Media asks for its context at the very moment in which the last event is delivered.
func TestValuesAreReleasedWhoeverComesLast(t *testing.T) { // alone, since it spins
	type key struct{}
	const rounds = 4_000
	for name, end := range map[string]func(q *queue.Queue, k queue.Task){
		"reported":  func(_ *queue.Queue, k queue.Task) { k.End(operation.Result{}) },
		"cancelled": func(q *queue.Queue, _ queue.Task) { q.CancelAll() },
	} {
		m := &patient{}
		q := newQueueWithoutCleanup(t, m, queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
		var asked atomic.Pointer[queue.Task] // the media's other goroutine is to ask for its context
		var answered atomic.Int64
		over := make(chan struct{})
		go func() {
			defer close(over)
			for answered.Load() < rounds {
				if k := asked.Swap(nil); k != nil {
					_ = k.Context()
					answered.Add(1)
				} else {
					runtime.Gosched()
				}
			}
		}()
		kept := make([]queue.Task, rounds)
		ctx, req := context.WithValue(t.Context(), key{}, "attached"), play()
		for i := range kept {
			if _, err := q.Enqueue(ctx, req); err != nil {
				t.Fatal(err)
			}
			k := m.current
			kept[i] = k
			asked.Store(&k)
			for range i % 64 {
				_ = k.Live()
			}
			end(q, k)
			for answered.Load() <= int64(i) {
				runtime.Gosched()
			}
		}
		<-over
		q.Close(nil)
		<-q.Done()
		left := 0
		for _, k := range kept {
			if k.Active.Context().Value(key{}) != nil || k.Operation.Context().Value(key{}) != nil {
				left++
			}
			if k.Active.Context().Err() == nil {
				t.Fatalf("%s: the context of an operation that has ended is open", name)
			}
		}
		if left > 0 {
			t.Errorf("%s: %d of %d operations keep their values", name, left, rounds)
		}
	}
}

// keeper is what a platform hangs on a call: large, and to be had again when the call is over.
type keeper struct{ _ [256]byte }

func (*keeper) Observe(queue.Event)                       {}
func (*keeper) Enabled(context.Context, slog.Level) bool  { return false }
func (*keeper) Handle(context.Context, slog.Record) error { return nil }
func (k *keeper) WithAttrs([]slog.Attr) slog.Handler      { return k }
func (k *keeper) WithGroup(string) slog.Handler           { return k }

// keeperError is a cause that a platform hangs on a call.
type keeperError struct{ *keeper }

func (keeperError) Error() string { return "a cause" }

// A task that is kept after Done, by media that is through or by one that was abandoned and has reported
// since, keeps its operation and nothing else of the call. Until it reports, it can.
func TestATaskKeptAfterDoneKeepsItsOperationAlone(t *testing.T) {
	t.Parallel()
	for name, reports := range map[string]bool{"through": true, "abandoned": false} {
		var kept queue.Task
		var queueIsThere weak.Pointer[queue.Queue]
		var keepers [6]weak.Pointer[keeper]
		var others []weak.Pointer[operation.Operation]
		names := [len(keepers)]string{
			"an observer", "the inline observer", "the logger's handler", "the cause of Close", "the value", "the media's own",
		}
		func() {
			var k [len(keepers)]*keeper
			for i := range k {
				k[i] = new(keeper)
				keepers[i] = weak.Make(k[i])
			}
			own := k[5]
			m := &queuetest.Media{OnStop: func(t queue.Task) {
				if runtime.KeepAlive(own); reports {
					t.End(operation.Result{})
				}
			}}
			q := newQueueWithoutCleanup(t, m, queue.WithObserver(k[0]), queue.WithInlineObserver(k[1]),
				queue.WithLogger(slog.New(k[2])), queue.WithStopTimeout(time.Millisecond))
			queueIsThere = weak.Make(q)
			if _, err := q.Enqueue(t.Context(), play(), queue.Value(k[4])); err != nil {
				t.Fatal(err)
			}
			for _, op := range enqueue(t, q, 2) {
				others = append(others, weak.Make(op))
			}
			var err error
			if kept, err = m.WaitStarted(within(t), 1); err != nil {
				t.Fatal(err)
			}
			q.Close(keeperError{k[3]})
			arrives(t, "Done", q.Done())
		}()
		if runtime.GC(); !reports && queueIsThere.Value() == nil {
			t.Error("the queue is gone, and a late report would be lost")
		}
		kept.End(operation.Result{})
		gone := func(what string, there func() bool) {
			t.Helper()
			if !collected(there) {
				t.Fatalf("%s: %s is still there", name, what)
			}
		}
		gone("the queue", func() bool { return queueIsThere.Value() != nil })
		for i := range keepers {
			gone(names[i], func() bool { return keepers[i].Value() != nil })
		}
		for _, op := range others {
			gone("another operation", func() bool { return op.Value() != nil })
		}
		// It is as harmless as any task whose report comes too late.
		kept.Progress(1)
		kept.End(operation.Result{Reason: operation.BeepFailed})
		kept.Fail(operation.BeepFailed)
		if kept.Live() || kept.Context().Err() == nil || reason(kept.Operation) != operation.CallEnded {
			t.Errorf("%s: the kept task: live %v, %v", name, kept.Live(), reason(kept.Operation))
		}
	}
}

// Reports that come while the queue comes to its end.
func TestReportsBesideTheEndOfTheCall(t *testing.T) {
	t.Parallel()
	for range 300 {
		m := &queuetest.Media{}
		q := newQueueWithoutCleanup(t, m)
		op := enqueue(t, q, 1)[0]
		k, err := m.WaitStarted(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for !isClosed(q.Done()) {
					k.End(operation.Result{})
				}
				k.Fail(operation.BeepFailed)
			})
		}
		q.Close(nil)
		arrives(t, "Done", q.Done())
		all.Wait()
		if r := reason(op); r != operation.Succeeded && r != operation.CallEnded {
			t.Errorf("ended with %v", r)
		}
	}
}

// An idle call whose Done was asked for, before and after it has worked: 320 bytes, and the
// channel's 96. Not parallel: it measures the heap.
func TestAnIdleCallWhoseDoneWasAskedForIsSmall(t *testing.T) {
	const calls, most = 20_000, 320 + 96
	shared := queue.Options(queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	all := make([]*queue.Queue, calls)
	empty := heap()
	for i := range all {
		q, err := queue.New("call", instant{}, shared)
		if err != nil {
			t.Fatal(err)
		}
		_ = q.Done()
		all[i] = q
	}
	fresh := float64(heap()-empty) / calls
	req := play()
	for _, q := range all {
		for range 20 {
			if _, err := q.Enqueue(context.Background(), req); err != nil {
				t.Fatal(err)
			}
		}
	}
	worked := float64(heap()-empty) / calls
	if fresh > most || worked > most {
		t.Errorf("%.0f bytes a call, %.0f after it has worked; want at most %d", fresh, worked, most)
	}
	t.Logf("%.0f bytes a call, %.0f after it has worked", fresh, worked)
	clear(all)
	heap() // or the tests that count allocations count those of the collector
}
