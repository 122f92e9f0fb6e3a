package media

import (
	"context"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

var _ queue.Preparer = (*Media)(nil)

// Prepare loads the prompts of the operation that will be next, on goroutines of its own, so that
// it begins without a gap when its turn comes: each call holds the samples of two operations at
// most, save where one is displaced by another. It returns at once. When the operation ends before
// its turn, what was loaded is released. Only a queue calls it.
func (m *Media) Prepare(ctx context.Context, op *operation.Operation) {
	prompts, first := promptsOf(op.Request())
	if len(prompts) == 0 {
		return
	}
	// The context's values are not ours, so it is not asked for anything under the lock.
	//nolint:contextcheck // what is prepared outlives ctx: the operation plays it
	l := m.newLoading(op.DetachedContext(), prompts, first)
	l.taken = make(chan struct{})
	m.expect(op, l)
	if op.Status() != operation.NotStarted || !m.engine.spawn(l.run) {
		m.dropAhead(op, nil) // its turn has come already, or it has ended
		return
	}
	context.AfterFunc(ctx, func() {
		select { // an operation whose turn has come may still end before Start is called
		case <-l.taken:
		case <-op.Done():
			m.dropAhead(op, nil)
		}
	})
}

// expect notes what is being loaded for op.
func (m *Media) expect(op *operation.Operation, l *loading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ahead == nil {
		m.ahead = make(map[*operation.Operation]*loading)
	}
	m.ahead[op] = l
}

// take returns what was being loaded for op, whose turn has come; nil if nothing was.
func (m *Media) take(op *operation.Operation) *loading {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.ahead[op]
	if l != nil {
		delete(m.ahead, op)
		close(l.taken)
	}
	return l
}

// dropAhead drops what was being loaded for op, if it was not taken.
func (m *Media) dropAhead(op *operation.Operation, cause error) {
	if l := m.take(op); l != nil {
		l.release(cause)
	}
}

// promptsOf returns the prompts that a request needs, and the number of the first of them.
func promptsOf(r operation.Request) (prompts []operation.Prompt, first int) {
	switch r := r.(type) {
	case *operation.PlayPrompt:
		if !r.Loop { // which would come to all of them
			first = r.FirstPrompt
		}
		return r.Prompts[first:], first
	case *operation.RecordResponse:
		return r.Prompts, 0
	default:
		return nil, 0
	}
}
