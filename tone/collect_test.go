package tone_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/tone"
)

// dial publishes the tones of these characters.
func dial(t testing.TB, s *tone.Stream, chars string) {
	t.Helper()
	for _, r := range chars {
		key, err := tone.FromChar(r)
		if err != nil {
			t.Error(err)
		}
		if _, err := s.Publish(key); err != nil {
			t.Error(err)
		}
	}
}

// collect collects without an error.
func collect(t testing.TB, sub *tone.Subscription, o tone.CollectOptions) tone.Collected {
	t.Helper()
	c, err := sub.Collect(t.Context(), o)
	if err != nil {
		t.Error(err)
	}
	return c
}

// is checks a result, and that its tones are numbered without gaps from first to last.
func is(t testing.TB, c tone.Collected, why tone.Reason, digits string, first, last uint64) {
	t.Helper()
	ok := c.Reason == why && c.Digits == digits && uint64(len(c.Tones)) == last+1-first
	for i, e := range c.Tones {
		ok = ok && e.Seq == first+uint64(i)
	}
	if !ok {
		t.Errorf("%v with %q of %+v; want %v with %q of tones %d to %d", c.Reason, c.Digits, c.Tones, why, digits, first, last)
	}
}

func TestBadCollectOptionsAreNamed(t *testing.T) {
	t.Parallel()
	pattern := tone.MustCompilePattern(`1\d{3}`)
	match := func(string) tone.Verdict { return tone.Complete }
	pound := tone.SetOf(tone.Pound)
	for _, c := range []struct {
		name string
		o    tone.CollectOptions
		want string
	}{
		{"Max below 0", tone.CollectOptions{Max: -1}, "Max -1, must be 0 to 128"},
		{"Max above the limit", tone.CollectOptions{Max: 129}, "Max 129, must be 0 to 128"},
		{"Max of all", tone.CollectOptions{Max: math.MaxInt}, "must be 0 to 128"},
		{"Min below 0", tone.CollectOptions{Min: -1}, "Min -1, must be 0 to 128"},
		{"Min above Max", tone.CollectOptions{Min: 5, Max: 4}, "Min 5, must be 0 to 4"},
		{"Min above the limit", tone.CollectOptions{Min: 129}, "Min 129, must be 0 to 128"},
		{"StopTones", tone.CollectOptions{StopTones: 1}, "StopTones has what is no tone"},
		{"all StopTones", tone.CollectOptions{StopTones: tone.All}, "StopTones has all tones"},
		{"KeepStopTone alone", tone.CollectOptions{KeepStopTone: true}, "KeepStopTone without StopTones"},
		{"TermTimeout alone", tone.CollectOptions{TermTimeout: 1}, "TermTimeout without StopTones"},
		{"FirstTimeout", tone.CollectOptions{FirstTimeout: -1}, "FirstTimeout -1ns, must not be negative"},
		{"InterDigitTimeout", tone.CollectOptions{InterDigitTimeout: -time.Second}, "InterDigitTimeout -1s, must not be negative"},
		{"TermTimeout", tone.CollectOptions{StopTones: pound, TermTimeout: -1}, "TermTimeout -1ns, must not be negative"},
		{"OverallTimeout", tone.CollectOptions{OverallTimeout: math.MinInt64}, "OverallTimeout -2562047h47m16.854775808s, must not be negative"},
		{"Pattern and Match", tone.CollectOptions{Pattern: pattern, Match: match}, "both Pattern and Match"},
		{"zero Pattern", tone.CollectOptions{Pattern: new(tone.Pattern)}, "Pattern was not made by CompilePattern"},
		{"Pattern above Max", tone.CollectOptions{Pattern: pattern, Max: 3}, `Pattern "1\\d{3}" matches nothing of 1 to 3 digits`},
		{"Pattern below Min", tone.CollectOptions{Pattern: pattern, Min: 5}, "matches nothing of 5 to 128 digits"},
		{"Pattern of stop tones", tone.CollectOptions{Pattern: pattern, StopTones: tone.SetOf(tone.Tone1)}, "that are no stop tones"},
		{"KeepAfter what was not published", tone.CollectOptions{TypeAhead: tone.KeepAfter(4)}, "KeepAfter tone 4, must be at most 3, the last"},
		{"KeepSince never", tone.CollectOptions{TypeAhead: tone.KeepSince(time.Time{})}, "KeepSince the zero time"},
	} {
		var s tone.Stream
		sub := s.Subscribe()
		dial(t, &s, "123")
		got, err := sub.Collect(t.Context(), c.o)
		if err == nil || !strings.HasPrefix(err.Error(), "tone: Collect: ") || !strings.Contains(err.Error(), c.want) || got.Reason != 0 {
			t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.want)
		}
		is(t, collect(t, sub, tone.CollectOptions{Max: 3}), tone.MaxDigits, "123", 1, 3) // nothing was read
	}
}

