package terminal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ivrqueue/examples/ivr/terminal"
)

func TestPlainTextCannotCommandATerminal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"plain text, é漢字 🎵", "plain text, é漢字 🎵"},
		{"\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"\x1b]0;title\a", `\u001b]0;title\u0007`},
		{"\u009b31m", `\u009b31m`},
		{"a\tb\r\nc\x7f", `a\u0009b\u000d\u000ac\u007f`},
		{"\u202eevil\u2066", `\u202eevil\u2066`},
		{"\xff\xfe", "\ufffd\ufffd"},
		{"\U000e0001", `\udb40\udc01`},
	} {
		if got := terminal.Plain(test.text); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
	if got, want := terminal.PlainLines("a\n\tb\x1b\n"), "a\n\\u0009b\\u001b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// JSON that may hold what commands a terminal is the same JSON then.
	var before, after string
	body := "\"del \x7f, c1 \u009b, bidi \u202e, far \U000e0001\""
	if err := json.Unmarshal([]byte(body), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(terminal.Plain(body)), &after); err != nil || after != before {
		t.Errorf("got %q, %v, want %q", after, err, before)
	}
}

func TestOnlyATerminalWhoseUserWantsColoursGetsThem(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer pipe.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	for name, palette := range map[string]terminal.Palette{
		"zero":     {},
		"buffer":   terminal.PaletteFor(new(bytes.Buffer)),
		"nil":      terminal.PaletteFor(nil),
		"nil file": terminal.PaletteFor((*os.File)(nil)),
		"null":     terminal.PaletteFor(null),
		"pipe":     terminal.PaletteFor(pipe),
	} {
		if got := palette.Paint(terminal.Bad, "text"); got != "text" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	for style := terminal.Strong; style <= terminal.Bad; style++ {
		got := terminal.Coloured().Paint(style, "text")
		if !strings.HasPrefix(got, "\x1b[") || !strings.Contains(got, "text") || !strings.HasSuffix(got, "m") {
			t.Errorf("style %d: got %q", style, got)
		}
	}
	if got := terminal.Coloured().Paint(terminal.Normal, "text") + terminal.Coloured().Paint(terminal.Good, ""); got != "text" {
		t.Errorf("got %q", got)
	}
}
