package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G16.
func TestBadInputIsNamedAndNothingIsAccepted(t *testing.T) {
	t.Parallel()
	rec := &queuetest.Recorder{}
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithInlineObserver(rec))
	op := enqueue(t, q, 1)[0]
	before := q.Snapshot()
	dead, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	var nilPlay *operation.PlayPrompt
	var nilRecord *operation.RecordResponse
	for _, c := range []struct {
		name string
		ctx  context.Context
		req  operation.Request
		opt  queue.EnqueueOption
		want string
	}{
		{"nil context", nil, play(), queue.EnqueueOption{}, "nil context"},
		{"dead context", dead, play(), queue.EnqueueOption{}, "gone"},
		{"nil request", t.Context(), nil, queue.EnqueueOption{}, "nil request"},
		{"nil play", t.Context(), nilPlay, queue.EnqueueOption{}, "nil *PlayPrompt"},
		{"nil record", t.Context(), nilRecord, queue.EnqueueOption{}, "nil *RecordResponse"},
		{"no prompts", t.Context(), &operation.PlayPrompt{}, queue.EnqueueOption{}, "prompts is none, must be 1 to 20"},
		{"a cancel", t.Context(), operation.CancelMediaProcessing(), queue.EnqueueOption{}, "CancelAll"},
		{"client context", t.Context(), play(), queue.ClientContext(strings.Repeat("ä", 257)), "clientContext is 257 characters, must be at most 256"},
		{"duplicate id", t.Context(), play(), queue.ID(op.ID()), "duplicate id"},
		{"own kind panics", t.Context(), foreign{panics: true}, queue.EnqueueOption{}, "panicked"},
		{"own kind invalid", t.Context(), foreign{err: errors.New("too odd")}, queue.EnqueueOption{}, "too odd"},
		{"own kind without a name", t.Context(), foreign{}, queue.EnqueueOption{}, "kind is empty, must be 1 to 256 characters"},
	} {
		for _, form := range []func() (*operation.Operation, error){
			func() (*operation.Operation, error) { return q.Enqueue(c.ctx, c.req, c.opt) },
			func() (*operation.Operation, error) { op, _, err := q.Interrupt(c.ctx, c.req, c.opt); return op, err },
		} {
			if op, err := form(); err == nil || op != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, %v; want an error with %q", c.name, op, err, c.want)
			}
		}
	}
	if after := q.Snapshot(); after.Running != before.Running || len(after.Waiting) != 0 || len(rec.Events()) != 2 {
		t.Errorf("something was accepted: %+v, %v", after, rec)
	}
	if _, err := q.Enqueue(t.Context(), play(), queue.ClientContext(strings.Repeat("ä", 256)), queue.ID(uuid.New())); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := q.Enqueue(t.Context(), foreign{kind: "textToSpeech"}); err != nil {
		t.Errorf("a kind of the platform's own: %v", err)
	}
	if _, err := q.Cancel(uuid.New()); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Cancel of nothing: %v", err)
	}
}

// foreign is a request of a kind that the library does not know.
type foreign struct {
	kind   operation.Kind
	err    error
	panics bool
}

func (f foreign) Kind() operation.Kind { return f.kind }

func (f foreign) Validate() error {
	if f.panics {
		panic("odd")
	}
	return f.err
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	o := queue.ObserverFunc(func(queue.Event) {})
	var many []queue.Option
	for range queue.MaxObservers {
		many = append(many, queue.WithObserver(o))
	}
	for _, c := range []struct {
		want  string
		id    string
		media queue.Media
		opts  []queue.Option
	}{
		{"empty call id", "", m, nil},
		{"call id of 257 bytes, must have at most 256", strings.Repeat("x", 257), m, nil},
		{"nil media", "c", nil, nil},
		{"WithObserver: nil", "c", m, []queue.Option{queue.WithObserver(nil)}},
		{"WithInlineObserver: nil", "c", m, []queue.Option{queue.WithInlineObserver(nil)}},
		{"WithMaxPending(-1)", "c", m, []queue.Option{queue.WithMaxPending(-1)}},
		{"WithStopTimeout(0s)", "c", m, []queue.Option{queue.WithStopTimeout(0)}},
		{"WithRunTimeout(-1ns)", "c", m, []queue.Option{queue.WithRunTimeout(-1)}},
		{"31 observers", "c", m, append(many, queue.WithInlineObserver(o))},
		{"WithMaxPending(-1)", "c", m, []queue.Option{queue.Options(queue.WithMaxPending(-1))}},
		{"WithObserver: nil", "c", m, []queue.Option{queue.Options(queue.WithObserver(nil)), queue.WithMaxPending(3)}},
	} {
		if q, err := queue.New(c.id, c.media, c.opts...); err == nil || q != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v; want an error with %q", q, err, c.want)
		}
	}
	if _, err := queue.New(strings.Repeat("x", queue.MaxCallID), m); err != nil {
		t.Errorf("the longest call id: %v", err)
	}
	for _, opts := range [][]queue.Option{nil, {nil}, many, {queue.Options(many...)}, {queue.WithMaxPending(0), queue.WithRunTimeout(0), queue.WithLogger(nil)}} {
		if _, err := queue.New("c", m, opts...); err != nil {
			t.Errorf("New: %v", err)
		}
	}
}

