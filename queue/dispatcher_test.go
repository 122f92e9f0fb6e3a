package queue_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G11: a dispatcher that was detached and is active again is watched again. Here it comes back from a
// callback that took long, or from a Blocking function, and its next callback does not return.
func TestADispatcherThatCameBackIsWatched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, name := range []string{"an observer", "a Blocking function"} {
			release := make(chan struct{})
			calls := 0
			observer := queue.ObserverFunc(func(e queue.Event) {
				switch calls++; {
				case name == "an observer" && calls == 1:
					time.Sleep(5 * time.Millisecond)
				case e.Kind == queue.Ended:
					<-release
				}
			})
			rec := &queuetest.Recorder{}
			var started atomic.Int32
			var m queue.Media = &queuetest.Media{OnStart: func(k queue.Task) error {
				started.Add(1)
				k.End(operation.Result{})
				return nil
			}}
			if name != "an observer" {
				m = queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
					started.Add(1)
					time.Sleep(5 * time.Millisecond)
					return operation.Result{}, nil
				})
			}
			q := newQueue(t, m, queue.WithObserver(observer), queue.WithObserver(rec))
			enqueue(t, q, 1)
			time.Sleep(20 * time.Millisecond) // it has come back, and is in a callback that blocks
			ops := enqueue(t, q, 1)
			time.Sleep(20 * time.Millisecond)
			if started.Load() != 2 || ops[0].Status() != operation.Completed {
				t.Errorf("after %s: %d of 2 were started, the second one is %v", name, started.Load(), ops[0].Status())
			}
			if n := len(rec.Events()); n != 6 {
				t.Errorf("after %s: the other observer got %d of 6 events", name, n)
			}
			close(release)
			synctest.Wait()
		}
	})
}

// G14: Done is closed by whoever is last. Here that is a dispatcher which another one has replaced: while
// it closes an operation's Done channel, that one delivers the last event and finds nothing more to do.
func TestAReplacedDispatcherMayBeTheLast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		failed := errors.New("x")
		for name, media := range map[string]func(f func() error) queue.Media{
			"Start": func(f func() error) queue.Media {
				return &queuetest.Media{OnStart: func(queue.Task) error {
					time.Sleep(5 * time.Millisecond) // it is detached
					return f()
				}}
			},
			"Blocking": func(f func() error) queue.Media {
				return queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
					return operation.Result{}, f()
				})
			},
			"Blocking that exits": func(f func() error) queue.Media {
				return queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
					_ = f()
					runtime.Goexit()
					return operation.Result{}, nil
				})
			},
		} {
			var q *queue.Queue
			var op atomic.Pointer[operation.Operation]
			var slow atomic.Bool
			m := media(func() error {
				second, err := q.Enqueue(t.Context(), play())
				if err != nil {
					return err
				}
				if _, err := q.Cancel(second.ID()); err != nil {
					return err
				}
				q.Seal()
				synctest.Wait() // the other dispatcher is in the observer
				return failed
			})
			q = newQueue(t, m,
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) { time.Sleep(100 * time.Microsecond) })),
				queue.WithSeam(func(uint64) {
					if op.Load().Status().Terminal() && slow.CompareAndSwap(false, true) {
						time.Sleep(time.Second) // whoever closes its Done channel
					}
				}))
			o := enqueue(t, q, 1)[0]
			_ = o.Done()
			op.Store(o)
			time.Sleep(time.Minute)
			if !isClosed(q.Done()) {
				t.Errorf("%s: the queue is not done: %+v", name, q.Snapshot())
			}
		}
	})
}

// G11: what an inline dispatcher leaves behind is delivered. Here it is in the observer while media
// of the default form enters Start and does not return; until then it may not deliver inline.
func TestWhatIsLeftToTheOwnDispatcherIsDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m := &queuetest.Media{OnStart: func(queue.Task) error { <-release; return nil }}
		rec := &queuetest.Recorder{OnEvent: func(e queue.Event) {
			if e.Seq == 2 {
				time.Sleep(5 * time.Millisecond)
			}
		}}
		q := newQueue(t, m, queue.WithInlineObserver(rec))
		go func() {
			time.Sleep(4 * time.Millisecond) // the media's dispatcher is detached, and the observer has yet to return
			enqueue(t, q, 1)
		}()
		enqueue(t, q, 1)
		time.Sleep(20 * time.Millisecond)
		if n := len(rec.Events()); n != 3 {
			t.Errorf("the observer got %d of 3 events", n)
		}
	})
}

// A panic(nil) is an exit to whoever sets this, and the goroutine is still there.
func TestAPanicWithNilIsAnExit(t *testing.T) { //nolint:paralleltest // it changes the environment
	t.Setenv("GODEBUG", "panicnil=1")
	for _, form := range []func(queue.Observer) queue.Option{queue.WithObserver, queue.WithInlineObserver} {
		n := 0
		rec := &queuetest.Recorder{OnEvent: func(queue.Event) {
			if n++; n%3 == 0 {
				panic(nil) //nolint:govet // this is what it is about
			}
		}}
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			k.End(operation.Result{})
			panic(nil) //nolint:govet // the same
		}}
		q := newQueue(t, m, form(rec))
		enqueue(t, q, 20)
		q.Close(nil)
		select {
		case <-q.Done():
		case <-within(t).Done():
			t.Fatal("the queue is not done")
		}
		rec.Check(t)
	}
}

// G11: the media waits for one observer that blocks, not for one after the other.
func TestTheMediaDoesNotWaitForEachObserver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var opts []queue.Option
		for range queue.MaxObservers {
			opts = append(opts, queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
		}
		var after time.Duration
		begin := time.Now()
		q := newQueue(t, &queuetest.Media{OnStart: func(queue.Task) error {
			after = time.Since(begin)
			return nil
		}}, opts...)
		enqueue(t, q, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		if after == 0 || after > 2*time.Millisecond {
			t.Errorf("Start was called after %v, want 2 ms at most", after)
		}
	})
}
