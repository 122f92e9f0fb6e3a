package tone_test

import (
	"context"
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
		select {
		case <-sub.Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: not done", name)
		}
		for range 20 {
			if runtime.GC(); held.Value() == nil {
				break
			}
		}
		if held.Value() != nil {
			t.Errorf("%s: what handled the tones is still there", name)
		}
		runtime.KeepAlive(sub)
	}
}
