package queue_test

import (
	"context"
	"testing"
	"testing/synctest"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// An operation that was enqueued with the context of another one, as a Blocking function does, has its
// values for as long as it lives itself.
func TestTheValuesOfAnOperationsContextAreHandedOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		type key struct{}
		var q *queue.Queue
		var got []any
		m := queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
			got = append(got, ctx.Value(key{}))
			if len(got) < 3 {
				if _, err := q.Enqueue(ctx, play()); err != nil {
					return operation.Result{}, err
				}
			}
			return operation.Result{}, nil
		})
		q = newQueue(t, m)
		if _, err := q.Enqueue(context.WithValue(t.Context(), key{}, "trace"), play()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(got) != 3 || got[0] != "trace" || got[1] != "trace" || got[2] != "trace" {
			t.Errorf("got %v, want the value three times", got)
		}
	})
}
