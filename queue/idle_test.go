package queue_test

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G15: no goroutine, no timer, no buffer to speak of, also after work. Not parallel: it counts
// goroutines.
func TestAnIdleCallHoldsNoGoroutineAndNoBuffer(t *testing.T) {
	for name, opts := range map[string][]queue.Option{
		"default": {},
		"inline":  {queue.WithInlineMedia()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended atomic.Int32
				opts = append(opts, queue.WithRunTimeout(time.Hour), queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
					if e.Kind == queue.Ended {
						ended.Add(1)
					}
				})))
				m := &queuetest.Media{OnStart: func(k queue.Task) error {
					if k.ClientContext() == "" {
						k.End(operation.Result{})
					}
					return nil
				}}
				var calls []*queue.Queue
				for range 50 {
					q := newQueue(t, m, opts...)
					calls = append(calls, q)
					enqueue(t, q, 100)
					synctest.Wait()
					if _, err := q.Enqueue(t.Context(), play(), queue.ClientContext("lasts")); err != nil {
						t.Fatal(err)
					}
					enqueue(t, q, 10)
					synctest.Wait()
					q.CancelAll()
				}
				synctest.Wait()
				if ended.Load() != 50*111 {
					t.Fatalf("%d of %d have ended", ended.Load(), 50*111)
				}
				for _, stack := range ofThisBubble() {
					if strings.Contains(stack, "ivrqueue/queue.(") {
						t.Errorf("a goroutine of the queue's:\n%s", stack)
					}
				}
				for i, q := range calls {
					if n := q.LogSlots(); n > queue.IdleSlots || q.LogEntries() != 0 || q.Finishing() != 0 {
						t.Fatalf("call %d: %d slots, %d entries in the log, %d timers", i, n, q.LogEntries(), q.Finishing())
					}
				}
			})
		})
	}
}

// A log that has drained while operations live keeps a few slots.
func TestADrainedLogKeepsFewSlots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, &queuetest.Media{}, queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})))
		enqueue(t, q, 500)
		synctest.Wait()
		if n := q.LogSlots(); n > queue.KeepSlots || q.LogEntries() != 0 {
			t.Errorf("%d slots, %d entries, want at most %d and 0", n, q.LogEntries(), queue.KeepSlots)
		}
	})
}

func TestTheQueuesSizeIsAMultipleOfACacheLine(t *testing.T) {
	t.Parallel()
	if queue.Size%64 != 0 {
		t.Errorf("%d bytes, want a multiple of 64", queue.Size)
	}
}

// What a call writes in each life lies on lines of its own: its queue, and its log.
func TestTwoCallsShareNoCacheLine(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	queues, req := make([]*queue.Queue, 1000), play()
	for i := range queues {
		queues[i] = newQueue(t, m, queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
	}
	for _, q := range queues {
		if _, err := q.Enqueue(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	owner := map[uintptr]int{}
	for i, q := range queues {
		for _, line := range q.LogLines() {
			if other, ok := owner[line]; ok {
				t.Fatalf("the logs of %d and %d lie on one line", other, i)
			}
			owner[line] = i
		}
	}
}

// A cancel logs one record, however many it ends.
func TestACancelLogsOneRecordForAllThatItEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		m := &queuetest.Media{OnStop: func(queue.Task) {}} // or its report is an entry too
		q := newQueue(t, m, queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
		enqueue(t, q, 1000)
		synctest.Wait()
		before := q.LogEntries()
		q.CancelAll()
		if n := q.LogEntries() - before; n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
		close(release)
	})
}

// What is kept keeps nothing else alive: not another operation, not the queue, not its values.
func TestAKeptOperationKeepsNothingElse(t *testing.T) {
	t.Parallel()
	type attached struct{ _ [64]byte }
	type key struct{}
	// One that had waited, ran, and ended; one that was cancelled while it ran; one that only
	// waited.
	var kept [3]*operation.Operation
	var receipt queue.Receipt
	var others []weak.Pointer[operation.Operation]
	var values []weak.Pointer[attached]
	var q weak.Pointer[queue.Queue]
	func() {
		m := &queuetest.Media{}
		strong, err := queue.New("c", m, quiet, queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})))
		if err != nil {
			t.Fatal(err)
		}
		q = weak.Make(strong)
		attach := func() (context.Context, queue.EnqueueOption) {
			a, b := new(attached), new(attached)
			values = append(values, weak.Make(a), weak.Make(b))
			return context.WithValue(t.Context(), key{}, a), queue.Value(b)
		}
		var ops []*operation.Operation
		for range 9 {
			ctx, value := attach()
			op, err := strong.Enqueue(ctx, play(), value)
			if err != nil {
				t.Fatal(err)
			}
			if op.Value() == nil || op.DetachedContext().Value(key{}) == nil {
				t.Error("the values are not there")
			}
			_ = op.Done()
			ops = append(ops, op)
		}
		k, err := m.WaitStarted(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = k.Context()
		for n := range 3 {
			k.End(operation.Result{})
			if k, err = m.WaitStarted(within(t), n+2); err != nil {
				t.Fatal(err)
			}
		}
		strong.Cancel(ops[4].ID())
		receipt = strong.CancelAll()
		strong.Close(nil)
		<-strong.Done()
		kept = [3]*operation.Operation{ops[1], ops[3], ops[6]}
		for _, op := range ops {
			if !slices.Contains(kept[:], op) {
				others = append(others, weak.Make(op))
			}
		}
		if receipt.Len() != 5 {
			t.Errorf("receipt of %d", receipt.Len())
		}
		receipt = queue.Receipt{}
	}()
	gone := func(what string, there func() bool) {
		t.Helper()
		if !collected(there) {
			t.Fatalf("%s is still there", what)
		}
	}
	for i := range others {
		gone("another operation", func() bool { return others[i].Value() != nil })
	}
	for i := range values {
		gone("a value that was attached", func() bool { return values[i].Value() != nil })
	}
	gone("the queue", func() bool { return q.Value() != nil })
	for i, want := range []operation.Reason{operation.Succeeded, operation.Cancelled, operation.Cancelled} {
		if op := kept[i]; op.Value() != nil || reason(op) != want {
			t.Errorf("the kept one is not what it was, but %v", reason(op))
		}
	}
}

