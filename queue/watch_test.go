package queue_test

import (
	"context"
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

// The watch looks each millisecond. Whoever is in the same callback as at the look before is detached,
// and another dispatcher goes on with everything else.

// firstHangs is media whose first Start returns when release is closed, with what fail returns; nil
// is a success.
func firstHangs(release <-chan struct{}, fail func() error) *queuetest.Media {
	m := &queuetest.Media{}
	m.OnStart = func(queue.Task) error {
		if len(m.Started()) > 1 {
			return nil
		}
		<-release
		if fail == nil {
			return nil
		}
		return fail()
	}
	return m
}

// A queue's calls are made one at a time, by one dispatcher, but for a callback that takes long: not
// when such a one is over, nor when quick ones lie on both sides of a look.
func TestOneDispatcherUnlessACallbackTakesLong(t *testing.T) {
	t.Parallel()
	const long, quick = 10 * time.Millisecond, 100 * time.Microsecond // a batch has 8 events at most
	for _, name := range []string{"nothing is long", "an observer is long", "media is long", "a Blocking function is long"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var mu sync.Mutex
				inside, calls := 0, 0
				// callback is quick, and the only one at its time, or it takes long now and then.
				callback := func(takesLong bool) {
					mu.Lock()
					calls++
					switch {
					case takesLong && calls%5 == 0:
						mu.Unlock()
						time.Sleep(long)
						return
					case takesLong: // it may be in a batch with one that took long
						mu.Unlock()
						time.Sleep(quick)
						return
					}
					if inside++; inside > 1 {
						t.Errorf("%d quick callbacks at once", inside)
					}
					mu.Unlock()
					time.Sleep(quick)
					mu.Lock()
					defer mu.Unlock()
					inside--
				}
				observer := func(takesLong bool) queue.Option {
					return queue.WithObserver(queue.ObserverFunc(func(queue.Event) { callback(takesLong) }))
				}
				var m queue.Media = &queuetest.Media{
					OnStart: func(k queue.Task) error {
						callback(name == "media is long")
						k.End(operation.Result{})
						return nil
					},
					OnStop: func(k queue.Task) { k.End(operation.Result{}) },
				}
				if name == "a Blocking function is long" {
					m = queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
						time.Sleep(long)
						return operation.Result{}, nil
					})
				}
				q := newQueue(t, m, observer(name == "an observer is long"), observer(false), observer(false))
				for i := range 200 {
					enqueue(t, q, 1)
					time.Sleep(time.Duration(i%17) * 170 * time.Microsecond)
				}
				time.Sleep(time.Minute)
				q.Close(nil)
				<-q.Done()
				if s := q.Snapshot(); s.Undelivered != 0 || s.Running != nil {
					t.Errorf("%d ends are undelivered, running is %v", s.Undelivered, s.Running)
				}
			})
		})
	}
}

// A dispatcher whose callback took long goes on when that returns, and is watched as before: its next
// callback does not return, and the media is called all the same.
func TestADispatcherThatGoesOnIsWatched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			switch e.Seq {
			case 2: // Started of the first
				time.Sleep(5 * time.Millisecond)
			case 3: // Accepted of the second
				<-release
			}
		})))
		enqueue(t, q, 1)
		synctest.Wait()
		time.Sleep(3 * time.Millisecond) // it was detached, and no other has anything to do
		enqueue(t, q, 1)
		time.Sleep(3 * time.Millisecond) // it has gone on
		if len(m.Started()) != 1 {
			t.Fatalf("%d were started, want 1", len(m.Started()))
		}
		m.Current().End(operation.Result{})
		idle()
		if len(m.Started()) != 2 {
			t.Error("the media waits for an observer")
		}
	})
}

// While a Blocking function runs, events are delivered.
func TestABlockingFunctionBlocksNoOtherCallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rec := &queuetest.Recorder{}
		q := newQueue(t, queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
			<-ctx.Done()
			return operation.Result{}, nil
		}), queue.WithObserver(rec))
		for i := range 3 {
			enqueue(t, q, 1)
			idle()
			if n := len(rec.Events()); n != i+2 {
				t.Errorf("%d events after %d were accepted, want %d", n, i+1, i+2)
			}
		}
	})
}

