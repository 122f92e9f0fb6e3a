package queue_test

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Every option and argument is checked where it is given.

// A bound that is larger than any queue is none, also where it is multiplied.
func TestAHugeBoundRefusesNothing(t *testing.T) {
	t.Parallel()
	for _, n := range []int{math.MaxInt, math.MaxInt / 2, math.MaxInt/4 + 1, math.MaxInt/2 + 1, math.MaxInt/2 + 2, math.MaxInt/4 + 2} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			q := newQueue(t, ender(), queue.WithMaxPending(n),
				queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
			for i := range 100 {
				if _, err := q.Enqueue(t.Context(), play()); err != nil {
					t.Errorf("WithMaxPending(%d): the %d-th: %v", n, i, err)
				}
				idle() // or the media is not called while the observer blocks, and nothing ends
			}
			close(release)
		})
	}
}

// A request whose kind nobody could name again, as the cause of what it ends or on the wire, is
// refused, and ends nothing.
func TestAKindIsChecked(t *testing.T) {
	t.Parallel()
	q := newQueue(t, silentMedia())
	first := enqueue(t, q, 1)[0]
	for kind, says := range map[string]string{
		strings.Repeat("ä", 256): "",
		strings.Repeat("ä", 257): "kind is 257 characters, must be at most 256",
		"\xff":                   "kind is invalid UTF-8, must be valid UTF-8",
	} {
		_, _, err := q.Interrupt(t.Context(), foreign{kind: operation.Kind(kind)})
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v, want %q", kind, err, says)
		}
	}
	if by, ok := first.Cause(); !ok || by.Validate() != nil {
		t.Errorf("the cause is %v, %v", ok, by.Validate())
	}
}

// CancelAll is never refused, so it ignores a client context that others refuse: its operation would
// keep it, and so would all that it ends, as their cause.
func TestCancelAllIgnoresAClientContextThatIsNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.Repeat("ä", 256): strings.Repeat("ä", 256),
		strings.Repeat("x", 257): "",
		"\xff":                   "",
	} {
		q := newQueue(t, &queuetest.Media{})
		op := enqueue(t, q, 1)[0]
		r := q.CancelAll(queue.ClientContext(text))
		cause, _ := op.Cause()
		if got := r.Operation().ClientContext(); r.Len() != 1 || got != want || cause.ClientContext != want || cause.Validate() != nil {
			t.Errorf("%.9q: %d ended, %.9q, by %.9q", text, r.Len(), got, cause.ClientContext)
		}
	}
}

// A queue may be printed while it works. It is the race detector that fails here.
func TestAQueueMayBePrinted(t *testing.T) {
	t.Parallel()
	q := newQueue(t, ender())
	var producer sync.WaitGroup
	producer.Go(func() {
		enqueue(t, q, 10)
		q.CancelAll()
	})
	for range 10 {
		if got := fmt.Sprintf("%v, %+v", q, struct{ Q *queue.Queue }{nil}); got != `queue of call "call-1", {Q:no queue}` {
			t.Fatal(got)
		}
	}
	producer.Wait()
}

// Media and observers of every kind that can be nil.
type (
	nilMap   map[string]int
	nilChan  chan int
	nilSlice []int
	nilFunc  func()
)

func (nilMap) Start(queue.Task) error   { return nil }
func (nilMap) Stop(queue.Task)          {}
func (nilMap) Observe(queue.Event)      {}
func (nilChan) Start(queue.Task) error  { return nil }
func (nilChan) Stop(queue.Task)         {}
func (nilChan) Observe(queue.Event)     {}
func (nilSlice) Start(queue.Task) error { return nil }
func (nilSlice) Stop(queue.Task)        {}
func (nilSlice) Observe(queue.Event)    {}
func (nilFunc) Start(queue.Task) error  { return nil }
func (nilFunc) Stop(queue.Task)         {}
func (nilFunc) Observe(queue.Event)     {}

func TestNilMediaOfEveryKindIsRefused(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]queue.Media{
		"nil":               nil,
		"nil pointer":       (*queuetest.Media)(nil),
		"nil map":           nilMap(nil),
		"nil channel":       nilChan(nil),
		"nil slice":         nilSlice(nil),
		"nil function":      nilFunc(nil),
		"nil Blocking func": queue.Blocking(nil),
	} {
		want := fmt.Sprintf("queue: New: nil media (%T)", m)
		if name == "nil Blocking func" {
			want = "queue: New: the function of Blocking is nil"
		}
		if q, err := queue.New("c", m); err == nil || q != nil || err.Error() != want {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	for name, m := range map[string]queue.Media{
		"a pointer": &queuetest.Media{}, "a map": nilMap{}, "a channel": make(nilChan),
		"a slice": nilSlice{}, "a function": nilFunc(func() {}), "a struct": struct{ queue.Media }{},
	} {
		if _, err := queue.New("c", m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNilObserversOfEveryKindAreRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]queue.Observer{
		"nil":              nil,
		"nil ObserverFunc": queue.ObserverFunc(nil),
		"nil pointer":      (*queuetest.Recorder)(nil),
		"nil map":          nilMap(nil),
		"nil channel":      nilChan(nil),
		"nil slice":        nilSlice(nil),
		"nil function":     nilFunc(nil),
	} {
		for option, opt := range map[string]queue.Option{
			"WithObserver": queue.WithObserver(o), "WithInlineObserver": queue.WithInlineObserver(o),
		} {
			for form, opts := range map[string][]queue.Option{
				"alone": {opt}, "shared": {queue.Options(opt)}, "shared with more": {queue.Options(opt), quiet},
			} {
				q, err := queue.New("c", &queuetest.Media{}, opts...)
				if err == nil || q != nil || !strings.Contains(err.Error(), option+": nil observer") {
					t.Errorf("%s, %s, %s: %v; want an error with %q", name, option, form, err, option+": nil observer")
				}
			}
		}
		q := newQueueWithoutCleanup(t, &queuetest.Media{}, queue.WithObserver(&queuetest.Recorder{}))
		if q.ObservedBy(o) {
			t.Errorf("%s observes", name)
		}
	}
}

func TestALoggerWithoutAHandlerIsRefused(t *testing.T) {
	t.Parallel()
	q, err := queue.New("c", &queuetest.Media{}, queue.WithLogger(new(slog.Logger)))
	if err == nil || q != nil || !strings.Contains(err.Error(), "WithLogger") {
		t.Errorf("%v; want an error that names WithLogger", err)
	}
	for _, l := range []*slog.Logger{nil, slog.Default()} {
		if _, err := queue.New("c", &queuetest.Media{}, queue.WithLogger(l)); err != nil {
			t.Errorf("WithLogger: %v", err)
		}
	}
}

// Results that media may make up: numbers from outside, whatever they are.
func TestAnyResultIsTaken(t *testing.T) {
	t.Parallel()
	for r := range operation.Reason(255) {
		m := &queuetest.Media{}
		q := newQueueWithoutCleanup(t, m, queue.WithInlineMedia())
		op := enqueue(t, q, 1)[0]
		m.Current().End(operation.Result{Reason: r, Position: math.MinInt64})
		want := r
		switch {
		case r == 0:
			want = operation.Succeeded
		case !r.Valid():
			want = operation.Unspecified
		}
		if got, _ := op.Result(); got.Reason != want || got.Position != 0 {
			t.Errorf("Reason %d: ended with %+v, want %v", r, got, want)
		}
		q.Close(nil)
		<-q.Done()
	}
}
