package queue_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A wrong option is an error also where a right one of its kind comes later, or has come before.
func TestAWrongOptionIsAnErrorWhereverItStands(t *testing.T) {
	t.Parallel()
	o := &queuetest.Recorder{}
	for want, pair := range map[string][2]queue.Option{
		"WithMaxPending(-1)":     {queue.WithMaxPending(-1), queue.WithMaxPending(1)},
		"WithStopTimeout(0s)":    {queue.WithStopTimeout(0), queue.WithStopTimeout(1)},
		"WithRunTimeout(-1ns)":   {queue.WithRunTimeout(-1), queue.WithRunTimeout(1)},
		"WithIdempotency: n":     {queue.WithIdempotency(0, 1), queue.WithIdempotency(1, 1)},
		"WithIdempotency: d":     {queue.WithIdempotency(1, 0), queue.WithIdempotency(1, 1)},
		"WithLogger":             {queue.WithLogger(new(slog.Logger)), queue.WithLogger(slog.Default())},
		"WithObserver: nil":      {queue.WithObserver(nil), queue.WithObserver(o)},
		"WithInlineObserver: ni": {queue.WithInlineObserver(nil), queue.WithInlineObserver(o)},
	} {
		wrong, right := pair[0], pair[1]
		for _, opts := range [][]queue.Option{
			{wrong, right},
			{right, wrong},
			{queue.Options(wrong, right)},
			{right, queue.Options(wrong, right)},
			{queue.Options(right), wrong},
			{queue.Options(wrong), queue.Options(right)},
		} {
			if q, err := queue.New("call-1", &queuetest.Media{}, opts...); q != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			} else if isFieldError(err) {
				t.Errorf("a client may read %v", err)
			}
		}
	}
}

// isFieldError reports whether a client may read what is wrong.
func isFieldError(err error) bool {
	var field *operation.FieldError
	return errors.As(err, &field)
}

// The same of the options of an operation, and of a cancel; CancelAll is never refused, and does
// with the right ones what they say.
func TestAWrongEnqueueOptionIsAnErrorWhereverItStands(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 257)
	why, by := queue.Because(operation.ShutDown), queue.CausedBy(operation.Cause{Kind: "supervisor"})
	for want, c := range map[string]struct {
		wrong, right queue.EnqueueOption
		cancel       bool // of Cancel and CancelWhere
	}{
		"clientContext":  {queue.ClientContext(long), queue.ClientContext("right"), false},
		"idempotencyKey": {queue.IdempotencyKey(""), queue.IdempotencyKey("right"), false},
		"StopTimeout":    {queue.StopTimeout(0), queue.StopTimeout(time.Second), false},
		"Because":        {queue.Because(operation.Succeeded), why, true},
		"CausedBy":       {queue.CausedBy(operation.Cause{ToneSeq: 1}), by, true},
	} {
		for _, opts := range [][]queue.EnqueueOption{{c.wrong, c.right}, {c.right, c.wrong}} {
			q := newQueue(t, &queuetest.Media{})
			op := enqueue(t, q, 1)[0]
			var errs []error
			if c.cancel {
				_, err := q.Cancel(op.ID(), opts...)
				_, other := q.CancelWhere(func(*operation.Operation) bool { return true }, opts...)
				errs = append(errs, err, other)
			} else {
				_, err := q.Enqueue(t.Context(), play(), opts...)
				_, _, other := q.Interrupt(t.Context(), play(), opts...)
				errs = append(errs, err, other)
			}
			for _, err := range errs {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v", want, err)
				}
				if got, exp := isFieldError(err), want != "StopTimeout" && want != "Because"; got != exp {
					t.Errorf("%v is a FieldError: %v, want %v", err, got, exp)
				}
			}
			if s := q.Snapshot(); s.Running != op || len(s.Waiting) > 0 {
				t.Errorf("%s: something has changed: %v", want, s)
			}
			opts = append(opts, why, by)
			first, again := q.CancelAll(opts...), q.CancelAll(opts...)
			if got := reason(op); got != operation.ShutDown || first.Len() != 1 {
				t.Errorf("%s: CancelAll ended %d, with %v", want, first.Len(), got)
			}
			if cause, _ := op.Cause(); cause.Kind != "supervisor" {
				t.Errorf("%s: caused by %v", want, cause)
			}
			got := fmt.Sprint(first.Operation().ClientContext(), first.Operation() == again.Operation())
			if exp := fmt.Sprint(map[string]string{"clientContext": "right"}[want], want == "idempotencyKey"); got != exp {
				t.Errorf("%s: CancelAll has taken %s, want %s", want, got, exp)
			}
		}
	}
}
