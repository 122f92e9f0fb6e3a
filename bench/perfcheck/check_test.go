package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fake is a tree whose benchmarks take what the test says.
type fake struct {
	figures map[string]figures
	ran     []string // what was run: names
	turns   *strings.Builder
	mark    string
}

func (f *fake) run(_ context.Context, p pick) (samples, error) {
	f.turns.WriteString(f.mark)
	out := samples{}
	for name, units := range f.figures {
		if !matches(p.pattern, name) {
			continue
		}
		f.ran = append(f.ran, name)
		out[name] = map[string][]float64{}
		for unit, v := range units {
			out[name][unit] = []float64{2 * v, v} // the slower one is noise
		}
	}
	return out, nil
}

// matches matches as go test does: part by part.
func matches(pattern, name string) bool {
	return slices.ContainsFunc(alternatives(pattern), func(one string) bool {
		parts, names := strings.Split(one, "/"), strings.Split("Benchmark"+name, "/")
		if len(parts) > len(names) {
			return false
		}
		for i, part := range parts {
			if !regexp.MustCompile(part).MatchString(names[i]) {
				return false
			}
		}
		return true
	})
}

// alternatives splits a pattern at the | that are in no brackets.
func alternatives(pattern string) (all []string) {
	depth, begin := 0, 0
	for i, r := range pattern {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				all, begin = append(all, pattern[begin:i]), i+1
			}
		}
	}
	return append(all, pattern[begin:])
}

// usual has a benchmark for each pick.
func usual() map[string]figures {
	return map[string]figures{
		"LiveCalls/inline/calls=1":      {timeUnit: 400, "allocs/op": 1, "B/op": 208},
		"LiveCalls/default/calls=1":     {timeUnit: 1000, "allocs/op": 3, "B/op": 256},
		"HTTPCancel/ours":               {timeUnit: 9e4, "allocs/op": 150},
		"Burst/default":                 {timeUnit: 4e6},
		"Parallel/inline":               {timeUnit: 200},
		"Contended/inline/producers=1":  {timeUnit: 400},
		"LiveCalls/inline/calls=100000": {timeUnit: 1600},
		"IdleCall/inline":               {timeUnit: 0, "B/call": 320, "goroutines/call": 0, "B/op": 1e6},
	}
}

// compared runs a check of two fakes, with a clock that the test has.
func compared(t *testing.T, reference, today map[string]figures) (*check, string, [2]*fake) {
	t.Helper()
	turns := new(strings.Builder)
	fakes := [2]*fake{
		{figures: reference, turns: turns, mark: "A"}, {figures: today, turns: turns, mark: "B"},
	}
	c := &check{
		reference: fakes[0].run, today: fakes[1].run,
		rounds: 40, limit: time.Minute, now: func() time.Time { return time.Time{} },
	}
	if err := c.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c.print(&out)
	return c, out.String(), fakes
}

func TestEqualTreesPass(t *testing.T) {
	c, out, fakes := compared(t, usual(), usual())
	if names := c.worse(); names != nil {
		t.Errorf("worse: %v", names)
	}
	if n := strings.Count(out, "ok"); n != len(usual()) {
		t.Errorf("%d are ok, want %d:\n%s", n, len(usual()), out)
	}
	if !strings.Contains(out, "320 B/call, 0 goroutines/call\n") {
		t.Errorf("an idle call is not reported by its memory:\n%s", out)
	}
	turns := fakes[0].turns.String()
	if !strings.HasPrefix(turns, strings.Repeat("ABBA", len(picks))+strings.Repeat("BAAB", len(picks))) {
		t.Errorf("the order is %s", turns)
	}
}

func TestWhatBecameWorseIsNamed(t *testing.T) {
	today := usual()
	today["LiveCalls/inline/calls=1"][timeUnit] = 500
	today["LiveCalls/default/calls=1"]["allocs/op"] = 4
	today["IdleCall/inline"]["B/call"] = 336
	c, out, _ := compared(t, usual(), today)
	want := []string{"LiveCalls/inline/calls=1", "LiveCalls/default/calls=1", "IdleCall/inline"}
	if names := c.worse(); !slices.Equal(names, want) {
		t.Errorf("worse: %v, want %v", names, want)
	}
	for _, line := range []string{
		"1.25× (1.25 to 1.25)  WORSE ns/op", "WORSE allocs/op, 3.0 → 4.0 allocs/op", "WORSE B/call",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("it does not say %q:\n%s", line, out)
		}
	}
}

