package queue_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G11: whatever one callback does, no other waits: not the caller, not another call, not the
// other observers, and not the media for an observer.
func TestABlockedCallbackBlocksNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		block := func() { <-release }
		for name, opts := range map[string][]queue.Option{
			"observer": {queue.WithObserver(queue.ObserverFunc(func(queue.Event) { block() }))},
			"logger": {
				queue.WithLogger(slog.New(blockingHandler{block})),
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) { panic("for the log") })),
			},
		} {
			rec := &queuetest.Recorder{}
			m := ender()
			q := newQueue(t, m, append(opts, queue.WithObserver(rec))...)
			ops := enqueue(t, q, 20)
			idle()
			q.CancelAll()
			idle()
			rec.Check(t)
			if len(m.Started()) != 20 || ops[19].Status() != operation.Completed {
				t.Errorf("%s blocked: %d of 20 were started", name, len(m.Started()))
			}
		}

		rec, inline := &queuetest.Recorder{}, &queuetest.Recorder{}
		m := &queuetest.Media{OnStart: func(queue.Task) error { block(); return nil }}
		q := newQueue(t, m, queue.WithObserver(rec), queue.WithInlineObserver(inline))
		ops := enqueue(t, q, 3)
		idle()
		r := q.CancelAll() // while Start blocks
		if r.Len() != 3 || ops[2].Status() != operation.Failed {
			t.Errorf("media blocked: receipt of %d", r.Len())
		}
		idle()
		for _, rec := range []*queuetest.Recorder{rec, inline} {
			rec.Check(t)
			if e, ok := rec.Find(queue.Ended, ops[2]); !ok || e.Result().Reason != operation.Cancelled {
				t.Error("media blocked: an observer did not get the cancel")
			}
		}
	})
}

type blockingHandler struct{ block func() }

func (blockingHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h blockingHandler) Handle(context.Context, slog.Record) error {
	h.block()
	return nil
}
func (h blockingHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h blockingHandler) WithGroup(string) slog.Handler      { return h }

// G11: panics and exits, in both forms; no event is lost or delivered twice, no operation is stuck.
func TestPanicsAndExitsOfCallbacksLoseNothing(t *testing.T) {
	t.Parallel()
	faults := map[string]func(){
		"panic": func() { panic("callback") },
		"exit":  runtime.Goexit,
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
				n := 0
				rec := &queuetest.Recorder{}
				rec.OnEvent = func(queue.Event) {
					if n++; n%2 == 0 {
						fault()
					}
				}
				m := &queuetest.Media{}
				m.OnStart = func(k queue.Task) error {
					switch len(m.Started()) % 4 {
					case 0:
						fault()
					case 1:
						k.End(operation.Result{})
						fault()
					case 2:
						k.End(operation.Result{})
					}
					return nil
				}
				m.OnStop = func(k queue.Task) {
					k.End(operation.Result{})
					fault()
				}
				q := newQueue(t, m, form(rec)...)
				for range 40 { // each on a goroutine of its own, since a callback may exit it
					go q.Enqueue(t.Context(), play())
					idle()
					k := m.Current()
					if len(m.Started())%4 == 0 && reason(k.Operation) != operation.Panicked {
						t.Errorf("Start did not return, and its operation is %v", reason(k.Operation))
					}
					if k.Live() {
						go q.Cancel(k.ID())
					}
					idle()
				}
				go q.Close(nil)
				<-q.Done()
				rec.Check(t)
				if got := len(rec.Events()); n != got {
					t.Errorf("%d events kept, %d delivered", got, n)
				}
				if len(m.Started()) != 40 {
					t.Errorf("%d were started, want 40", len(m.Started()))
				}
			})
		})
	}
}

// An inline observer that exits while media is due as well: the other role is not lost.
func TestAnExitOfOneCallbackDoesNotLoseAnothersRole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := ender()
		q := newQueue(t, m, queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Accepted {
				runtime.Goexit()
			}
		})))
		for range 5 {
			go q.Enqueue(t.Context(), play())
		}
		idle()
		if n := len(m.Started()); n != 5 || q.Snapshot().Running != nil {
			t.Errorf("%d of 5 were started", n)
		}
	})
}

func TestCallbacksNeverRunOnACallersGoroutineByDefault(t *testing.T) {
	bubble(t, func(t *testing.T) {
		onStack := func(where string) {
			buf := make([]byte, 64<<10)
			if s := string(buf[:runtime.Stack(buf, false)]); strings.Contains(s, "callerOf") {
				t.Errorf("%s runs on the goroutine of a caller", where)
			}
		}
		m := &queuetest.Media{
			OnStart: func(queue.Task) error { onStack("Start"); return nil },
			OnStop:  func(k queue.Task) { onStack("Stop"); callerOf(func() { k.End(operation.Result{}) }) },
		}
		rec := &queuetest.Recorder{OnEvent: func(queue.Event) { onStack("Observe") }}
		logged := queue.WithLogger(slog.New(blockingHandler{func() { onStack("the logger") }}))
		q := newQueue(t, m, queue.WithObserver(rec), logged,
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) { panic("for the log") })))
		for range 20 {
			callerOf(func() { enqueue(t, q, 2) })
			idle()
			k := m.Current()
			callerOf(func() { k.End(operation.Result{}) })
			callerOf(func() { q.CancelAll() })
			idle()
		}
		callerOf(func() { q.Close(nil) })
		idle()
		rec.Check(t)
	})
}