func TestOptionsMadeOnceServeManyQueuesAndMayBeAddedTo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rec := [2]queuetest.Recorder{}
		shared := queue.Options(quiet, queue.WithMaxPending(1), queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			rec[0].Observe(e)
		})))
		one, _ := queue.New("one", &queuetest.Media{}, shared)
		two, _ := queue.New("two", &queuetest.Media{}, shared, queue.WithObserver(&rec[1]), queue.WithMaxPending(2))
		enqueue(t, one, 2)
		if _, err := one.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrFull) {
			t.Errorf("the shared limit: %v, want ErrFull", err)
		}
		enqueue(t, two, 3)
		if _, err := two.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrFull) {
			t.Errorf("the own limit: %v, want ErrFull", err)
		}
		synctest.Wait()
		one.Close(nil)
		two.Close(nil)
		synctest.Wait()
		calls := map[string]int{}
		for _, e := range rec[0].Events() {
			calls[e.CallID()]++
		}
		if calls["one"] != 7 || calls["two"] != 9 || len(rec[1].Events()) != 9 {
			t.Errorf("got %v, and %d", calls, len(rec[1].Events()))
		}
	})
}

func TestTheBoundCountsWaitingOperationsOnly(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 7} {
		q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(n))
		enqueue(t, q, n+1) // one runs
		if _, err := q.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrFull) {
			t.Errorf("one above %d: %v, want ErrFull", n, err)
		}
		q.Cancel(q.Snapshot().Waiting[0].ID())
		enqueue(t, q, 1)
		q.CancelAll()
		enqueue(t, q, n)
	}
	q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(0))
	enqueue(t, q, 3000)
	q = newQueue(t, &queuetest.Media{})
	enqueue(t, q, queue.DefaultMaxPending+1)
	if _, err := q.Enqueue(t.Context(), play()); !errors.Is(err, queue.ErrFull) {
		t.Errorf("default: %v, want ErrFull", err)
	}
}

// Who is refused by a full queue reads which limit it was.
func TestAFullQueueNamesItsLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(2),
			queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
		add(t, q, queue.Protected())
		refused := func(want string) {
			t.Helper()
			if _, _, err := q.Interrupt(t.Context(), play()); !errors.Is(err, queue.ErrFull) || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		for _, option := range []queue.EnqueueOption{{}, queue.Protected()} {
			add(t, q, option)
			add(t, q, option)
			_, err := q.Enqueue(t.Context(), play())
			if want := "queue: full: 2 wait, which is the limit"; !errors.Is(err, queue.ErrFull) || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if option != (queue.EnqueueOption{}) {
				refused("queue: full: 2 protected ones wait, which is the limit")
			}
			q.CancelAll(queue.SpareProtected())
		}
		q.CancelAll()
		for range 2 {
			add(t, q)
			add(t, q)
			q.CancelAll()
		}
		refused("queue: full: an observer is behind by more than 8 ends, which is the limit")
		close(release)
	})
}

// An observer that lags by more than four full queues: nothing is accepted until it has caught up,
// and everything else goes on.
func TestAnObserverThatLagsRefusesWhatIsNew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(10),
			queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
		accepted := 0
		for {
			if _, err := q.Enqueue(t.Context(), play()); err != nil {
				if !errors.Is(err, queue.ErrFull) {
					t.Fatal(err)
				}
				if q.CancelAll().Len() == 0 {
					break
				}
				synctest.Wait()
				continue
			}
			if accepted++; accepted > 1000 {
				t.Fatal("no bound")
			}
		}
		if n := q.Snapshot().Undelivered; n <= 40 || n > 40+11 {
			t.Errorf("refused with %d undelivered, want just over 40", n)
		}
		close(release)
		synctest.Wait()
		if n := q.Snapshot().Undelivered; n != 0 {
			t.Errorf("%d undelivered after the observer has caught up", n)
		}
		enqueue(t, q, 1)
	})
}

func TestSharedOptionsAreNotChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := func() *queuetest.Recorder { return &queuetest.Recorder{} }
		shared := queue.Options(queue.WithObserver(o()), queue.WithObserver(o()), queue.WithObserver(o()))
		a, b := o(), o()
		qa, err := queue.New("a", ender(), shared, queue.WithObserver(a)) // shared first, or it is not
		if err != nil {
			t.Fatal(err)
		}
		if _, err := queue.New("b", ender(), shared, queue.WithObserver(b)); err != nil {
			t.Fatal(err)
		}
		enqueue(t, qa, 1)
		synctest.Wait()
		if len(a.Events()) != 3 || len(b.Events()) != 0 {
			t.Errorf("a's observer got %d events of a, b's %d", len(a.Events()), len(b.Events()))
		}
	})
}

func TestASecondInlineObserverIsRefused(t *testing.T) {
	t.Parallel()
	rec := &queuetest.Recorder{}
	shared := queue.Options(queue.WithInlineObserver(rec))
	if _, err := queue.New("c", ender(), shared, queue.WithInlineObserver(rec)); err == nil ||
		!strings.Contains(err.Error(), "WithInlineObserver: given twice") {
		t.Errorf("%v; want an error that names the option", err)
	}
	if _, err := queue.New("c", ender(), shared); err != nil { // what is shared is as it was
		t.Error(err)
	}
}