// A queue that somebody keeps after it is done keeps neither its media nor any operation.
func TestAQueueThatIsDoneKeepsLittle(t *testing.T) {
	t.Parallel()
	var kept *queue.Queue
	var media weak.Pointer[queuetest.Media]
	var ops []weak.Pointer[operation.Operation]
	func() {
		m := &queuetest.Media{}
		kept = newQueueWithoutCleanup(t, m)
		media = weak.Make(m)
		for _, op := range enqueue(t, kept, 2) {
			ops = append(ops, weak.Make(op))
		}
		if _, err := m.WaitStarted(within(t), 1); err != nil {
			t.Fatal(err)
		}
		kept.Close(nil)
		<-kept.Done()
	}()
	there := func() bool {
		return media.Value() != nil || ops[0].Value() != nil || ops[1].Value() != nil
	}
	if !collected(there) {
		t.Errorf("the media is there: %v; its operations are: %v, %v",
			media.Value() != nil, ops[0].Value() != nil, ops[1].Value() != nil)
	}
	runtime.KeepAlive(kept)
}

func TestAnIdleQueueKeepsNoOperation(t *testing.T) {
	t.Parallel()
	var delivered atomic.Int32
	m := queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) { return operation.Result{}, nil })
	q := newQueue(t, m, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
		if e.Kind == queue.Ended {
			delivered.Add(1)
		}
	})))
	var ops []weak.Pointer[operation.Operation]
	for i := range 5 {
		op, err := q.Enqueue(t.Context(), play())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := op.Wait(within(t)); err != nil {
			t.Fatal(err)
		}
		for int(delivered.Load()) <= i {
			runtime.Gosched()
		}
		ops = append(ops, weak.Make(op))
	}
	for i, op := range ops {
		if !collected(func() bool { return op.Value() != nil }) {
			t.Fatalf("operation %d is still there", i)
		}
	}
	runtime.KeepAlive(q)
}

// Released when the last event was delivered, and not before: the slowest observer still has them.
func TestValuesAreThereUntilTheLastEventIsDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		var mu sync.Mutex
		missing := 0
		var media atomic.Int32 // what the media found to be gone
		check := func(e queue.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Operation != nil && e.Operation.Value() != "mine" {
				missing++
			}
		}
		m := &queuetest.Media{OnStop: func(k queue.Task) {
			time.AfterFunc(time.Second, func() {
				if k.Value() != "mine" {
					media.Add(1)
				}
				k.End(operation.Result{})
			})
		}}
		// All observers got the end, or there are none, and the media is not through yet.
		for _, opts := range [][]queue.Option{{}, {queue.WithObserver(queue.ObserverFunc(check))}} {
			for _, one := range []bool{false, true} {
				quick := newQueue(t, m, opts...)
				op, err := quick.Enqueue(t.Context(), play(), queue.Value("mine"))
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if one {
					_, _ = quick.Cancel(op.ID())
				} else {
					quick.CancelAll()
				}
				time.Sleep(2 * time.Second)
				if media.Load() > 0 || op.Value() != nil {
					t.Errorf("gone for the media: %v; kept after its report: %v", media.Load() > 0, op.Value())
				}
			}
		}
		q := newQueue(t, m, queue.WithObserver(queue.ObserverFunc(check)),
			queue.WithObserver(queue.ObserverFunc(func(e queue.Event) { <-release; check(e) })))
		var ops []*operation.Operation
		for range 5 {
			op, err := q.Enqueue(t.Context(), play(), queue.Value("mine"))
			if err != nil {
				t.Fatal(err)
			}
			ops = append(ops, op)
		}
		synctest.Wait()
		q.CancelAll()
		time.Sleep(2 * time.Second)
		close(release)
		synctest.Wait()
		if missing > 0 {
			t.Errorf("%d events came after the values of their operation were released", missing)
		}
		for i, op := range ops {
			if op.Value() != nil {
				t.Errorf("%d still has its values", i)
			}
		}
	})
}

