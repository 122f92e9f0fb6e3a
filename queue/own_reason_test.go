package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// transferred is a reason of a platform's own.
var transferred = func() operation.Reason {
	r, err := operation.RegisterReason(operation.ReasonSpec{
		Name: "test.transferred", Status: operation.Failed, Code: 400, Subcode: 9002, Message: "Transferred.",
	})
	if err != nil {
		panic(err)
	}
	return r
}()

// A reason of a platform's own ends an operation, a task's context and a whole call; an outcome of
// its own, whose type need not be comparable, comes with Ended and Released.
func TestReasonsAndOutcomesOfAPlatformsOwn(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		digits := []string{"4", "2"}
		var tasks []queue.Task
		media := &queuetest.Media{OnStart: func(t queue.Task) error {
			tasks = append(tasks, t)
			return nil
		}, OnStop: func(queue.Task) {}}
		rec := &queuetest.Recorder{}
		q := newQueue(t, media, form(rec)...)
		ops := enqueue(t, q, 3)
		idle()
		tasks[0].End(operation.Result{Value: digits})
		idle()
		tasks[1].Fail(fmt.Errorf("media: %w", transferred))
		idle()
		q.Close(fmt.Errorf("agent: %w", transferred))
		tasks[2].End(operation.Result{Value: digits})
		idle()
		for i, want := range []operation.Reason{operation.Succeeded, transferred, transferred} {
			if got := reason(ops[i]); got != want {
				t.Errorf("%d: %v, want %v", i, got, want)
			}
		}
		if cause := context.Cause(ops[2].Context()); !errors.Is(cause, transferred) || !errors.Is(ops[1].Err(), transferred) {
			t.Errorf("%v, %v", cause, ops[1].Err())
		}
		outcomes := 0
		for _, e := range rec.Events() {
			_, has := e.Result().Value.([]string)
			outcomes += map[bool]int{true: 1}[has]
			if want := e.Operation == ops[0] && e.Kind == queue.Ended || e.Kind == queue.Released; has != want {
				t.Errorf("%v: %+v", e.Kind, e.Result())
			}
			if e.Kind == queue.Closed && e.Result().Reason != transferred {
				t.Errorf("closed: %+v", e.Result())
			}
		}
		if r, _ := ops[0].Result(); outcomes != 2 || len(r.Value.([]string)) != 2 { //nolint:forcetypeassert // a test
			t.Errorf("%d outcomes, %+v", outcomes, r)
		}
	})
}

// A number that was never registered is no reason: it counts as none, and whoever gives it has failed.
func TestAReasonThatWasNeverRegistered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const never = operation.Reason(254)
		task := make(chan queue.Task, 2)
		q := newQueue(t, &queuetest.Media{OnStart: func(t queue.Task) error {
			task <- t
			return nil
		}, OnStop: func(queue.Task) {}})
		ops := enqueue(t, q, 2)
		(<-task).End(operation.Result{Reason: never})
		idle()
		q.Close(never)
		if a, b := reason(ops[0]), reason(ops[1]); a != operation.Unspecified || b != operation.CallEnded {
			t.Errorf("ended with %v and %v", a, b)
		}
		const want = "queue: media reported Reason(254), which is not registered"
		if r, _ := ops[0].Result(); r.Err == nil || r.Err.Error() != want {
			t.Errorf("its cause is %v, want %s", r.Err, want)
		}
		(<-task).End(operation.Result{})
		idle()
	})
}

func TestABlockingFunctionHasAnOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
			return operation.Result{Value: "a transcript"}, nil
		}))
		op := enqueue(t, q, 1)[0]
		if r, err := op.Wait(t.Context()); err != nil || r.Value != "a transcript" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
