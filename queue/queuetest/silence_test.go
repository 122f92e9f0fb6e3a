package queuetest_test

import (
	"strings"
	"testing"

	"ivrqueue/queue"
)

func TestTheHarnessSaysHowMuchMayBeHeardAfterACancel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault fault
		tail  int
		says  string // empty: it passes
	}{
		{"as much as is heard", soundsTillAnswer, 4, ""},
		{"less than is heard", soundsTillAnswer, 2, "at most 2 may be"},
		{"anything until the answer", soundsTillAnswer, -1, ""},
		{"nothing after the answer", soundsAfterAnswer, -1, "10 more was heard after the report"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := harnessOf(test.fault)
			h.MaxTail = test.tail
			f := runInBubble(t, caseNamed(t, silent), h)
			if f.Failed() != (test.says != "") || !strings.Contains(f.String(), test.says) {
				t.Errorf("failed: %v, want %q\n%s", f.Failed(), test.says, f)
			}
		})
	}
}

func TestAHarnessThatHearsNothingIsAnError(t *testing.T) {
	t.Parallel()
	h := harnessOf("")
	h.FramesSent = func(queue.Media) int { return 0 }
	f := runInBubble(t, caseNamed(t, silent), h)
	if !f.Failed() || !strings.Contains(f.String(), "FramesSent counts nothing in 5s of Lasts") {
		t.Errorf("failed: %v\n%s", f.Failed(), f)
	}
}
