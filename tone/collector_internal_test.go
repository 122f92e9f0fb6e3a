package tone

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// zero is when the collections of these tests begin; times are seconds since then.
var zero = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

// key is a key press at so many seconds.
type key struct {
	char rune
	at   float64
}

// keys is one a second, the first at second 0.
func keys(chars string) (all []key) {
	for i, c := range chars {
		all = append(all, key{c, float64(i)})
	}
	return all
}

// play gives a collector keys, and returns why it ends, how many of them it took, and when; if
// they do not end it, its deadline does.
func play(t *testing.T, o CollectOptions, all []key) (c *collector, why Reason, taken int, end time.Time) {
	t.Helper()
	c, err := newCollector(o, zero)
	if err != nil {
		t.Fatal(err)
	}
	if o.FirstAfter == nil {
		c.beginFirst(zero)
	}
	for i, k := range all {
		tone, err := FromChar(k.char)
		if err != nil {
			t.Fatal(err)
		}
		if why := c.refuses(tone, at(k.at)); why != 0 {
			end, _ := c.deadline()
			if end.After(at(k.at)) {
				end = at(k.at) // the tone ended it
			}
			return c, why, i, end
		}
		if why := c.press(Event{Seq: uint64(i + 1), Tone: tone, Time: at(k.at)}); why != 0 {
			return c, why, i + 1, c.last
		}
	}
	end, why = c.deadline()
	return c, why, len(all), end
}