func TestCollectAtItsLimits(t *testing.T) {
	t.Parallel()
	for _, o := range []tone.CollectOptions{
		{Min: 128, Max: 128},
		{Min: 128},
		{Max: 1},
		{Min: 128, FirstTimeout: math.MaxInt64, InterDigitTimeout: math.MaxInt64, OverallTimeout: math.MaxInt64},
	} {
		var s tone.Stream
		sub := s.Subscribe()
		dial(t, &s, strings.Repeat("1", 128))
		n := max(o.Max, o.Min)
		is(t, collect(t, sub, o), tone.MaxDigits, strings.Repeat("1", n), 1, uint64(n))
	}
}

func TestCollectRefusesWhatIsNoSubscriptionOrContext(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	for name, c := range map[string]struct {
		sub  *tone.Subscription
		ctx  context.Context
		want string
	}{
		"nil subscription":  {nil, t.Context(), "subscription was not made by Subscribe"},
		"zero subscription": {new(tone.Subscription), t.Context(), "subscription was not made by Subscribe"},
		"nil context":       {sub, nil, "nil context"},
		"typed nil":         {sub, (*hostileContext)(nil), "context *tone_test.hostileContext panicked"},
		"embeds nil":        {sub, struct{ context.Context }{}, "panicked"},
	} {
		if _, err := c.sub.Collect(c.ctx, tone.CollectOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dial(t, &s, "1")
	is(t, collect(t, sub, tone.CollectOptions{Max: 1}), tone.MaxDigits, "1", 1, 1)
}

// halfContext is over, and panics when it is asked why, or says nothing.
type halfContext struct {
	context.Context

	done   chan struct{}
	panics bool
}

func (c *halfContext) Done() <-chan struct{} { return c.done }
func (c *halfContext) Value(any) any         { return nil }

func (c *halfContext) Err() error {
	if c.panics {
		panic("of a context")
	}
	return nil
}

func TestAContextThatHasEndedCollectsNothing(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	close(closed)
	why := errors.New("the reason")
	dead, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for name, c := range map[string]struct {
		ctx  context.Context
		want error
	}{
		"dead":         {dead, why},
		"says nothing": {&halfContext{t.Context(), closed, false}, context.Canceled},
		"panics":       {&halfContext{t.Context(), closed, true}, nil},
	} {
		var s tone.Stream
		sub := s.Subscribe()
		dial(t, &s, "1")
		got, err := sub.Collect(c.ctx, tone.CollectOptions{Max: 1, TypeAhead: tone.Discard()})
		if err != nil || got.Err == nil || c.want != nil && !errors.Is(got.Err, c.want) {
			t.Errorf("%s: %v, %v", name, got.Err, err)
		}
		is(t, got, tone.Cancelled, "", 1, 0)
		is(t, collect(t, sub, tone.CollectOptions{Max: 1}), tone.MaxDigits, "1", 1, 1)
	}
}

// What was not read when the context ended stays, whatever it would have completed.
func TestACancelEndsTheCollectionAndLeavesItsTones(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		sub := s.Subscribe()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("barge-in")
		began := time.Now()
		time.AfterFunc(time.Second, func() { dial(t, &s, "1") })
		time.AfterFunc(2*time.Second, func() {
			cancel(why)
			dial(t, &s, "23")
		})
		c, err := sub.Collect(ctx, tone.CollectOptions{Max: 3, FirstTimeout: 5 * time.Second, InterDigitTimeout: 5 * time.Second})
		if err != nil || !errors.Is(c.Err, why) || time.Since(began) != 2*time.Second {
			t.Errorf("%v, %v after %v", c.Err, err, time.Since(began))
		}
		is(t, c, tone.Cancelled, "1", 1, 1)
		is(t, collect(t, sub, tone.CollectOptions{Max: 2}), tone.MaxDigits, "23", 2, 3)
	})
}

