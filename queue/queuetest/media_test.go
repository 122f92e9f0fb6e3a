package queuetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestScriptedMediaRemembersItsCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &queuetest.Media{}
		if m.Current() != (queue.Task{}) {
			t.Error("media that got no call has a current task")
		}
		q, err := queue.New("call-1", m)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { q.Close(nil) })
		time.AfterFunc(time.Second, func() {
			for range 2 {
				if _, err := q.Enqueue(t.Context(), script{length: -1}); err != nil {
					t.Error(err)
				}
			}
		})
		first, err := m.WaitStarted(t.Context(), 1)
		if err != nil || first != m.Current() {
			t.Fatalf("waited for the first: %v", err)
		}
		if _, err := q.Cancel(first.ID()); err != nil {
			t.Fatal(err)
		}
		if stopped, err := m.WaitStopped(t.Context(), 1); err != nil || stopped != first {
			t.Errorf("waited for its stop: %v, the same: %v", err, stopped == first)
		}
		second, err := m.WaitStarted(t.Context(), 2)
		if err != nil || second == first {
			t.Fatalf("waited for the second: %v", err)
		}
		second.End(operation.Result{})
		synctest.Wait()
		if a, b := m.Started(), m.Stopped(); len(a) != 2 || a[1] != second || len(b) != 1 || b[0] != first {
			t.Errorf("%d started, %d stopped", len(a), len(b))
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if k, err := m.WaitStarted(ctx, 3); !errors.Is(err, context.DeadlineExceeded) || k != (queue.Task{}) {
			t.Errorf("waited for a third: %v", err)
		}
		if _, err := m.WaitStopped(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited for a second stop: %v", err)
		}
	})
}

func TestScriptedMediaDoesWhatTheTestSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &queuetest.Media{
			OnStart: func(k queue.Task) error {
				if k.ClientContext() == "bad" {
					return operation.BadFormat
				}
				return nil
			},
			OnStop: func(k queue.Task) { k.End(operation.Result{Position: time.Minute}) },
		}
		rec := &queuetest.Recorder{}
		q, err := queue.New("call-1", m, queue.WithObserver(rec))
		if err != nil {
			t.Fatal(err)
		}
		bad, _ := q.Enqueue(t.Context(), script{length: -1}, queue.ClientContext("bad"))
		good, _ := q.Enqueue(t.Context(), script{length: -1})
		if _, err := bad.Wait(t.Context()); !errors.Is(err, operation.BadFormat) {
			t.Errorf("the bad one ended with %v", err)
		}
		synctest.Wait()
		q.Close(nil)
		synctest.Wait()
		if e, ok := rec.Find(queue.Released, good); !ok || e.Result().Position != time.Minute {
			t.Errorf("released: %v, %+v", ok, e.Result())
		}
		rec.Check(t)
	})
}