// A stop timeout that is over before the watch has looked twice takes the media from a dispatcher
// which is not detached.
func TestAStopTimeoutMayBeShorterThanTheWatchsTick(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		m := firstHangs(release, nil)
		q := newQueue(t, m, queue.WithStopTimeout(10*time.Microsecond))
		enqueue(t, q, 1)
		synctest.Wait()
		q.CancelAll()
		next := enqueue(t, q, 1)[0]
		time.Sleep(10 * time.Microsecond)
		synctest.Wait()
		if len(m.Started()) != 2 || m.Current().Operation != next {
			t.Errorf("%d were started when the stop timeout was over, want 2", len(m.Started()))
		}
		close(release)
		synctest.Wait()
		if next.Status() != operation.Running || len(m.Stopped()) != 1 {
			t.Errorf("when the first returned, the next became %v; %d stopped", next.Status(), len(m.Stopped()))
		}
	})
}

// Inline media that does not return from Start holds its caller; the stop timeout takes the media
// from it, and whoever comes next calls.
func TestInlineMediaThatHangsIsAbandonedToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		m := firstHangs(release, nil)
		q := newQueue(t, m, queue.WithInlineMedia())
		go q.Enqueue(t.Context(), play())
		synctest.Wait()
		q.CancelAll()
		next := enqueue(t, q, 1)[0]
		time.Sleep(queue.DefaultStopTimeout)
		synctest.Wait()
		if len(m.Started()) != 2 || next.Status() != operation.Running {
			t.Errorf("%d were started after the stop timeout, the next is %v", len(m.Started()), next.Status())
		}
		close(release)
		synctest.Wait()
		q.Close(nil)
		synctest.Wait()
		if !isClosed(q.Done()) {
			t.Error("not done")
		}
	})
}

// A Start that fails, panics or exits when its media was abandoned long ago has reported late, and is
// not to be stopped.
func TestAStartThatFailsTooLateIsDelivered(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return operation.BeepFailed },
		"panic": func() error { panic("too late") },
		"exit":  func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				release := make(chan struct{})
				m := firstHangs(release, fail)
				rec := &queuetest.Recorder{}
				q := newQueue(t, m, queue.WithObserver(rec))
				op := enqueue(t, q, 1)[0]
				idle()
				q.CancelAll()
				next := enqueue(t, q, 1)[0]
				time.Sleep(queue.DefaultStopTimeout)
				synctest.Wait()
				before := len(rec.Events())
				close(release)
				idle()
				want := map[string]operation.Reason{"error": operation.BeepFailed}[name]
				if want == 0 {
					want = operation.Panicked
				}
				if more := rec.Events()[before:]; len(more) != 1 || more[0].Kind != queue.Late || more[0].Result().Reason != want {
					t.Errorf("events more: %v", more)
				}
				if next.Status() != operation.Running || len(m.Stopped()) != 0 || reason(op) != operation.Cancelled {
					t.Errorf("the next is %v, %d were stopped, it is %v", next.Status(), len(m.Stopped()), reason(op))
				}
				q.Close(nil)
				idle()
				rec.Check(t)
			})
		})
	}
}

// An inline observer is called on the caller's goroutine again as soon as the last callback of the
// media has returned, also one that was abandoned.
func TestEventsAreInlineAgainWhenALateCallbackHasReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		m := firstHangs(release, nil)
		m.OnStop = func(queue.Task) {}
		onMine := 0
		q := newQueue(t, m, queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {
			buf := make([]byte, 64<<10)
			if s := string(buf[:runtime.Stack(buf, false)]); strings.Contains(s, "callerOf") {
				onMine++
			}
		})))
		enqueue(t, q, 1)
		idle()
		q.CancelAll()
		time.Sleep(queue.DefaultStopTimeout)
		enqueue(t, q, 1)
		idle()
		callerOf(func() { enqueue(t, q, 1) })
		if onMine != 0 {
			t.Errorf("%d events were delivered inline beside an abandoned callback", onMine)
		}
		close(release)
		idle()
		callerOf(func() { enqueue(t, q, 1) })
		if onMine != 1 {
			t.Errorf("%d events were delivered inline when it had returned, want 1", onMine)
		}
	})
}

// A cancel does not wait for the watch: its Stop is called at once, though the dispatcher is in an
// observer that blocks.
func TestStopDoesNotWaitForTheWatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		blocked := queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Accepted && e.Seq > 2 { // of the second operation
				<-release
			}
		})
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithObserver(blocked), queue.WithObserver(blocked))
		enqueue(t, q, 1)
		synctest.Wait()
		enqueue(t, q, 1)
		synctest.Wait() // a dispatcher is in the first observer
		q.CancelAll()
		synctest.Wait() // without time, so the watch has not looked
		if n := len(m.Stopped()); n != 1 {
			t.Errorf("Stop was called %d times, want once", n)
		}
		close(release)
	})
}
