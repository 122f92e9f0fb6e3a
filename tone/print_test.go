package tone_test

import (
	"fmt"
	"sync"
	"testing"

	"ivrqueue/tone"
)

// What is given to package fmt is not read without the stream's lock, and shows no keys.
func TestStreamsArePrinted(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	h, err := s.Handle(tone.All, func(tone.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v %s", &s, sub, h)
		}
	})
	press(t, &s, 5)
	sub.TryNext()
	all.Wait()
	wantPrinted(t, &s, "tone stream, 5 tones so far")
	wantPrinted(t, sub, "tone subscription, 1 of 5 tones read")
	s.End()
	<-h.Done()
	wantPrinted(t, &s, "tone stream, ended after 5 tones")
	wantPrinted(t, h, "tone handler, 5 of 5 tones read")
	wantPrinted(t, new(tone.Subscription), "tone subscription, of no stream")
}

func wantPrinted(t *testing.T, v any, want string) {
	t.Helper()
	if got := fmt.Sprintf("%+v", v); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
