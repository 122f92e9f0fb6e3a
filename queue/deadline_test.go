package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Timeouts of one kind wait in one list, with one timer.

// A timeout that is armed while the timer runs for one that was disarmed fires when it is due, not
// with the other one, and not later.
func TestTimeoutsOfOneListFireInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const stop = 10 * time.Second
		m := &queuetest.Media{}
		m.OnStop = func(k queue.Task) {
			if len(m.Stopped()) == 1 {
				time.AfterFunc(time.Second, func() { k.End(operation.Result{}) }) // in time
			}
		}
		q := newQueue(t, m, queue.WithStopTimeout(stop), queue.InOneBubble())
		enqueue(t, q, 1)
		synctest.Wait()
		q.CancelAll() // its timer fires after 10 s
		time.Sleep(7 * time.Second)
		enqueue(t, q, 1)
		synctest.Wait()
		q.CancelAll() // after 7 s
		time.Sleep(stop - 1)
		synctest.Wait()
		if n := q.Snapshot().Abandoned; n != 0 {
			t.Errorf("%d were abandoned too early", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := q.Snapshot().Abandoned; n != 1 {
			t.Errorf("%d were abandoned in time, want 1", n)
		}
	})
}

// A timeout that was disarmed when it had fired already, but had not got the lock, is the old one's
// and nothing to the next.
func TestATimeoutThatIsDisarmedAsItFiresLeavesTheNextAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var fires atomic.Bool
		held := make(chan struct{})
		m := &queuetest.Media{OnStop: func(queue.Task) {}}
		q := newQueue(t, m, queue.WithStopTimeout(time.Second), queue.WithSeam(func(by uint64) {
			if by == queue.ByTimeout && fires.CompareAndSwap(true, false) {
				<-held // before it has the lock
			}
		}))
		enqueue(t, q, 1)
		synctest.Wait()
		q.CancelAll()
		next := enqueue(t, q, 1)[0]
		synctest.Wait()
		fires.Store(true)
		time.Sleep(time.Second)
		synctest.Wait() // it is held
		m.Current().End(operation.Result{})
		synctest.Wait()
		close(held)
		synctest.Wait()
		if n := q.Snapshot().Abandoned; n != 0 || m.Current().Operation != next {
			t.Errorf("%d were abandoned", n)
		}
		if m.Current().End(operation.Result{}); next.Status() != operation.Completed {
			t.Errorf("the next is %v", next.Status())
		}
	})
}

// Calls that share options share the lists: one that is disarmed leaves the others armed. In real
// time, since calls in a bubble share nothing.
func TestQueuesOfOneConfigurationTimeOutByThemselves(t *testing.T) {
	t.Parallel()
	shared := queue.Options(quiet, queue.WithStopTimeout(200*time.Millisecond))
	silent := &queuetest.Media{OnStop: func(queue.Task) {}}
	var all []*queue.Queue
	for range 9 {
		q, err := queue.New("c", silent, shared)
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, q, 1)
		all = append(all, q)
	}
	if _, err := silent.WaitStarted(within(t), len(all)); err != nil {
		t.Fatal(err)
	}
	reports := map[*queue.Queue]queue.Task{}
	for _, k := range silent.Started() {
		for i, q := range all {
			if op, ok := q.Operation(k.ID()); ok && op == k.Operation && i%3 == 1 {
				reports[q] = k
			}
		}
	}
	for _, q := range all {
		q.Close(nil)
	}
	for _, k := range reports {
		k.End(operation.Result{})
	}
	for i, q := range all {
		arrives(t, "Done", q.Done())
		if _, reported := reports[q]; !reported && q.Snapshot().Abandoned != 1 {
			t.Errorf("call %d: %d were abandoned, want 1", i, q.Snapshot().Abandoned)
		}
	}
}

// Media that has reported, does not return from Start, and goes on reporting progress.
func TestTheRunTimeoutFreesAStartThatGoesOnReportingProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, stuck(t, true), queue.WithRunTimeout(time.Second))
		ops := enqueue(t, q, 2)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if ops[1].Status() != operation.Completed {
			t.Errorf("the next is %v", ops[1].Status())
		}
	})
}

// However an operation ends, the Done channel that somebody has asked for before is closed.
func TestTheDoneOfWhateverEndsIsClosed(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	gated := func(f func(k queue.Task) error) func(chan struct{}) queue.Media {
		return func(gate chan struct{}) queue.Media {
			return &queuetest.Media{
				OnStart: func(k queue.Task) error { <-gate; return f(k) },
				OnStop:  func(queue.Task) {}, // its report would close it too
			}
		}
	}
	for name, media := range map[string]func(gate chan struct{}) queue.Media{
		"End":         gated(func(k queue.Task) error { k.End(operation.Result{}); return nil }),
		"an error":    gated(func(queue.Task) error { return boom }),
		"a panic":     gated(func(queue.Task) error { panic(boom) }),
		"an exit":     gated(func(queue.Task) error { runtime.Goexit(); return nil }),
		"run timeout": gated(func(queue.Task) error { return nil }),
		"a Blocking function": func(gate chan struct{}) queue.Media {
			return queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
				<-gate
				return operation.Result{}, nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				gate := make(chan struct{})
				q := newQueue(t, media(gate), queue.WithRunTimeout(time.Second))
				op := enqueue(t, q, 1)[0]
				done := op.Done() // now: whoever asks later looks for himself
				synctest.Wait()
				close(gate)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if !isClosed(done) {
					t.Errorf("it is %v, and its Done is open", op.Status())
				}
			})
		})
	}
}

