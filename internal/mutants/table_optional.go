package main

// ofOptional are mutants of what not all media has: pauses, Prepare, loops; and of the queue's pause.
var ofOptional = []mutant{
	{
		name: "optional-pause-holds-nothing-new",
		what: "what is accepted while the queue is paused begins",
		rule: "pause", kill: "./queue TestASealedQueueThatIsPausedWaits",
		edits: []edit{{
			"queue/machine.go", `if m.current == nil && m.waiting.head == nil && !m.paused {`,
			`if m.current == nil && m.waiting.head == nil {`,
		}},
	},
	{
		name: "optional-pause-holds-nothing",
		what: "what waits begins while the queue is paused",
		rule: "pause", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go", `if m.current == nil && m.waiting.head != nil && !m.paused {`,
			`if m.current == nil && m.waiting.head != nil {`,
		}},
	},
	{
		name: "optional-resume-starts-nothing",
		what: "Resume does not begin what waits",
		rule: "G12", kill: "./queue TestAPauseHoldsWhatWaits",
		edits: []edit{{"queue/machine.go", `m.paused = false
	m.advance(at)`, `m.paused = false`}},
	},
	{
		name: "optional-told-anew",
		what: "what was paused and resumed before its media got either is paused and resumed",
		rule: "due by comparison", kill: "./queue TestAPauseThatWasTakenBackIsNotCalled",
		edits: []edit{{"queue/machine.go", `e.optional &^= wantsPause
		m.watchRun()`, `e.optional = e.optional&^wantsPause | gotPause
		m.watchRun()`}},
	},
	{
		name: "optional-run-timeout-counts",
		what: "the run timeout counts while an operation is paused",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutRestsDuringAPause",
		edits: []edit{{"queue/machine.go", `m.timeout = noTimeout // it makes no progress, and need not`, ``}},
	},
	{
		name: "optional-run-timeout-stays-away",
		what: "the run timeout does not count after a resume",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutRestsDuringAPause",
		edits: []edit{{"queue/machine.go", `e.optional &^= wantsPause
		m.watchRun()`, `e.optional &^= wantsPause`}},
	},
	{
		name: "optional-end-inside-pause-unwatched",
		what: "media that ends an operation inside Pause, and does not return, keeps the call",
		rule: "run timeout", kill: "./queue TestAnEndInsidePauseIsWatched",
		edits: []edit{{"queue/machine.go", `m.watchRun() // it ended while it was paused, and its media is to return from its callback`, ``}},
	},
	{
		name: "optional-stop-inside-pause",
		what: "Stop is due while Pause has not returned",
		rule: "G5", kill: "./queue TestTheExplorerReachesEveryState",
		edits: []edit{{
			"queue/machine.go", `case e.media&(startReturned|stopEntered|preempted|inOptional) == startReturned|preempted:`,
			`case e.media&(startReturned|stopEntered|preempted) == startReturned|preempted:`,
		}},
	},
	{
		name: "optional-no-late-stop",
		what: "media that was abandoned inside Pause gets no Stop when that returns",
		rule: "G13", kill: "./queue TestPauseMayGoWrong",
		edits: []edit{{
			"queue/dispatch.go", `if d.entry.media&(abandoned|reported|stopEntered) == abandoned {`,
			`if d.call == callStart && d.entry.media&(abandoned|reported|stopEntered) == abandoned {`,
		}},
	},
	{
		name: "optional-waiting-is-paused",
		what: "what waits can be paused",
		rule: "G16", kill: "./queue TestWhatCannotBePausedIsNamed",
		edits: []edit{{"queue/machine.go", `case e != m.current:
		return ErrNotRunning
	case`, `case`}},
	},
	{
		name: "optional-seal-lets-loops-go-on",
		what: "a seal does not end the loop that runs",
		rule: "loops", kill: "./queue TestASealedQueueEndsLoops",
		edits: []edit{{"queue/machine.go", `if e := m.current; e != nil {
			m.endLoop(e)
		}`, ``}},
	},
	{
		name: "optional-loops-begin-in-a-sealed-queue",
		what: "what begins in a sealed queue may loop",
		rule: "loops", kill: "./queue TestASealedQueueEndsLoops",
		edits: []edit{{"queue/machine.go", `if m.phase == phaseSealed {
		m.endLoop(e)
	}`, ``}},
	},
	{
		name: "optional-prepare-again",
		what: "an operation is prepared whenever it is the first that waits",
		rule: "prepare", kill: "./queue TestWhatIsNextIsPrepared",
		edits: []edit{{
			"queue/machine.go", `func (m *machine) prepareEntered(e *entry) { e.optional |= gotPrepare }`,
			`func (m *machine) prepareEntered(e *entry) { e.optional |= 0 }`,
		}},
	},
	{
		name: "optional-prepare-context-lives",
		what: "the context of a Prepare does not end with the wait",
		rule: "prepare", kill: "./queue TestWhatIsNextIsPrepared",
		edits: []edit{{"queue/prepare.go", `p.end(p.cause())`, ``}},
	},
	{
		name: "optional-prepare-two-at-once",
		what: "two operations are prepared at once",
		rule: "prepare", kill: "./queue TestAPrepareThatBlocksHoldsUpNothingElse",
		edits: []edit{{"queue/prepare.go", `if !s.prepare.active {`, `if s.prepare != nil {`}},
	},
	{
		name: "optional-prepare-keeps-done",
		what: "a Prepare that does not return keeps Done open for ever",
		rule: "G14", kill: "./queue TestAPrepareThatBlocksHoldsUpNothingElse",
		edits: []edit{{"queue/prepare.go", `p.timer = time.AfterFunc(q.stopTimeoutOf(p.entry), func() { q.abandonPrepare(p) })`, ``}},
	},
	{
		name: "optional-done-before-prepare",
		what: "Done does not wait for Prepare",
		rule: "G14", kill: "./queue TestDoneWaitsForPrepare",
		edits: []edit{{"queue/queue.go", `return s.warnings.pending() || s.prepare.busy()`, `return s.warnings.pending()`}},
	},
}