// Ended and Released in different shares of a slow observer.
func TestValuesAreThereWhenReleasedIsDelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var got []any
		rec := &queuetest.Recorder{OnEvent: func(e queue.Event) {
			if e.Seq == 1 {
				<-release
			}
			if e.Kind == queue.Released {
				got = append(got, e.Operation.Value())
			}
		}}
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithObserver(rec))
		for i := range 4 { // enough entries that Ended and Released fall into different shares
			q.Enqueue(t.Context(), play(), queue.Value(i))
			idle() // or the media is not called while the observer blocks, and nothing is released
			q.CancelAll()
			idle()
		}
		close(release)
		idle()
		if len(got) != 4 {
			t.Errorf("%d were released, want 4", len(got))
		}
		for i, v := range got {
			if v != i {
				t.Errorf("Released %d: Value is %v", i, v)
			}
		}
	})
}

// The context of a task that has ended keeps its values until the media is through.
func TestATasksContextKeepsItsValuesUntilTheMediaIsThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		m := &queuetest.Media{}
		var first, second any
		m.OnStop = func(k queue.Task) {
			first, second = k.Context().Value(key{}), k.Context().Value(key{})
			k.End(operation.Result{})
		}
		q := newQueue(t, m, queue.WithObserver(&queuetest.Recorder{}))
		q.Enqueue(context.WithValue(t.Context(), key{}, 7), play())
		synctest.Wait()
		q.CancelAll()
		synctest.Wait()
		if first != 7 || second != 7 {
			t.Errorf("in Stop, t.Context().Value is %v, asked again %v", first, second)
		}
	})
}

// The log is shortened when the slowest observer has come far enough, also while another one is
// being told what lies behind.
func TestTheLogIsShortenedWhileItIsBeingDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const events = 61 // of 60 operations, of which one is started
		// waitsAt makes an observer that stops at some events until it may go on.
		waitsAt := func(at ...uint64) (*queuetest.Recorder, chan struct{}) {
			goOn := make(chan struct{})
			return &queuetest.Recorder{OnEvent: func(e queue.Event) {
				if slices.Contains(at, e.Seq) {
					<-goOn
				}
			}}, goOn
		}
		fast, fastGoesOn := waitsAt(1, 47) // at 47 it has more in hand, to be delivered without a look at the log
		slow, slowGoesOn := waitsAt(1, 42) // at 42 it has come far enough
		var log strings.Builder            // of a fault of ours, from which the queue would recover
		q := newQueue(t, &queuetest.Media{}, queue.WithObserver(fast), queue.WithObserver(slow),
			queue.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		ops := enqueue(t, q, 1)
		idle() // the watch has seen both block, with one entry in hand; from now on it is four at a time
		ops = append(ops, enqueue(t, q, events-2)...)
		for _, goOn := range []chan struct{}{fastGoesOn, slowGoesOn, fastGoesOn, slowGoesOn} {
			idle()
			if before := q.LogEntries(); len(slow.Events()) == 42 && before > 40 {
				t.Errorf("the log was not shortened: it has %d entries", before)
			}
			goOn <- struct{}{}
		}
		idle()
		for _, o := range []*queuetest.Recorder{fast, slow} {
			all := o.Events()
			if len(all) != events {
				t.Fatalf("%d events, want %d", len(all), events)
			}
			for i, e := range all[2:] {
				if e.Operation != ops[i+1] {
					t.Errorf("event %d is of another operation", e.Seq)
				}
			}
		}
		if log.Len() > 0 {
			t.Errorf("logged: %s", &log)
		}
	})
}

func TestWithoutObserversValuesGoWithTheEnd(t *testing.T) {
	t.Parallel()
	q := newQueue(t, instant{})
	op, err := q.Enqueue(context.Background(), play(), queue.Value("session"))
	if err != nil {
		t.Fatal(err)
	}
	<-op.Done()
	q.Seal()
	<-q.Done()
	if v := op.Value(); v != nil {
		t.Errorf("the value is %v after the end, want nil", v)
	}
}