// A cancel has closed the Done channels of what it ended when it returns.
func TestACancelClosesDoneBeforeItReturns(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(q *queue.Queue, op *operation.Operation){
		"CancelAll": func(q *queue.Queue, _ *operation.Operation) { q.CancelAll() },
		"Cancel":    func(q *queue.Queue, op *operation.Operation) { _, _ = q.Cancel(op.ID()) },
		"Interrupt": func(q *queue.Queue, _ *operation.Operation) { _, _, _ = q.Interrupt(t.Context(), play()) },
		"Close":     func(q *queue.Queue, _ *operation.Operation) { q.Close(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				q := newQueue(t, &queuetest.Media{})
				for i := range 2 { // the running one, and one that waits
					op := enqueue(t, q, 1+i)[i]
					synctest.Wait()
					done := op.Done() // now: whoever asks later looks for himself
					if cancel(q, op); !isClosed(done) {
						t.Errorf("%d: its Done is open", i)
					}
					if name == "Close" {
						return
					}
				}
			})
		})
	}
}

func TestOnlyTheRunningOneHasAPosition(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{}
		q := newQueue(t, m)
		ops := enqueue(t, q, 2)
		synctest.Wait()
		m.Current().Progress(2 * time.Second)
		q.CancelAll()
		for i, want := range []time.Duration{2 * time.Second, 0} {
			if r, _ := ops[i].Result(); r.Position != want {
				t.Errorf("%d was cancelled at position %v, want %v", i, r.Position, want)
			}
		}
	})
}

// Done waits for an observer and for a logger that do not return, also when the watch has detached
// them.
func TestDoneWaitsForEveryCallback(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]func(block func()) []queue.Option{
		"an observer": func(block func()) []queue.Option {
			return []queue.Option{queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
				if e.Kind == queue.Closed {
					block()
				}
			}))}
		},
		"the logger": func(block func()) []queue.Option {
			return []queue.Option{
				queue.WithLogger(slog.New(blockingHandler{block})),
				queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
					if e.Seq == 1 {
						panic("for the log")
					}
				})),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				release := make(chan struct{})
				q := newQueue(t, &queuetest.Media{}, opts(func() { <-release })...)
				enqueue(t, q, 1)
				idle()
				q.Close(nil)
				idle()
				if isClosed(q.Done()) {
					t.Errorf("done while %s is still in its callback", name)
				}
				close(release)
				idle()
				if !isClosed(q.Done()) {
					t.Error("not done")
				}
			})
		})
	}
}

// A receipt keeps the operations that it names, and nothing else: not the queue, whether the media
// has reported or was abandoned.
func TestAReceiptKeepsItsOperationsAlone(t *testing.T) {
	t.Parallel()
	for name, reports := range map[string]bool{"reported": true, "abandoned": false} {
		var receipt queue.Receipt
		var kept weak.Pointer[queue.Queue]
		func() {
			m := &queuetest.Media{OnStop: func(k queue.Task) {
				if reports {
					k.End(operation.Result{})
				}
			}}
			q := newQueueWithoutCleanup(t, m, queue.WithStopTimeout(10*time.Millisecond))
			if reports {
				q = newQueueWithoutCleanup(t, m)
			}
			kept = weak.Make(q)
			enqueue(t, q, 2)
			if _, err := m.WaitStarted(within(t), 1); err != nil {
				t.Fatal(err)
			}
			receipt = q.CancelAll()
			q.Close(nil)
			arrives(t, "Done", q.Done())
		}()
		if !collected(func() bool { return kept.Value() != nil }) {
			t.Fatalf("%s: the queue is still there", name)
		}
		if ops := cancelledBy(receipt); len(ops) != 2 || reason(ops[0]) != operation.Cancelled {
			t.Errorf("%s: receipt of %v", name, ops)
		}
		runtime.KeepAlive(receipt)
	}
}

// The log grows when an observer lags; where it was before keeps nothing alive.
func TestALogThatGrewKeepsNoOperation(t *testing.T) {
	t.Parallel()
	goOn, ended := make(chan struct{}), make(chan struct{}, 10)
	instantly := queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
		return operation.Result{}, nil
	})
	q := newQueue(t, instantly, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
		if e.Seq == 1 {
			<-goOn
		}
		if e.Kind == queue.Ended {
			ended <- struct{}{}
		}
	})))
	var ops []weak.Pointer[operation.Operation]
	for range 5 {
		ops = append(ops, weak.Make(enqueue(t, q, 1)[0]))
	}
	close(goOn)
	for range ops {
		<-ended
	}
	for i, op := range ops {
		if !collected(func() bool { return op.Value() != nil }) {
			t.Fatalf("operation %d is still there", i)
		}
	}
	runtime.KeepAlive(q)
}
