package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// newCall makes a queue in a group that the end of the test closes.
func newCall(tb testing.TB, g *queue.Group, id string, m queue.Media, opts ...queue.Option) *queue.Queue {
	tb.Helper()
	q, err := g.New(id, m, append([]queue.Option{quiet}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { q.Close(nil) })
	return q
}

// lasting is media whose operations end after d, or when they are stopped.
func lasting(d time.Duration) *queuetest.Media {
	return &queuetest.Media{OnStart: func(t queue.Task) error {
		time.AfterFunc(d, func() { t.End(operation.Result{}) })
		return nil
	}}
}

// calls returns what a group yields.
func calls(g *queue.Group) map[string]*queue.Queue {
	return maps.Collect(g.All())
}

func TestAGroupHoldsACallUntilItIsDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g queue.Group
		if _, ok := g.Queue("a"); ok || g.Len() != 0 || len(calls(&g)) != 0 {
			t.Error("the zero group is not empty")
		}
		var closed error
		observer := queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Closed {
				_, closed = g.New("a", ender())
			}
		})
		a := newCall(t, &g, "a", &queuetest.Media{OnStop: func(queue.Task) {}}, queue.WithObserver(observer))
		b := newCall(t, &g, "b", ender())
		enqueue(t, a, 1)
		synctest.Wait()
		for range 2 {
			all := calls(&g)
			if q, ok := g.Queue("a"); !ok || q != a || g.Len() != 2 || len(all) != 2 || all["a"] != a || all["b"] != b {
				t.Errorf("%v %v, %d calls: %v", q, ok, g.Len(), all)
			}
			a.Close(nil) // its media does not report
			synctest.Wait()
		}
		done := a.Done()
		<-done
		if _, ok := g.Queue("a"); ok || g.Len() != 1 || len(calls(&g)) != 1 {
			t.Errorf("the group has a call that is done, of %d", g.Len())
		}
		if !errors.Is(closed, queue.ErrDuplicateID) {
			t.Errorf("New before Done: %v, want ErrDuplicateID", closed)
		}
		if again := newCall(t, &g, "a", ender()); again == a || g.Len() != 2 {
			t.Error("the id of a call that is done is not free")
		}
	})
}

func TestAGroupRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		id    string
		media queue.Media
		opt   queue.Option
		seal  bool
		is    error
		says  string
	}{
		{name: "an empty id", media: ender(), says: "empty call id"},
		{name: "nil media", id: "b", says: "nil media"},
		{name: "a typed nil", id: "b", media: (*queuetest.Media)(nil), says: "*queuetest.Media"},
		{name: "a wrong option", id: "b", media: ender(), opt: queue.WithMaxPending(-1), says: "WithMaxPending(-1)"},
		{name: "an id twice", id: "a", media: ender(), is: queue.ErrDuplicateID, says: `"a"`},
		{name: "a call when it is sealed", id: "b", media: ender(), seal: true, is: queue.ErrClosed, says: `"b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var g queue.Group
			a := newCall(t, &g, "a", ender())
			if c.seal {
				g.Seal()
				g.Seal()
			}
			q, err := g.New(c.id, c.media, c.opt)
			if err == nil || q != nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v, want an error that says %s", q, err, c.says)
			}
			if all := calls(&g); len(all) != 1 || all["a"] != a {
				t.Errorf("the group has %v", all)
			}
			if _, err := a.Enqueue(t.Context(), play()); err != nil {
				t.Errorf("Enqueue: %v", err)
			}
		})
	}
}

func TestOfTwoCallsWithOneIDOneIsRefused(t *testing.T) {
	t.Parallel()
	for range 100 {
		var g queue.Group
		var made, refused atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				switch _, err := g.New("a", ender()); {
				case err == nil:
					made.Add(1)
				case errors.Is(err, queue.ErrDuplicateID):
					refused.Add(1)
				}
			})
		}
		if all.Wait(); made.Load() != 1 || refused.Load() != 3 || g.Len() != 1 {
			t.Fatalf("%d made, %d refused, %d there", made.Load(), refused.Load(), g.Len())
		}
	}
}

// Whoever has seen Done may use the id again, and the end of the old call takes nothing away from the
// new one.
func TestAnIDIsFreeWhenItsCallIsDone(t *testing.T) {
	t.Parallel()
	var g queue.Group
	for range 500 {
		old := newCall(t, &g, "a", ender(), queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})))
		done := old.Done()
		go old.Close(nil)
		<-done
		q, err := g.New("a", ender())
		if err != nil {
			t.Fatal(err)
		}
		go q.Close(nil)
		for {
			if next, err := g.New("a", ender()); err == nil {
				if got, ok := g.Queue("a"); !ok || got != next {
					t.Fatal("the new call is not there")
				}
				next.Close(nil)
				break
			}
			runtime.Gosched()
		}
	}
}

func TestShutdownOfAGroupWaitsUntilItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g queue.Group
		for i := range 3 {
			enqueue(t, newCall(t, &g, strconv.Itoa(i), lasting(time.Duration(i)*time.Second)), 2)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if n, err := g.Shutdown(ctx, operation.ShutDown); n != 0 || err != nil || time.Since(start) != 4*time.Second {
			t.Errorf("in time: %d closed, %v, after %v", n, err, time.Since(start))
		}
		cancel()
		if n, err := g.Shutdown(ctx, nil); n != 0 || err != nil {
			t.Errorf("again, with a context that is over: %d closed, %v", n, err)
		}

		g = queue.Group{}
		var ops []*operation.Operation
		for i := range 3 {
			q := newCall(t, &g, strconv.Itoa(i), lasting(time.Duration(i)*3*time.Second))
			ops = append(ops, enqueue(t, q, 2)...)
		}
		ctx, cancel = context.WithTimeoutCause(t.Context(), 5*time.Second, errors.New("the node goes"))
		defer cancel()
		n, err := g.Shutdown(ctx, fmt.Errorf("SIGTERM: %w", operation.ShutDown))
		if n != 2 || err == nil || err.Error() != "the node goes" {
			t.Errorf("too late: %d closed, %v", n, err)
		}
		for i, want := range []operation.Reason{
			operation.Succeeded, operation.Succeeded, operation.Succeeded,
			operation.ShutDown, operation.ShutDown, operation.ShutDown,
		} {
			if got := reason(ops[i]); got != want {
				t.Errorf("operation %d: %v, want %v", i, got, want)
			}
		}
		if err := g.Drain(t.Context()); err != nil || g.Len() != 0 {
			t.Errorf("Drain: %v, %d calls", err, g.Len())
		}
	})
}

// Each call that is closed is in the count of one Shutdown.
func TestShutdownOfAGroupTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g queue.Group
		for i := range 100 {
			enqueue(t, newCall(t, &g, strconv.Itoa(i), &queuetest.Media{}), 1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var n atomic.Int64
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				closed, err := g.Shutdown(ctx, nil)
				n.Add(int64(closed))
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		if all.Wait(); n.Load() != 100 {
			t.Errorf("%d calls were closed, want 100", n.Load())
		}
		synctest.Wait()
		if closed, err := g.Shutdown(ctx, nil); closed != 0 || err != nil || g.Len() != 0 {
			t.Errorf("afterwards: %d closed, %v, %d left", closed, err, g.Len())
		}
	})
}

func TestShutdownOfAGroupWithAContextThatIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g queue.Group
		idle := newCall(t, &g, "idle", ender())
		busy := newCall(t, &g, "busy", &queuetest.Media{})
		op := enqueue(t, busy, 1)[0]
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := g.Shutdown(dead, nil); n != 1 || !errors.Is(err, context.Canceled) || reason(op) != operation.CallEnded {
			t.Errorf("%d closed, %v, %v", n, err, reason(op))
		}
		<-idle.Done()
		<-busy.Done()
	})
}

// brokenContext is a context that panics in one of its methods.
type brokenContext struct {
	context.Context

	inDone bool
	over   chan struct{}
}

func (c brokenContext) Done() <-chan struct{} {
	if c.inDone {
		panic("Done")
	}
	return c.over
}

func (brokenContext) Err() error { panic("Err") }

func (brokenContext) Value(any) any { panic("Value") }

func TestAContextThatIsNoneSealsNoGroup(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"nil": nil, "a typed nil": (*brokenContext)(nil), "one that panics": brokenContext{inDone: true},
	} {
		var g queue.Group
		newCall(t, &g, "a", ender())
		n, err := g.Shutdown(ctx, operation.ShutDown)
		if drained := g.Drain(ctx); err == nil || drained == nil || n != 0 {
			t.Errorf("%s: %d closed, %v, %v", name, n, err, drained)
		}
		newCall(t, &g, "b", ender())
	}

	// One that panics when it is over: too late to change nothing.
	over := make(chan struct{})
	close(over)
	var g queue.Group
	enqueue(t, newCall(t, &g, "a", &queuetest.Media{}), 1)
	if n, err := g.Shutdown(brokenContext{over: over}, nil); n != 1 || err == nil {
		t.Errorf("%d closed, %v", n, err)
	}
}

// muteContext is a context that has ended and does not say why, nor that it has.
type muteContext struct{ context.Context }

func (muteContext) Done() <-chan struct{} {
	over := make(chan struct{})
	close(over)
	return over
}

func (muteContext) Err() error { return nil }

// No error means that all calls were done in time, whatever the context says.
func TestAContextThatDoesNotSayWhyIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(g *queue.Group, q *queue.Queue, ctx context.Context) error{
		"Drain": func(g *queue.Group, _ *queue.Queue, ctx context.Context) error { return g.Drain(ctx) },
		"Shutdown": func(_ *queue.Group, q *queue.Queue, ctx context.Context) error {
			_, err := q.Shutdown(ctx, nil)
			return err
		},
		"Shutdown of a group": func(g *queue.Group, _ *queue.Queue, ctx context.Context) error {
			_, err := g.Shutdown(ctx, nil)
			return err
		},
	} {
		var g queue.Group
		q := newCall(t, &g, "a", &queuetest.Media{})
		enqueue(t, q, 1)
		if err := wait(&g, q, muteContext{t.Context()}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
}

func TestASealedGroupsCallsGoOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g queue.Group
		q := newCall(t, &g, "a", lasting(time.Second))
		g.Seal()
		ops := enqueue(t, q, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := g.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v", err)
		}
		if reason(ops[2]) != operation.Succeeded || q.Snapshot().Sealed {
			t.Errorf("%v, sealed %v", reason(ops[2]), q.Snapshot().Sealed)
		}
		time.AfterFunc(time.Minute, func() { q.Close(nil) })
		if err := g.Drain(t.Context()); err != nil || g.Len() != 0 {
			t.Errorf("Drain: %v, %d calls", err, g.Len())
		}

		var empty queue.Group
		if err := empty.Drain(ctx); err != nil { // which is over
			t.Errorf("Drain of an empty group: %v", err)
		}
		if _, err := empty.New("a", ender()); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("New: %v, want ErrClosed", err)
		}
	})
}

// A call that is being made while its group shuts down is refused, or shut down.
func TestNoCallSlipsThroughAShutdown(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		var g queue.Group
		var all sync.WaitGroup
		made := make(chan *queue.Queue, 64)
		for p := range 4 {
			all.Go(func() {
				for k := range 16 {
					q, err := g.New(fmt.Sprint(p, k), ender())
					if err == nil {
						made <- q
					} else if !errors.Is(err, queue.ErrClosed) {
						t.Error(err)
					}
				}
			})
		}
		for range i % 50 {
			runtime.Gosched()
		}
		if n, err := g.Shutdown(within(t), nil); n != 0 || err != nil {
			t.Fatalf("%d closed, %v", n, err)
		}
		all.Wait()
		close(made)
		for q := range made {
			if !isClosed(q.Done()) {
				t.Fatalf("a call of %d is not done", len(made))
			}
		}
		if g.Len() != 0 {
			t.Fatalf("%d are left", g.Len())
		}
	}
}

// The same, at a moment of the test's choice: the group is shutting down its only call.
func TestNoCallComesDuringAShutdown(t *testing.T) {
	t.Parallel()
	var g queue.Group
	var asked bool
	newCall(t, &g, "a", ender(), queue.WithSeam(func(by uint64) {
		if by != queue.ByGroup {
			return
		}
		asked = true
		if q, err := g.New("b", ender()); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("New: %v, want ErrClosed", err)
			q.Close(nil)
		}
	}))
	if n, err := g.Shutdown(within(t), nil); n != 0 || err != nil || !asked {
		t.Errorf("%d closed, %v, asked %v", n, err, asked)
	}
}

// Inline callbacks are made on the goroutine that changed the state, and one that does not return
// holds it up: not that which shuts down a group.
func TestAnInlineCallbackHoldsUpNoOtherCallOfItsGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		held := make(chan struct{})
		var g queue.Group
		blocks := queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Closed {
				<-held
			}
		})
		exits := queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Closed {
				runtime.Goexit()
			}
		})
		stops := &queuetest.Media{OnStop: func(queue.Task) { <-held }}
		for i := range 10 {
			newCall(t, &g, fmt.Sprint("blocks", i), ender(), queue.WithInlineObserver(blocks))
			newCall(t, &g, fmt.Sprint("exits", i), ender(), queue.WithInlineObserver(exits))
			enqueue(t, newCall(t, &g, fmt.Sprint("stops", i), stops, queue.WithInlineMedia()), 1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		n, err := g.Shutdown(ctx, nil)
		if n != 10 || err == nil || time.Since(start) != time.Second {
			t.Errorf("%d closed, %v, after %v", n, err, time.Since(start))
		}
		time.Sleep(queue.DefaultStopTimeout)
		synctest.Wait()
		if n := g.Len(); n != 10 { // whose observer is in its callback
			t.Errorf("%d are left, want 10", n)
		}
		close(held)
		if err := g.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// 10,000 calls, of which 100 have media that hangs, are over within 10 s, and one goroutine, that of
// the caller, waits for all of them. Not parallel: it counts goroutines.
func TestTenThousandCallsAreShutDown(t *testing.T) { //nolint:paralleltest // see above
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		var g queue.Group
		shared := queue.Options(quiet)
		const inStart = 50
		for i := range 10_000 {
			m := lasting(time.Duration(i%4) * 500 * time.Millisecond)
			switch {
			case i < inStart:
				m = &queuetest.Media{OnStart: func(queue.Task) error { <-held; return nil }}
			case i < 100:
				m = &queuetest.Media{OnStop: func(queue.Task) {}} // it reports nothing, ever
			}
			enqueue(t, newCall(t, &g, strconv.Itoa(i), m, shared), 2)
		}
		synctest.Wait()
		goroutines := len(ofThisBubble())
		start := time.Now()
		look := func() {
			if n := len(ofThisBubble()); n > goroutines+2 { // this one, and a timer's
				t.Errorf("after %v: %d goroutines, %d before", time.Since(start), n, goroutines)
			}
		}
		time.AfterFunc(3500*time.Millisecond, look) // all others have ended
		time.AfterFunc(7*time.Second, look)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if n, err := g.Shutdown(ctx, operation.ShutDown); n != 100 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d closed, want 100: %v", n, err)
		}
		if n := g.Len(); n != 100 {
			t.Errorf("%d are left, want 100", n)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		if err := g.Drain(ctx); err != nil || g.Len() != 0 || time.Since(start) > 10*time.Second {
			t.Errorf("Drain: %v, %d calls, after %v", err, g.Len(), time.Since(start))
		}
		close(held)
	})
}

// The loop over a group may do what it likes, and others meanwhile too.
func TestCallsComeAndGoDuringAnIteration(t *testing.T) {
	t.Parallel()
	var g queue.Group
	for i := range 50 {
		newCall(t, &g, strconv.Itoa(i), ender())
	}
	var others sync.WaitGroup
	stop := make(chan struct{})
	for p := range 2 {
		others.Go(func() {
			for i := 0; !isClosed(stop); i++ {
				if q, err := g.New(fmt.Sprint("more", p, i), ender()); err != nil || q.Close(nil).Len() != 0 {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		stay := 0
		for id, q := range g.All() {
			if q.CallID() != id {
				t.Fatalf("%s as %s", q.CallID(), id)
			}
			if len(id) <= 2 {
				stay++
			}
			if got, ok := g.Queue(id); ok && got != q {
				t.Fatal("another call")
			}
			g.Len()
		}
		if stay != 50 {
			t.Fatalf("%d of 50 that stay", stay)
		}
		for range g.All() {
			break
		}
	}
	close(stop)
	others.Wait()
	for id, q := range g.All() {
		q.Close(nil)
		newCall(t, &g, id, ender())
		break
	}
}

// What a call costs in a group beside what it costs alone; alone it costs nothing, see
// TestAnIdleCallIsSmall.
func TestACallOfAGroupIsSmall(t *testing.T) { //nolint:paralleltest // it measures the heap
	const n = 20_000
	ids := make([]string, n) // the platform has them
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	shared := queue.Options(queue.WithInlineMedia())
	cost := func(add func(id string) *queue.Queue) float64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		all := make([]*queue.Queue, n)
		for i, id := range ids {
			all[i] = add(id)
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(all)
		return float64(after.HeapAlloc-before.HeapAlloc) / n
	}
	must := func(q *queue.Queue, err error) *queue.Queue {
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	alone := cost(func(id string) *queue.Queue { return must(queue.New(id, instant{}, shared)) })
	var g queue.Group
	grouped := cost(func(id string) *queue.Queue { return must(g.New(id, instant{}, shared)) })
	t.Logf("%.0f bytes alone, %.0f in a group", alone, grouped)
	if math.Round(grouped-alone) > 120 {
		t.Errorf("%.0f bytes more in a group, want at most 120", grouped-alone)
	}
	runtime.KeepAlive(&g)
}
