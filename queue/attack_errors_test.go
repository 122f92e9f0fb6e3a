package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Errors, requests and contexts are code of others: their methods may block, panic, exit their
// goroutine or call the queue. None of that may hold up or hurt anybody but the goroutine that
// brought them. These tests use the public API alone, and real time: a goroutine that waits for a
// mutex is not idle to a bubble, so a bubble would hang where these fail.

// soon fails the test if f does not return: whoever calls it has found a lock held.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f()
	}()
	arrives(t, what, returned)
}

// arrives fails the test if the channel is not closed soon.
func arrives(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(heldUp):
		t.Fatalf("%s: not within %v", what, heldUp)
	}
}

// hostileError does the same in each of its methods.
type hostileError struct{ act func() }

func (e *hostileError) Error() string { e.act(); return "hostile" }
func (e *hostileError) Unwrap() error { e.act(); return nil }
func (e *hostileError) Is(error) bool { e.act(); return false }
func (e *hostileError) As(any) bool   { e.act(); return false }

// reporting is a way in which an error comes to the queue.
type reporting struct {
	blocking bool                               // the media is a Blocking function that returns it
	start    func(err error) error              // what Start does; nil: nothing
	stopped  bool                               // a cancel comes first, so that Released shows it
	report   func(t queue.Task, err error)      // from a goroutine of the media's; nil: nothing
	want     func(r operation.Reason) (ok bool) // how the operation may end if the error panics
}

func unspecified(r operation.Reason) bool { return r == operation.Unspecified }

// failedSomehow is for what exits its goroutine in Start: that has exited, too.
func failedSomehow(r operation.Reason) bool {
	return r == operation.Unspecified || r == operation.Panicked
}

var reportings = map[string]reporting{
	"returned by Start": {start: func(err error) error { return err }, want: failedSomehow},
	"wrapped and returned by Start": {
		start: func(err error) error { return fmt.Errorf("wrapped: %w", err) }, want: failedSomehow,
	},
	"Start panics with it": {
		start: func(err error) error { panic(err) },
		want:  func(r operation.Reason) bool { return r == operation.Panicked },
	},
	"returned by a Blocking function": {blocking: true, want: failedSomehow},
	"End": {
		report: func(t queue.Task, err error) { t.End(operation.Result{Err: err}) }, want: unspecified,
	},
	"End with an invalid reason": {
		report: func(t queue.Task, err error) { t.End(operation.Result{Reason: 200, Err: err}) }, want: unspecified,
	},
	"End with a reason": {
		report: func(t queue.Task, err error) { t.End(operation.Result{Reason: operation.BeepFailed, Err: err}) },
		want:   func(r operation.Reason) bool { return r == operation.BeepFailed },
	},
	"Fail": {report: func(t queue.Task, err error) { t.Fail(err) }, want: unspecified},
	"End after a cancel": {
		stopped: true,
		report:  func(t queue.Task, err error) { t.End(operation.Result{Err: err}) },
		want:    func(r operation.Reason) bool { return r == operation.Cancelled },
	},
	"a second End": {
		report: func(t queue.Task, err error) {
			t.End(operation.Result{})
			t.End(operation.Result{Err: err})
		},
		want: func(r operation.Reason) bool { return r == operation.Succeeded },
	},
}

// hostile is a call whose media reports one error in one way, about its first operation. Its other
// operations end at once.
type hostile struct {
	queue *queue.Queue
	rec   *queuetest.Recorder
	first queue.Active
	over  chan struct{} // closed when the goroutine that reports has returned or exited
}