func TestTheRulesOfACollection(t *testing.T) {
	t.Parallel()
	pound := SetOf(Pound)
	menu := MustCompilePattern(`1|12|\*9`)
	match := func(digits string) Verdict {
		switch {
		case digits == "7" || digits == "77":
			return Complete
		case strings.HasPrefix(digits, "8"):
			return Incomplete
		case digits == "6":
			return 9
		default:
			return Invalid
		}
	}
	with := func(o CollectOptions) CollectOptions { o.InterDigitTimeout = 3 * time.Second; return o }
	never := make(chan struct{})
	for _, c := range []struct {
		name   string
		o      CollectOptions
		keys   []key
		why    Reason
		digits string
		taken  int
		end    float64
	}{
		{"maximum", CollectOptions{Min: 4, Max: 4, StopTones: pound}, keys("12345"), MaxDigits, "1234", 4, 3},
		{"maximum of one", CollectOptions{Max: 1}, keys("5"), MaxDigits, "5", 1, 0},
		{"no maximum is the limit", CollectOptions{}, keys(strings.Repeat("1", 130)), MaxDigits, strings.Repeat("1", 128), 128, 127},
		{"below the limit", CollectOptions{}, keys(strings.Repeat("1", 127)), 0, strings.Repeat("1", 127), 127, 0},

		{"stop tone dropped", CollectOptions{Min: 1, StopTones: pound}, keys("12#3"), StopTone, "12", 3, 2},
		{"stop tone kept", CollectOptions{Min: 1, StopTones: pound, KeepStopTone: true}, keys("12#"), StopTone, "12#", 3, 2},
		{"stop tone first, no minimum", CollectOptions{StopTones: pound}, keys("#"), StopTone, "", 1, 0},
		{"stop tone first, minimum", CollectOptions{Min: 1, StopTones: pound}, keys("#"), NoMatch, "", 1, 0},
		{"stop tone below the minimum", CollectOptions{Min: 3, StopTones: pound}, keys("12#"), NoMatch, "12", 3, 2},
		{"stop tone at the minimum", CollectOptions{Min: 2, StopTones: pound}, keys("12#"), StopTone, "12", 3, 2},
		{"stop tone, pattern incomplete", CollectOptions{Pattern: menu, StopTones: pound}, keys("*#"), NoMatch, "*", 2, 1},
		{"stop tone, pattern complete", CollectOptions{Pattern: menu, StopTones: pound}, keys("1#"), StopTone, "1", 2, 1},
		{"stop tone, pattern matches nothing entered", CollectOptions{Pattern: MustCompilePattern(`\d*`), StopTones: pound}, keys("#"), StopTone, "", 1, 0},
		{"stop tone first, match", CollectOptions{Match: match, StopTones: pound}, keys("#"), NoMatch, "", 1, 0},
		{"stop tone, match incomplete", CollectOptions{Match: match, StopTones: pound}, keys("8#"), NoMatch, "8", 2, 1},

		{"term: stop tone follows", CollectOptions{Max: 2, StopTones: pound, TermTimeout: time.Second}, keys("12#"), StopTone, "12", 3, 2},
		{"term: at the instant", CollectOptions{Max: 1, StopTones: pound, TermTimeout: time.Second}, []key{{'1', 0}, {'#', 1}}, StopTone, "1", 2, 1},
		{"term: too late", CollectOptions{Max: 1, StopTones: pound, TermTimeout: time.Second}, []key{{'1', 0}, {'#', 1.001}}, MaxDigits, "1", 1, 1},
		{"term: another tone", CollectOptions{Max: 2, StopTones: pound, TermTimeout: 5 * time.Second}, keys("123"), MaxDigits, "12", 2, 2},
		{"term: nothing", CollectOptions{Pattern: menu, StopTones: pound, TermTimeout: time.Second}, keys("12"), Matched, "12", 2, 2},
		{"term: not for what is invalid", CollectOptions{Pattern: menu, StopTones: pound, TermTimeout: time.Second}, keys("3"), NoMatch, "3", 1, 0},
		{"term: overall ends it", CollectOptions{Max: 1, StopTones: pound, TermTimeout: 9 * time.Second, OverallTimeout: 2 * time.Second}, keys("1"), MaxDigits, "1", 1, 2},
		{"term: not the inter-digit timeout", with(CollectOptions{Max: 1, StopTones: pound, TermTimeout: 9 * time.Second}), keys("1"), MaxDigits, "1", 1, 9},

		{"pattern ends at once", with(CollectOptions{Pattern: menu}), keys("*91"), Matched, "*9", 2, 1},
		{"pattern that may go on", with(CollectOptions{Pattern: menu}), keys("1"), Matched, "1", 1, 3},
		{"pattern that went on", with(CollectOptions{Pattern: menu}), keys("12"), Matched, "12", 2, 1},
		{"pattern incomplete", with(CollectOptions{Pattern: menu}), keys("*"), InterDigitTimeout, "*", 1, 3},
		{"pattern dead", with(CollectOptions{Pattern: menu}), keys("11"), NoMatch, "11", 2, 1},
		{"pattern dead at once", with(CollectOptions{Pattern: menu}), keys("9"), NoMatch, "9", 1, 0},
		{"pattern and maximum", with(CollectOptions{Pattern: menu, Max: 1}), keys("1"), MaxDigits, "1", 1, 0},
		{"pattern out of reach of the maximum", with(CollectOptions{Pattern: menu, Max: 1}), keys("*"), NoMatch, "*", 1, 0},
		{"pattern below the minimum", with(CollectOptions{Pattern: menu, Min: 2}), keys("1"), InterDigitTimeout, "1", 1, 3},
		{"pattern never of the minimum", with(CollectOptions{Pattern: MustCompilePattern(`1|222`), Min: 2}), keys("1"), NoMatch, "1", 1, 0},
		{"pattern that only a stop tone extends", with(CollectOptions{Pattern: MustCompilePattern(`1#?`), StopTones: pound}), keys("1"), Matched, "1", 1, 0},

		{"match complete", with(CollectOptions{Match: match}), keys("77"), Matched, "7", 1, 0},
		{"match complete below the minimum", with(CollectOptions{Match: match, Min: 2}), keys("77"), Matched, "77", 2, 1},
		{"match complete at the maximum", with(CollectOptions{Match: match, Max: 1}), keys("7"), MaxDigits, "7", 1, 0},
		{"match incomplete", with(CollectOptions{Match: match}), keys("88"), InterDigitTimeout, "88", 2, 4},
		{"match incomplete at the maximum", with(CollectOptions{Match: match, Max: 2}), keys("88"), NoMatch, "88", 2, 1},
		{"match invalid", with(CollectOptions{Match: match}), keys("5"), NoMatch, "5", 1, 0},
		{"match says what is no verdict", with(CollectOptions{Match: match}), keys("6"), NoMatch, "6", 1, 0},

		{"first timeout", CollectOptions{FirstTimeout: 5 * time.Second}, nil, FirstTimeout, "", 0, 5},
		{"first timeout, empty is complete", CollectOptions{FirstTimeout: 5 * time.Second, Pattern: MustCompilePattern(`1*`)}, nil, FirstTimeout, "", 0, 5},
		{"first timeout: at the instant", with(CollectOptions{FirstTimeout: 5 * time.Second, Min: 2}), []key{{'1', 5}}, InterDigitTimeout, "1", 1, 8},
		{"first timeout: after it", with(CollectOptions{FirstTimeout: 5 * time.Second}), []key{{'1', 5.000000001}}, FirstTimeout, "", 0, 5},
		{"first timeout has not begun", CollectOptions{FirstTimeout: 5 * time.Second, FirstAfter: never}, nil, 0, "", 0, 0},
		{"first timeout has not begun, overall", CollectOptions{FirstTimeout: 5 * time.Second, FirstAfter: never, OverallTimeout: 9 * time.Second}, nil, OverallTimeout, "", 0, 9},
		{"first timeout is not for the second", CollectOptions{FirstTimeout: 5 * time.Second}, keys("1"), 0, "1", 1, 0},

		{"inter-digit: not before the first", with(CollectOptions{}), nil, 0, "", 0, 0},
		{"inter-digit: at the instant", with(CollectOptions{Min: 2}), []key{{'1', 0}, {'2', 3}}, Matched, "12", 2, 6},
		{"inter-digit: after it", with(CollectOptions{Min: 2}), []key{{'1', 0}, {'2', 3.000000001}}, InterDigitTimeout, "1", 1, 3},
		{"inter-digit: complete by count", with(CollectOptions{Min: 2, Max: 4}), keys("12"), Matched, "12", 2, 4},
		{"inter-digit: of what was typed ahead", with(CollectOptions{Min: 9}), []key{{'1', -60}, {'2', -40}}, InterDigitTimeout, "12", 2, 3},

		{"overall: nothing", CollectOptions{OverallTimeout: 4 * time.Second}, nil, OverallTimeout, "", 0, 4},
		{"overall: incomplete", with(CollectOptions{Min: 9, OverallTimeout: 3500 * time.Millisecond}), keys("12"), OverallTimeout, "12", 2, 3.5},
		{"overall: complete", CollectOptions{Min: 2, OverallTimeout: 4 * time.Second}, keys("12"), Matched, "12", 2, 4},
		{"overall: at the instant", CollectOptions{Max: 1, OverallTimeout: 4 * time.Second}, []key{{'1', 4}}, MaxDigits, "1", 1, 4},
		{"overall: after it", CollectOptions{Max: 1, OverallTimeout: 4 * time.Second}, []key{{'1', 4.000000001}}, OverallTimeout, "", 0, 4},
		{"overall and inter-digit at once", with(CollectOptions{Min: 2, OverallTimeout: 3 * time.Second}), keys("1"), InterDigitTimeout, "1", 1, 3},
		{"overall and first at once", CollectOptions{FirstTimeout: 3 * time.Second, OverallTimeout: 3 * time.Second}, nil, FirstTimeout, "", 0, 3},
		{"no timeout", CollectOptions{}, keys("1"), 0, "1", 1, 0},
	} {
		col, why, taken, end := play(t, c.o, c.keys)
		if why != c.why || string(col.digits) != c.digits || taken != c.taken || len(col.tones) != taken ||
			why != 0 && !end.Equal(at(c.end)) {
			t.Errorf("%s: %v with %q, %d taken, at %v; want %v with %q, %d, at %v",
				c.name, why, col.digits, taken, end.Sub(zero).Seconds(), c.why, c.digits, c.taken, c.end)
		}
		if got := col.end(why, nil); (got.Err != nil) != (c.name == "match says what is no verdict") {
			t.Errorf("%s: %v", c.name, got.Err)
		}
	}
}