// What was said to be worse is measured again: it is not if it was a bad hour, which may be longer than
// the limit, and is if it stays so.
func TestWhatIsWorseIsSoTwice(t *testing.T) {
	for stays, want := range map[bool][]string{true: {"Burst/default"}, false: nil} {
		all := &fake{figures: usual(), turns: new(strings.Builder)}
		turns := 0
		today := func(ctx context.Context, p pick) (samples, error) {
			got, err := all.run(ctx, p)
			if burst := got["Burst/default"]; burst != nil {
				if turns++; stays || turns <= 2*worseRounds {
					burst[timeUnit] = []float64{5e6}
				}
			}
			return got, err
		}
		c := &check{reference: all.run, today: today, rounds: 100, limit: worseRounds * time.Second}
		ticks := 0
		c.now = func() time.Time { ticks++; return time.Unix(int64(ticks), 0) }
		if err := c.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if names := c.worse(); !slices.Equal(names, want) {
			t.Errorf("stays so: %v: worse: %v, want %v", stays, names, want)
		}
		if most := 2 * (2*worseRounds + 1); turns > most {
			t.Errorf("stays so: %v: %d turns, want %d at most", stays, turns, most)
		}
	}
}

func TestWhatOnlyOneTreeHasIsPrintedAndNotJudged(t *testing.T) {
	reference, today := usual(), usual()
	delete(reference, "Burst/default")
	delete(today, "LiveCalls/default/calls=1")
	c, out, _ := compared(t, reference, today)
	if names := c.worse(); names != nil {
		t.Errorf("worse: %v", names)
	}
	for _, line := range []string{
		`Burst/default +new`, `LiveCalls/default/calls=1 +gone`,
	} {
		if !regexp.MustCompile(line).MatchString(out) {
			t.Errorf("it does not say %q:\n%s", line, out)
		}
	}
}

func TestOnlyWhatIsUndecidedIsRunAgain(t *testing.T) {
	today := usual()
	today["Parallel/inline"][timeUnit] = 200 * 1.2 * 1.001 // at the limit, as long as it takes
	c, _, fakes := compared(t, usual(), today)
	count := func(name string) (n int) {
		for _, ran := range fakes[1].ran {
			if ran == name {
				n++
			}
		}
		return n
	}
	for _, name := range []string{"Burst/default", "Contended/inline/producers=1"} {
		if n := count(name); n != 2*timeRounds {
			t.Errorf("%s is clear, and was run %d times, want %d", name, n, 2*timeRounds)
		}
	}
	if names := c.worse(); !slices.Equal(names, []string{"Parallel/inline"}) {
		t.Errorf("worse: %v", names)
	}
}

func TestWhatIsNotDecidedIsPrintedAndDoesNotFail(t *testing.T) {
	all := &fake{figures: usual(), turns: new(strings.Builder)}
	turns := 0
	restless := func(ctx context.Context, p pick) (samples, error) {
		got, err := all.run(ctx, p)
		if burst := got["Burst/default"]; burst != nil {
			if turns%4 < 2 { // both turns of each second round
				burst[timeUnit] = []float64{8e6}
			}
			turns++
		}
		return got, err
	}
	c := &check{reference: all.run, today: restless, rounds: 100}
	ticks := 0
	c.now = func() time.Time { ticks++; return time.Unix(int64(ticks), 0) }
	if err := c.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c.print(&out)
	if names := c.worse(); names != nil || !strings.Contains(out.String(), "unsure ns/op") ||
		!strings.Contains(out.String(), "to be sure of 1 of") {
		t.Errorf("worse: %v\n%s", names, out.String())
	}
}

func TestACheckWithoutAnythingToCompareFails(t *testing.T) {
	turns := new(strings.Builder)
	all := &fake{figures: usual(), turns: turns}
	none := &fake{turns: turns}
	for name, c := range map[string]*check{
		"no benchmark is called":  {reference: all.run, today: none.run},
		"no benchmark in common":  {reference: none.run, today: all.run},
		"it does not run":         {reference: all.run, today: broken},
		"it does not run, before": {reference: broken, today: all.run},
	} {
		c.rounds, c.now = 1, time.Now
		c.limit = time.Minute
		want, _, _ := strings.Cut(name, ",")
		if err := c.run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func broken(context.Context, pick) (samples, error) { return nil, errors.New("it does not run") }

func TestTheOutputOfBenchmarksIsRead(t *testing.T) {
	all, err := parse(strings.NewReader(`goos: linux
BenchmarkLiveCalls/inline/calls=1-2   100  400.5 ns/op  208 B/op  1 allocs/op
BenchmarkLiveCalls/inline/calls=1-2   100  380.5 ns/op  208 B/op  1 allocs/op
BenchmarkLiveCalls/inline/calls=1-2   100  900.5 ns/op  209 B/op  2 allocs/op
BenchmarkIdleCall/inline-2   1  0 ns/op  320 B/call
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(all.figures())
	want := fmt.Sprint(map[string]figures{
		"LiveCalls/inline/calls=1": {timeUnit: 380.5, "B/op": 208, "allocs/op": 1},
		"IdleCall/inline":          {timeUnit: 0, "B/call": 320},
	})
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := exactly([]string{"Life/inline", "Tone/ours/subscribers=1"}),
		"^BenchmarkLife$/^inline$|^BenchmarkTone$/^ours$/^subscribers=1$"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
