package queuetest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// fixture is a queue with the media under test, and all that is seen of it.
type fixture struct {
	t     testing.TB
	h     Harness
	queue *queue.Queue
	seen  *Recorder
	media *spy
}

// newFixture makes a queue that the end of the test closes, with fresh media. It abandons media
// after the harness's Timeout, divided by haste.
func newFixture(t testing.TB, h Harness, haste time.Duration) *fixture {
	t.Helper()
	h.whole(t)
	m := h.New(t)
	if foreign.IsNil(m) {
		t.Fatalf("queuetest: New of the harness returned nil (%T)", m)
	}
	r := &fixture{t: t, h: h, seen: &Recorder{}, media: &spy{media: m}}
	opts := append([]queue.Option{queue.WithLogger(slog.New(slog.DiscardHandler))}, h.Options...)
	opts = append(opts, queue.WithObserver(r.seen), queue.WithStopTimeout(max(h.Timeout/haste, 1)))
	q, err := queue.New("queuetest", r.media, opts...)
	if err != nil {
		t.Fatalf("queuetest: %v", err)
	}
	r.queue = q
	t.Cleanup(r.close)
	return r
}

// close ends the queue and waits until the media is through with it, or was abandoned.
func (r *fixture) close() {
	r.queue.Close(nil)
	ctx, cancel := context.WithTimeout(context.Background(), 2*r.h.Timeout)
	defer cancel()
	select {
	case <-r.queue.Done():
	case <-ctx.Done():
	}
}

// broke reports that the media broke a rule.
func (r *fixture) broke(rule, format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("queue.Media: %s\nseen: %s\nevents:\n%s", rule, fmt.Sprintf(format, args...), r.seen)
}

// enqueue accepts an operation of the harness.
func (r *fixture) enqueue(name string, request func() operation.Request) *operation.Operation {
	r.t.Helper()
	op, err := r.queue.Enqueue(context.Background(), request())
	if err != nil {
		r.t.Fatalf("queuetest: the request of the harness's %s was refused: %v", name, err)
	}
	return op
}

func (r *fixture) ends() *operation.Operation { r.t.Helper(); return r.enqueue("Ends", r.h.Ends) }
func (r *fixture) lasts() *operation.Operation {
	r.t.Helper()
	return r.enqueue("Lasts", r.h.Lasts)
}

// stall has the media's back end hang until release is called, or the test ends. If it is not
// released in time, a callback on this very goroutine hangs with it.
func (r *fixture) stall() (release func()) {
	r.t.Helper()
	unblock := r.h.BlockBackend(r.media.media)
	if unblock == nil {
		r.t.Fatal("queuetest: BlockBackend of the harness returned no release")
	}
	goOn := sync.OnceFunc(unblock)
	valve := time.AfterFunc(6*r.h.Timeout, func() {
		r.broke("with inline delivery, Start and Stop do not wait", "the back end hangs, and so does "+
			"the goroutine that enqueued or cancelled")
		goOn()
	})
	release = func() {
		valve.Stop()
		goOn()
	}
	r.t.Cleanup(release)
	return release
}

// stopsAgain calls Stop of op once more, and reports if it does not return.
func (r *fixture) stopsAgain(op *operation.Operation) bool {
	r.t.Helper()
	ctx, cancel := r.patience(1)
	defer cancel()
	t, _ := task(ctx, &r.media.entered, op)
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.media.media.Stop(t)
	}()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		r.broke("Stop of a task that was reported does nothing, and returns",
			"Stop of %s, called once more, had not returned after %v", describe(op), r.h.Timeout)
		return false
	}
}

// lateReports returns how many reports came after a task's first, or after it was abandoned.
func (r *fixture) lateReports() int { return r.queue.Snapshot().LateReports }

// patience is a context for what must happen in n times the harness's Timeout.
func (r *fixture) patience(n time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), n*r.h.Timeout) //nolint:durationcheck // n counts
}

// quiet is how long the suite looks on to see that something does not happen.
func (r *fixture) quiet() time.Duration { return r.h.Timeout / 100 }

// pass lets time pass.
func (r *fixture) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// length returns how long Ends takes undisturbed, on media of its own.
func length(t testing.TB, h Harness) time.Duration {
	t.Helper()
	r := newFixture(t, h, 1)
	defer r.close()
	begun := time.Now()
	op := r.ends()
	return max(r.ended(op).Time.Sub(begun), time.Microsecond)
}

func describe(op *operation.Operation) string {
	return fmt.Sprintf("%s %s", op.Kind(), op.ID())
}
