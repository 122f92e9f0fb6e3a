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
}

// Prefetch loads the prompts of an operation that waits, on a goroutine of its own, so that it
// begins without a gap when its turn comes. It returns at once, and may be called again. What was
// loaded for operations that have ended is let go of with each call; nil does only that. Call it
// for the next in line: each one costs the memory of its prompts.
func (m *Media) Prefetch(op *operation.Operation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other, a := range m.ahead {
		if other.Status().Terminal() {
			a.cancel()
			delete(m.ahead, other)
		}
	}
	if op == nil || m.ahead[op] != nil || op.Status() != operation.NotStarted {
		return
	}
	prompts := promptsOf(op.Request())
	if len(prompts) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(op.DetachedContext())
	a := &ahead{cancel: cancel, done: make(chan struct{})}
	begun := m.engine.spawn(func() {
		//nolint:contextcheck // it ends with the engine, too
		stop := context.AfterFunc(m.engine.life, cancel)
		defer stop()
		defer close(a.done)
		a.parts, a.err = m.load(ctx, prompts)
	})
	if !begun {
		cancel()
		return
	}
	if m.ahead == nil {
		m.ahead = make(map[*operation.Operation]*ahead)
	}
	m.ahead[op] = a
}

// prompts returns the prompts of the operation, whose turn has come: loaded ahead, or now.
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
	defer a.cancel()
	select {
	case <-a.done:
		return a.parts, a.err
	case <-ctx.Done():
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
