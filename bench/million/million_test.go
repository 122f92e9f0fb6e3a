package main

import "testing"

// A small million: every step is taken, and nothing is left.
func TestEveryStepIsTakenAndLeavesNothing(t *testing.T) {
	r := run(2000, 500, func(Step) {})
	if len(r.Growth) != 2 || r.Growth[1].Calls != 2000 {
		t.Errorf("growth %v", r.Growth)
	}
	last := r.Steps[len(r.Steps)-1]
	if last.Goroutines > 0 || last.Heap > 1<<20 { // the runtime keeps what goroutines were made of
		t.Errorf("left: %v", last)
	}
}
