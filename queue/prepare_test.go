package queue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// preparing is media that prepares, and takes down what.
type preparing struct {
	*queuetest.Media

	mu       sync.Mutex // guards the block below
	got      []*operation.Operation
	contexts []context.Context
	on       func(ctx context.Context, op *operation.Operation) // or nil
}

func (p *preparing) Prepare(ctx context.Context, op *operation.Operation) {
	p.mu.Lock()
	p.got, p.contexts = append(p.got, op), append(p.contexts, ctx)
	on := p.on
	p.mu.Unlock()
	if on != nil {
		on(ctx, op)
	}
}

// expect says what was prepared, in order, once all is quiet.
func (p *preparing) expect(t *testing.T, want ...*operation.Operation) {
	t.Helper()
	idle()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.got, want) {
		t.Errorf("%d were prepared, want %d, or in another order", len(p.got), len(want))
	}
}

// cause returns why the context of the n-th Prepare has ended, nil if it has not.
func (p *preparing) cause(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return context.Cause(p.contexts[n])
}

func inPreparingForms(t *testing.T, f func(t *testing.T, m *preparing, q *queue.Queue)) {
	t.Helper()
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		m := &preparing{Media: &queuetest.Media{}}
		f(t, m, newQueue(t, m, form(&queuetest.Recorder{})...))
	})
}

// What becomes the first that waits is prepared, once; its context ends when it is started or ends.
func TestWhatIsNextIsPrepared(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		ops := enqueue(t, q, 3)
		m.expect(t, ops[1])
		if m.cause(0) != nil {
			t.Error(m.cause(0))
		}
		next, err := q.EnqueueNext(t.Context(), play())
		if err != nil {
			t.Fatal(err)
		}
		m.expect(t, ops[1], next)
		m.Current().End(operation.Result{}) // next begins, and the other is the first again
		m.expect(t, ops[1], next)
		if m.cause(0) != nil || !errors.Is(m.cause(1), queue.ErrStarted) {
			t.Errorf("%v, %v", m.cause(0), m.cause(1))
		}
		q.CancelAll()
		if !errors.Is(m.cause(0), operation.Cancelled) { // on return, without any wait
			t.Error(m.cause(0))
		}
		m.expect(t, ops[1], next)
		q.Pause()
		held := enqueue(t, q, 1)[0]
		m.expect(t, ops[1], next, held)
		q.Close(nil)
		if !errors.Is(m.cause(2), operation.CallEnded) {
			t.Error(m.cause(2))
		}
		<-q.Done()
	})
}

type valueKey struct{}

func TestPrepareHasTheValuesOfEnqueue(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		enqueue(t, q, 1)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), valueKey{}, "x"))
		op, err := q.Enqueue(ctx, play(), queue.Value(7))
		if err != nil {
			t.Fatal(err)
		}
		cancel() // its end is none of the operation's
		m.expect(t, op)
		if m.contexts[0].Value(valueKey{}) != "x" || m.cause(0) != nil || op.Value() != 7 {
			t.Errorf("%v, %v", m.contexts[0].Value(valueKey{}), m.cause(0))
		}
	})
}

// Prepare may block: that holds up the next Prepare and nothing else. One that does not heed the end
// of its context is abandoned after the stop timeout.
func TestAPrepareThatBlocksHoldsUpNothingElse(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		block := make(chan struct{})
		m.on = func(context.Context, *operation.Operation) { <-block }
		ops := enqueue(t, q, 4)
		m.expect(t, ops[1])
		m.Current().End(operation.Result{})
		m.expect(t, ops[1]) // one at a time
		if q.Snapshot().Running != ops[1] {
			t.Fatal("it waits for Prepare")
		}
		time.Sleep(queue.DefaultStopTimeout)
		m.expect(t, ops[1], ops[2]) // abandoned
		q.CancelAll()
		done := q.Done()
		q.Close(nil)
		time.Sleep(queue.DefaultStopTimeout - time.Second)
		if isClosed(done) {
			t.Error("Done does not wait for Prepare")
		}
		time.Sleep(2 * time.Second)
		if !isClosed(done) {
			t.Error("Done waits for ever")
		}
		close(block)
		m.expect(t, ops[1], ops[2])
	})
}

func TestDoneWaitsForPrepare(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		m.on = func(ctx context.Context, _ *operation.Operation) {
			<-ctx.Done()
			time.Sleep(time.Second)
		}
		enqueue(t, q, 2)
		idle()
		closed := time.Now()
		q.Close(nil)
		<-q.Done()
		if took := time.Since(closed); took != time.Second {
			t.Errorf("done after %v", took)
		}
	})
}

// A Prepare that panics or exits is logged, and the next one is prepared.
func TestAPrepareThatGoesWrongIsLogged(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		m.on = func(_ context.Context, op *operation.Operation) {
			if m.Current().Operation == op {
				return
			}
			if len(m.got) == 1 {
				panic("x")
			}
			runtime.Goexit()
		}
		ops := enqueue(t, q, 4)
		m.expect(t, ops[1])
		m.Current().End(operation.Result{})
		m.expect(t, ops[1], ops[2])
		m.Current().End(operation.Result{})
		m.expect(t, ops[1], ops[2], ops[3])
		q.Close(nil)
		<-q.Done()
	})
}

// It may call everything of the queue that does not wait.
func TestPrepareMayReEnter(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		m.on = func(context.Context, *operation.Operation) { q.CancelAll(); q.Seal() }
		ops := enqueue(t, q, 2)
		m.expect(t, ops[1])
		<-q.Done()
		if !errors.Is(m.cause(0), operation.Cancelled) {
			t.Error(m.cause(0))
		}
	})
}

// A thousand that each become the next, and end.
func TestAThousandArePrepared(t *testing.T) {
	inPreparingForms(t, func(t *testing.T, m *preparing, q *queue.Queue) {
		enqueue(t, q, 1)
		for range 1000 {
			if _, err := q.EnqueueNext(t.Context(), play()); err != nil {
				t.Fatal(err)
			}
			idle()
		}
		if len(m.got) != 1000 {
			t.Fatalf("%d were prepared", len(m.got))
		}
		q.CancelAll()
		for n := range 1000 {
			if !errors.Is(m.cause(n), operation.Cancelled) {
				t.Fatal(n, m.cause(n))
			}
		}
	})
}
