package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G14.
func TestCloseEndsEverythingAndLeavesNothing(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{OnEvent: func(queue.Event) { time.Sleep(time.Millisecond) }}
		m := &queuetest.Media{OnStop: func(k queue.Task) {
			time.AfterFunc(time.Second, func() { k.End(operation.Result{}) })
		}}
		q := newQueue(t, m, form(rec)...)
		ops := enqueue(t, q, 5)
		idle()
		done := q.Done()
		task := m.Current()
		cause := fmt.Errorf("hung up: %w", operation.CallEnded)
		r := q.Close(cause)
		for i, op := range cancelledBy(r) {
			if op != ops[i] || reason(op) != operation.CallEnded || !isClosed(op.Done()) {
				t.Errorf("%d: %v", i, reason(op))
			}
		}
		if r.Len() != 5 || task.Live() || r.Operation() != nil {
			t.Errorf("receipt of %d, live %v", r.Len(), task.Live())
		}
		if _, err := q.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Enqueue: %v, want ErrClosed", err)
		}
		if again := q.Close(operation.ShutDown); again.Len() != 0 {
			t.Errorf("a second Close ended %d", again.Len())
		}
		if isClosed(done) {
			t.Error("done before the media reported")
		}
		<-done
		if !isClosed(q.Done()) {
			t.Error("Done asked after the end is open")
		}
		rec.Check(t)
		events := rec.Events()
		if last := events[len(events)-1]; last.Kind != queue.Closed ||
			last.Result().Reason != operation.CallEnded || !errors.Is(last.Result().Err, cause) {
			t.Errorf("the last event is %v %+v", last.Kind, last.Result())
		}
		if len(m.Started()) != 1 {
			t.Errorf("%d were started, want 1", len(m.Started()))
		}
	})
}

func TestDoneWaitsForTheLastCallback(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		q := newQueue(t, &queuetest.Media{}, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Closed {
				<-release
			}
		})))
		enqueue(t, q, 1)
		q.Close(nil)
		synctest.Wait()
		if isClosed(q.Done()) {
			t.Error("done while the observer is still in its callback")
		}
		close(release)
		synctest.Wait()
		if !isClosed(q.Done()) {
			t.Error("not done")
		}
	})
}

func TestTheCausesReasonIsTakenIfItIsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause error
		want  operation.Reason
	}{
		{nil, operation.CallEnded},
		{errors.New("whatever"), operation.CallEnded},
		{context.Canceled, operation.CallEnded},
		{operation.ShutDown, operation.ShutDown},
		{fmt.Errorf("SIGTERM: %w", operation.ShutDown), operation.ShutDown},
		{operation.Succeeded, operation.CallEnded},
		{operation.Reason(99), operation.CallEnded},
	} {
		q := newQueue(t, &queuetest.Media{})
		op := enqueue(t, q, 1)[0]
		q.Close(c.cause)
		if reason(op) != c.want {
			t.Errorf("Close(%v): %v, want %v", c.cause, reason(op), c.want)
		}
	}
}

func TestSealLetsTheGoodbyeFinish(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			time.AfterFunc(time.Second, func() { k.End(operation.Result{}) })
			return nil
		}}
		q := newQueue(t, m, form(rec)...)
		ops := enqueue(t, q, 3)
		q.Seal()
		if _, err := q.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Enqueue: %v, want ErrClosed", err)
		}
		if _, _, err := q.Interrupt(t.Context(), play()); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Interrupt: %v, want ErrClosed", err)
		}
		if s := q.Snapshot(); !s.Sealed || s.Closed {
			t.Errorf("sealed %v, closed %v", s.Sealed, s.Closed)
		}
		start := time.Now()
		<-q.Done()
		if d := time.Since(start); d != 3*time.Second || ops[2].Status() != operation.Completed {
			t.Errorf("done after %v, the goodbye is %v", d, ops[2].Status())
		}
		rec.Check(t)

		last := newQueue(t, &queuetest.Media{})
		op := enqueue(t, last, 1)[0]
		last.Seal()
		if s := last.Snapshot(); s.Closed {
			t.Error("closed while the goodbye is running")
		}
		if r := last.Close(nil); r.Len() != 1 || reason(op) != operation.CallEnded {
			t.Errorf("Close during the goodbye: receipt of %d, %v", r.Len(), reason(op))
		}

		empty := newQueue(t, m)
		empty.Seal()
		empty.Seal()
		if !isClosed(empty.Done()) {
			t.Error("an empty sealed queue is not done")
		}
	})
}

func TestShutdownWaitsUntilItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			time.AfterFunc(time.Second, func() { k.End(operation.Result{}) })
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		q := newQueue(t, m)
		enqueue(t, q, 3)
		if r, err := q.Shutdown(ctx, operation.ShutDown); err != nil || r.Len() != 0 {
			t.Errorf("in time: %v, receipt of %d", err, r.Len())
		}
		late := newQueue(t, m)
		ops := enqueue(t, late, 200)
		r, err := late.Shutdown(ctx, operation.ShutDown)
		if !errors.Is(err, context.DeadlineExceeded) || r.Len() == 0 || reason(ops[199]) != operation.ShutDown {
			t.Errorf("too late: %v, receipt of %d, %v", err, r.Len(), reason(ops[199]))
		}
		<-late.Done()
		if _, err := newQueue(t, m).Shutdown(nil, nil); err == nil { //nolint:staticcheck // what if
			t.Error("a nil context is no error")
		}
	})
}

// Whoever waits for Done finds the Done of every operation closed. Not parallel: it takes two
// processors to see the difference.
func TestDoneComesAfterTheDoneOfTheCancelled(t *testing.T) {
	for range 3 {
		q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(0))
		ops := enqueue(t, q, 100_000)
		channels := make([]<-chan struct{}, len(ops))
		for i, op := range ops {
			channels[i] = op.Done() // now: whoever asks later looks for himself
		}
		done := q.Done()
		go q.Close(nil)
		<-done
		for i, c := range slices.Backward(channels) { // the last is closed last
			if !isClosed(c) {
				t.Fatalf("the queue is done and operation %d is not", i)
			}
		}
	}
}

// A queue that is done at once, and a context that is over: it was in time.
func TestShutdownPrefersDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		n := 0
		for range 100 {
			q := newQueue(t, ender())
			if _, err := q.Shutdown(dead, nil); err != nil {
				n++
			}
		}
		if n != 0 {
			t.Errorf("%d of 100 idle queues were not shut down in time", n)
		}
	})
}

// A timeout that fires just when the media reports comes too late, and still is a goroutine of the
// queue's: Done waits for it.
func TestDoneWaitsForATimeoutThatIsUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var fires atomic.Bool
		held := make(chan struct{})
		hold := queue.WithSeam(func(by uint64) {
			if by == queue.ByTimeout && fires.CompareAndSwap(true, false) {
				<-held // the timeout's goroutine, before it has the lock
			}
		})
		m := &queuetest.Media{OnStop: func(queue.Task) {}}
		q := newQueue(t, m, hold, queue.WithStopTimeout(time.Second))
		enqueue(t, q, 1)
		synctest.Wait()
		q.Close(nil)
		synctest.Wait()
		fires.Store(true)
		time.Sleep(time.Second)
		synctest.Wait()
		m.Current().End(operation.Result{})
		synctest.Wait()
		if isClosed(q.Done()) {
			t.Error("Done is closed, and a timeout is under way")
		}
		close(held)
		synctest.Wait()
		if !isClosed(q.Done()) || q.Snapshot().Abandoned != 0 {
			t.Errorf("Done is closed: %v; %d were abandoned", isClosed(q.Done()), q.Snapshot().Abandoned)
		}
	})
}
