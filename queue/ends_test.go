package queue_test

import (
	"errors"
	"fmt"
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

// G3, for every way an operation can end.
func TestEveryOperationEndsOnceWithOneEvent(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	ways := []struct {
		name    string
		start   func(k queue.Task) error
		do      func(q *queue.Queue, task queue.Task)
		want    operation.Reason
		release bool
	}{
		{name: "end", do: func(_ *queue.Queue, k queue.Task) { k.End(operation.Result{}) }, want: operation.Succeeded},
		{
			name: "end with an error", want: operation.Unspecified,
			do: func(_ *queue.Queue, k queue.Task) { k.End(operation.Result{Err: boom}) },
		},
		{
			name: "end with a reason out of range", want: operation.Unspecified,
			do: func(_ *queue.Queue, k queue.Task) { k.End(operation.Result{Reason: 99}) },
		},
		{name: "fail", want: operation.Unspecified, do: func(_ *queue.Queue, k queue.Task) { k.Fail(boom) }},
		{name: "fail without an error", want: operation.Unspecified, do: func(_ *queue.Queue, k queue.Task) { k.Fail(nil) }},
		{
			name: "fail with a reason inside", want: operation.BadFormat,
			do: func(_ *queue.Queue, k queue.Task) { k.Fail(errors.Join(boom, operation.BadFormat)) },
		},
		{
			name: "error from Start", want: operation.NotDownloadable,
			start: func(queue.Task) error { return operation.NotDownloadable },
		},
		{
			name: "panic in Start", want: operation.Panicked,
			start: func(queue.Task) error { panic(boom) },
		},
		{
			name: "exit in Start", want: operation.Panicked,
			start: func(queue.Task) error { runtime.Goexit(); return nil },
		},
		{
			name: "end in Start, then an error", want: operation.Succeeded,
			start: func(k queue.Task) error { k.End(operation.Result{}); return boom },
		},
		{
			name: "end in Start, then a panic", want: operation.Succeeded,
			start: func(k queue.Task) error { k.End(operation.Result{}); panic(boom) },
		},
		{
			name: "cancel all", want: operation.Cancelled, release: true,
			do: func(q *queue.Queue, _ queue.Task) { q.CancelAll() },
		},
		{
			name: "cancel", want: operation.Cancelled, release: true,
			do: func(q *queue.Queue, k queue.Task) { q.Cancel(k.ID()) },
		},
		{
			name: "close", want: operation.CallEnded, release: true,
			do: func(q *queue.Queue, _ queue.Task) { q.Close(nil) },
		},
		{
			name: "shut down", want: operation.ShutDown, release: true,
			do: func(q *queue.Queue, _ queue.Task) { q.Close(operation.ShutDown) },
		},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rec := &queuetest.Recorder{}
				m := &queuetest.Media{OnStart: way.start}
				q := newQueue(t, m, queue.WithObserver(rec))
				op := enqueue(t, q, 1)[0]
				synctest.Wait()
				if way.do != nil {
					way.do(q, m.Current())
				}
				synctest.Wait()
				k := m.Current()
				k.End(operation.Result{Reason: operation.StopTone}) // too late, twice
				k.Fail(boom)
				q.CancelAll()
				synctest.Wait()
				rec.Check(t)
				if got := reason(op); got != way.want || op.Status() != way.want.Status() {
					t.Errorf("ended %v %v, want %v %v", op.Status(), got, way.want.Status(), way.want)
				}
				if e, ok := rec.Find(queue.Ended, op); !ok || e.Result().Reason != way.want {
					t.Errorf("Ended event has %v, %v, want %v", e.Result().Reason, ok, way.want)
				}
				if _, ok := rec.Find(queue.Released, op); ok != way.release {
					t.Errorf("Released delivered: %v, want %v", ok, way.release)
				}
				if !isClosed(op.Done()) {
					t.Error("Done is open after the end")
				}
			})
		})
	}
}

// G10: numbers, order, times; every observer the same; one at a time.
func TestEventsAreNumberedInCommitOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var recs [3]queuetest.Recorder
		recs[1].OnEvent = func(queue.Event) { time.Sleep(time.Millisecond) } // slow
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			time.AfterFunc(time.Second, func() { k.End(operation.Result{}) })
			return nil
		}}
		q := newQueue(t, m, queue.WithObserver(&recs[0]), queue.WithObserver(&recs[1]),
			queue.WithInlineObserver(&recs[2]))
		for range 20 {
			enqueue(t, q, 4)
			time.Sleep(1500 * time.Millisecond)
			q.CancelAll()
		}
		enqueue(t, q, 2)
		q.Seal()
		time.Sleep(time.Minute)
		for i := range recs {
			recs[i].Check(t)
			if got, want := recs[i].String(), recs[0].String(); got != want {
				t.Errorf("observer %d got\n%s\nwant\n%s", i, got, want)
			}
			events := recs[i].Events()
			for j := 1; j < len(events); j++ {
				if events[j].Time.Before(events[j-1].Time) {
					t.Errorf("event %d is before event %d", j+1, j)
				}
			}
			if last := events[len(events)-1]; last.Kind != queue.Closed || last.Result().Reason != operation.Succeeded {
				t.Errorf("last event is %v %v, want closed succeeded", last.Kind, last.Result().Reason)
			}
		}
	})
}

