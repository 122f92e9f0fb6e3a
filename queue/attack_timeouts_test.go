package queue_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// The stop timeout counts from the cancel, or from the end of the call, whatever other timer is
// armed: media that has reported, but does not return, is abandoned as media that does not report.

// stuck is media whose first Start has reported and does not return until the end of the test. With
// progress it reports all the while how far it is.
func stuck(t *testing.T, progress bool) *queuetest.Media {
	t.Helper()
	over := make(chan struct{})
	t.Cleanup(func() { close(over); synctest.Wait() })
	var n atomic.Int32
	return &queuetest.Media{OnStart: func(k queue.Task) error {
		k.End(operation.Result{})
		if n.Add(1) > 1 {
			return nil
		}
		for at := time.Duration(1); ; at++ {
			select {
			case <-over:
				return nil
			case <-time.After(20 * time.Millisecond):
				if progress {
					k.Progress(at)
				}
			}
		}
	}}
}

func TestTheStopTimeoutCountsFromTheCancelWhateverElseIsArmed(t *testing.T) {
	t.Parallel()
	const stop = time.Second
	for name, c := range map[string]struct {
		end  func(q *queue.Queue)
		done bool // it is the end of the call
	}{
		"CancelAll": {func(q *queue.Queue) { q.CancelAll() }, false},
		"Interrupt": {func(q *queue.Queue) { _, _, _ = q.Interrupt(t.Context(), play()) }, false},
		"barge in":  {func(q *queue.Queue) { _, _ = q.Enqueue(t.Context(), bargeIn()) }, false},
		"Close":     {func(q *queue.Queue) { q.Close(nil) }, true},
		"Seal":      {func(q *queue.Queue) { q.Seal() }, true},
		"CancelAll, and again before it is over": {func(q *queue.Queue) {
			q.CancelAll()
			go func() { time.Sleep(stop / 2); q.CancelAll() }()
		}, false},
		"Close after CancelAll": {func(q *queue.Queue) { q.CancelAll(); q.Close(nil) }, true},
		"Seal, then Close":      {func(q *queue.Queue) { q.Seal(); q.Close(nil) }, true},
		"Close, and again before it is over": {func(q *queue.Queue) {
			q.Close(nil)
			go func() { time.Sleep(stop / 2); q.Close(nil) }()
		}, true},
	} {
		for _, run := range []time.Duration{0, stop / 2, stop, 10 * time.Second, 10 * time.Minute} {
			for _, progress := range []bool{false, true} {
				t.Run(name+"/run timeout "+run.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						rec := &queuetest.Recorder{}
						q := newQueue(t, stuck(t, progress), queue.WithStopTimeout(stop),
							queue.WithRunTimeout(run), queue.WithObserver(rec))
						op := enqueue(t, q, 1)[0]
						synctest.Wait() // its Start has reported, and is stuck
						c.end(q)
						time.Sleep(stop - 1)
						synctest.Wait()
						if n := q.Snapshot().Abandoned; n != 0 && run > stop {
							t.Error("abandoned too early")
						}
						time.Sleep(time.Nanosecond)
						synctest.Wait()
						if s := q.Snapshot(); s.Abandoned != 1 || s.Stopping != nil {
							t.Errorf("after the stop timeout: %+v", s)
						}
						if isClosed(q.Done()) != c.done {
							t.Errorf("after the stop timeout, done: %v, want %v", !c.done, c.done)
						}
						if !c.done {
							next := enqueue(t, q, 1)[0]
							synctest.Wait()
							if next.Status() != operation.Completed {
								t.Errorf("the next is %v", next.Status())
							}
						}
						if reason(op) != operation.Succeeded {
							t.Errorf("the one that reported in time: %v", reason(op))
						}
						q.Close(nil)
						synctest.Wait()
						rec.Check(t)
					})
				})
			}
		}
	}
}