func TestTimeoutsEndToTheMillisecond(t *testing.T) {
	t.Parallel()
	type press struct {
		after time.Duration
		chars string
	}
	s, ms := time.Second, time.Millisecond
	const before, never time.Duration = -1, -2
	for _, c := range []struct {
		name   string
		o      tone.CollectOptions
		prompt time.Duration // closes FirstAfter, unless 0
		keys   []press
		why    tone.Reason
		digits string
		end    time.Duration
	}{
		{"first", tone.CollectOptions{FirstTimeout: 5 * s}, 0, nil, tone.FirstTimeout, "", 5 * s},
		{"first, channel closed before", tone.CollectOptions{FirstTimeout: 5 * s}, before, nil, tone.FirstTimeout, "", 5 * s},
		{"first, after the prompt", tone.CollectOptions{FirstTimeout: 5 * s}, 7 * s, nil, tone.FirstTimeout, "", 12 * s},
		{"first, never begins", tone.CollectOptions{FirstTimeout: 5 * s, OverallTimeout: 60 * s}, never, nil, tone.OverallTimeout, "", 60 * s},
		{"key during the prompt", tone.CollectOptions{Min: 2, FirstTimeout: 5 * s, InterDigitTimeout: 2 * s}, 7 * s, []press{{6 * s, "1"}}, tone.InterDigitTimeout, "1", 8 * s},
		{"key long before the prompt's end", tone.CollectOptions{Min: 2, FirstTimeout: 5 * s, InterDigitTimeout: 2 * s}, 60 * s, []press{{s, "1"}}, tone.InterDigitTimeout, "1", 3 * s},
		{"all keys during the prompt", tone.CollectOptions{Max: 2, FirstTimeout: 5 * s}, 7 * s, []press{{3 * s, "1"}, {s, "2"}}, tone.MaxDigits, "12", 4 * s},
		{"key before the first timeout", tone.CollectOptions{Min: 2, FirstTimeout: 5 * s, InterDigitTimeout: 2 * s}, 0, []press{{5*s - ms, "1"}}, tone.InterDigitTimeout, "1", 7*s - ms},
		{"key after it", tone.CollectOptions{Max: 1, FirstTimeout: 5 * s}, 0, []press{{5*s + ms, "1"}}, tone.FirstTimeout, "", 5 * s},
		{"inter-digit, from each key", tone.CollectOptions{Min: 4, InterDigitTimeout: 2 * s}, 0, []press{{s, "1"}, {2*s - ms, "2"}, {2*s - ms, "3"}}, tone.InterDigitTimeout, "123", 7*s - 2*ms},
		{"inter-digit, complete", tone.CollectOptions{Pattern: tone.MustCompilePattern("1|12"), InterDigitTimeout: 2 * s}, 0, []press{{s, "1"}}, tone.Matched, "1", 3 * s},
		{"term", tone.CollectOptions{Max: 1, StopTones: tone.SetOf(tone.Pound), TermTimeout: s}, 0, []press{{s, "1"}}, tone.MaxDigits, "1", 2 * s},
		{"term, another key", tone.CollectOptions{Max: 1, StopTones: tone.SetOf(tone.Pound), TermTimeout: 9 * s}, 0, []press{{s, "1"}, {s, "2"}}, tone.MaxDigits, "1", 2 * s},
		{"overall", tone.CollectOptions{Min: 9, InterDigitTimeout: 2 * s, OverallTimeout: 3 * s}, 0, []press{{s, "1"}, {s, "2"}}, tone.OverallTimeout, "12", 3 * s},
	} {
		synctest.Test(t, func(t *testing.T) {
			var stream tone.Stream
			sub := stream.Subscribe()
			done := make(chan struct{}) // of this bubble
			switch {
			case c.prompt > 0:
				c.o.FirstAfter = done
				time.AfterFunc(c.prompt, func() { close(done) })
			case c.prompt == before:
				c.o.FirstAfter = done
				close(done)
			case c.prompt == never:
				c.o.FirstAfter = done
			}
			began := time.Now()
			var pressed sync.WaitGroup
			defer pressed.Wait()
			pressed.Go(func() {
				for _, k := range c.keys {
					time.Sleep(k.after)
					dial(t, &stream, k.chars)
				}
			})
			got := collect(t, sub, c.o)
			if got.Reason != c.why || got.Digits != c.digits || time.Since(began) != c.end {
				t.Errorf("%s: %v with %q after %v; want %v with %q after %v",
					c.name, got.Reason, got.Digits, time.Since(began), c.why, c.digits, c.end)
			}
		})
	}
}