func TestACallsStoryReadsAsItWent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithObserver(rec))
		enqueue(t, q, 3)
		synctest.Wait()
		m.Current().End(operation.Result{})
		synctest.Wait()
		q.CancelAll()
		synctest.Wait()
		enqueue(t, q, 1)
		q.Seal()
		synctest.Wait()
		m.Current().End(operation.Result{})
		synctest.Wait()
		want := strings.TrimLeft(`
1 accepted A
2 started A
3 accepted B
4 accepted C
5 ended A succeeded
6 started B
7 ended B cancelled
8 ended C cancelled
9 released B cancelled
10 accepted D
11 started D
12 ended D succeeded
13 closed succeeded
`, "\n")
		if got := rec.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// G10: callbacks may call everything that does not wait.
func TestCallbacksMayReEnter(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		var q *queue.Queue
		var once sync.Once
		reenter := func() {
			q.Snapshot()
			q.Operation([16]byte{1})
			q.Cancel([16]byte{1})
			q.Done()
			if _, err := q.Enqueue(t.Context(), play()); err != nil && !errors.Is(err, queue.ErrClosed) {
				t.Errorf("Enqueue: %v", err)
			}
			once.Do(func() {
				q.CancelAll()
				q.Interrupt(t.Context(), play())
			})
		}
		rec := &queuetest.Recorder{}
		n := 0
		rec.OnEvent = func(queue.Event) {
			if n++; n < 20 {
				reenter()
			}
		}
		m := &queuetest.Media{}
		m.OnStart = func(k queue.Task) error {
			if len(m.Started()) < 10 {
				reenter()
			}
			k.Progress(time.Second)
			k.End(operation.Result{})
			return nil
		}
		m.OnStop = func(k queue.Task) { reenter(); k.End(operation.Result{}) }
		q = newQueue(t, m, form(rec)...)
		enqueue(t, q, 1)
		synctest.Wait()
		if s := q.Snapshot(); s.Running != nil || s.Stopping != nil || len(s.Waiting) > 0 {
			t.Errorf("left over: %+v", s)
		}
		q.Close(nil)
		synctest.Wait()
		rec.Check(t)
	})
}

func TestTheRunningOperationsPositionIsReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{OnStop: func(k queue.Task) {
			k.Progress(3 * time.Second) // a frame more
			k.End(operation.Result{Position: 3 * time.Second, Recording: operation.Recording{Location: "half.wav"}})
		}}
		q := newQueue(t, m, queue.WithObserver(rec))
		op := enqueue(t, q, 1)[0]
		synctest.Wait()
		m.Current().Progress(2 * time.Second)
		q.CancelAll()
		before, _ := op.Result()
		synctest.Wait()
		after, _ := op.Result()
		if before != after || after.Position != 2*time.Second || after.Recording != (operation.Recording{}) {
			t.Errorf("the result moved from %+v to %+v", before, after)
		}
		if e, _ := rec.Find(queue.Ended, op); e.Result().Position != 2*time.Second {
			t.Errorf("Ended has position %v, want 2s", e.Result().Position)
		}
		e, _ := rec.Find(queue.Released, op)
		if e.Result().Position != 3*time.Second || e.Result().Recording.Location != "half.wav" {
			t.Errorf("Released has %+v, want 3s and half.wav", e.Result())
		}
		if op.Position() != 3*time.Second {
			t.Errorf("live position %v, want 3s", op.Position())
		}
	})
}

// A reason of success in an error is none.
func TestAnErrorFromStartIsNeverASuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &queuetest.Media{OnStart: func(queue.Task) error { return errors.Join(errors.New("disk full"), operation.MaxDuration) }}
		q := newQueue(t, m)
		op := enqueue(t, q, 1)[0]
		synctest.Wait()
		if op.Status() != operation.Failed {
			t.Errorf("Start failed, and the operation is %v, Err %v", op.Status(), op.Err())
		}
	})
}

func TestAResultIsTakenAsMediaMeansIt(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, c := range []struct {
		in   operation.Result
		want operation.Reason
	}{
		{operation.Result{}, operation.Succeeded},
		{operation.Result{Err: boom}, operation.Unspecified},
		{operation.Result{Err: fmt.Errorf("%w: %w", boom, operation.BadFormat)}, operation.BadFormat},
		{operation.Result{Reason: operation.StopTone, Err: boom}, operation.StopTone},
		{operation.Result{Reason: 77}, operation.Unspecified},
		{operation.Result{Position: time.Second}, operation.Succeeded},
	} {
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithInlineMedia())
		op := enqueue(t, q, 1)[0]
		m.Current().Progress(3 * time.Second)
		m.Current().End(c.in)
		want := 3 * time.Second
		if c.in.Position > 0 {
			want = c.in.Position
		}
		got, _ := op.Result()
		if got.Reason != c.want || got.Position != want || c.in.Err != nil && !errors.Is(got.Err, c.in.Err) {
			t.Errorf("%+v becomes %+v", c.in, got)
		}
	}
}