// Media that was cancelled, reports in time, and does not return from its callback.
func TestMediaThatReportsAfterACancelAndDoesNotReturnIsAbandoned(t *testing.T) {
	t.Parallel()
	const stop = time.Second
	for name, cancel := range map[string]func(q *queue.Queue, op *operation.Operation){
		"Cancel":    func(q *queue.Queue, op *operation.Operation) { _, _ = q.Cancel(op.ID()) },
		"CancelAll": func(q *queue.Queue, _ *operation.Operation) { q.CancelAll() },
		"Close":     func(q *queue.Queue, _ *operation.Operation) { q.Close(nil) },
	} {
		for _, inStop := range []bool{false, true} {
			for _, run := range []time.Duration{0, stop / 2, 10 * time.Minute} {
				t.Run(name+"/run timeout "+run.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						release := make(chan struct{})
						m := &queuetest.Media{}
						hang := func(k queue.Task) {
							for range 10 { // it goes on reporting progress meanwhile
								time.Sleep(stop / 20)
								k.Progress(1)
							}
							k.End(operation.Result{})
							<-release
						}
						if inStop {
							m.OnStop = hang
						} else {
							m.OnStart = func(k queue.Task) error { hang(k); return nil }
						}
						q := newQueue(t, m, queue.WithStopTimeout(stop), queue.WithRunTimeout(run))
						op := enqueue(t, q, 1)[0]
						synctest.Wait()
						cancel(q, op)
						time.Sleep(stop - 1)
						synctest.Wait()
						if q.Snapshot().Abandoned != 0 {
							t.Error("abandoned too early")
						}
						time.Sleep(time.Nanosecond)
						synctest.Wait()
						if q.Snapshot().Abandoned != 1 {
							t.Error("not abandoned")
						}
						q.Close(nil)
						synctest.Wait()
						if !isClosed(q.Done()) {
							t.Error("not done")
						}
						close(release)
					})
				})
			}
		}
	}
}

// To report progress is progress, whatever the position: a loop reports the same ones again and
// again.
func TestReportingProgressKeepsTheRunTimeoutAway(t *testing.T) {
	t.Parallel()
	const run, frame, loop = 4 * time.Second, 20 * time.Millisecond, time.Second
	for name, position := range map[string]func(at time.Duration) time.Duration{
		"a loop":      func(at time.Duration) time.Duration { return at % loop },
		"always zero": func(time.Duration) time.Duration { return 0 },
		"the same":    func(time.Duration) time.Duration { return time.Hour },
		"backwards":   func(at time.Duration) time.Duration { return -at },
		"huge":        func(at time.Duration) time.Duration { return 1<<63 - 1 - at },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &queuetest.Media{}
				q := newQueue(t, m, queue.WithRunTimeout(run))
				op := enqueue(t, q, 1)[0]
				synctest.Wait()
				k := m.Current()
				for at := time.Duration(0); at < time.Minute; at += frame {
					k.Progress(position(at))
					time.Sleep(frame)
				}
				if op.Status() != operation.Running {
					t.Fatalf("it ended while it reported progress: %v", reason(op))
				}
				last := time.Now()
				k.Progress(position(0))
				time.Sleep(run - 1)
				synctest.Wait()
				if op.Status() != operation.Running {
					t.Errorf("timed out %v after its last progress", time.Since(last))
				}
				time.Sleep(run/2 + 1)
				synctest.Wait()
				if reason(op) != operation.TimedOut {
					t.Errorf("not timed out %v after its last progress: %v", time.Since(last), reason(op))
				}
			})
		})
	}
}

// What Progress reports is what is read of it, within 146 years.
func TestAPositionIsWhatProgressReported(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	q := newQueueWithoutCleanup(t, m, queue.WithInlineMedia())
	op := enqueue(t, q, 1)[0]
	for _, at := range []time.Duration{0, 1, 2, 20 * time.Millisecond, time.Hour, 100 * 365 * 24 * time.Hour} {
		m.Current().Progress(at)
		if op.Position() != at {
			t.Errorf("Position is %v, reported was %v", op.Position(), at)
		}
	}
	m.Current().Progress(1<<63 - 1)
	if p := op.Position(); p < 100*365*24*time.Hour {
		t.Errorf("Position is %v, reported was the largest there is", p)
	}
	m.Current().Progress(3 * time.Second)
	q.Cancel(op.ID())
	if r, _ := op.Result(); r.Position != 3*time.Second {
		t.Errorf("the result's position is %v", r.Position)
	}
	q.Close(nil)
	<-q.Done()
}