// hostileCall makes the call, and has its media report err.
func hostileCall(t *testing.T, way reporting, err error, opts ...queue.Option) *hostile {
	t.Helper()
	h := &hostile{rec: &queuetest.Recorder{}, over: make(chan struct{})}
	started := make(chan queue.Active, 1)
	tasks := make(chan queue.Task, 1)
	var n atomic.Int32
	var media queue.Media = &queuetest.Media{
		OnStart: func(k queue.Task) error {
			if n.Add(1) > 1 {
				k.End(operation.Result{})
				return nil
			}
			started <- k.Active
			tasks <- k
			if way.start != nil {
				return way.start(err)
			}
			return nil
		},
		OnStop: func(k queue.Task) {
			if !way.stopped {
				k.End(operation.Result{})
			}
		},
	}
	if way.blocking {
		media = queue.Blocking(func(_ context.Context, k queue.Active) (operation.Result, error) {
			if n.Add(1) > 1 {
				return operation.Result{}, nil
			}
			started <- k
			return operation.Result{}, err
		})
	}
	h.queue = newQueueWithoutCleanup(t, media, append(opts, queue.WithObserver(h.rec),
		queue.WithStopTimeout(time.Hour))...) // the report counts, however late the machine lets it come
	go func() {
		defer close(h.over)
		if _, err := h.queue.Enqueue(context.Background(), play()); err != nil {
			t.Errorf("Enqueue: %v", err)
		}
		if way.report == nil {
			return
		}
		k := <-tasks
		if way.stopped {
			h.queue.CancelAll()
		}
		way.report(k, err)
	}()
	select {
	case h.first = <-started:
	case <-time.After(heldUp):
		t.Fatalf("Start: not within %v", heldUp)
	}
	return h
}

// goesOn looks whether the call goes on, ends, and leaves nothing behind.
func (h *hostile) goesOn(t *testing.T) {
	t.Helper()
	soon(t, "the next operation", func() {
		op, err := h.queue.Enqueue(context.Background(), play())
		if err != nil {
			t.Errorf("Enqueue: %v", err)
			return
		}
		if r, _ := op.Wait(within(t)); r.Reason != operation.Succeeded {
			t.Errorf("the next operation ended with %v", r.Reason)
		}
	})
	soon(t, "Close", func() { h.queue.Close(nil) })
	arrives(t, "Done", h.queue.Done())
	h.rec.Check(t)
}

// eachReporting runs a test for each way and both forms of delivery.
func eachReporting(t *testing.T, f func(t *testing.T, way reporting, opts []queue.Option)) {
	t.Helper()
	for name, way := range reportings {
		for form, opts := range map[string][]queue.Option{
			"default": nil, "inline": {queue.WithInlineMedia()},
		} {
			t.Run(name+"/"+form, func(t *testing.T) {
				t.Parallel()
				f(t, way, opts)
			})
		}
	}
}

func TestAnErrorWhoseMethodsBlockBlocksItsReporterAlone(t *testing.T) {
	t.Parallel()
	eachReporting(t, func(t *testing.T, way reporting, opts []queue.Option) {
		release, entered := make(chan struct{}), make(chan struct{})
		var once sync.Once
		h := hostileCall(t, way, &hostileError{func() {
			once.Do(func() { close(entered) })
			<-release
		}}, opts...)
		select { // it is inside the error's method, or will never be
		case <-entered:
		case <-h.first.Done():
		case <-time.After(heldUp):
			t.Fatalf("the error was not reported within %v", heldUp)
		}
		soon(t, "Snapshot", func() { h.queue.Snapshot() })
		soon(t, "Enqueue", func() { _, _ = h.queue.Enqueue(context.Background(), play()) })
		soon(t, "CancelAll", func() { h.queue.CancelAll() })
		if !h.first.Status().Terminal() || !isClosed(h.first.Done()) {
			t.Errorf("after CancelAll it is %v", h.first.Status())
		}
		soon(t, "Close", func() { h.queue.Close(nil) })
		close(release)
		arrives(t, "whoever reported it", h.over)
		arrives(t, "Done", h.queue.Done())
	})
}

func TestAnErrorWhoseMethodsPanicIsReportedAsUnspecified(t *testing.T) {
	t.Parallel()
	eachReporting(t, func(t *testing.T, way reporting, opts []queue.Option) {
		for name, err := range map[string]error{
			"panics":    &hostileError{func() { panic("of an error") }},
			"typed nil": (*hostileError)(nil),
			"no method": struct{ error }{}, // an embedded nil interface
		} {
			h := hostileCall(t, way, err, opts...)
			arrives(t, name+": whoever reported it", h.over)
			arrives(t, name+": the end", h.first.Done())
			if r := reason(h.first.Operation); !way.want(r) {
				t.Errorf("%s: ended with %v", name, r)
			}
			h.goesOn(t)
			e, ok := h.rec.Find(queue.Released, h.first.Operation)
			if ok != way.stopped || ok && e.Result().Reason != operation.Unspecified {
				t.Errorf("%s: Released %v, with %v", name, ok, e.Result().Reason)
			}
		}
	})
}

