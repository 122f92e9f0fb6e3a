package tone

import (
	"regexp"
	"strings"
	"testing"
)

// walk returns the state after a word.
func (p *Pattern) walk(word string) uint16 {
	state := uint16(1)
	for _, r := range word {
		t, err := FromChar(r)
		if err != nil {
			panic(err)
		}
		state = p.states[state].next[t]
	}
	return state
}

// witness returns a word of k tones that leads from a state to a match, by the lengths.
func (p *Pattern) witness(state uint16, k int) string {
	var b strings.Builder
	for ; k > 0; k-- {
		for t := Tone0; t.Valid(); t++ {
			if next := p.states[state].next[t]; p.left[next].within(k-1, k-1) {
				b.WriteByte(t.Char())
				state = next
				break
			}
		}
	}
	return b.String()
}

// oracle returns what package regexp says of all of a word. It finds the longest match there is.
func oracle(expr string) (matches func(word string) bool) {
	re := regexp.MustCompile(expr)
	re.Longest()
	return func(word string) bool {
		found := re.FindStringIndex(word)
		return found != nil && found[0] == 0 && found[1] == len(word)
	}
}

// agree checks a pattern against package regexp on a word and all its beginnings. What a state says
// of more tones is checked by finding them.
func agree(t *testing.T, p *Pattern, word string) {
	t.Helper()
	matches := oracle(p.String())
	for i := range len(word) + 1 {
		state := p.walk(word[:i])
		for k := range DigitLimit + 1 {
			if p.left[state].within(k, k) {
				if whole := word[:i] + p.witness(state, k); len(whole) != i+k || !matches(whole) {
					t.Fatalf("%q after %q: %q does not match", p, word[:i], whole)
				}
			}
		}
		for j := i; j <= len(word); j++ {
			if matches(word[:j]) && !p.left[state].within(j-i, j-i) {
				t.Fatalf("%q after %q: %q would match", p, word[:i], word[:j])
			}
		}
	}
}

var patterns = []string{
	`1|12|\*9`, `12?|\*9`, `[0-9]{4}`, `\d*`, `\d{2,3}#?`, `.`, `.*`, `(?:1|2)+\*`, `^1$|^22$`, `1\b\*`, `\b1\B2\b`,
	`(?i)a[b-d]*`, `!|A`, `[^1]1`, `(1)(?:2(?:3(4)?)?)?`, `1*?2+?`, `(?m)^1$`, `(?s).\B.`, `\*\b1|\*\B#`, `1{0,3}2{2}`,
	`9\d{0,127}`, `(|1)(|2)`, `0(?:0|1)*1(?:0|1)(?:0|1)`,
	`00\Q`, // which must not be put between brackets
}

// Every word of up to three tones that the patterns tell apart.
func TestAPatternMatchesWhatPackageRegexpDoes(t *testing.T) {
	t.Parallel()
	for _, expr := range patterns {
		p := MustCompilePattern(expr)
		matches := oracle(expr)
		words := []string{""}
		for at := 0; at < len(words); at++ {
			word := words[at]
			if got := p.left[p.walk(word)].within(0, 0); got != matches(word) {
				t.Fatalf("%q of %q: %v", expr, word, got)
			}
			if len(word) < 3 {
				for _, c := range "0129*#A!" {
					words = append(words, word+string(c))
				}
			}
		}
		agree(t, p, "12*9")
		agree(t, p, "00110*")
	}
}

func TestThePatternKnowsWhichTonesItHas(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{`1|12|\*9`: "129*", `[^1-9]`: "0*#ABCD!", `12x|3`: "3", `(?i)a`: "A"} {
		if p := MustCompilePattern(expr); p.tones.String() != want {
			t.Errorf("%q has %q", expr, p.tones)
		}
	}
}

// Without stop tones, what only they lead to is out of reach.
func TestReachLeavesOutStopTones(t *testing.T) {
	t.Parallel()
	p := MustCompilePattern(`1#?|22#`)
	left := p.reach(SetOf(Pound))
	for word, want := range map[string]lengths{"": {2}, "1": {1}, "2": {}, "22": {}} {
		if got := left[p.walk(word)]; got != want {
			t.Errorf("after %q: %b, want %b", word, got, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, expr := range patterns {
		f.Add(expr, "12*9#A!0")
	}
	f.Fuzz(func(t *testing.T, expr, word string) {
		p, err := CompilePattern(expr)
		if err != nil {
			return
		}
		if _, err := ParseSet(word); err != nil || len(word) > 8 {
			word = "1*"
		}
		agree(t, p, strings.ToUpper(word))
	})
}
