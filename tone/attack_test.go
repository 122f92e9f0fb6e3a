package tone_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"ivrqueue/tone"
)

// hostileContext panics in each of its methods, also as a typed nil.
type hostileContext struct{ says string }

func (c *hostileContext) Deadline() (time.Time, bool) { panic(c.says) }
func (c *hostileContext) Done() <-chan struct{}       { panic(c.says) }
func (c *hostileContext) Err() error                  { panic(c.says) }
func (c *hostileContext) Value(any) any               { panic(c.says) }

func TestNextReturnsAnErrorForAContextThatPanics(t *testing.T) {
	t.Parallel()
	for name, ctx := range map[string]context.Context{
		"typed nil":  (*hostileContext)(nil),
		"panics":     &hostileContext{"of a context"},
		"embeds nil": struct{ context.Context }{},
	} {
		var s tone.Stream
		sub := s.Subscribe()
		if _, err := sub.Next(ctx); err == nil || !strings.Contains(err.Error(), "tone: Next: context") {
			t.Errorf("%s: %v; want an error that names the context", name, err)
		}
		press(t, &s, 1)
		if e, ok := sub.TryNext(); !ok || e.Seq != 1 {
			t.Errorf("%s: afterwards: %+v, %v", name, e, ok)
		}
	}
}

// muteContext is a context that has ended and does not say why, nor that it has.
type muteContext struct {
	context.Context

	done chan struct{}
}

func (c muteContext) Done() <-chan struct{} { return c.done }
func (c muteContext) Err() error            { return nil }

func TestNextReturnsAnErrorForAContextWithoutOne(t *testing.T) {
	t.Parallel()
	ctx := muteContext{t.Context(), make(chan struct{})}
	close(ctx.done)
	var s tone.Stream
	if e, err := s.Subscribe().Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", e, err)
	}
}

// pressingContext has ended, and a key is pressed at the moment that somebody asks when it ends.
type pressingContext struct {
	context.Context

	press func()
}

func (c pressingContext) Done() <-chan struct{} {
	c.press()
	return c.Context.Done()
}

// What is there is returned even if the context is over, whichever of them woke Next.
func TestNextPrefersATone(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // of two channels that are ready, select takes either
		var s tone.Stream
		sub := s.Subscribe()
		e, err := sub.Next(pressingContext{over, func() { press(t, &s, 1) }})
		if err != nil || e.Seq != 1 {
			t.Fatalf("a tone is there, and Next said %+v, %v", e, err)
		}
	}
}

// What a stream keeps for those who lag is bounded in bytes, not in tones alone.
func TestAParticipantIsBounded(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	for n, want := range map[int]bool{0: true, tone.MaxParticipant: true, tone.MaxParticipant + 1: false} {
		_, err := s.PublishFrom(strings.Repeat("x", n), tone.Tone1)
		e, ok := sub.TryNext()
		if (err == nil) != want || ok != want || ok && len(e.Participant) != n {
			t.Errorf("%d bytes: %v, %+v", n, err, e)
		}
	}
}

// A subscription that is kept after its end keeps nothing of whoever handled its tones.
func TestASubscriptionThatIsOverLetsGoOfItsHandler(t *testing.T) {
	t.Parallel()
	type session struct{ _ [256]byte }
	for name, end := range map[string]func(s *tone.Stream, sub *tone.Handler){
		"closed":         func(_ *tone.Stream, sub *tone.Handler) { sub.Close() },
		"stream's end":   func(s *tone.Stream, _ *tone.Handler) { s.End() },
		"both":           func(s *tone.Stream, sub *tone.Handler) { s.End(); sub.Close() },
		"closed, behind": func(s *tone.Stream, sub *tone.Handler) { press(t, s, 9); sub.Close() },
		"ended, behind":  func(s *tone.Stream, _ *tone.Handler) { press(t, s, 9); s.End() },
	} {
		var s tone.Stream
		var held weak.Pointer[session]
		sub := func() *tone.Handler {
			own := new(session)
			held = weak.Make(own)
			sub, err := s.Handle(tone.All, func(tone.Event) { runtime.KeepAlive(own) })
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}()
		press(t, &s, 3)
		end(&s, sub)
		<-sub.Done()
		for over := time.Now().Add(time.Minute); held.Value() != nil && time.Now().Before(over); runtime.GC() {
			time.Sleep(time.Millisecond) // whoever called it may not be through yet
		}
		if held.Value() != nil {
			t.Errorf("%s: what handled the tones is still there", name)
		}
		runtime.KeepAlive(sub)
	}
}
