package queuetest

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Media is scripted media. Its zero value is ready: it starts everything, ends nothing by itself,
// and reports at once when it gets a Stop. It must not be copied. Set its fields before it is
// given to a queue.
type Media struct {
	// OnStart, if set, is called by Start and its error returned.
	OnStart func(t queue.Task) error

	// OnStop, if set, is called by Stop in place of the report.
	OnStop func(t queue.Task)

	started, stopped journal[queue.Task]
}

var _ queue.Media = (*Media)(nil)

// String says how much was started and stopped, for the messages of tests: what is given to package
// fmt would be read without the lock otherwise.
func (m *Media) String() string {
	return fmt.Sprintf("scripted media, %d started, %d stopped", len(m.Started()), len(m.Stopped()))
}

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

// WaitStarted waits until Start was called n times and returns the n-th task. A nil ctx and an n
// below 1 are errors; else its error is the cause of ctx.
func (m *Media) WaitStarted(ctx context.Context, n int) (queue.Task, error) {
	if err := check(ctx, "WaitStarted", n); err != nil {
		return queue.Task{}, err
	}
	return m.started.wait(ctx, n)
}

// WaitStopped waits until Stop was called n times and returns the n-th task, with the errors of
// WaitStarted.
func (m *Media) WaitStopped(ctx context.Context, n int) (queue.Task, error) {
	if err := check(ctx, "WaitStopped", n); err != nil {
		return queue.Task{}, err
	}
	return m.stopped.wait(ctx, n)
}

// check returns an error that names what is wrong with the arguments of a call that waits.
func check(ctx context.Context, call string, n int) error {
	switch {
	case foreign.IsNil(ctx):
		return fmt.Errorf("queuetest: %s: nil context (%T)", call, ctx)
	case n < 1:
		return fmt.Errorf("queuetest: %s: n is %d, must be 1 or more", call, n)
	}
	return nil
}

// journal is a list that grows, and that can be waited for. Its zero value is ready.
type journal[E any] struct {
	mu      sync.Mutex
	entries []E
	grown   chan struct{} // closed when it grows; nil without a waiter
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
			return zero, cmp.Or(context.Cause(ctx), context.Canceled)
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
