package queue_test

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// quiet is a logger for tests that make callbacks panic.
var quiet = queue.WithLogger(slog.New(slog.DiscardHandler))

// play returns a valid request.
func play() *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}}
}

// record returns a valid request that barges in.
func bargeIn() *operation.RecordResponse { return &operation.RecordResponse{BargeIn: true} }

// newQueue makes a queue that the end of the test closes.
func newQueue(tb testing.TB, m queue.Media, opts ...queue.Option) *queue.Queue {
	tb.Helper()
	q := newQueueWithoutCleanup(tb, m, opts...)
	tb.Cleanup(func() { q.Close(nil) })
	return q
}

// newQueueWithoutCleanup makes a queue that the test itself closes, so that nothing keeps it.
func newQueueWithoutCleanup(tb testing.TB, m queue.Media, opts ...queue.Option) *queue.Queue {
	tb.Helper()
	q, err := queue.New("call-1", m, append([]queue.Option{quiet}, opts...)...)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	return q
}

// enqueue accepts n plays.
func enqueue(tb testing.TB, q *queue.Queue, n int) []*operation.Operation {
	tb.Helper()
	ops := make([]*operation.Operation, n)
	for i := range ops {
		op, err := q.Enqueue(tb.Context(), play())
		if err != nil {
			tb.Fatalf("Enqueue %d: %v", i, err)
		}
		ops[i] = op
	}
	return ops
}

// bubble runs a test in fake time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// inBothForms runs a test in a bubble with default and with inline delivery; opts make the queue
// deliver so.
func inBothForms(t *testing.T, f func(t *testing.T, form func(queue.Observer) []queue.Option)) {
	t.Helper()
	t.Parallel()
	t.Run("default", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f(t, func(o queue.Observer) []queue.Option { return []queue.Option{queue.WithObserver(o)} })
		})
	})
	t.Run("inline", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f(t, func(o queue.Observer) []queue.Option {
				return []queue.Option{queue.WithInlineMedia(), queue.WithInlineObserver(o)}
			})
		})
	})
}

// reason returns why an operation ended, zero if it has not.
func reason(op *operation.Operation) operation.Reason {
	r, _ := op.Result()
	return r.Reason
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// cancelledBy returns the operations of a receipt.
func cancelledBy(r queue.Receipt) []*operation.Operation { return slices.Collect(r.Cancelled()) }

// idle waits in a bubble until nothing happens any more, though a callback blocks: that takes the
// watch two looks.
func idle() {
	time.Sleep(3 * time.Millisecond)
	synctest.Wait()
}

// collected waits until the collector has taken what there was, and reports whether it has: a goroutine
// that had it may not be through yet.
func collected(there func() bool) bool {
	over := time.Now().Add(5 * time.Second)
	for n := 0; n < 100 || time.Now().Before(over); n++ { // however long the machine was held up meanwhile
		if runtime.GC(); !there() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// heldUp is longer than a machine holds up what is about to happen.
const heldUp = 40 * time.Second

// within is a context for what must happen soon, in real time.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// ofThisBubble returns the stacks of the goroutines that are in this one's bubble. Timers of tests that
// are over may fire at any time, outside of it.
func ofThisBubble() (stacks []string) {
	all := make([]byte, 1<<20)
	for n := runtime.Stack(all, true); ; n = runtime.Stack(all, true) {
		if n < len(all) {
			all = all[:n]
			break
		}
		all = make([]byte, 2*len(all))
	}
	own := ""
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		head, _, _ := strings.Cut(stack, "]:") // goroutine 7 [running, synctest bubble 3
		_, bubble, _ := strings.Cut(head, "synctest bubble ")
		if own == "" {
			own = bubble
		}
		if bubble == own {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// ender is media that ends every operation inside Start.
func ender() *queuetest.Media {
	return &queuetest.Media{OnStart: func(t queue.Task) error {
		t.End(operation.Result{})
		return nil
	}}
}
