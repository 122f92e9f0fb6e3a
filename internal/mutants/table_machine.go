package main

// ofMachine are mutants of the pure machine and its records: what runs, what waits, what ends.
var ofMachine = []mutant{
	// What may come in.
	{
		name: "close-accepts",
		what: "a closed queue accepts",
		rule: "G14", kill: "./queue TestCloseEndsEverythingAndLeavesNothing",
		edits: []edit{{"queue/machine.go", `case m.phase != phaseOpen:`, `case m.phase == phaseSealed:`}},
	},
	{
		name: "one-more-than-the-bound",
		what: "one more operation waits than WithMaxPending says",
		rule: "G16", kill: "./queue TestTheBoundCountsWaitingOperationsOnly",
		edits: []edit{{"queue/machine.go", `m.waiting.n >= maxPending`, `m.waiting.n > maxPending`}},
	},
	{
		name: "no-bound-for-the-undelivered",
		what: "an observer that lags keeps operations without a bound",
		rule: "four full queues", kill: "./queue TestAnObserverThatLagsRefusesWhatIsNew",
		edits: []edit{{"queue/machine.go", `m.config.maxUndelivered > 0 &&`, `m.config.maxUndelivered < 0 &&`}},
	},
	{
		name: "duplicate-id",
		what: "two live operations may have one id",
		rule: "G16", kill: "./queue TestBadInputIsNamedAndNothingIsAccepted",
		edits: []edit{{"queue/machine.go", `case idGiven && m.find(`, `case idGiven && m.current == nil && m.find(`}},
	},

	// In which order.
	{
		name: "last-in-first-out",
		what: "the next operation is the one accepted last",
		rule: "G1", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/entry.go",
			`if l.tail == nil {
		l.head = e
	} else {
		l.tail.next = e
	}
	l.tail = e`,
			`if l.tail == nil {
		l.tail = e
	}
	e.next, l.head = l.head, e`,
		}},
	},
	{
		name: "cancel-of-one-loses-the-rest",
		what: "Cancel of one that waits takes those behind it along",
		rule: "G12", kill: "./queue TestCancelEndsOneAndKeepsTheOrderOfTheRest",
		edits: []edit{{"queue/entry.go", `if before.next = e.next; before.next == nil {`, `if before.next = nil; before.next == nil {`}},
	},
	{
		name: "keeps-the-next",
		what: "an operation that has left the queue keeps the one behind it",
		rule: "G15", kill: "./queue TestAKeptOperationKeepsNothingElse",
		edits: []edit{{
			"queue/entry.go", `e.next = nil
	l.n--
	return e`, `l.n--
	return e`,
		}},
	},
	{
		name: "cancelled-ones-keep-each-other",
		what: "what a cancel ended keeps each other",
		rule: "G15", kill: "./queue TestAKeptOperationKeepsNothingElse",
		edits: []edit{{"queue/entry.go", `e.next, e = nil, e.next`, `e = e.next`}},
	},

	// When the media is free, and what it is due.
	{
		name: "free-before-report",
		what: "the media is free when its callbacks have returned, reported or not",
		rule: "G2", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `e.media.has(reported|startReturned) &&`, `e.media.has(startReturned) &&`}},
	},
	{
		name: "free-before-return",
		what: "the media is free when it has reported, whether its callbacks have returned or not",
		rule: "G2", kill: "./queue TestTheNextStartsOnlyWhenTheMediaHasReportedAndReturned",
		edits: []edit{{
			"queue/machine.go",
			`e.media.has(reported|startReturned) && !e.media.inCallback()`, `e.media.has(reported)`,
		}},
	},
	{
		name: "next-is-not-begun",
		what: "a report frees the media and begins nothing",
		rule: "G12", kill: "./queue TestNothingWaitsForMediaThatIsFree",
		edits: []edit{{
			"queue/machine.go",
			`ended = m.applyReport(e, r, at)
	m.advance(at)`,
			`ended = m.applyReport(e, r, at)
	if e.media.has(startReturned) && !e.media.inCallback() {
		m.free()
	}`,
		}},
	},
	{
		name: "stop-before-start-returned",
		what: "Stop is called while Start has not returned",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{
			{
				"queue/machine.go",
				`e.media&(startReturned|stopEntered|preempted) == startReturned|preempted`,
				`e.media&(stopEntered|preempted) == preempted`,
			},
			{"queue/dispatch.go", `if due &^= d.held; due == 0 {`, `if due &^= d.held &^ mediaRole; due == 0 {`},
		},
	},
	{
		name: "no-time-for-the-next",
		what: "what begins when a callback returns begins at the zero time",
		rule: "G10", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go",
			`return m.waiting.head != nil || m.phase != phaseOpen`, `return m.phase != phaseOpen`,
		}},
	},

	// Cancel.
	{
		name: "forgets-the-running-one",
		what: "CancelAll ends what waits and lets the running one go on",
		rule: "G4", kill: "./queue TestCancelAllFailsEverythingAtOneInstant",
		edits: []edit{{
			"queue/machine.go", `m.generation.End(why, at, position)`,
			`_ = position
	for e := m.waiting.head; e != nil; e = e.next {
		must(e.control.End(&operation.Result{Reason: why}, at))
	}`,
		}},
	},
	{
		name: "one-by-one",
		what: "CancelAll ends one operation after the other",
		rule: "G4", kill: "./queue TestNoReaderSeesAHalfAppliedCancel", chance: true,
		edits: []edit{{
			"queue/machine.go", `m.generation.End(why, at, position)`,
			`if running != nil {
		must(running.control.End(&operation.Result{Reason: why, Position: position}, at))
	}
	for e := m.waiting.head; e != nil; e = e.next {
		must(e.control.End(&operation.Result{Reason: why}, at))
	}`,
		}},
	},
	{
		name: "event-before-the-commit",
		what: "a cancel takes effect a second after its events are logged",
		rule: "events follow the commit", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go", `m.generation.End(why, at, position)`,
			`g := m.generation
	time.AfterFunc(time.Second, func() { g.End(why, at, position) })`,
		}},
	},
	{
		name: "same-generation",
		what: "what is accepted after a cancel belongs to the generation that it ended",
		rule: "G6", kill: "./queue TestWhatIsAcceptedAfterACancelIsUntouched",
		edits: []edit{{"queue/machine.go", `m.generation = nil`, ``}},
	},
	{
		name: "born-dead",
		what: "what is accepted while the media is busy joins the generation that the last cancel has ended",
		rule: "G6", kill: "./queue TestSimulation",
		edits: []edit{
			{"queue/machine.go", `m.generation = nil`, ``},
			{"queue/machine.go", `if m.generation == nil {`, `if m.generation == nil || m.current == nil {`},
			{
				"operation/control.go",
				`if dead != 0 || next == 0 {
		return &TransitionError{From: o.Status(), Event: Start}`,
				`if _ = dead; next == 0 {
		return &TransitionError{From: o.Status(), Event: Start}`,
			},
			{
				"operation/control.go",
				`if dead != 0 || next == 0 {
		return &TransitionError{From: o.Status(), Event: e}`,
				`if _ = dead; next == 0 {
		return &TransitionError{From: o.Status(), Event: e}`,
			},
		},
	},
	{
		name: "ends-twice",
		what: "an operation that has ended is ended by a cancel again",
		rule: "G3", kill: "./queue TestSimulation",
		edits: []edit{
			{"queue/machine.go", `m.watchCallback()
		running = nil`, `m.watchCallback()`},
			{
				"queue/machine.go", `if n == 0 {`,
				`if m.generation == nil {
		m.generation = new(operation.Generation)
	}
	if n == 0 && running == nil {`,
			},
		},
	},
	{
		name: "position-is-not-told",
		what: "a cancel does not tell how far the running one had come",
		rule: "the position in the generation", kill: "./queue TestTheRunningOperationsPositionIsTold",
		edits: []edit{{"queue/machine.go", `position = running.operation().Position()`, `position = 0`}},
	},
	{
		name: "a-record-for-each",
		what: "a cancel logs one record for each operation that it ended",
		rule: "one record for a cancel", kill: "./queue TestACancelLogsOneEntryForAllItsVictims",
		edits: []edit{{
			"queue/machine.go", `m.log.append(record{kinds: logCancelled, detail: &b.detail})`,
			`for i := range cancelled {
		m.log.append(record{kinds: logCancelled, detail: &detail{at: at, cancelled: cancelled[i : i+1]}})
	}`,
		}},
	},
	{
		name: "no-stop-for-the-running-one",
		what: "the media of the running one is not told to stop by a CancelAll",
		rule: "G12", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `m.preempt(running)`, `_ = running`}},
	},
	{
		name: "cancel-of-one-tells-no-stop",
		what: "the media of the running one is not told to stop by a Cancel of its id",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if e == m.current {`, `if e == m.current && why != operation.Cancelled {`}},
	},
	{
		name: "dead-task-is-started",
		what: "a task that dies before its Start keeps the media and is started",
		rule: "G5", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if !e.media.has(startEntered) {`, `if m.current == nil {`}},
	},
	{
		name: "blocking-is-free-at-the-cancel",
		what: "a cancel frees the media of a Blocking function before the function has returned",
		rule: "one report of Blocking", kill: "./queue TestABlockingFunctionsReturnIsItsOnlyReport",
		edits: []edit{{"queue/machine.go", `e.media |= stopEntered | stopReturned`, `e.media |= stopEntered | stopReturned | reported`}},
	},
	{
		name: "never-abandoned",
		what: "media that does not report keeps the operation for ever",
		rule: "G13", kill: "./queue TestMediaThatDoesNotReportIsGivenUp",
		edits: []edit{{"queue/machine.go", `}
	m.timeout = stopTimeout`, `}`}},
	},

	// Reports.
	{
		name: "late-report-counts",
		what: "a second report of the running task is taken again",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go", `if e.media&(reported|abandoned) != 0 {`,
			`if e.media.has(abandoned) || e.media.has(reported) && m.current != e {`,
		}},
	},
	{
		name: "report-of-an-abandoned-one",
		what: "a report of media that was abandoned counts",
		rule: "G13", kill: "./queue TestMediaThatDoesNotReportIsGivenUp",
		edits: []edit{{"queue/machine.go", `if e.media&(reported|abandoned) != 0 {`, `if e.media.has(reported) {`}},
	},
	{
		name: "late-reports-are-not-counted",
		what: "a report that came too late is not counted",
		rule: "late reports", kill: "./queue TestTheFirstReportAfterACancelFreesTheMediaAndLaterOnesChangeNothing",
		edits: []edit{{"queue/machine.go", `m.coldState().late++`, ``}},
	},
	{
		name: "start-error-after-end",
		what: "an error from Start counts after an end was told",
		rule: "an error after an End", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if failed != nil && !e.media.has(reported) {`, `if failed != nil {`}},
	},
	{
		name: "late-start-counts",
		what: "a Start that fails after its media was abandoned is a report",
		rule: "a late Start", kill: "./queue TestAStartThatFailsTooLateChangesNothing",
		edits: []edit{{
			"queue/machine.go", `if e.media.has(abandoned) {
		if failed`, `if e.media.has(abandoned) && c == callStop {
		if failed`,
		}},
	},
	{
		name: "released-is-not-told",
		what: "Released is not told",
		rule: "G13", kill: "./queue TestTheFirstReportAfterACancelFreesTheMediaAndLaterOnesChangeNothing",
		edits: []edit{{
			"queue/machine.go", `m.log.append(record{entry: e, kinds: logReleased, detail: &released.detail})`, `_ = m`,
		}},
	},
	{
		name: "released-after-a-report-in-time",
		what: "media that has reported and is abandoned in its callback is released a second time",
		rule: "Released once", kill: "./queue TestACallbackThatHangsLosesTheMediaRole",
		edits: []edit{{"queue/machine.go", `if e.media&(preempted|reported) == preempted {`, `if e.media.has(preempted) {`}},
	},
	{
		name: "values-released-too-early",
		what: "an operation releases its values while its media is not through",
		rule: "values are released", kill: "./queue TestWhatWasLentIsThereWhenReleasedIsTold",
		edits: []edit{{"queue/entry.go", `if !e.media.has(preempted) {`, `if e.media != 0 {`}},
	},
	{
		name: "logged-before-it-is-preempted",
		what: "the values of the running one are released at a CancelAll, before its media is through",
		rule: "values are released", kill: "./queue TestWhatWasLentIsThereUntilTheLastEventWasTold",
		edits: []edit{{"queue/machine.go", `m.preempt(running)`, `defer m.preempt(running)`}},
	},
	{
		name: "logged-before-one-is-preempted",
		what: "the values of the running one are released at a Cancel of its id, before its media is through",
		rule: "values are released", kill: "./queue TestWhatWasLentIsThereUntilTheLastEventWasTold",
		edits: []edit{{"queue/machine.go", `m.preempt(e) // first`, `defer m.preempt(e) // first`}},
	},

	// The end of the call.
	{
		name: "close-is-not-idempotent",
		what: "a second Close tells its own reason",
		rule: "G14", kill: "./queue TestCloseEndsEverythingAndLeavesNothing",
		edits: []edit{{"queue/machine.go", `if m.phase >= phaseClosed {`, `if m.phase >= phaseDrained {`}},
	},
	{
		name: "seal-does-not-close",
		what: "a sealed queue never comes to its end",
		rule: "G14", kill: "./queue TestSealLetsTheGoodbyeFinish",
		edits: []edit{{"queue/machine.go", `if m.phase == phaseSealed && m.live() == 0 {`, `if m.phase == phaseSealed && m.live() < 0 {`}},
	},
	{
		name: "sealed-and-stuck",
		what: "a sealed queue whose media does not return from its callback is never done",
		rule: "stop timeout", kill: "./queue TestTheStopTimeoutCountsFromTheCancelWhateverElseIsArmed",
		edits: []edit{{"queue/machine.go", `m.watchCallback()
		return`, `return`}},
	},
	{
		name: "stuck-at-the-cancel",
		what: "media that has reported and is stuck in its callback is not abandoned after a cancel",
		rule: "stop timeout", kill: "./queue TestTheStopTimeoutCountsFromTheCancelWhateverElseIsArmed",
		edits: []edit{{"queue/machine.go", `m.watchCallback()
		running = nil`, `running = nil`}},
	},
	{
		name: "stop-timeout-waits-for-another-timer",
		what: "media that has reported and does not return is not abandoned while a run timeout is armed",
		rule: "G14", kill: "./queue TestTheStopTimeoutCountsFromTheCancelWhateverElseIsArmed",
		edits: []edit{{
			"queue/machine.go", `!e.control.Live() && e.media.inCallback() {`,
			`!e.control.Live() && e.media.inCallback() && m.timeout == noTimeout {`,
		}},
	},
	{
		name: "done-before-the-media",
		what: "Done does not wait for the media",
		rule: "G14", kill: "./queue TestSimulation",
		edits: []edit{
			{"queue/machine.go", `m.watchCallback()
		return`, `m.watchCallback()`},
			{"queue/dispatch.go", `d.finishing > 0 ||`, ``},
		},
	},
}
