package queue_test

import (
	"context"
	"testing"
	"testing/synctest"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

type contextKey struct{}

// The Ended events of what a cancel or a barge-in has ended name the operation that did it, with
// the values of its context; they are dropped when the last of the events was delivered.
func TestAnEndNamesTheOperationThatCausedIt(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		by := make(map[*operation.Operation]*operation.Operation)
		var seen []any
		q := newQueue(t, new(queuetest.Media), form(queue.ObserverFunc(func(e queue.Event) {
			switch {
			case e.Kind == queue.Ended:
				by[e.Operation] = e.By()
				seen = append(seen, e.By().DetachedContext().Value(contextKey{}))
			case e.By() != nil:
				t.Errorf("%v names an operation", e.Kind)
			}
		}))...)
		ctx := context.WithValue(t.Context(), contextKey{}, "mine")
		interrupted := enqueue(t, q, 2)
		loud, _, err := q.Interrupt(ctx, bargeIn())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		receipt := q.CancelAll(queue.Context(ctx), queue.Value("kept"))
		synctest.Wait()
		own := receipt.Operation()
		for op, want := range map[*operation.Operation]*operation.Operation{
			interrupted[0]: loud, interrupted[1]: loud, loud: own,
		} {
			if by[op] != want {
				t.Errorf("%v was ended by %v, want %v", op.ID(), by[op].ID(), want.ID())
			}
		}
		for _, v := range seen {
			if v != "mine" {
				t.Errorf("its context has %v", v)
			}
		}
		if got := own.DetachedContext().Value(contextKey{}); len(seen) != 3 || got != nil || own.Value() != "kept" {
			t.Errorf("%d ends; the cancel keeps %v and %v", len(seen), got, own.Value())
		}
	})
}

// Of other ends no operation is the cause, and a cancel of nothing keeps no context.
func TestOtherEndsNameNoOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, new(queuetest.Media), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.By() != nil {
				t.Errorf("%v is caused by %v", e.Kind, e.By().ID())
			}
		})))
		ctx := context.WithValue(t.Context(), contextKey{}, "mine")
		own := q.CancelAll(queue.Context(ctx)).Operation()
		if got := own.DetachedContext().Value(contextKey{}); got != nil {
			t.Errorf("a cancel of nothing keeps %v", got)
		}
		ops := enqueue(t, q, 3)
		if _, err := q.Cancel(ops[1].ID()); err != nil {
			t.Fatal(err)
		}
		if _, err := q.CancelWhere(func(op *operation.Operation) bool { return op == ops[2] }); err != nil {
			t.Fatal(err)
		}
		q.Close(nil)
	})
}

// A cancel is never refused, whatever its context is.
func TestACancelTakesAnyContext(t *testing.T) {
	t.Parallel()
	over, end := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "mine"))
	end()
	for _, test := range []struct {
		name string
		ctx  context.Context
		want any
	}{
		{"none", nil, nil},
		{"a typed nil", (*deadContext)(nil), nil},
		{"one that is over", over, "mine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got any
				q := newQueue(t, new(queuetest.Media), queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
					if e.Kind == queue.Ended && e.By() != nil {
						got = e.By().DetachedContext().Value(contextKey{})
					}
				})))
				enqueue(t, q, 1)
				if n := q.CancelAll(queue.Context(test.ctx)).Len(); n != 1 {
					t.Errorf("%d operations were cancelled", n)
				}
				synctest.Wait()
				if got != test.want {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
	q := newQueue(t, new(queuetest.Media))
	if _, err := q.Enqueue(t.Context(), play(), queue.Context(t.Context())); err == nil {
		t.Error("Enqueue takes the option")
	}
}

// deadContext is a context that panics as nil.
type deadContext struct{ context.Context }

// An operation was preempted if, and only if, a Released event follows its end, and that is known
// to whoever gets the Ended event late.
func TestPreemptedSaysThatReleasedFollows(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		preempted := make(map[*operation.Operation]bool)
		released := make(map[*operation.Operation]bool)
		m := &queuetest.Media{OnStop: func(t queue.Task) { t.End(operation.Result{}) }}
		q := newQueue(t, m, form(queue.ObserverFunc(func(e queue.Event) {
			switch e.Kind {
			case queue.Ended:
				preempted[e.Operation] = e.Operation.Preempted()
			case queue.Released:
				released[e.Operation] = true
			default:
			}
		}))...)
		for range 2 {
			enqueue(t, q, 3)
			synctest.Wait()
			q.CancelAll()
			synctest.Wait()
		}
		for op, was := range preempted {
			if was != released[op] {
				t.Errorf("preempted is %v, released %v", was, released[op])
			}
		}
		if len(preempted) != 6 || len(released) != 2 {
			t.Errorf("%d ends, %d releases", len(preempted), len(released))
		}
	})
}