// naive is what the collector must come to, found by trying: with package regexp, and with all the
// words that may follow, of the characters that the patterns know apart.
type naive struct {
	o       CollectOptions
	matches func(digits string) bool
	known   map[string]bool // extendable, by digits
}

func (n *naive) accepts(digits string) bool {
	return len(digits) >= n.o.Min && n.matches(digits)
}

// extendable reports whether some word after these digits is accepted.
func (n *naive) extendable(digits string) bool {
	if len(digits) >= n.o.Max {
		return false
	}
	if found, ok := n.known[digits]; ok {
		return found
	}
	found := false
	for _, r := range "1239*#A!" {
		tone, _ := FromChar(r)
		if more := digits + string(r); !n.o.StopTones.Contains(tone) && (n.accepts(more) || n.extendable(more)) {
			found = true
		}
	}
	n.known[digits] = found
	return found
}

// play returns what the collection comes to: the earliest timeout that ends before the next key, or
// what a key decides.
func (n *naive) play(all []key) (why Reason, digits string, taken int) {
	var last float64
	second := func(d time.Duration) float64 { return d.Seconds() }
	for i := range len(all) + 1 {
		accepted := n.accepts(digits)
		finished := i > 0 && accepted && !n.extendable(digits)
		done := Matched
		if len(digits) == n.o.Max {
			done = MaxDigits
		}
		type timeout struct {
			end float64
			why Reason
		}
		var running []timeout // those that count now, the more specific first
		add := func(on bool, from float64, d time.Duration, why Reason) {
			if on && d > 0 {
				running = append(running, timeout{from + second(d), why})
			}
		}
		add(finished, last, n.o.TermTimeout, done)
		add(i == 0, 0, n.o.FirstTimeout, FirstTimeout)
		add(i > 0 && !finished, last, n.o.InterDigitTimeout, InterDigitTimeout)
		add(true, 0, n.o.OverallTimeout, OverallTimeout)
		over := timeout{end: 1e9}
		for _, r := range running {
			if r.end < over.end {
				over = r
			}
		}
		if finished {
			over.why = done
		} else if over.why != 0 && accepted && i > 0 {
			over.why = Matched
		}
		if i == len(all) {
			return over.why, digits, i
		}
		pressed := max(all[i].at, 0)
		tone, _ := FromChar(all[i].char)
		stop := n.o.StopTones.Contains(tone)
		switch {
		case pressed > over.end, finished && !stop:
			return over.why, digits, i
		case stop && accepted:
			return StopTone, digits, i + 1
		case stop:
			return NoMatch, digits, i + 1
		}
		digits += string(all[i].char)
		last = pressed
		switch accepted, more := n.accepts(digits), n.extendable(digits); {
		case more:
		case !accepted:
			return NoMatch, digits, i + 1
		case n.o.TermTimeout > 0:
		case len(digits) == n.o.Max:
			return MaxDigits, digits, i + 1
		default:
			return Matched, digits, i + 1
		}
	}
	panic("not reached")
}