// A tone that was published when the timeout ended counts, one that came a nanosecond later does
// not, however late somebody looks. The one that does not stays.
func TestAToneAtTheInstantOfATimeoutCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for late, want := range map[time.Duration]string{0: "12", 1: "1"} {
			var s tone.Stream
			sub := s.Subscribe()
			time.AfterFunc(time.Second+late, func() { dial(t, &s, "2") })
			looked := false
			dial(t, &s, "1")
			c := collect(t, sub, tone.CollectOptions{
				InterDigitTimeout: time.Second,
				Match: func(string) tone.Verdict {
					if !looked {
						time.Sleep(5 * time.Second) // the collector looks late
					}
					looked = true
					return tone.Incomplete
				},
			})
			is(t, c, tone.InterDigitTimeout, want, 1, uint64(len(want)))
			if _, left := sub.TryNext(); left != (late > 0) {
				t.Errorf("%v late: left %v", late, left)
			}
		}
	})
}

// Whoever waits for Ready hears of a tone that a collection looked at and left.
func TestReadySignalsWhatACollectionLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		sub := s.Subscribe()
		time.AfterFunc(1*time.Second, func() { dial(t, &s, "1") })
		time.AfterFunc(2*time.Second, func() { dial(t, &s, "2") })
		c := collect(t, sub, tone.CollectOptions{Max: 1, StopTones: tone.SetOf(tone.Pound), TermTimeout: 9 * time.Second})
		is(t, c, tone.MaxDigits, "1", 1, 1)
		<-sub.Ready()
		if e, ok := sub.TryNext(); !ok || e.Tone != tone.Tone2 {
			t.Errorf("left is %+v, %v", e, ok)
		}
	})
}

func TestTheEndOfTheCallEndsTheCollection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		sub := s.Subscribe()
		time.AfterFunc(time.Second, func() {
			dial(t, &s, "12") // are read first
			s.End()
		})
		c := collect(t, sub, tone.CollectOptions{Max: 3, FirstTimeout: 5 * time.Second})
		is(t, c, tone.CallEnded, "12", 1, 2)
		if c.Err != nil || c.Reason.Subcode() != 8528 {
			t.Errorf("%v, %d", c.Err, c.Reason.Subcode())
		}
		is(t, collect(t, sub, tone.CollectOptions{}), tone.CallEnded, "", 1, 0)

		var complete tone.Stream
		sub = complete.Subscribe()
		dial(t, &complete, "123")
		complete.End()
		is(t, collect(t, sub, tone.CollectOptions{Max: 2}), tone.MaxDigits, "12", 1, 2)
		is(t, collect(t, sub, tone.CollectOptions{TypeAhead: tone.Discard()}), tone.CallEnded, "", 1, 0)
	})
}

func TestClosingTheSubscriptionCancelsTheCollection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		waits := s.Subscribe()
		time.AfterFunc(time.Second, waits.Close)
		sub := s.Subscribe()
		dial(t, &s, "1")
		behind := collect(t, sub, tone.CollectOptions{Max: 2, Match: func(string) tone.Verdict {
			dial(t, &s, "2") // and before it is read:
			sub.Close()
			return tone.Incomplete
		}})
		is(t, behind, tone.Cancelled, "1", 1, 1)
		idle := collect(t, waits, tone.CollectOptions{Max: 3})
		is(t, idle, tone.Cancelled, "12", 1, 2)
		if !errors.Is(behind.Err, tone.ErrClosed) || !errors.Is(idle.Err, tone.ErrClosed) {
			t.Error(behind.Err, idle.Err)
		}
		for _, ahead := range []tone.TypeAhead{tone.KeepAll(), tone.Discard(), tone.KeepAfter(1), tone.KeepSince(time.Now())} {
			is(t, collect(t, sub, tone.CollectOptions{TypeAhead: ahead}), tone.Cancelled, "", 1, 0)
		}
	})
}

func TestTypeAheadIsKeptOrDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		since := func(d time.Duration) func(time.Time) tone.TypeAhead {
			return func(first time.Time) tone.TypeAhead { return tone.KeepSince(first.Add(d)) }
		}
		always := func(a tone.TypeAhead) func(time.Time) tone.TypeAhead {
			return func(time.Time) tone.TypeAhead { return a }
		}
		for name, c := range map[string]struct {
			ahead  func(first time.Time) tone.TypeAhead
			digits string
			first  uint64
		}{
			"zero":                 {always(tone.TypeAhead{}), "1239", 1},
			"all":                  {always(tone.KeepAll()), "1239", 1},
			"none":                 {always(tone.Discard()), "9", 4},
			"after none":           {always(tone.KeepAfter(0)), "1239", 1},
			"after the first":      {always(tone.KeepAfter(1)), "239", 2},
			"after the last":       {always(tone.KeepAfter(3)), "9", 4},
			"since before":         {since(-time.Hour), "1239", 1},
			"since the second one": {since(time.Second), "239", 2},
			"since just after it":  {since(time.Second + 1), "39", 3},
			"since the last":       {since(3 * time.Second), "9", 4},
			"since the future":     {since(time.Hour), "9", 4},
		} {
			first := time.Now()
			var s tone.Stream
			sub := s.Subscribe()
			for _, k := range []string{"1", "2", "3"} {
				dial(t, &s, k)
				time.Sleep(time.Second)
			}
			time.AfterFunc(time.Second, func() { dial(t, &s, "9") })
			got := collect(t, sub, tone.CollectOptions{InterDigitTimeout: 2 * time.Second, TypeAhead: c.ahead(first)})
			is(t, got, tone.Matched, c.digits, c.first, 4)
			if t.Failed() || got.Lost != 0 || sub.Lost() != 0 {
				t.Fatalf("%s: lost %d", name, got.Lost)
			}
		}
	})
}

// At most 256 tones are kept. What else should have been is counted, what was to be dropped is not.
func TestTypeAheadIsBoundedAndItsLossCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := time.Now()
		for name, c := range map[string]struct {
			ahead tone.TypeAhead
			lost  uint64
			first uint64
		}{
			"all":            {tone.KeepAll(), 44, 45},
			"after 10":       {tone.KeepAfter(10), 34, 45},
			"after the lost": {tone.KeepAfter(44), 0, 45},
			"after 50":       {tone.KeepAfter(50), 0, 51},
			"none":           {tone.Discard(), 0, 301},
			"since before":   {tone.KeepSince(before), 44, 45},
			"since later":    {tone.KeepSince(time.Now().Add(time.Hour)), 0, 301},
		} {
			var s tone.Stream
			sub := s.Subscribe()
			press(t, &s, 300)
			if c.first == 301 {
				time.AfterFunc(time.Second, func() { dial(t, &s, "9") })
			}
			got := collect(t, sub, tone.CollectOptions{Max: 1, TypeAhead: c.ahead})
			if got.Lost != c.lost || len(got.Tones) != 1 || got.Tones[0].Seq != c.first || got.Tones[0].Lost != c.lost {
				t.Errorf("%s: %+v", name, got.Tones)
			}
		}
	})
}

// A collection that cannot keep up gets the number too.
func TestLossInACollectionIsCounted(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	dial(t, &s, "1")
	c := collect(t, sub, tone.CollectOptions{Max: 2, Match: func(digits string) tone.Verdict {
		if len(digits) == 2 {
			return tone.Complete
		}
		press(t, &s, 260)
		return tone.Incomplete
	}})
	if c.Reason != tone.MaxDigits || c.Lost != 4 || c.Tones[1].Seq != 6 {
		t.Errorf("%v, lost %d, %+v", c, c.Lost, c.Tones)
	}
}

func TestOneCollectionAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		sub, other := s.Subscribe(), s.Subscribe()
		time.AfterFunc(time.Second, func() {
			if _, err := sub.Collect(t.Context(), tone.CollectOptions{TypeAhead: tone.Discard()}); !errors.Is(err, tone.ErrCollecting) {
				t.Errorf("a second one: %v", err)
			}
			dial(t, &s, "12")
		})
		var wait sync.WaitGroup
		defer wait.Wait()
		wait.Go(func() { is(t, collect(t, other, tone.CollectOptions{Max: 1}), tone.MaxDigits, "1", 1, 1) })
		is(t, collect(t, sub, tone.CollectOptions{Max: 2, Match: func(string) tone.Verdict {
			if _, err := sub.Collect(t.Context(), tone.CollectOptions{}); !errors.Is(err, tone.ErrCollecting) {
				t.Errorf("from Match: %v", err)
			}
			return tone.Incomplete
		}}), tone.NoMatch, "12", 1, 2)
	})
}

