package operation_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// accepted makes a running operation, as a queue would.
func accepted(t testing.TB, g *operation.Generation, spec operation.Spec) *operation.Control {
	t.Helper()
	if spec.Request == nil {
		spec.Request = &operation.PlayPrompt{Prompts: prompts(1)}
	}
	if spec.Context == nil {
		spec.Context = context.Background()
	}
	c := new(operation.Control)
	c.Init(spec)
	c.Accept(g, time.Now())
	if err := c.Start(time.Now()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnOperationTellsWhatItIs(t *testing.T) {
	t.Parallel()
	type key struct{}
	id := uuid.New()
	req := &operation.PlayPrompt{Prompts: prompts(2)}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
	cancel()
	c := accepted(t, new(operation.Generation), operation.Spec{ID: id, Request: req, ClientContext: "mine", Context: ctx, Value: 7})
	op := c.Operation()
	if op.ID() != id || op.Request() != operation.Request(req) || op.Kind() != operation.KindPlayPrompt ||
		op.ClientContext() != "mine" || op.Value() != 7 || op.DetachedContext().Value(key{}) != "trace" {
		t.Errorf("%v %v %v %q %v", op.ID(), op.Request(), op.Kind(), op.ClientContext(), op.Value())
	}
	if op.DetachedContext().Err() != nil || c.Operation().Context().Err() != nil || c.Operation().Context().Value(key{}) != "trace" {
		t.Error("the end of Enqueue's context has reached the operation")
	}
	c.ReleaseValues()
	if op.Value() != nil || op.DetachedContext().Value(key{}) != nil || op.ClientContext() != "mine" {
		t.Error("what was lent is still there, or more is gone")
	}
	other := accepted(t, new(operation.Generation), operation.Spec{}).Operation()
	if other.ID() == uuid.Nil || other.ID().Version() != 4 || other.ID().Variant() != uuid.RFC4122 || other.ID() == id {
		t.Errorf("random id %v", other.ID())
	}
}

// Status, Result, Err, Times and Done agree at every step, for both kinds of end.
func TestTheReadingSideAgreesWithItself(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	g := new(operation.Generation)
	own, victim, waiting := accepted(t, g, operation.Spec{}), accepted(t, g, operation.Spec{}), new(operation.Control)
	waiting.Init(operation.Spec{Request: &operation.RecordResponse{}, Context: t.Context()})
	waiting.Accept(g, time.Now())
	all := []*operation.Control{own, victim, waiting}
	for _, c := range all {
		op := c.Operation()
		if r, ok := op.Result(); ok || op.Err() != nil || !op.Times().Ended.IsZero() || !c.Live() || r.Reason != 0 {
			t.Errorf("live: %+v %v %v %v", r, ok, op.Err(), op.Times())
		}
	}
	if !waiting.Operation().Times().Started.IsZero() || own.Operation().Times().Started.IsZero() {
		t.Error("started or not")
	}
	own.Progress(5 * time.Second)
	result := operation.Result{
		Reason: operation.PromptFailed, Err: boom, Position: 5 * time.Second,
		Recording: operation.Recording{Location: "x", AccessToken: "y", Duration: time.Second},
	}
	if err := own.End(&result, time.Now()); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	g.End(operation.Cancelled, at, 0)
	own.Progress(9 * time.Second) // too late
	wants := map[*operation.Control]operation.Result{own: result, victim: {Reason: operation.Cancelled}, waiting: {Reason: operation.Cancelled}}
	for c, want := range wants {
		op := c.Operation()
		done := op.Done()
		c.NotifyDone()
		r, ok := op.Result()
		if !ok || r != want || op.Status() != operation.Failed || c.Live() || op.Times().Ended.IsZero() {
			t.Errorf("%+v, want %+v", r, want)
		}
		var wrapped *operation.Error
		if err := op.Err(); !errors.Is(err, want.Reason) || !errors.As(err, &wrapped) || wrapped.ID != op.ID() ||
			errors.Is(err, boom) != (c == own) || err.Error() == "" {
			t.Errorf("%v", err)
		}
		select {
		case <-done:
		default:
			t.Error("Done is open")
		}
		if err := c.End(&operation.Result{Reason: operation.Succeeded}, time.Now()); err == nil {
			t.Error("ended twice")
		}
		if again, _ := op.Result(); again != want {
			t.Errorf("the result became %+v", again)
		}
	}
	if own.Operation().Position() != 9*time.Second || !victim.Operation().Times().Ended.Equal(at) {
		t.Errorf("%v, %v", own.Operation().Position(), victim.Operation().Times())
	}
	if waiting.Start(time.Now()) == nil {
		t.Error("a victim was started")
	}
}

// The protocol of reading, hammered: an operation that completed just before its generation was
// ended never reads as cancelled, and once one victim reads as failed all of them do.
func TestReadersSeeOneInstant(t *testing.T) { // alone, since its readers spin
	for round := range 150 {
		g := new(operation.Generation)
		completed := accepted(t, g, operation.Spec{})
		victims := make([]*operation.Control, 8)
		for i := range victims {
			victims[i] = accepted(t, g, operation.Spec{})
		}
		var wg, ready sync.WaitGroup
		var wrong atomic.Int32
		for range 2 {
			ready.Add(1)
			wg.Go(func() {
				ready.Done()
				dead := false
				for pass := 0; pass < 3 || !dead; pass++ {
					if r, ok := completed.Operation().Result(); completed.Operation().Status() == operation.Failed || ok && r.Reason != operation.Succeeded {
						wrong.Add(1)
					}
					for i := range victims {
						op := victims[(i*5+pass)%len(victims)].Operation()
						failed := op.Status() == operation.Failed
						if dead && !failed {
							wrong.Add(1)
						}
						if r, ok := op.Result(); failed && (!ok || r.Reason != operation.Cancelled || op.Times().Ended.IsZero()) {
							wrong.Add(1)
						}
						dead = dead || failed
					}
				}
			})
		}
		ready.Wait()
		if err := completed.End(&operation.Result{Reason: operation.Succeeded}, time.Now()); err != nil {
			t.Fatal(err)
		}
		g.End(operation.Cancelled, time.Now(), 0)
		wg.Wait()
		if wrong.Load() > 0 {
			t.Fatalf("round %d: %d wrong reads", round, wrong.Load())
		}
	}
}

// Done and the task's context, asked for while the end comes: closed and cancelled once, always.
func TestWhoeverAsksForDoneIsTold(t *testing.T) {
	t.Parallel()
	for round := range 500 {
		g := new(operation.Generation)
		c := accepted(t, g, operation.Spec{Context: t.Context(), Value: round})
		op := c.Operation()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := op.Wait(t.Context()); !errors.Is(err, operation.Cancelled) {
					t.Errorf("Wait: %v", err)
				}
				ctx := c.Operation().Context()
				<-ctx.Done()
				if !errors.Is(context.Cause(ctx), operation.Cancelled) {
					t.Errorf("cause %v", context.Cause(ctx))
				}
				<-op.Done()
			})
		}
		if round%2 == 0 {
			g.End(operation.Cancelled, time.Now(), 0)
		} else if err := c.End(&operation.Result{Reason: operation.Cancelled}, time.Now()); err != nil {
			t.Fatal(err)
		}
		c.NotifyDone()
		c.ReleaseValues()
		wg.Wait()
	}
}

