package trace

import (
	"fmt"
	"time"
)

// Violation is something that must not have happened.
type Violation struct {
	Rule string // G1 to G14
	Text string
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Terms are what a trace is judged by besides the guarantees. What is zero is not judged.
type Terms struct {
	// StopTimeout and RunTimeout are those of the queue.
	StopTimeout, RunTimeout time.Duration

	// Call is the longest that a call may take, whatever callbacks do: for default delivery, in a
	// bubble, where time is exact.
	Call time.Duration

	// OnItsWay is the longest that a callback may be on its way between the lock and its entry.
	OnItsWay time.Duration

	// Tone is the longest that a tone may take to one who listens.
	Tone time.Duration
}

// Check judges a whole trace: one queue, from New on, with at least one observer. What a trace does
// not hold is not judged.
func Check(items []Item, terms Terms) []Violation { return check(items, terms, rules) }

func check(items []Item, terms Terms, rules []rule) []Violation {
	h := newHistory(items, terms)
	for _, r := range rules {
		h.rule = r.name
		r.check(h)
	}
	return h.found
}

// rule is one thing that a guarantee says.
type rule struct {
	name  string
	check func(h *history)
}

// rules are the guarantees.
var rules = []rule{
	// order.go
	{"G1", acceptedInOrder},
	{"G1", startedInOrder},
	{"G2", oneRuns},
	{"G2", oneHasTheMedia},
	{"G12", progress},

	// ends.go
	{"G3", oneEnd},
	{"G3", readersAgree},
	{"G13", released},
	{"G13", firstReportCounts},
	{"G13", lateReports},
	{"G13", finalAgrees},
	{"keys", keysEnd},
	{"G13", notGivenUpEarly},

	// cancel.go
	{"G4", endTogether},
	{"G4", snapshotsAreWhole},
	{"G4", nobodyForgotten},
	{"G4", allFollows},
	{"G5", barrier},
	{"G5", startsOnlyTheLiving},
	{"G6", laterUntouched},
	{"G6", protectedSpared},
	{"G7", oneStep},
	{"G8", receipts},
	{"cause", whoDidIt},
	{"repeats", sameAnswer},

	// optional.go
	{"pause", heldWhilePaused},
	{"pause", optionalInTurn},
	{"prepare", preparedOnce},

	// around.go
	{"G9", tonesFlow},
	{"G10", eventsInOrder},
	{"G10", observersAgree},
	{"G11", callsReturn},
	{"G14", closed},
	{"G14", stuck},
}

// violated takes down what must not have happened.
func (h *history) violated(format string, args ...any) {
	h.found = append(h.found, Violation{h.rule, fmt.Sprintf(format, args...)})
}