// draw takes options and keys from bytes.
func draw(data []byte) (o CollectOptions, expr string, all []key) {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := int(data[0]) % n
		data = data[1:]
		return b
	}
	exprs := []string{`.*`, `1|12|\*9`, `\d{2}`, `\d{1,3}#?`, `(?:12)*`, `1|222`, `1#?|22#`, `[^1]*`, `\d\b.`, `(?:1|\*)+9`}
	expr = exprs[next(len(exprs))]
	o.Max = 1 + next(3)
	o.Min = next(o.Max + 1)
	o.StopTones = []Set{0, SetOf(Pound), SetOf(Pound, Star), SetOf(Tone2)}[next(4)]
	timeouts := []*time.Duration{&o.FirstTimeout, &o.InterDigitTimeout, &o.OverallTimeout}
	if o.StopTones != 0 {
		timeouts = append(timeouts, &o.TermTimeout)
	}
	for _, t := range timeouts {
		*t = time.Duration(next(6)) * time.Second
	}
	now := -2.0
	for len(data) > 0 && len(all) < 8 {
		c := "1239*#A"[next(7)]
		now += float64(next(5))
		all = append(all, key{rune(c), now})
	}
	return o, expr, all
}

func FuzzCollector(f *testing.F) {
	f.Add([]byte{1, 3, 0, 1, 3, 2, 5, 1, 0, 3, 1, 1, 5, 0})
	f.Add([]byte{2, 3, 2, 2, 0, 0, 4, 2, 0, 3, 1, 1, 4, 0})
	f.Add([]byte("a collection is drawn from bytes"))
	f.Fuzz(func(t *testing.T, data []byte) { compare(t, data) })
}

func TestTheCollectorComesToWhatTheNaiveOneDoes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		data := make([]byte, 10+random.IntN(16))
		for i := range data {
			data[i] = byte(random.UintN(256))
		}
		compare(t, data)
	}
}

// compare plays the same keys to the collector and to the naive one.
func compare(t *testing.T, data []byte) {
	t.Helper()
	o, expr, all := draw(data)
	plain := &naive{o, oracle(expr), map[string]bool{}}
	o.Pattern = MustCompilePattern(expr)
	if _, err := newCollector(o, zero); (err == nil) != plain.extendable("") {
		t.Fatalf("%q %+v: %v", expr, o, err)
	} else if err != nil {
		return
	}
	c, why, taken, _ := play(t, o, all)
	wantWhy, wantDigits, wantTaken := plain.play(all)
	if why != wantWhy || string(c.digits) != wantDigits || taken != wantTaken {
		t.Fatalf("%q %+v %v: %v with %q, %d taken; want %v with %q, %d",
			expr, o, all, why, c.digits, taken, wantWhy, wantDigits, wantTaken)
	}
}
