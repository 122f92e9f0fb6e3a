package queue_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// One dispatcher makes all calls of a queue, in turn.

func TestWhoIsAlwaysBehindStarvesNobody(t *testing.T) {
	t.Parallel()
	const work, patience = 500, 30
	t.Run("an observer", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			var q *queue.Queue
			events := 0
			late := func(who string) func() {
				return sync.OnceFunc(func() {
					if events > patience {
						t.Errorf("%s is called after %d events of another observer", who, events)
					}
				})
			}
			second, media := late("the second observer"), late("the media")
			m := &queuetest.Media{OnStart: func(queue.Task) error { media(); return nil }}
			q = newQueue(t, m,
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) {
					if events++; events < work { // each event makes two
						op := enqueue(t, q, 1)[0]
						_, _ = q.Cancel(op.ID())
					}
				})),
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) { second() })))
			enqueue(t, q, 1)
			synctest.Wait()
			if events < work || len(m.Started()) != 1 {
				t.Errorf("%d events, %d started", events, len(m.Started()))
			}
		})
	})
	t.Run("media", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			gate := make(chan struct{})
			starts := 0
			m := &queuetest.Media{OnStart: func(k queue.Task) error {
				if starts++; starts == 1 {
					<-gate
					panic("for the log")
				}
				k.End(operation.Result{})
				return nil
			}}
			logged := 0
			q := newQueue(t, m, queue.WithLogger(slog.New(blockingHandler{func() {
				if logged++; starts > patience {
					t.Errorf("the logger is called after %d starts", starts)
				}
			}})))
			enqueue(t, q, work)
			close(gate)
			synctest.Wait()
			if logged != 1 || starts != work {
				t.Errorf("%d warnings, %d starts", logged, starts)
			}
		})
	})
}

// The 256 calls of a borrowed goroutine may be over in the middle of a batch.
func TestABorrowedGoroutineStopsWithinABatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var onMine, events atomic.Int32
		goOn := make(chan struct{})
		q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {
				if events.Add(1) == 1 {
					<-goOn
				}
				buf := make([]byte, 64<<10)
				if s := string(buf[:runtime.Stack(buf, false)]); strings.Contains(s, "callerOf") {
					onMine.Add(1)
				}
			})))
		go callerOf(func() { enqueue(t, q, 1) }) // two events, and the rest comes by fours
		synctest.Wait()
		enqueue(t, q, 400)
		close(goOn)
		synctest.Wait()
		if onMine.Load() != 255 && onMine.Load() != 256 { // and perhaps a Start
			t.Errorf("%d events on the producer's goroutine", onMine.Load())
		}
		if events.Load() != 402 {
			t.Errorf("%d events, want 402", events.Load())
		}
	})
}

// Warnings of a queue whose callbacks are all inline are the work of a goroutine of its own.
func TestAnInlineCallNeedsADispatcherToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		logged := 0
		q := newQueue(t, ender(), queue.WithInlineMedia(),
			queue.WithLogger(slog.New(blockingHandler{func() { logged++ }})),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) { panic("for the log") })))
		enqueue(t, q, 1)
		synctest.Wait()
		if logged == 0 {
			t.Error("nothing was logged")
		}
		q.Close(nil)
		synctest.Wait()
		if !isClosed(q.Done()) {
			t.Error("not done")
		}
	})
}

// panicking is an observer that only panics.
type panicking struct{}

func (panicking) Observe(queue.Event) { panic("for the log") }

// Each callback may call the queue, from another goroutine too. In real time: a goroutine that
// waits for a mutex is not idle to a bubble.
func TestNoCallbackIsMadeUnderTheLock(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]queue.Option{"default": nil, "inline media": {queue.WithInlineMedia()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var q atomic.Pointer[queue.Queue]
			var held atomic.Bool
			look := func(where string) {
				if held.Load() {
					return // it was found already
				}
				returned := make(chan struct{})
				go func() {
					defer close(returned)
					q.Load().Snapshot()
				}()
				select {
				case <-returned:
				case <-time.After(heldUp):
					held.Store(true)
					t.Errorf("%s is called with the lock held", where)
				}
			}
			m := &queuetest.Media{
				OnStart: func(queue.Task) error { look("Start"); return nil },
				OnStop:  func(k queue.Task) { look("Stop"); k.End(operation.Result{}) },
			}
			q.Store(newQueue(t, m, append(opts,
				queue.WithLogger(slog.New(blockingHandler{func() { look("the logger") }})),
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) { look("an observer") })),
				queue.WithObserver(panicking{}))...))
			enqueue(t, q.Load(), 1)
			if _, err := m.WaitStarted(within(t), 1); err != nil {
				t.Fatal(err)
			}
			q.Load().CancelAll()
			q.Load().Close(nil)
			arrives(t, "Done", q.Load().Done())
		})
	}
}

// countingHandler blocks in the first warning, and counts.
type countingHandler struct {
	blockingHandler

	warnings, dropped *atomic.Int64
}

func (h countingHandler) Handle(ctx context.Context, r slog.Record) error {
	h.warnings.Add(1)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "dropped" {
			h.dropped.Add(a.Value.Int64())
		}
		return true
	})
	return h.blockingHandler.Handle(ctx, r)
}

func TestALoggerThatBlocksLosesWarningsAndGetsTheirNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		var warnings, dropped atomic.Int64
		panicked := int64(0)
		q := newQueue(t, ender(),
			queue.WithLogger(slog.New(countingHandler{blockingHandler{func() { <-release }}, &warnings, &dropped})),
			queue.WithObserver(queue.ObserverFunc(func(queue.Event) {
				panicked++
				panic("for the log")
			})))
		enqueue(t, q, 50)
		idle()
		close(release)
		idle()
		if panicked != 150 || warnings.Load() > 17 || warnings.Load()+dropped.Load() != panicked {
			t.Errorf("%d panics, %d warnings, %d dropped; want 150, at most 17, and the rest",
				panicked, warnings.Load(), dropped.Load())
		}
	})
}

func TestALoggerThatPanicsOrExitsLosesOnlyItsWarning(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(){"panic": func() { panic("logger") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rec := &queuetest.Recorder{}
				logged := 0
				q := newQueue(t, ender(), queue.WithObserver(rec), queue.WithObserver(panicking{}),
					queue.WithLogger(slog.New(blockingHandler{func() { logged++; fault() }})))
				enqueue(t, q, 5)
				idle()
				q.Close(nil)
				idle()
				if !isClosed(q.Done()) || len(rec.Events()) != 16 || logged != 16 {
					t.Errorf("done is %v after %d events and %d warnings, want 16 of each",
						isClosed(q.Done()), len(rec.Events()), logged)
				}
				rec.Check(t)
			})
		})
	}
}
