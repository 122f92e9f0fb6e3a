package softmedia

import (
	"context"

	"ivrqueue/operation"
)

// ahead is the prompts of an operation that waits, loaded before its turn comes.
type ahead struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when there are parts, or an error
	parts  [][]int16
	err    error

	// Guarded by the media's mutex: whoever comes second releases the parts.
	loaded, dropped bool
}

// Prefetch loads the prompts of an operation that waits, on a goroutine of its own, so that it
// begins without a gap when its turn comes. It returns at once, and may be called again. What was
// loaded for operations that have ended is let go of with each call; nil does only that. Call it
// for the next in line: each one costs the memory of its prompts.
func (m *Media) Prefetch(op *operation.Operation) {
	m.dropEnded()
	if op == nil || op.Status() != operation.NotStarted {
		return
	}
	prompts := promptsOf(op.Request())
	if len(prompts) == 0 {
		return
	}
	// The context's values are not ours, so it is not asked for anything under the lock.
	ctx, cancel := context.WithCancel(op.DetachedContext())
	a := &ahead{cancel: cancel, done: make(chan struct{})}
	if !m.expect(op, a) {
		cancel()
		return
	}
	begun := m.engine.spawn(func() {
		//nolint:contextcheck // it ends with the engine, too
		stop := context.AfterFunc(m.engine.life, cancel)
		defer stop()
		a.parts, a.err = m.load(ctx, prompts)
		m.loaded(a)
		close(a.done)
	})
	if !begun {
		m.mu.Lock()
		delete(m.ahead, op)
		m.mu.Unlock()
		cancel()
	}
}

// expect notes that a is being loaded for op. It reports false if another is.
func (m *Media) expect(op *operation.Operation, a *ahead) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ahead[op] != nil {
		return false
	}
	if m.ahead == nil {
		m.ahead = make(map[*operation.Operation]*ahead)
	}
	m.ahead[op] = a
	return true
}

// dropEnded lets go of what was loaded for operations that have ended.
func (m *Media) dropEnded() {
	var ended []*ahead
	m.mu.Lock()
	for op, a := range m.ahead {
		if op.Status().Terminal() {
			ended = append(ended, a)
			delete(m.ahead, op)
		}
	}
	m.mu.Unlock()
	for _, a := range ended {
		m.drop(a)
	}
}

// drop ends a's loading; nobody wants its parts.
func (m *Media) drop(a *ahead) {
	a.cancel()
	m.mu.Lock()
	defer m.mu.Unlock()
	a.dropped = true
	if a.loaded {
		m.call.Budget.release(a.parts)
	}
}

// loaded is called when a has its parts.
func (m *Media) loaded(a *ahead) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a.loaded = true
	if a.dropped {
		m.call.Budget.release(a.parts)
	}
}

// prompts returns the prompts of the operation, whose turn has come: loaded ahead, or now. Whoever
// gets them releases them.
func (m *Media) prompts(
	ctx context.Context, op *operation.Operation, prompts []operation.Prompt,
) ([][]int16, error) {
	m.mu.Lock()
	a := m.ahead[op]
	delete(m.ahead, op)
	m.mu.Unlock()
	if a == nil {
		return m.load(ctx, prompts)
	}
	select {
	case <-a.done:
		a.cancel()
		return a.parts, a.err
	case <-ctx.Done():
		m.drop(a)
		return nil, context.Cause(ctx)
	}
}

func promptsOf(r operation.Request) []operation.Prompt {
	switch r := r.(type) {
	case *operation.PlayPrompt:
		return r.Prompts
	case *operation.RecordResponse:
		return r.Prompts
	default:
		return nil
	}
}
