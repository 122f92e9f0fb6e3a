package tone_test

import (
	"strings"
	"testing"

	"ivrqueue/tone"
)

// The zero values that a stream has to make say so, also when they are asked again. That of all
// others is ready, empty, or an error.
func TestAZeroSubscriptionSaysWhoMakesIt(t *testing.T) {
	t.Parallel()
	var sub tone.Subscription
	var h tone.Handler
	for name, call := range map[string]func(){
		"TryNext":      func() { sub.TryNext() },
		"Next":         func() { _, _ = sub.Next(t.Context()) },
		"Ready":        func() { sub.Ready() },
		"Err":          func() { _ = sub.Err() },
		"Lost":         func() { sub.Lost() },
		"Close":        sub.Close,
		"Done":         func() { sub.Done() },
		"Handler.Err":  func() { _ = h.Err() },
		"Handler.Lost": func() { h.Lost() },
		"Close of h":   h.Close,
		"Done of h":    func() { h.Done() },
	} {
		for range 2 {
			if v, _ := panicOf(call).(string); !strings.Contains(v, "Subscribe did not make") {
				t.Errorf("%s panics with %q", name, v)
			}
		}
	}
	if _, err := sub.Collect(t.Context(), tone.CollectOptions{}); err == nil {
		t.Error("Collect takes a zero subscription")
	}
	var s tone.Stream
	var p tone.Pattern
	if _, err := s.Subscribe().Collect(t.Context(), tone.CollectOptions{Pattern: &p}); err == nil || p.String() != "" {
		t.Errorf("Collect takes a zero pattern, %q", p.String())
	}
}

// panicOf returns what f panics with, or nil.
func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}