// A Match that panics or exits leaves a subscription that can be used.
func TestAMatchThatDoesNotReturnLeavesTheSubscriptionFree(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){"panics": func() { panic("of Match") }, "exits": runtime.Goexit} {
		var s tone.Stream
		sub := s.Subscribe()
		dial(t, &s, "12")
		var wait sync.WaitGroup
		var panicked any
		wait.Go(func() {
			defer func() { panicked = recover() }()
			_, _ = sub.Collect(t.Context(), tone.CollectOptions{
				FirstTimeout: time.Hour,
				Match:        func(string) tone.Verdict { leave(); return tone.Complete },
			})
			t.Errorf("%s: Collect returned", name)
		})
		wait.Wait()
		if (panicked != nil) != (name == "panics") {
			t.Errorf("%s: %v", name, panicked)
		}
		is(t, collect(t, sub, tone.CollectOptions{Max: 1}), tone.MaxDigits, "2", 2, 2)
	}
}

// A thousand collections of one stream and as many of their own, at once.
func TestAThousandCollectionsSideBySide(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	menu := tone.MustCompilePattern(`12?3|\*9`)
	var wait, ready sync.WaitGroup
	for i := range 1000 {
		sub := s.Subscribe()
		own := new(tone.Stream)
		ofOwn := own.Subscribe()
		ready.Add(1)
		wait.Go(func() {
			ready.Done()
			c := collect(t, sub, tone.CollectOptions{Pattern: menu, FirstTimeout: time.Hour, InterDigitTimeout: time.Hour})
			is(t, c, tone.Matched, "123", 1, 3)
			sub.Close()
		})
		wait.Go(func() {
			c := collect(t, ofOwn, tone.CollectOptions{Max: 1 + i%7, OverallTimeout: time.Hour})
			is(t, c, tone.MaxDigits, strings.Repeat("5", 1+i%7), 1, uint64(1+i%7))
		})
		go dial(t, own, strings.Repeat("5", 7))
	}
	ready.Wait()
	dial(t, &s, "123*9")
	wait.Wait()
	if s.Slots() != 0 {
		t.Errorf("%d slots are kept", s.Slots())
	}
}

// Whatever ends collections that follow one another, each tone is in one of them.
func TestNoToneFallsBetweenCollections(t *testing.T) {
	t.Parallel()
	const total = 5_000
	var s tone.Stream
	sub := s.Subscribe()
	room := make(chan struct{}, 200) // so that none is lost
	go func() {
		for i := range total {
			room <- struct{}{}
			dial(t, &s, string('0'+rune(i%10)))
		}
		s.End()
	}()
	random := rand.New(rand.NewPCG(3, 4))
	pattern := tone.MustCompilePattern(`0?1?2?(?:3|45|67*)*8?9?`)
	var last uint64
	reasons := map[tone.Reason]int{}
	for {
		o := tone.CollectOptions{Max: random.IntN(9), InterDigitTimeout: time.Duration(random.IntN(2000)), OverallTimeout: time.Duration(random.IntN(4000))}
		if random.IntN(2) == 0 {
			o.Pattern = pattern
		}
		if random.IntN(2) == 0 {
			o.StopTones, o.TermTimeout = tone.SetOf(tone.Tone7), time.Duration(random.IntN(2000))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(20_000)))
		c, err := sub.Collect(ctx, o)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		reasons[c.Reason]++
		for _, e := range c.Tones {
			if last++; e.Seq != last || c.Lost != 0 {
				t.Fatalf("tone %d follows %d", e.Seq, last-1)
			}
			<-room
		}
		if c.Reason == tone.CallEnded {
			break
		}
	}
	if last != total || len(reasons) < 4 {
		t.Errorf("the last tone was %d, the reasons %v", last, reasons)
	}
}