func TestAnErrorWhoseMethodsExitIsReported(t *testing.T) {
	t.Parallel()
	eachReporting(t, func(t *testing.T, way reporting, opts []queue.Option) {
		if way.start != nil && opts != nil {
			return // inline media must not exit: it would be the producer's goroutine
		}
		h := hostileCall(t, way, &hostileError{runtime.Goexit}, opts...)
		arrives(t, "whoever reported it", h.over)
		arrives(t, "the end", h.first.Done())
		if r := reason(h.first.Operation); !way.want(r) {
			t.Errorf("ended with %v", r)
		}
		h.goesOn(t)
	})
}

func TestAnErrorsMethodsMayCallTheQueue(t *testing.T) {
	t.Parallel()
	eachReporting(t, func(t *testing.T, way reporting, opts []queue.Option) {
		var q atomic.Pointer[queue.Queue]
		made := make(chan struct{})
		h := hostileCall(t, way, &hostileError{func() {
			<-made
			q.Load().Snapshot()
			_, _ = q.Load().Enqueue(context.Background(), play())
			q.Load().CancelAll()
			_, _ = q.Load().Cancel(uuid.New())
		}}, opts...)
		q.Store(h.queue)
		close(made)
		arrives(t, "whoever reported it", h.over)
		arrives(t, "the report", h.first.Released()) // its end is the error's first cancel, and there are more
		h.goesOn(t)
	})
}

// loopError unwraps to itself for ever.
type loopError struct{}

func (loopError) Error() string { return "loop" }
func (loopError) Unwrap() error { return loopError{} }

// loopsError unwraps to itself, twice, for ever: a tree that doubles with each level.
type loopsError struct{}

func (loopsError) Error() string   { return "loops" }
func (loopsError) Unwrap() []error { return []error{loopsError{}, loopsError{}} }

// claimsError says that it is every Reason there is.
type claimsError struct{ r operation.Reason }

func (claimsError) Error() string { return "claims" }

func (c claimsError) As(target any) bool {
	if p, ok := target.(*operation.Reason); ok {
		*p = c.r
		return true
	}
	return false
}

func TestTheReasonIsFoundInAnErrorOfAnyShape(t *testing.T) {
	t.Parallel()
	deep := error(operation.BeepFailed)
	for range 100 {
		deep = fmt.Errorf("x: %w", deep)
	}
	bottomless := errors.New("x")
	for range 1_000_000 {
		bottomless = &wrappedError{bottomless}
	}
	wide := make([]error, 1_000_000)
	for i := range wide {
		wide[i] = errors.New("x")
	}
	for _, c := range []struct {
		name string
		err  error
		want operation.Reason
	}{
		{"itself", operation.BeepFailed, operation.BeepFailed},
		{"100 deep", deep, operation.BeepFailed},
		{"joined", errors.Join(errors.New("x"), nil, fmt.Errorf("y: %w", operation.BadFormat), operation.BeepFailed), operation.BadFormat},
		{"by As", fmt.Errorf("x: %w", claimsError{operation.NotDownloadable}), operation.NotDownloadable},
		{"by As, of no failure", claimsError{operation.Succeeded}, operation.Unspecified},
		{"by As, of none", claimsError{200}, operation.Unspecified},
		{"of no failure", operation.StopTone, operation.Unspecified},
		{"a loop", loopError{}, operation.Unspecified},
		{"a tree of loops", loopsError{}, operation.Unspecified},
		{"a million deep", bottomless, operation.Unspecified},
		{"a million wide", errors.Join(wide...), operation.Unspecified},
		{"a nil among others", fmt.Errorf("%w %w", error(nil), operation.BeepFailed), operation.BeepFailed},
	} {
		soon(t, c.name, func() {
			if got := operation.ReasonOf(c.err); got != c.want {
				t.Errorf("%s: ReasonOf is %v, want %v", c.name, got, c.want)
			}
		})
		h := hostileCall(t, reportings["returned by Start"], c.err)
		arrives(t, c.name+": the end", h.first.Done())
		if got := reason(h.first.Operation); got != c.want {
			t.Errorf("%s: ended with %v, want %v", c.name, got, c.want)
		}
		h.goesOn(t)
	}
}