// Two may find that the channel has to be closed: who made it too late, and who ended the operation.
// Not parallel: the two must meet within nanoseconds, on two processors.
func TestDoneIsClosedOnce(t *testing.T) {
	var next atomic.Pointer[operation.Control]
	var wg sync.WaitGroup
	stop := new(operation.Control)
	wg.Go(func() {
		var last *operation.Control
		for c := next.Load(); c != stop; c = next.Load() {
			if c != last && c != nil {
				last = c
				<-c.Operation().Done() // a second close of it panics
			}
		}
	})
	for round := range 50_000 {
		c := accepted(t, new(operation.Generation), operation.Spec{})
		next.Store(c)
		for i := range round % 100 { // be earlier, at the same time, or later
			c.Progress(time.Duration(i))
		}
		if err := c.End(&operation.Result{Reason: operation.Succeeded}, time.Now()); err != nil {
			t.Fatal(err)
		}
		for i := range round % 7 {
			c.Progress(time.Duration(i))
		}
		c.NotifyDone()
		<-c.Operation().Done()
	}
	next.Store(stop)
	wg.Wait()
}

func TestWaitTellsTheEndOrTheContexts(t *testing.T) {
	t.Parallel()
	c := accepted(t, new(operation.Generation), operation.Spec{})
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := c.Operation().Wait(ctx); !errors.Is(err, enough) {
		t.Errorf("%v, want the cause", err)
	}
	if _, err := c.Operation().Wait(nil); err == nil { //nolint:staticcheck // what if
		t.Error("a nil context is no error")
	}
	if err := c.End(&operation.Result{Reason: operation.StopTone}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Operation().Wait(ctx); err != nil || r.Reason != operation.StopTone {
		t.Errorf("ended, with a dead context: %+v, %v", r, err)
	}
}

func TestNothingReadsAsNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []*operation.Operation{nil, {}} {
		if r, ok := op.Result(); ok || r != (operation.Result{}) {
			t.Errorf("%+v", r)
		}
		if op.ID() != uuid.Nil || op.Request() != nil || op.Kind() != "" || op.ClientContext() != "" || op.Value() != nil ||
			op.DetachedContext() == nil || op.Position() != 0 || op.Status() != 0 || op.Times() != (operation.Times{}) || op.Err() != nil {
			t.Error("it is something")
		}
	}
	var none *operation.Operation
	<-none.Done()
	if _, err := none.Wait(t.Context()); err == nil {
		t.Error("Wait for nothing is no error")
	}
	if ctx := none.Context(); ctx.Err() == nil || !errors.Is(context.Cause(ctx), operation.Unspecified) {
		t.Error("the context of nothing is alive, or of another cause")
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	g := new(operation.Generation)
	c := accepted(t, g, operation.Spec{})
	op := c.Operation()
	read := func() {
		_, _ = op.Result()
		_, _, _ = op.Status(), op.Times(), c.Live()
		c.Progress(time.Second)
	}
	live := testing.AllocsPerRun(100, read)
	g.End(operation.Cancelled, time.Now(), 0)
	if dead := testing.AllocsPerRun(100, read); live+dead != 0 {
		t.Errorf("%v and %v allocations", live, dead)
	}
}

func BenchmarkStatus(b *testing.B) {
	op := accepted(b, new(operation.Generation), operation.Spec{}).Operation()
	for b.Loop() {
		op.Status()
	}
}
