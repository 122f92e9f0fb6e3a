package model_test

import (
	"errors"
	"slices"
	"testing"

	"ivrqueue/internal/model"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// run takes steps and returns the queue, and the outcome of the last.
func run(c model.Config, steps ...model.Step) (q model.Queue, out model.Outcome) {
	q = model.New(c)
	for _, s := range steps {
		q, out = q.Apply(s)
	}
	return q, out
}

func TestTheModelTellsALife(t *testing.T) {
	t.Parallel()
	q := model.New(model.Config{})
	var told []queue.EventKind
	for _, s := range []model.Step{
		{Do: model.Enqueue, Op: 1},
		{Do: model.EnterStart, Op: 1},
		{Do: model.ReturnStart, Op: 1},
		{Do: model.Enqueue, Op: 2},
		{Do: model.Report, Op: 1},
		{Do: model.EnterStart, Op: 2},
		{Do: model.ReturnStart, Op: 2},
		{Do: model.CancelAll},
		{Do: model.EnterStop, Op: 2},
		{Do: model.Report, Op: 2},
		{Do: model.ReturnStop, Op: 2},
		{Do: model.Seal},
	} {
		var out model.Outcome
		q, out = q.Apply(s)
		for _, e := range out.Events {
			told = append(told, e.Kind)
		}
	}
	want := []queue.EventKind{
		queue.Accepted, queue.Started, queue.Accepted, queue.Ended, queue.Started, queue.Ended, queue.Released, queue.Closed,
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if q.Reason(1) != operation.Succeeded || q.Reason(2) != operation.Cancelled || !q.Done() {
		t.Errorf("got %v, %v, done %v", q.Reason(1), q.Reason(2), q.Done())
	}
}

func TestTheModelRefuses(t *testing.T) {
	t.Parallel()
	two := []model.Step{{Do: model.Enqueue, Op: 1}, {Do: model.Enqueue, Op: 2}}
	for _, test := range []struct {
		name string
		step []model.Step
		want error
	}{
		{"a full queue", []model.Step{{Do: model.Enqueue, Op: 3}}, queue.ErrFull},
		{"an interrupt of a full queue never", []model.Step{{Do: model.Interrupt, Op: 3}}, nil},
		{"an id that lives", []model.Step{{Do: model.Interrupt, Op: 3, ID: 2}}, queue.ErrDuplicateID},
		{"a sealed queue", []model.Step{{Do: model.Seal}, {Do: model.Interrupt, Op: 3}}, queue.ErrClosed},
		{"an id that nobody has", []model.Step{{Do: model.Cancel, ID: 3}}, queue.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, out := run(model.Config{MaxPending: 1}, append(slices.Clone(two), test.step...)...)
			if !errors.Is(out.Err, test.want) || (out.Err == nil) != (test.want == nil) {
				t.Errorf("got %v, want %v", out.Err, test.want)
			}
		})
	}
}

// A step changes the queue that it returns, not the one that it is asked of.
func TestAStepLeavesTheOldQueueAlone(t *testing.T) {
	t.Parallel()
	q, _ := run(model.Config{}, model.Step{Do: model.Enqueue, Op: 1}, model.Step{Do: model.Enqueue, Op: 2})
	before := q
	q.Apply(model.Step{Do: model.CancelAll})
	if q != before {
		t.Error("it has changed")
	}
}
