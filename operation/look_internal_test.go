package operation

import (
	"testing"
	"time"
)

// A reader looks at an operation before it ends by itself, and at its generation when that has been
// ended too: it looks again, and sees the operation's own end.
func TestAReaderLooksAgainAtWhatHasEnded(t *testing.T) {
	t.Parallel()
	var c Control
	c.Init(Spec{Request: &PlayPrompt{}})
	g := new(Generation)
	c.Accept(g, time.Time{})
	if err := c.Start(time.Time{}); err != nil {
		t.Fatal(err)
	}
	op := c.Operation()
	first := packedState(op.state.Load())
	if err := c.End(&Result{Reason: Succeeded}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	g.End(Cancelled, nil, time.Time{}, 0)
	if w, end := op.loadAfter(first); end != nil || w.status() != Completed {
		t.Errorf("it is %v, ended by a cancel: %v; want completed", w.status(), end)
	}
}