type wrappedError struct{ err error }

func (*wrappedError) Error() string   { return "wrapped" }
func (w *wrappedError) Unwrap() error { return w.err }

// The causes that Close and Shutdown are given.
func TestACauseIsCodeOfOthers(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(q *queue.Queue, cause error) queue.Receipt{
		"Close": (*queue.Queue).Close,
		"Shutdown": func(q *queue.Queue, cause error) queue.Receipt {
			over, cancel := context.WithCancel(context.Background())
			cancel()
			r, _ := q.Shutdown(over, cause)
			return r
		},
	} {
		for fault, cause := range map[string]error{
			"panics":    &hostileError{func() { panic("of a cause") }},
			"typed nil": (*hostileError)(nil),
			"loop":      loopError{},
			"loops":     loopsError{},
		} {
			rec := &queuetest.Recorder{}
			q := newQueueWithoutCleanup(t, &queuetest.Media{}, queue.WithObserver(rec))
			op := enqueue(t, q, 2)[0]
			soon(t, name+" "+fault, func() {
				if n := end(q, cause).Len(); n != 2 {
					t.Errorf("%s %s: a receipt of %d, want 2", name, fault, n)
				}
			})
			arrives(t, name+" "+fault+": Done", q.Done())
			if r := reason(op); r != operation.CallEnded {
				t.Errorf("%s %s: %v, want callEnded", name, fault, r)
			}
			rec.Check(t)
		}
		// One that blocks or calls the queue holds up whoever brought it, and no other.
		q := newQueueWithoutCleanup(t, &queuetest.Media{})
		enqueue(t, q, 2)
		release, returned := make(chan struct{}), make(chan struct{})
		var once sync.Once
		entered := make(chan struct{})
		go func() {
			defer close(returned)
			end(q, &hostileError{func() {
				q.CancelAll()
				q.Snapshot()
				once.Do(func() { close(entered) })
				<-release
			}})
		}()
		arrives(t, name+": the cause is asked", entered)
		soon(t, name+": CancelAll", func() { q.CancelAll() })
		soon(t, name+": Snapshot", func() { q.Snapshot() })
		soon(t, name+": Close", func() { q.Close(operation.ShutDown) })
		close(release)
		arrives(t, name, returned)
		arrives(t, name+": Done", q.Done())
	}
}

// hostileRequest is of a kind that we do not know. Kind does what act says, once there is one.
type hostileRequest struct{ act *atomic.Pointer[func()] }

func (hostileRequest) Validate() error { return nil }

func (r hostileRequest) Kind() operation.Kind {
	if act := r.act.Load(); act != nil {
		(*act)()
	}
	return "hostile"
}

