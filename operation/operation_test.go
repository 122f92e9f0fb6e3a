package operation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

func TestAnOperationShowsWhatItIs(t *testing.T) {
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
		t.Error("the values are still there, or more is gone")
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
	own, running, waiting := accepted(t, g, operation.Spec{}), accepted(t, g, operation.Spec{}), new(operation.Control)
	waiting.Init(operation.Spec{Request: &operation.RecordResponse{}, Context: t.Context()})
	waiting.Accept(g, time.Now())
	all := []*operation.Control{own, running, waiting}
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
	g.End(operation.Cancelled, nil, at, 0)
	own.Progress(9 * time.Second) // too late
	wants := map[*operation.Control]operation.Result{own: result, running: {Reason: operation.Cancelled}, waiting: {Reason: operation.Cancelled}}
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
	if own.Operation().Position() != 9*time.Second || !running.Operation().Times().Ended.Equal(at) {
		t.Errorf("%v, %v", own.Operation().Position(), running.Operation().Times())
	}
	if waiting.Start(time.Now()) == nil {
		t.Error("a cancelled one was started")
	}
}

// The protocol of reading, hammered: an operation that completed just before its generation was
// ended never reads as cancelled, and once one that was cancelled reads as failed all of them do.
func TestReadersSeeOneInstant(t *testing.T) { // alone, since its readers spin
	for round := range 150 {
		g := new(operation.Generation)
		completed := accepted(t, g, operation.Spec{})
		cancelled := make([]*operation.Control, 8)
		all := g // that are to be ended
		if round%2 == 1 {
			all = new(operation.Generation)
			g.Link(all)
		}
		for i := range cancelled {
			cancelled[i] = accepted(t, []*operation.Generation{g, all}[i%2], operation.Spec{})
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
					for i := range cancelled {
						op := cancelled[(i*5+pass)%len(cancelled)].Operation()
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
		all.End(operation.Cancelled, nil, time.Now(), 0)
		wg.Wait()
		if wrong.Load() > 0 {
			t.Fatalf("round %d: %d wrong reads", round, wrong.Load())
		}
	}
}

// Done and the task's context, asked for while the end comes: closed and cancelled once, always.
func TestDoneIsClosedForWhoeverAsks(t *testing.T) {
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
			g.End(operation.Cancelled, nil, time.Now(), 0)
		} else if err := c.End(&operation.Result{Reason: operation.Cancelled}, time.Now()); err != nil {
			t.Fatal(err)
		}
		c.NotifyDone()
		c.ReleaseValues()
		wg.Wait()
	}
}

// Two may find that the channel has to be closed: who made it too late, and who ended the
// operation. Not parallel: the two must meet within nanoseconds, on two processors.
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

func TestWaitReturnsAtTheEndOrTheContexts(t *testing.T) {
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

// mute is a context that has ended and does not say why, nor that it has.
type mute struct {
	context.Context

	done chan struct{}
}

func (c mute) Done() <-chan struct{} { return c.done }
func (c mute) Err() error            { return nil }

// Without an error from Wait the operation has ended, also where a context does not say why it has.
func TestWaitForWhatLivesOnIsAnError(t *testing.T) {
	t.Parallel()
	ctx := mute{t.Context(), make(chan struct{})}
	close(ctx.done)
	op := accepted(t, new(operation.Generation), operation.Spec{}).Operation()
	if r, err := op.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", r, err)
	}
}

// If both have ended when Wait returns, the operation counts, whichever woke it.
func TestWaitPrefersTheOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := accepted(t, new(operation.Generation), operation.Spec{})
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error)
		go func() {
			_, err := c.Operation().Wait(ctx)
			got <- err
		}()
		synctest.Wait()
		if err := c.End(&operation.Result{Reason: operation.Succeeded}, time.Now()); err != nil {
			t.Error(err)
		}
		cancel() // before NotifyDone, which is what else would wake it
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

// The methods of a cause may panic, as those of many a typed nil do, or unwrap to itself for ever:
// the text of an error comes all the same.
func TestAnErrorHasATextForAnyCause(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cause error
		says  string
	}{
		"typed nil":            {(*os.PathError)(nil), "bargedIn (400/8508): <nil>"},
		"unwraps to itself":    {&endless{}, "bargedIn (400/8508): endless"},
		"names the reason":     {fmt.Errorf("key 1: %w", operation.BargedIn), "key 1: bargedIn (400/8508)"},
		"names another reason": {operation.Cancelled, "bargedIn (400/8508): cancelled (400/8508)"},
		"is none":              {nil, "bargedIn (400/8508)"},
	} {
		err := &operation.Error{Kind: "k", Reason: operation.BargedIn, Err: test.cause}
		if got, want := err.Error(), "operation: k "+uuid.Nil.String()+": "+test.says; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Whoever prints an operation, its context or its result reads it like others, and shows nobody what
// is attached to it, nor the token of a recording. It is the race detector that fails here.
func TestWhatIsPrintedIsSafeAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "secret"
	c := accepted(t, new(operation.Generation), operation.Spec{
		Request: &operation.RecordResponse{}, Value: secret, ClientContext: secret,
		Context: context.WithValue(t.Context(), key(secret), secret),
	})
	op := c.Operation()
	var media sync.WaitGroup
	media.Go(func() {
		c.Progress(time.Second)
		op.Done()
		_ = c.End(&operation.Result{
			Reason: operation.StopTone, Recording: operation.Recording{Location: "https://r", AccessToken: secret, Duration: time.Second},
		}, time.Now())
	})
	printed := func() string {
		r, _ := op.Result()
		var text strings.Builder
		for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
			slog.New(h).Info("logged", slog.Any("operation", op), slog.Any("context", op.Context()),
				slog.Any("recording", r.Recording))
		}
		slog.New(slog.NewTextHandler(&text, nil)).Info("logged", slog.Any("result", r))
		fmt.Fprintf(&text, "%v %+v %s\n%v\n%+v", op, op, op, op.Context(), r)
		return text.String()
	}
	for range 10 {
		printed()
	}
	media.Wait()
	all := printed()
	if strings.Contains(all, secret) {
		t.Errorf("a secret is printed:\n%s", all)
	}
	id := op.ID().String()
	for _, want := range []string{
		"recordResponse " + id + " completed: stopTone (200/8514)", "operation.Context(" + id + ")", "https://r (1s)",
		"recording.location=https://r recording.duration=1s",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	runs := accepted(t, new(operation.Generation), operation.Spec{Request: &operation.RecordResponse{}}).Operation()
	if got, want := runs.String(), "recordResponse "+runs.ID().String()+" running"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNothingReadsAsNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []*operation.Operation{nil, {}} {
		if r, ok := op.Result(); ok || r != (operation.Result{}) {
			t.Errorf("%+v", r)
		}
		if op.ID() != uuid.Nil || op.Request() != nil || op.Kind() != "" || op.ClientContext() != "" || op.Value() != nil ||
			op.DetachedContext() == nil || op.Position() != 0 || op.Status() != 0 || op.Times() != (operation.Times{}) || op.Err() != nil ||
			op.Live() || op.String() != "no operation" {
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
	g.End(operation.Cancelled, nil, time.Now(), 0)
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
