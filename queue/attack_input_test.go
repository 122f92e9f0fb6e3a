package queue_test

import (
	"log/slog"
	"math"
	"strings"
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
		q, err := queue.New("c", m)
		if err == nil || q != nil || !strings.Contains(err.Error(), "New: nil media") {
			t.Errorf("%s: %v; want an error with \"New: nil media\"", name, err)
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