// A warning names the kind of the operation. Media that is abandoned, and one that
// panics, is logged by the queue itself.
func TestARequestsKindIsCodeOfOthers(t *testing.T) {
	t.Parallel()
	for way, m := range map[string]func(armed chan struct{}) *queuetest.Media{
		"abandoned": func(armed chan struct{}) *queuetest.Media {
			return &queuetest.Media{OnStop: func(queue.Task) { <-armed }}
		},
		"panics": func(armed chan struct{}) *queuetest.Media {
			return &queuetest.Media{OnStop: func(queue.Task) { <-armed; panic("of media") }}
		},
	} {
		for fault, act := range map[string]func(q *queue.Queue, release chan struct{}){
			"blocks":    func(_ *queue.Queue, release chan struct{}) { <-release },
			"panics":    func(*queue.Queue, chan struct{}) { panic("of a request") },
			"exits":     func(*queue.Queue, chan struct{}) { runtime.Goexit() },
			"re-enters": func(q *queue.Queue, _ chan struct{}) { q.Snapshot(); q.CancelAll() },
		} {
			t.Run(way+"/"+fault, func(t *testing.T) {
				t.Parallel()
				armed, release := make(chan struct{}), make(chan struct{})
				media := m(armed)
				q := newQueueWithoutCleanup(t, media, queue.WithStopTimeout(50*time.Millisecond))
				var hook atomic.Pointer[func()]
				if _, err := q.Enqueue(t.Context(), hostileRequest{&hook}); err != nil {
					t.Fatal(err)
				}
				if _, err := media.WaitStarted(within(t), 1); err != nil {
					t.Fatal(err)
				}
				q.CancelAll()
				f := func() { act(q, release) }
				hook.Store(&f)
				close(armed)
				gone := func() bool { return q.Snapshot().Abandoned == 1 || way == "panics" }
				for start := time.Now(); ; time.Sleep(time.Millisecond) {
					there := false
					soon(t, "Snapshot", func() { there = gone() })
					if there {
						break
					}
					if time.Since(start) > heldUp {
						t.Fatalf("the media was not abandoned within %v", heldUp)
					}
				}
				soon(t, "CancelAll", func() { q.CancelAll() })
				soon(t, "Close", func() { q.Close(nil) })
				close(release)
				arrives(t, "Done", q.Done())
			})
		}
	}
}

// A logger prints the error it is given: on a goroutine that nothing waits for.
func TestALoggerThatAsksTheErrorBlocksItselfAlone(t *testing.T) {
	t.Parallel()
	for fault, act := range map[string]func(q *queue.Queue, release chan struct{}){
		"blocks":    func(_ *queue.Queue, release chan struct{}) { <-release },
		"panics":    func(*queue.Queue, chan struct{}) { panic("of an error") },
		"exits":     func(*queue.Queue, chan struct{}) { runtime.Goexit() },
		"re-enters": func(q *queue.Queue, _ chan struct{}) { q.Snapshot(); q.CancelAll() },
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			release, made := make(chan struct{}), make(chan struct{})
			var q *queue.Queue
			bad := &hostileError{func() { <-made; act(q, release) }}
			h := hostileCall(t, reportings["Start panics with it"], bad,
				queue.WithLogger(slog.New(slog.DiscardHandler)))
			q = h.queue
			close(made)
			arrives(t, "the end", h.first.Done())
			soon(t, "CancelAll", func() { h.queue.CancelAll() })
			soon(t, "Close", func() { h.queue.Close(nil) })
			close(release)
			arrives(t, "Done", h.queue.Done())
		})
	}
}

// hostileContext does the same in each of its methods.
type hostileContext struct{ act func() }

func (c *hostileContext) Deadline() (at time.Time, ok bool) { c.act(); return at, false }
func (c *hostileContext) Done() <-chan struct{}             { c.act(); return nil }
func (c *hostileContext) Err() error                        { c.act(); return nil }
func (c *hostileContext) Value(any) any                     { c.act(); return nil }

func TestAContextsMethodsMayCallTheQueue(t *testing.T) {
	t.Parallel()
	for form, opts := range map[string][]queue.Option{"default": nil, "inline": {queue.WithInlineMedia()}} {
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			_ = k.Context().Value("x")
			return nil
		}}
		q := newQueueWithoutCleanup(t, m, append(opts, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Operation != nil {
				_ = e.Operation.Context().Value("x")
			}
		})))...)
		ctx := &hostileContext{func() { q.Snapshot(); q.CancelAll() }}
		soon(t, form+": the calls", func() {
			for range 3 {
				op, err := q.Enqueue(ctx, play())
				if err != nil {
					t.Errorf("Enqueue: %v", err)
					return
				}
				_ = op.Context().Value("x")
				if _, _, err := q.Interrupt(ctx, play()); err != nil {
					t.Errorf("Interrupt: %v", err)
				}
				q.CancelAll()
			}
			q.Close(nil)
		})
		arrives(t, form+": Done", q.Done())
	}
}