//go:noinline
func callerOf(f func()) { f() }

// With an inline observer beside media on goroutines of the queue's own: the media's callback is on
// the stack of who reports from inside it, so a goroutine of the queue's own delivers the event.
func TestNoEventIsDeliveredInlineWithAMediaCallbackOnTheStack(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]queue.Option{"default media": {}, "inline media": {queue.WithInlineMedia()}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rec := &queuetest.Recorder{OnEvent: func(e queue.Event) {
					buf := make([]byte, 64<<10)
					if s := string(buf[:runtime.Stack(buf, false)]); strings.Contains(s, "queuetest.(*Media)") {
						t.Errorf("%v is delivered on a stack with a media callback", e.Kind)
					}
				}}
				m := ender()
				var q *queue.Queue
				m.OnStart = func(k queue.Task) error {
					if len(m.Started()) < 30 {
						q.Enqueue(t.Context(), play())
						k.End(operation.Result{})
					}
					return nil
				}
				q = newQueue(t, m, append(opts, queue.WithInlineObserver(rec))...)
				enqueue(t, q, 2)
				idle()
				q.CancelAll()
				idle()
				rec.Check(t)
			})
		})
	}
}

func TestABorrowedGoroutineMakesAtMost256Calls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		onMine := 0
		count := func() {
			buf := make([]byte, 64<<10)
			if s := string(buf[:runtime.Stack(buf, false)]); strings.Contains(s, "callerOf") {
				mu.Lock()
				onMine++
				mu.Unlock()
			}
		}
		rec := &queuetest.Recorder{OnEvent: func(queue.Event) { count() }}
		m := ender()
		var q *queue.Queue
		m.OnStart = func(k queue.Task) error {
			count()
			if len(m.Started()) < 1000 { // the work never ends
				q.Enqueue(t.Context(), play())
			}
			k.End(operation.Result{})
			return nil
		}
		q = newQueue(t, m, queue.WithInlineMedia(), queue.WithInlineObserver(rec))
		callerOf(func() { enqueue(t, q, 1) })
		idle()
		if onMine == 0 || onMine > 256 {
			t.Errorf("%d calls on the producer's goroutine, want at most 256", onMine)
		}
		if n := len(m.Started()); n != 1000 {
			t.Errorf("%d were started, want all 1000", n)
		}
		rec.Check(t)
	})
}

// Locks of the caller's: media that reports under its own, a producer that cancels under its own
// while observers and media take it.
func TestCallersMayHoldTheirOwnLocks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	locked := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	rec := &queuetest.Recorder{OnEvent: func(queue.Event) { locked(func() {}) }}
	m := &queuetest.Media{
		OnStart: func(k queue.Task) error { locked(func() { k.Progress(1); k.End(operation.Result{}) }); return nil },
		OnStop:  func(k queue.Task) { locked(func() { k.End(operation.Result{}) }) },
	}
	q := newQueue(t, m, queue.WithObserver(rec))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := range 300 {
				locked(func() {
					enqueue(t, q, 1)
					if i%3 == 0 {
						q.CancelAll()
					}
				})
			}
		})
	}
	wg.Wait()
	locked(func() { q.Close(nil) })
	select {
	case <-q.Done():
	case <-time.After(time.Minute):
		t.Fatal("deadlock")
	}
	rec.Check(t)
}

func TestTheFaultOfAnAbandonedCallbackIsLogged(t *testing.T) {
	t.Parallel()
	for name, exit := range map[string]func(){"exit": runtime.Goexit, "panic": func() { panic("x") }} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var buf bytes.Buffer
			log := queue.WithLogger(slog.New(slog.NewTextHandler(lockedWriter{&mu, &buf}, nil)))
			release := make(chan struct{})
			m := &queuetest.Media{OnStart: func(queue.Task) error { <-release; exit(); return nil }}
			q := newQueue(t, m, log)
			enqueue(t, q, 1)
			idle()
			q.CancelAll()
			time.Sleep(time.Minute)
			close(release)
			idle()
			mu.Lock()
			defer mu.Unlock()
			if s := buf.String(); !strings.Contains(s, "exited") && !strings.Contains(s, "panicked") {
				t.Errorf("%s: logged only %s", name, s)
			}
		})
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestThePanicOfABlockingFunctionIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var buf bytes.Buffer
		log := queue.WithLogger(slog.New(slog.NewTextHandler(lockedWriter{&mu, &buf}, nil)))
		q := newQueue(t, queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) { panic("x") }), log)
		enqueue(t, q, 1)
		idle()
		mu.Lock()
		defer mu.Unlock()
		if buf.Len() == 0 {
			t.Error("nothing is logged")
		}
	})
}
