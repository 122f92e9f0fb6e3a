package model_test

import (
	"fmt"
	"testing"

	"ivrqueue/internal/model"
)

func TestEveryReadingIsLinearizable(t *testing.T) {
	t.Parallel()
	found := model.ExploreReading(3, model.NoFlaw)
	t.Log(found)
	if found.Err != nil || found.States < 10_000 {
		t.Fatalf("got %v", found)
	}
}

func TestAFlawedReadingIsFound(t *testing.T) {
	t.Parallel()
	for flaw, moves := range map[model.ReadingFlaw]int{
		model.NoSecondLook: 10, model.NoGeneration: 11, model.ShownTooSoon: 4, model.OneByOne: 11,
	} {
		t.Run(fmt.Sprint("flaw ", flaw), func(t *testing.T) {
			t.Parallel()
			found := model.ExploreReading(3, flaw)
			t.Log(found)
			if found.Err == nil || len(found.Path) != moves {
				t.Fatalf("got %v, want something wrong after %d moves", found, moves)
			}
		})
	}
}

func TestWhatIsGivenOutFollowsTheEnd(t *testing.T) {
	t.Parallel()
	for name, explore := range map[string]func(model.FollowingFlaw) model.Explored[model.Move]{
		"Done": model.ExploreDone, "Context": model.ExploreContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := explore(model.Follows)
			t.Log(found)
			if found.Err != nil {
				t.Fatalf("got %v", found)
			}
			for flaw, what := range map[model.FollowingFlaw]string{
				model.NoLookAgain: "who has published does not look", model.FoundUnlooked: "who has found does not look",
			} {
				if found = explore(flaw); found.Err == nil {
					t.Errorf("%s: got %v", what, found)
				}
				t.Log(found)
			}
		})
	}
	if found := model.ExploreDone(model.NoSwap); found.Err == nil {
		t.Errorf("a channel is closed where it is: got %v", found)
	} else {
		t.Log(found)
	}
	if found := model.ExploreDone(model.NoWait); found.Err == nil {
		t.Errorf("nobody waits for a reader who closes it: got %v", found)
	} else {
		t.Log(found)
	}
	if found := model.ExploreContext(model.DropsUnlooked); found.Err == nil {
		t.Errorf("a context is dropped: got %v", found)
	} else {
		t.Log(found)
	}
}
