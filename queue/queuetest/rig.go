package queuetest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// rig is a queue with the media under test, and all that is seen of it.
type rig struct {
	t     testing.TB
	h     Harness
	queue *queue.Queue
	seen  *Recorder
	media *witness
}

const defaultWithin = 5 * time.Second

// newRig makes a queue that the end of the test closes, with fresh media.
func newRig(t testing.TB, h Harness) *rig {
	t.Helper()
	switch {
	case h.New == nil:
		t.Fatal("queuetest: the harness has no New")
	case h.Ends == nil:
		t.Fatal("queuetest: the harness has no Ends")
	case h.Lasts == nil:
		t.Fatal("queuetest: the harness has no Lasts")
	case h.Within < 0:
		t.Fatalf("queuetest: the harness's Within is %v, must be more than 0, or 0 for %v",
			h.Within, defaultWithin)
	case h.Within == 0:
		h.Within = defaultWithin
	}
	m := h.New(t)
	if m == nil {
		t.Fatal("queuetest: New of the harness returned nil")
	}
	r := &rig{t: t, h: h, seen: &Recorder{}, media: &witness{media: m}}
	opts := append([]queue.Option{queue.WithLogger(slog.New(slog.DiscardHandler))}, h.Options...)
	opts = append(opts, queue.WithObserver(r.seen), queue.WithStopTimeout(h.Within))
	q, err := queue.New("queuetest", r.media, opts...)
	if err != nil {
		t.Fatalf("queuetest: %v", err)
	}
	r.queue = q
	t.Cleanup(r.close)
	return r
}

// close ends the queue and waits until the media is through with it, or was given up.
func (r *rig) close() {
	r.queue.Close(nil)
	ctx, cancel := context.WithTimeout(context.Background(), 2*r.h.Within)
	defer cancel()
	select {
	case <-r.queue.Done():
	case <-ctx.Done():
	}
}

// broke reports that the media broke a rule.
func (r *rig) broke(rule, format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("queue.Media: %s\nseen: %s\nevents:\n%s", rule, fmt.Sprintf(format, args...), r.seen)
}

// enqueue accepts an operation of the harness.
func (r *rig) enqueue(name string, request func() operation.Request) *operation.Operation {
	r.t.Helper()
	op, err := r.queue.Enqueue(context.Background(), request())
	if err != nil {
		r.t.Fatalf("queuetest: the request of the harness's %s was refused: %v", name, err)
	}
	return op
}

func (r *rig) ends() *operation.Operation  { return r.enqueue("Ends", r.h.Ends) }
func (r *rig) lasts() *operation.Operation { return r.enqueue("Lasts", r.h.Lasts) }

// started waits until the media's Start of op has returned and tells how.
func (r *rig) started(op *operation.Operation) start {
	r.t.Helper()
	ctx, cancel := r.patience(2)
	defer cancel()
	for n := 1; ; n++ {
		s, err := r.media.starts.wait(ctx, n)
		if err != nil {
			r.broke("Start returns, and every end is told, so that the next operation is started",
				"no Start of %s returned in %v", describe(op), 2*r.h.Within)
			r.t.FailNow()
		}
		if s.task.Operation == op {
			return s
		}
	}
}

// begun waits until op, which lasts, is begun, and reports if it is not.
func (r *rig) begun(op *operation.Operation) bool {
	r.t.Helper()
	switch s := r.started(op); {
	case s.err != nil:
		r.broke("Start begins what Lasts of the harness makes, and returns nil", "the error %v", s.err)
		return false
	case !s.live:
		r.broke("what Lasts of the harness makes goes on until it is stopped",
			"it had ended when Start returned: %s", describe(op))
		return false
	}
	return true
}

// ended waits for the end of op.
func (r *rig) ended(op *operation.Operation) queue.Event {
	r.t.Helper()
	ctx, cancel := r.patience(1)
	defer cancel()
	e, err := r.seen.Wait(ctx, queue.Ended, op)
	if err != nil {
		r.broke("the end of every operation that Start has begun is told by Task.End or Task.Fail",
			"no end of %s in %v", describe(op), r.h.Within)
		r.t.FailNow()
	}
	return e
}

// answered waits until the media has answered the Stop of op, and reports if it does not. An
// operation that came to an end of its own before is as good.
func (r *rig) answered(op *operation.Operation, when string) bool {
	r.t.Helper()
	switch result, _ := op.Result(); result.Reason {
	case operation.Cancelled, operation.BargedIn, operation.CallEnded:
	default:
		return true
	}
	ctx, cancel := r.patience(2) // the queue gives the media up after one
	defer cancel()
	e, err := r.seen.Wait(ctx, queue.Released, op)
	if err == nil && e.Result.Reason != operation.Abandoned {
		return true
	}
	r.broke("media that is told to Stop a task falls silent and calls Task.End, "+
		"unless it had reported the task before",
		"no report of %s, %s, in %v", describe(op), when, r.h.Within)
	return false
}

// goesOn reports if the media does not begin what comes next.
func (r *rig) goesOn() {
	r.t.Helper()
	next := r.lasts()
	if r.begun(next) {
		r.stillRuns(next, 0)
	}
}

// stillRuns reports if op, which lasts, does not go on for a while longer.
func (r *rig) stillRuns(op *operation.Operation, longer time.Duration) bool {
	r.t.Helper()
	r.pass(longer + r.quiet())
	result, ended := op.Result()
	if ended {
		r.broke("an operation is ended by its own task's report only, when it is through",
			"%s, which goes on until it is stopped, ended: %v", describe(op), result.Reason)
	}
	return !ended
}

// patience is a context for what must happen in n times the harness's Within.
func (r *rig) patience(n time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), n*r.h.Within) //nolint:durationcheck // n counts
}

// quiet is how long the suite looks on to see that something does not happen.
func (r *rig) quiet() time.Duration { return r.h.Within / 100 }

// pass lets time pass.
func (r *rig) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// length returns how long Ends takes undisturbed, on media of its own.
func length(t testing.TB, h Harness) time.Duration {
	t.Helper()
	r := newRig(t, h)
	defer r.close()
	begun := time.Now()
	op := r.ends()
	return max(r.ended(op).Time.Sub(begun), time.Microsecond)
}

func describe(op *operation.Operation) string {
	return fmt.Sprintf("%s %s", op.Kind(), op.ID())
}

// start is a Start that returned.
type start struct {
	task queue.Task
	err  error
	live bool // the operation had not ended
}

// witness stands between the queue and the media, sees what Start does, and does what a case wants
// done at the very moment before it and after.
type witness struct {
	media         queue.Media
	before, after func() // set before the queue has something to start

	starts journal[start]
}

var _ queue.Media = (*witness)(nil)

// Start calls the media's.
func (w *witness) Start(t queue.Task) error {
	if w.before != nil {
		w.before()
	}
	err := w.media.Start(t)
	if w.after != nil {
		w.after()
	}
	w.starts.add(start{t, err, t.Live()})
	return err
}

// Stop calls the media's.
func (w *witness) Stop(t queue.Task) { w.media.Stop(t) }
