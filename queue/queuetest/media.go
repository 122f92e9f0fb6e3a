package queuetest

import (
	"context"
	"sync"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Media is scripted media. Its zero value is ready: it starts everything, ends nothing by itself,
// and reports at once when it is told to stop. It must not be copied. Set its fields before it is
// given to a queue.
type Media struct {
	// OnStart, if set, is called by Start and its error returned.
	OnStart func(t queue.Task) error

	// OnStop, if set, is called by Stop in place of the report.
	OnStop func(t queue.Task)

	started, stopped journal[queue.Task]
}

var _ queue.Media = (*Media)(nil)

// Start remembers t and calls OnStart.
func (m *Media) Start(t queue.Task) error {
	m.started.add(t)
	if m.OnStart != nil {
		return m.OnStart(t)
	}
	return nil
}

// Stop remembers t and calls OnStop, or else reports t as cancelled.
func (m *Media) Stop(t queue.Task) {
	m.stopped.add(t)
	if m.OnStop != nil {
		m.OnStop(t)
		return
	}
	t.End(operation.Result{Reason: operation.Cancelled})
}

// Started returns the tasks that Start was called with, in order.
func (m *Media) Started() []queue.Task { return m.started.all() }

// Stopped returns the tasks that Stop was called with, in order.
func (m *Media) Stopped() []queue.Task { return m.stopped.all() }

// Current returns the task that was started last; the zero Task if none was.
func (m *Media) Current() queue.Task {
	all := m.started.all()
	if len(all) == 0 {
		return queue.Task{}
	}
	return all[len(all)-1]
}

// WaitStarted waits until Start was called n times and returns the n-th task.
func (m *Media) WaitStarted(ctx context.Context, n int) (queue.Task, error) {
	return m.started.wait(ctx, n)
}

// WaitStopped waits until Stop was called n times and returns the n-th task.
func (m *Media) WaitStopped(ctx context.Context, n int) (queue.Task, error) {
	return m.stopped.wait(ctx, n)
}

// journal is a list that grows, and that can be waited for. Its zero value is ready.
type journal[E any] struct {
	mu      sync.Mutex
	entries []E
	grown   chan struct{} // closed when it grows; nil if nobody waits
}

func (j *journal[E]) add(e E) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
}

func (j *journal[E]) all() []E {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]E(nil), j.entries...)
}

// wait waits for the n-th entry, counted from 1.
func (j *journal[E]) wait(ctx context.Context, n int) (E, error) {
	for {
		j.mu.Lock()
		if len(j.entries) >= n {
			defer j.mu.Unlock()
			return j.entries[n-1], nil
		}
		if j.grown == nil {
			j.grown = make(chan struct{})
		}
		grown := j.grown
		j.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			var zero E
			return zero, context.Cause(ctx)
		}
	}
}

// find waits for the first entry that is wanted.
func (j *journal[E]) find(ctx context.Context, wanted func(e E) bool) (E, error) {
	for n := 1; ; n++ {
		e, err := j.wait(ctx, n)
		if err != nil || wanted(e) {
			return e, err
		}
	}
}