// A context that is a typed nil, or panics for another reason, is refused where it is given.
func TestAContextThatPanicsIsRefused(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"typed nil":  (*hostileContext)(nil),
		"panics":     &hostileContext{func() { panic("of a context") }},
		"embeds nil": struct{ context.Context }{},
	} {
		rec := &queuetest.Recorder{}
		q := newQueueWithoutCleanup(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithInlineObserver(rec))
		op := enqueue(t, q, 1)[0]
		for call, f := range map[string]func() error{
			"Enqueue":   func() error { _, err := q.Enqueue(ctx, play()); return err },
			"Interrupt": func() error { _, _, err := q.Interrupt(ctx, play()); return err },
			"Shutdown":  func() error { _, err := q.Shutdown(ctx, nil); return err },
			"Wait":      func() error { _, err := op.Wait(ctx); return err },
		} {
			if err := f(); err == nil || !strings.Contains(err.Error(), "context") {
				t.Errorf("%s, %s: %v; want an error that names the context", name, call, err)
			}
		}
		if s := q.Snapshot(); len(rec.Events()) != 2 || s.Sealed || s.Running != op || len(s.Waiting) != 0 {
			t.Errorf("%s: something was done: %+v, %v", name, s, rec)
		}
		q.Close(nil)
		arrives(t, "Done", q.Done())
	}
}

// nilError does not expect to be nil, in any of its methods.
type nilError struct{ text string }

func (e *nilError) Error() string   { return e.text }
func (e *nilError) Is(t error) bool { return t.Error() == e.text }

// Who asks for the cause of an end need not fear it: not observers, nor errors.Is, nor a logger.
func TestACauseThatPanicsIsReplaced(t *testing.T) {
	t.Parallel()
	eachReporting(t, func(t *testing.T, way reporting, opts []queue.Option) {
		for name, err := range map[string]error{
			"typed nil":         (*hostileError)(nil),
			"without Unwrap":    (*nilError)(nil),
			"wrapped":           fmt.Errorf("x: %w", (*nilError)(nil)),
			"among others":      errors.Join(errors.New("x"), fmt.Errorf("y: %w", (*nilError)(nil))),
			"with a reason":     errors.Join(operation.BeepFailed, (*nilError)(nil)),
			"unwraps and falls": &hostileError{func() { panic("of an error") }},
			"for ever":          loopsError{},
		} {
			h := hostileCall(t, way, err, opts...)
			arrives(t, name+": whoever reported it", h.over)
			arrives(t, name+": the end", h.first.Done())
			h.goesOn(t)
			causes := []error{h.first.Err()}
			if r, ok := h.first.FinalResult(); ok {
				causes = append(causes, r.Err)
			}
			for _, e := range h.rec.Events() {
				causes = append(causes, e.Result().Err)
			}
			for _, cause := range causes {
				soon(t, name, func() { askAll(t, cause) })
			}
		}
	})
	for name, cause := range map[string]error{"typed nil": (*nilError)(nil), "for ever": loopError{}} {
		rec := &queuetest.Recorder{}
		q := newQueueWithoutCleanup(t, &queuetest.Media{}, queue.WithObserver(rec))
		q.Close(cause)
		arrives(t, name+": Done", q.Done())
		e, _ := rec.Find(queue.Closed, nil)
		soon(t, name, func() { askAll(t, e.Result().Err) })
	}
}

// askAll does with an error what others do.
func askAll(t *testing.T, err error) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("%T panics: %v", err, v)
		}
	}()
	if err == nil {
		return
	}
	if errors.Is(err, context.Canceled) || err.Error() == "" {
		t.Errorf("%T is %v", err, err)
	}
	if e := new(queuetestError); errors.As(err, &e) {
		t.Errorf("%T is what it is not", err)
	}
}

type queuetestError struct{}

func (*queuetestError) Error() string { return "never" }

// What is sound stays what it was.
func TestASoundCauseIsKept(t *testing.T) {
	t.Parallel()
	own := &nilError{"own"}
	for name, way := range reportings {
		if way.start == nil && way.report == nil && !way.blocking {
			continue
		}
		h := hostileCall(t, way, own)
		arrives(t, name+": whoever reported it", h.over)
		arrives(t, name+": the end", h.first.Done())
		h.goesOn(t)
		if r, _ := h.first.FinalResult(); name != "a second End" && !errors.Is(r.Err, own) {
			t.Errorf("%s: the cause is %v, want %v", name, r.Err, own)
		}
	}
}