// Match may call everything that does not wait for tones, and end what it is called in.
func TestMatchMayCallBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do  func(s *tone.Stream, sub *tone.Subscription, cancel func())
		why tone.Reason
		err error
	}{
		"publishes": {func(s *tone.Stream, _ *tone.Subscription, _ func()) { dial(t, s, "2") }, tone.MaxDigits, nil},
		"closes":    {func(_ *tone.Stream, sub *tone.Subscription, _ func()) { sub.Close() }, tone.Cancelled, tone.ErrClosed},
		"ends":      {func(s *tone.Stream, _ *tone.Subscription, _ func()) { s.End() }, tone.CallEnded, nil},
		"cancels":   {func(_ *tone.Stream, _ *tone.Subscription, cancel func()) { cancel() }, tone.Cancelled, context.Canceled},
		"asks": {func(s *tone.Stream, sub *tone.Subscription, _ func()) {
			s.Subscribe().Close()
			<-sub.Ready()
			sub.Lost()
			dial(t, s, "3")
		}, tone.MaxDigits, nil},
	} {
		var s tone.Stream
		sub := s.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		sub.Ready()
		dial(t, &s, "1")
		got, err := sub.Collect(ctx, tone.CollectOptions{Max: 2, Match: func(digits string) tone.Verdict {
			if len(digits) == 2 {
				return tone.Complete
			}
			c.do(&s, sub, cancel)
			return tone.Incomplete
		}})
		cancel()
		if err != nil || got.Reason != c.why || !errors.Is(got.Err, c.err) {
			t.Errorf("%s: %v, %v, %v", name, got, got.Err, err)
		}
	}
}

// What is logged of a result is not the PIN in it.
func TestDigitsDoNotGetIntoLogs(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	dial(t, &s, "7531")
	c := collect(t, sub, tone.CollectOptions{Max: 4})
	var text, json strings.Builder
	untimed := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{} // its nanoseconds can have the digits
		}
		return a
	}}
	slog.New(slog.NewTextHandler(&text, untimed)).Info("collected", slog.Any("result", c))
	slog.New(slog.NewJSONHandler(&json, untimed)).Info("collected", slog.Any("result", c))
	for _, line := range []string{text.String(), json.String(), fmt.Sprint(c), fmt.Sprintf("%v %+v %s", c, c, c)} {
		if strings.Contains(line, "7531") || strings.Contains(line, "tone7") || !strings.Contains(line, "maxDigits") {
			t.Error(line)
		}
	}
	if c.String() != "maxDigits, 4 digits" {
		t.Error(c)
	}
}

func TestTheReasonsHaveTheirNumbers(t *testing.T) {
	t.Parallel()
	for i, w := range []struct {
		r             tone.Reason
		name          string
		code, subcode int
	}{
		{tone.MaxDigits, "maxDigits", 200, 8531},
		{tone.StopTone, "stopTone", 200, 8514},
		{tone.Matched, "matched", 200, 8533},
		{tone.FirstTimeout, "firstTimeout", 400, 8510},
		{tone.InterDigitTimeout, "interDigitTimeout", 400, 8532},
		{tone.OverallTimeout, "overallTimeout", 400, 8532},
		{tone.NoMatch, "noMatch", 400, 8534},
		{tone.CallEnded, "callEnded", 400, 8528},
		{tone.Cancelled, "cancelled", 400, 8508},
	} {
		if int(w.r) != i+1 || !w.r.Valid() || w.r.String() != w.name || w.r.Code() != w.code || w.r.Subcode() != w.subcode ||
			w.r.Message() == "" || w.r.Completed() != (w.code == 200) {
			t.Errorf("%v %d/%d", w.r, w.r.Code(), w.r.Subcode())
		}
	}
	for r, want := range map[tone.Reason]string{0: "no reason", 10: "Reason(10)", 255: "Reason(255)"} {
		if r.Valid() || r.Completed() || r.Code() != 0 || r.Subcode() != 0 || r.Message() != "" || r.String() != want {
			t.Errorf("%v is a reason", r)
		}
	}
}

// A menu whose answer was typed ahead: the collector, its tones, its digits, and the answer.
func TestACollectionAllocatesLittle(t *testing.T) {
	var s tone.Stream
	sub := s.Subscribe()
	menu := tone.MustCompilePattern(`1|12|\*9`)
	ctx := context.Background()
	got := testing.AllocsPerRun(100, func() {
		_, _ = s.Publish(tone.Star)
		_, _ = s.Publish(tone.Tone9)
		if c, err := sub.Collect(ctx, tone.CollectOptions{Pattern: menu, FirstTimeout: time.Second}); err != nil || c.Reason != tone.Matched {
			t.Fatal(c, err)
		}
	})
	if got > 5 {
		t.Errorf("%v allocations", got)
	}
}
