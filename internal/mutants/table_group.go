package main

// ofGroup are mutants of the group of calls.
var ofGroup = []mutant{
	{
		name: "group-keeps-what-is-done",
		what: "a queue that is done stays in its group",
		rule: "a group holds what is not done", kill: "./queue TestAGroupHoldsACallUntilItIsDone",
		edits: []edit{{"queue/group.go", `s.group.remove(q)`, `_ = q`}},
	},
	{
		name: "group-takes-an-id-twice",
		what: "a call takes the place of another one with its id",
		rule: "a group has an id once", kill: "./queue TestOfTwoCallsWithOneIDOneIsRefused",
		edits: []edit{{"queue/group.go", `if g.queues[callID] != nil {`, `if g.queues[callID] != nil && callID == "" {`}},
	},
	{
		name: "group-takes-calls-when-sealed",
		what: "New of a group that is sealed makes a call",
		rule: "a sealed group takes no call", kill: "./queue TestAGroupRefuses",
		edits: []edit{{"queue/group.go", `if g.empty != nil {
		return nil,`, `if g.empty != nil && callID == "" {
		return nil,`}},
	},
	{
		name: "group-seals-its-calls-first",
		what: "Shutdown seals the calls that are there before it has sealed the group",
		rule: "no call slips through a shutdown", kill: "./queue TestNoCallComesDuringAShutdown",
		edits: []edit{
			{"queue/group.go", `empty := g.seal()
	for _, q`, `for _, q`},
			{"queue/group.go", `if inTime(empty, over) {`, `if inTime(g.seal(), over) {`},
		},
	},
	{
		name: "group-leaves-the-rest-open",
		what: "Shutdown seals at the end of its context what it should close",
		rule: "a shutdown ends with its context", kill: "./queue TestShutdownOfAGroupWaitsUntilItsContext",
		edits: []edit{{"queue/group.go", `q.close(byGroup, r).Len() > 0`, `r.Reason != 0 && q.Snapshot().Sealed`}},
	},
	{
		name: "group-counts-what-was-closed",
		what: "Shutdown counts calls that another one has closed",
		rule: "a call is in one count", kill: "./queue TestShutdownOfAGroupTwice",
		edits: []edit{{"queue/group.go", `.Len() > 0 {`, `.Len() >= 0 {`}},
	},
	{
		name: "group-makes-inline-calls",
		what: "Shutdown makes the inline callbacks of its calls on its own goroutine",
		rule: "G11", kill: "./queue TestAnInlineCallbackHoldsUpNoOtherCallOfItsGroup",
		edits: []edit{{"queue/dispatch.go", `if by == byGroup {`, `if by == byGroup && q.dispatch.done {`}},
	},
}
