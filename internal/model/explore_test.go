package model_test

import (
	"os"
	"strings"
	"testing"

	"ivrqueue/internal/model"
)

// all is a call in which everything can happen, though not much of it.
var all = model.Budget{
	Enqueues: 2, Interrupts: 1, CancelAlls: 1, Cancels: 1, Seals: 1, Closes: 1, TimeOuts: 1, Late: 1,
}

// Set EXPLORE=deep for no limit on what is given up, which are 400,000 states.
func TestTheExplorerReachesEveryState(t *testing.T) {
	t.Parallel()
	long := model.Budget{Enqueues: 5, Interrupts: 2, CancelAlls: 3, Closes: 1, TimeOuts: 1}
	if os.Getenv("EXPLORE") == "deep" {
		long.TimeOuts = 7
	}
	for name, b := range map[string]model.Budget{
		"5 operations, 2 interrupts, 3 cancels, close": long,
		"a little of everything":                       all,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := model.ExploreCall(b, model.Right)
			t.Log(found)
			if found.Err != nil || found.States < 10_000 {
				t.Fatalf("got %v", found)
			}
		})
	}
}

func TestTheExplorerFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	budget := all
	budget.Enqueues = 3
	for _, b := range model.AllBroken() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			found := model.ExploreCall(budget, b.Take)
			t.Log(found)
			if found.Err == nil || !strings.HasPrefix(found.Err.Error(), b.Rule) || len(found.Path) != b.Moves {
				t.Fatalf("got %v, want %s after %d moves", found, b.Rule, b.Moves)
			}
		})
	}
}
