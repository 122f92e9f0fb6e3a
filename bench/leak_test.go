package bench_test

import (
	"testing"

	"go.uber.org/goleak"

	"ivrqueue/bench"
	"ivrqueue/internal/leak"
)

// The ants package has a pool of its own from the beginning, and never ends it.
func TestMain(m *testing.M) { leak.Verify(actors{m}, goleak.IgnoreCurrent()) }

// actors ends the actor system after the tests, before it is looked for what they left behind.
type actors struct{ *testing.M }

func (a actors) Run() int {
	defer bench.StopActors()
	return a.M.Run()
}
