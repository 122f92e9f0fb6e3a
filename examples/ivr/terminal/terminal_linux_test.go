package terminal_test

import (
	"os"
	"testing"

	"ivrqueue/examples/ivr/terminal"
)

func TestATerminalGetsColoursUnlessItsUserWantsNone(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0) // the master's side is a terminal, too
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	for _, test := range []struct {
		term, noColor string
		coloured      bool
	}{
		{"xterm", "", true},
		{"", "", true},
		{"xterm", "1", false},
		{"xterm", "0", false}, // any value
		{"dumb", "", false},
	} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.noColor)
		if got := terminal.PaletteFor(tty).Paint(terminal.Bad, "text") != "text"; got != test.coloured {
			t.Errorf("TERM=%q NO_COLOR=%q: got colours %v", test.term, test.noColor, got)
		}
	}
}
