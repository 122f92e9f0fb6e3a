package tone_test

import (
	"strings"
	"testing"

	"ivrqueue/tone"
)

func TestBadPatternsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, expr, want string }{
		{"not an expression", `(1`, `tone: pattern "(1": error parsing regexp: missing closing )`},
		{"a star that is not written so", `1|*9`, "missing argument to repetition operator: `*`"},
		{"what RE2 does not have", `(?=1)2`, "invalid or unsupported Perl syntax"},
		{"not UTF-8", "1\xff", "invalid UTF-8"},
		{"empty", ``, `pattern "" matches nothing of 1 to 128 tones`},
		{"no tone", `[a-z]+`, "matches nothing of 1 to 128 tones"},
		{"a contradiction", `1^2`, "matches nothing of 1 to 128 tones"},
		{"longer than any entry", `\d{129}`, "matches nothing of 1 to 128 tones"},
		{"longer than the limit", strings.Repeat("1|", 512) + "1", "pattern of 1025 bytes, must have at most 1024"},
		{"too many instructions", `(?:1?2?){600}`, "instructions, limit is 1024"},
		{"too many states", `.*1.{9}`, "needs more than 1024 states"},
	} {
		p, err := tone.CompilePattern(c.expr)
		if p != nil || err == nil || !strings.HasPrefix(err.Error(), "tone: pattern ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.name, err, c.want)
		}
	}
	for name, expr := range map[string]string{
		"as long as an entry": `\d{128}`,
		"as long as allowed":  strings.Repeat("1|", 511) + "12",
		"many states":         `.*1.{8}`,
	} {
		if p, err := tone.CompilePattern(expr); err != nil || p.String() != expr {
			t.Errorf("%s: %v", name, err)
		}
	}
	if (*tone.Pattern)(nil).String() != "" {
		t.Error("a nil pattern has a text")
	}
}

func TestMustPanicsWithTheError(t *testing.T) {
	t.Parallel()
	for name, must := range map[string]func(){
		"MustParseSet":       func() { tone.MustParseSet("12x") },
		"MustCompilePattern": func() { tone.MustCompilePattern("(") },
	} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "tone: ") {
					t.Errorf("%s: %v", name, err)
				}
			}()
			must()
		}()
	}
	if tone.MustParseSet("0123456789") != tone.Digits || tone.Digits.Len() != 10 {
		t.Errorf("the digits are %v", tone.Digits)
	}
	if tone.MustCompilePattern("1").String() != "1" {
		t.Error("a pattern lost its text")
	}
}
