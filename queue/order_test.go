package queue_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G1.
func TestOperationsStartInTheOrderTheyWereAccepted(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{OnStart: func(task queue.Task) error {
			time.AfterFunc(time.Second, func() { task.End(operation.Result{}) })
			return nil
		}}
		q := newQueue(t, m, form(rec)...)
		ops := enqueue(t, q, 40)
		q.Cancel(ops[7].ID())  // from the middle
		q.Cancel(ops[39].ID()) // the tail
		ops = slices.Delete(ops, 39, 40)
		ops = slices.Delete(ops, 7, 8)
		ops = append(ops, enqueue(t, q, 2)...)
		time.Sleep(time.Minute)
		var started []*operation.Operation
		for _, task := range m.Started() {
			started = append(started, task.Operation)
		}
		if !slices.Equal(started, ops) {
			t.Errorf("%d started, want the %d that were left, in order", len(started), len(ops))
		}
		rec.Check(t)
	})
}

// G2: a slow media, whose callbacks take time and whose reports come early, late and in between.
func TestOnlyOneOperationRunsAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inside atomic.Int32
		var owner atomic.Pointer[operation.Operation] // has the media: Start entered, not yet free
		m := &queuetest.Media{}
		enter := func() {
			if inside.Add(1) != 1 {
				t.Error("two media callbacks at once")
			}
			time.Sleep(time.Millisecond)
		}
		leave := func() { inside.Add(-1) }
		m.OnStart = func(task queue.Task) error {
			if was := owner.Swap(task.Operation); was != nil && was.Status() == operation.Running {
				t.Error("Start entered while another operation is running")
			}
			enter()
			defer leave()
			if len(m.Started())%3 == 0 {
				task.End(operation.Result{}) // inside, with a while to go
				time.Sleep(5 * time.Millisecond)
			} else {
				time.AfterFunc(3*time.Millisecond, func() { task.End(operation.Result{}) })
			}
			return nil
		}
		m.OnStop = func(task queue.Task) {
			if owner.Load() != task.Operation {
				t.Error("Stop of a task that has not got the media")
			}
			enter()
			defer leave()
			task.End(operation.Result{})
			time.Sleep(5 * time.Millisecond)
		}
		rec := &queuetest.Recorder{}
		q := newQueue(t, m, queue.WithObserver(rec))
		for i := range 60 {
			enqueue(t, q, 3)
			time.Sleep(time.Duration(i%7) * time.Millisecond)
			if i%5 == 0 {
				q.CancelAll()
			}
		}
		time.Sleep(time.Minute)
		rec.Check(t)
	})
}

func TestTheNextStartsOnlyWhenTheMediaHasReportedAndReturned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		gate := make(chan struct{})
		m := &queuetest.Media{}
		m.OnStart = func(task queue.Task) error {
			if len(m.Started()) == 1 {
				task.End(operation.Result{})
				<-gate
			}
			return nil
		}
		q := newQueue(t, m)
		ops := enqueue(t, q, 3)
		synctest.Wait()
		if ops[0].Status() != operation.Completed || ops[1].Status() != operation.NotStarted {
			t.Errorf("reported inside Start: %v, %v; want completed, notStarted", ops[0].Status(), ops[1].Status())
		}
		close(gate)
		synctest.Wait()
		if ops[1].Status() != operation.Running {
			t.Errorf("after Start returned the next is %v, want running", ops[1].Status())
		}
		if ops[2].Status() != operation.NotStarted {
			t.Errorf("Start of the one before has returned, without a report, and the next is %v", ops[2].Status())
		}
		q.CancelAll()
		m.Current().End(operation.Result{})
	})
}

// G12: whatever frees the media, the next operation is started.
func TestNothingWaitsForMediaThatIsFree(t *testing.T) {
	t.Parallel()
	ways := map[string]func(q *queue.Queue, m *queuetest.Media){
		"end":    func(_ *queue.Queue, m *queuetest.Media) { m.Current().End(operation.Result{}) },
		"fail":   func(_ *queue.Queue, m *queuetest.Media) { m.Current().Fail(operation.PromptFailed) },
		"cancel": func(q *queue.Queue, m *queuetest.Media) { q.Cancel(m.Current().ID()) },
	}
	for name, free := range ways {
		t.Run(name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
				m := &queuetest.Media{}
				q := newQueue(t, m, form(&queuetest.Recorder{})...)
				ops := enqueue(t, q, 20)
				for i, op := range ops {
					synctest.Wait()
					if m.Current().Operation != op || op.Status() != operation.Running {
						t.Fatalf("operation %d is %v after %d were freed", i, op.Status(), i)
					}
					free(q, m)
				}
			})
		})
	}
}

// G12 with real goroutines: many producers, media that ends from goroutines of its own.
func TestNoWakeUpIsLost(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]queue.Option{
		"default": {},
		"inline":  {queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {}))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &queuetest.Media{OnStart: func(task queue.Task) error {
				go task.End(operation.Result{})
				return nil
			}}
			q := newQueue(t, m, append(opts, queue.WithMaxPending(0))...)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 300 {
						if _, err := enqueue(t, q, 1)[0].Wait(within(t)); err != nil {
							t.Errorf("operation: %v", err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// What is committed while the media role is on its way to a goroutine of ours, which then finds
// nothing to call, is delivered all the same.
func TestWhatIsLeftToTheMediaRoleIsDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var q *queue.Queue
		var once sync.Once
		var ours atomic.Bool // the calls are about to be made on goroutines of the queue's
		seam := func(as uint64) {
			if as == queue.ByInlineDispatcher && ours.Load() { // the media role's goroutine, before it takes the lock
				once.Do(func() {
					time.Sleep(time.Second) // all others are through
					q.CancelAll()
				})
			}
		}
		var ended, calls int
		var first queue.Task
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			if calls++; calls == 1 {
				first = k
				return nil
			}
			k.End(operation.Result{})
			return nil
		}}
		q = newQueue(t, m, queue.WithInlineMedia(), queue.WithSeam(seam),
			queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
				if e.Kind == queue.Ended {
					ended++
				}
				ours.Store(calls >= 86) // 256 calls: a Start and two events for each
			})))
		enqueue(t, q, 200)
		first.End(operation.Result{})
		time.Sleep(time.Minute)
		if s := q.Snapshot(); ended != 200 || s.Undelivered != 0 {
			t.Errorf("%d of 200 ends were delivered, %d are undelivered, after %d starts", ended, s.Undelivered, calls)
		}
	})
}
