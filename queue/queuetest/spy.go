package queuetest

import (
	"context"
	"sync/atomic"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// spy stands between the queue and the media, sees what is called and what returns, and does
// what a case wants done at the very moment before a Start and after.
type spy struct {
	media         queue.Media
	before, after atomic.Pointer[func()] // of the next Start
	stopTwice     atomic.Bool

	entered  journal[queue.Task] // Starts
	starts   journal[start]      // that returned
	stopping journal[queue.Task] // Stops
	stopped  journal[queue.Task] // that returned

	preparing, prepared journal[*operation.Operation] // Prepares, and those that returned
	paused, resumed     journal[queue.Task]           // Pauses and Resumes that returned
}

// start is a Start that returned.
type start struct {
	task queue.Task
	err  error
	live bool // the operation had not ended
}

var (
	_ queue.Media     = (*spy)(nil)
	_ queue.Pauser    = (*spy)(nil)
	_ queue.Preparer  = (*spy)(nil)
	_ queue.LoopEnder = (*spy)(nil)
)

// Start calls the media's.
func (w *spy) Start(t queue.Task) error {
	w.entered.add(t)
	if f := w.before.Swap(nil); f != nil {
		(*f)()
	}
	err := w.media.Start(t)
	if f := w.after.Swap(nil); f != nil {
		(*f)()
	}
	w.starts.add(start{t, err, t.Live()})
	return err
}

// Stop calls the media's.
func (w *spy) Stop(t queue.Task) {
	w.stopping.add(t)
	w.media.Stop(t)
	if w.stopTwice.Load() {
		w.media.Stop(t)
	}
	w.stopped.add(t)
}

// Prepare calls the media's, if it has one; so do those below.
func (w *spy) Prepare(ctx context.Context, op *operation.Operation) {
	w.preparing.add(op)
	if m, ok := w.media.(queue.Preparer); ok {
		m.Prepare(ctx, op)
		w.prepared.add(op)
	}
}

// Pause calls the media's.
func (w *spy) Pause(t queue.Task) {
	if m, ok := w.media.(queue.Pauser); ok {
		m.Pause(t)
		w.paused.add(t)
	}
}

// Resume calls the media's.
func (w *spy) Resume(t queue.Task) {
	if m, ok := w.media.(queue.Pauser); ok {
		m.Resume(t)
		w.resumed.add(t)
	}
}

// EndLoop calls the media's.
func (w *spy) EndLoop(t queue.Task) {
	if m, ok := w.media.(queue.LoopEnder); ok {
		m.EndLoop(t)
	}
}

// cancelsBefore has everything cancelled just before the media's Start is called the next time.
func (w *spy) cancelsBefore(q *queue.Queue) {
	f := func() { q.CancelAll() }
	w.before.Store(&f)
}

// cancelsAfter has everything cancelled when the media's Start has done its work the next time.
func (w *spy) cancelsAfter(q *queue.Queue) {
	f := func() { q.CancelAll() }
	w.after.Store(&f)
}

// returned waits until Start of op has returned.
func (w *spy) returned(ctx context.Context, op *operation.Operation) (start, error) {
	return w.starts.find(ctx, func(s start) bool { return s.task.Operation == op })
}

// task waits for op in one of the spy's lists of tasks.
func task(
	ctx context.Context, among *journal[queue.Task], op *operation.Operation,
) (queue.Task, error) {
	return among.find(ctx, func(t queue.Task) bool { return t.Operation == op })
}
