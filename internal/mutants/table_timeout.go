package main

// ofTimeouts are mutants of the timeouts, and of the lists in which they wait.
var ofTimeouts = []mutant{
	{
		name: "abandoned-too-early",
		what: "media is abandoned after half the stop timeout",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{"queue/timeout.go", `stops: deadlines{length: stopTimeout},`, `stops: deadlines{length: stopTimeout / 2},`}},
	},
	{
		name: "deadlines-fire-late",
		what: "a timeout that was not the first of its list fires late",
		rule: "the list of deadlines", kill: "./queue TestTimeoutsOfOneListFireInTime",
		edits: []edit{{"queue/timeout.go", `l.arm(l.head.deadline.Sub(now))`, `l.arm(l.length)`}},
	},
	{
		name: "deadlines-fire-early",
		what: "all timeouts of a list fire with the first",
		rule: "the list of deadlines", kill: "./queue TestTimeoutsOfOneListFireInTime",
		edits: []edit{{"queue/timeout.go", `t != nil && !t.deadline.After(now)`, `t != nil`}},
	},
	{
		name: "deadlines-fire-once",
		what: "the list of timeouts is not looked at again after the first has fired",
		rule: "the list of deadlines", kill: "./queue TestTimeoutsOfOneListFireInTime",
		edits: []edit{{"queue/timeout.go", `if l.armed = l.head != nil; l.armed {`, `if l.armed = l.head != nil; l.head == nil {`}},
	},
	{
		name: "own-stop-timeout-is-ignored",
		what: "the stop timeout of an operation's own is the queue's",
		rule: "StopTimeout", kill: "./queue TestAnOperationMayHaveItsOwnStopTimeout",
		edits: []edit{{"queue/timeout.go", `own := e.control.StopTimeout(); own > 0 {`, `own := e.control.StopTimeout(); own < 0 {`}},
	},
	{
		name: "removed-and-still-there",
		what: "a timeout that was disarmed stays in its list",
		rule: "the list of deadlines", kill: "./queue TestTimeoutsOfOneListFireInTime",
		edits: []edit{{"queue/timeout.go", `l.unlink(t)
	if l.own {`, `t.waits = false
	if l.own {`}},
	},
	{
		name: "removed-with-the-rest",
		what: "a timeout that is disarmed takes those behind it out of the list",
		rule: "the list of deadlines", kill: "./queue TestQueuesOfOneConfigurationTimeOutByThemselves",
		edits: []edit{{"queue/timeout.go", `t.prev.next = t.next`, `t.prev.next = nil`}},
	},
	{
		name: "stop-timeout-is-not-disarmed",
		what: "the stop timeout goes on when the media has reported",
		rule: "G15", kill: "./queue TestAnIdleCallHoldsNoGoroutineAndNoBuffer",
		edits: []edit{{"queue/timeout.go", `if t.list.remove(t) {`, `if t.kind != stopTimeout && t.list.remove(t) {`}},
	},
	{
		name: "receipt-keeps-the-queue",
		what: "a receipt that is kept keeps the queue, by the timeout in its block",
		rule: "G15", kill: "./queue TestAReceiptKeepsItsOperationsAlone",
		edits: []edit{{"queue/timeout.go", `t.queue, t.entry = nil, nil // a receipt`, `_ = t // a receipt`}},
	},
	{
		name: "fired-timeout-keeps-the-queue",
		what: "a receipt that is kept keeps the queue, by the timeout in its block that has fired",
		rule: "G15", kill: "./queue TestAReceiptKeepsItsOperationsAlone",
		edits: []edit{{"queue/timeout.go", `t.queue, t.entry = nil, nil
	var awaited`, `var awaited`}},
	},
	{
		name: "the-timeout-is-anybodys",
		what: "the stop timeout abandons whoever has the media by then",
		rule: "a timeout holds its operation", kill: "./queue TestATimeoutThatIsDisarmedAsItFiresLeavesTheNextAlone",
		edits: []edit{
			{
				"queue/timeout.go", `e, at := t.entry, time.Now()
	if q.armed != t {`, `e, at := q.machine.current, time.Now()
	if e == nil {`,
			},
			{"queue/machine.go", `if e == m.current && m.timeout == stopTimeout {`, `if e == m.current {`},
		},
	},
	{
		name: "abandoned-keeps-the-role",
		what: "a goroutine inside a callback of abandoned media keeps the media role",
		rule: "the role is taken", kill: "./queue TestACallbackThatHangsLosesTheMediaRole",
		edits: []edit{{"queue/timeout.go", `d.held &^= mediaRole`, ``}},
	},
	{
		name: "abandoned-keeps-the-dispatcher",
		what: "a dispatcher inside a callback of abandoned media stays the active one if the watch has not seen it",
		rule: "the role is taken", kill: "./queue TestAStopTimeoutMayBeShorterThanTheWatchsTick",
		edits: []edit{{"queue/timeout.go", `d.own, d.current = false, 0`, `_ = d`}},
	},
	{
		name: "abandoned-keeps-the-inline-dispatcher",
		what: "a caller's goroutine inside an inline callback of abandoned media stays the active one",
		rule: "the role is taken", kill: "./queue TestInlineMediaThatHangsIsAbandonedToo",
		edits: []edit{{"queue/timeout.go", `d.inline = false`, `_ = d`}},
	},
	{
		name: "progress-does-not-count",
		what: "the run timeout ends what does show progress",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutEndsWhatShowsNoProgress",
		edits: []edit{{"queue/timeout.go", `t.idle = 0`, `t.idle++`}},
	},
	{
		name: "progress-after-the-end-counts",
		what: "media that has reported, does not return and reports progress is never abandoned by the run timeout",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutFreesAStartThatGoesOnReportingProgress",
		edits: []edit{{"queue/timeout.go", `if e.control.Stalled() || !e.control.Live() {`, `if e.control.Stalled() {`}},
	},
	{
		name: "progress-before-the-run-timeout",
		what: "the run timeout begins with the progress that was reported before it was armed",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutEndsWhatShowsNoProgress",
		edits: []edit{{"queue/timeout.go", `t.entry.control.Stalled() // from now on`, ``}},
	},
	{
		name: "run-timeout-closes-no-done",
		what: "the Done channel of an operation that has timed out stays open",
		rule: "G4", kill: "./queue TestTheDoneOfWhateverEndsIsClosed",
		edits: []edit{{"queue/timeout.go", `if notify && e.control.HasWaiters() {`, `if !notify && e.control.HasWaiters() {`}},
	},
}
