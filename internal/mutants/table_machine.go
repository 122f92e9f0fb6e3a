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
		edits: []edit{{"queue/machine.go", `waiting >= maxPending`, `waiting > maxPending`}},
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
		edits: []edit{{"queue/entry.go", `e.next, e = nil, e.next
	}`, `e = e.next
	}`}},
	},

	// When the media is free, and what it is due.
	{
		name: "free-before-report",
		what: "the media is free when its callbacks have returned, reported or not",
		rule: "G2", kill: "./queue TestTheExplorerReachesEveryState",
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
			`m.applyReport(e, r, at)
	m.advance(at)`,
			`m.applyReport(e, r, at)
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
				`e.media&(startReturned|stopEntered|preempted|inOptional) == startReturned|preempted`,
				`e.media&(stopEntered|preempted|inOptional) == preempted`,
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
			"queue/machine.go", `m.endGeneration(how, at, position)`,
			`_ = position
	for e := m.waiting.head; e != nil; e = e.next {
		must(e.control.End(&operation.Result{Reason: how.why}, at))
	}`,
		}},
	},
	{
		name: "one-by-one",
		what: "CancelAll ends one operation after the other",
		rule: "G4", kill: "./queue TestNoReaderSeesAHalfAppliedCancel",
		edits: []edit{{
			"queue/machine.go", `m.endGeneration(how, at, position)`,
			`if running != nil {
		must(running.control.End(&operation.Result{Reason: how.why, Position: position}, at))
	}
	for e := m.waiting.head; e != nil; e = e.next {
		must(e.control.End(&operation.Result{Reason: how.why}, at))
	}`,
		}},
	},
	{
		name: "event-before-the-commit",
		what: "a cancel takes effect a second after its events are logged",
		rule: "events follow the commit", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/generations.go", `ends.End(how.why, how.by, at, position)`,
			`time.AfterFunc(time.Second, func() { ends.End(how.why, how.by, at, position) })`,
		}},
	},
	{
		name: "same-generation",
		what: "what is accepted after a cancel belongs to the generation that it ended",
		rule: "G6", kill: "./queue TestWhatIsAcceptedAfterACancelIsUntouched",
		edits: []edit{{"queue/generations.go", `m.generation = nil`, ``}},
	},
	{
		name: "accepted-dead",
		what: "what is accepted while the media is busy joins the generation that the last cancel has ended",
		rule: "G6", kill: "./queue TestWhatIsAcceptedAfterACancelIsUntouched",
		edits: []edit{
			{"queue/generations.go", `m.generation = nil`, ``},
			{"queue/generations.go", `if m.generation == nil {`, `if m.generation == nil || m.current == nil {`},
			{
				"operation/control.go",
				`if dead != nil || next == 0 {
		return &TransitionError{From: o.Status(), Event: Start}`,
				`if _ = dead; next == 0 {
		return &TransitionError{From: o.Status(), Event: Start}`,
			},
			{
				"operation/control.go",
				`if next == 0 || o.generation != nil && o.generation.ended() != nil {`, `if next == 0 {`,
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
		name: "position-is-not-reported",
		what: "a cancel does not show how far the running one had come",
		rule: "the position in the generation", kill: "./queue TestTheRunningOperationsPositionIsReported",
		edits: []edit{{"queue/machine.go", `position = running.operation().Position()`, `position = 0`}},
	},
	{
		name: "a-record-for-each",
		what: "a cancel logs one record for each operation that it ended",
		rule: "one record for a cancel", kill: "./queue TestACancelLogsOneRecordForAllThatItEnds",
		edits: []edit{{
			"queue/machine.go", `m.log.append(record{kinds: logCancelled, detail: &b.detail})`,
			`for i := range cancelled {
		m.log.append(record{kinds: logCancelled, detail: &detail{at: at, cancelled: cancelled[i : i+1]}})
	}`,
		}},
	},
	{
		name: "no-stop-for-the-running-one",
		what: "the media of the running one gets no Stop by a CancelAll",
		rule: "G12", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `m.preempt(running)`, `_ = running`}},
	},
	{
		name: "cancel-of-one-makes-no-stop",
		what: "the media of the running one gets no Stop by a Cancel of its id",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if e == m.current {
		m.preempt(e)`, `if e == m.current && how.why != operation.Cancelled {
		m.preempt(e)`}},
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
		rule: "G13", kill: "./queue TestMediaThatDoesNotReportIsAbandoned",
		edits: []edit{{"queue/machine.go", `}
	m.timeout = stopTimeout`, `}`}},
	},

	// Protected operations.
	{
		name: "interrupt-ends-the-protected",
		what: "what barges in ends what is protected and waits",
		rule: "protected", kill: "./queue TestWhatBargesInSparesTheProtected",
		edits: []edit{{"queue/machine.go", `how.spare = spared > 0`, `how.spare = false`}},
	},
	{
		name: "interrupt-stops-the-protected",
		what: "what barges in stops the running one, though it is protected",
		rule: "protected", kill: "./queue TestWhatBargesInSparesTheProtected",
		edits: []edit{{"queue/machine.go", `if running != nil && running.protected {`, `if running != nil && running.protected && n < 0 {`}},
	},
	{
		name: "unprotected-are-not-linked",
		what: "what is accepted beside protected operations outlives a cancel of all",
		rule: "the link", kill: "./queue TestACancelOfAllEndsBothGroups",
		edits: []edit{{
			"queue/generations.go", `if m.cold != nil && m.cold.protected != nil {
			m`, `if m.cold != nil && m.cold.protected != nil && m.current == nil {
			m`,
		}},
	},
	{
		name: "the-first-protected-links-nothing",
		what: "what was accepted before the first protected operation outlives a cancel of all",
		rule: "the link", kill: "./queue TestACancelOfAllEndsBothGroups",
		edits: []edit{{"queue/generations.go", `if m.generation != nil {`, `if m.generation != nil && m.current == nil {`}},
	},
	{
		name: "a-cancel-of-all-spares",
		what: "CancelAll and Close end the generation of the unprotected alone",
		rule: "G4", kill: "./queue TestACancelOfAllEndsBothGroups",
		edits: []edit{{"queue/generations.go", `&& !how.spare {`, `&& m.generation == nil {`}},
	},
	{
		name: "spared-ones-start-before-the-interrupt",
		what: "what an interrupt spares starts between its cancel and its own operation",
		rule: "G7", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go", `m.enqueue(e, false, at)
	m.advance(at) // what was spared may be next`, `m.advance(at)
	m.enqueue(e, false, at)`,
		}},
	},
	{
		name: "protected-without-a-bound",
		what: "any number of protected operations barge in",
		rule: "G16", kill: "./queue TestTheBoundCountsWhatAnInterruptSpares",
		edits: []edit{{"queue/machine.go", `waiting = m.protectedWaiting()`, `waiting = 0`}},
	},

	// Those that are meant.
	{
		name: "next-is-the-last",
		what: "EnqueueNext is Enqueue",
		rule: "G1", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if next {`, `if next && m.current == nil {`}},
	},
	{
		name: "ahead-of-one-that-waits",
		what: "of two that wait the one that was accepted to be next loses the other",
		rule: "G12", kill: "./queue TestWhatIsToBeNextIsNext",
		edits: []edit{{"queue/entry.go", `if e.next = l.head; e.next == nil {`, `if l.head == nil {`}},
	},
	{
		name: "chosen-and-ended",
		what: "CancelWhere ends what has ended since it was chosen",
		rule: "G3", kill: "./queue TestThePredicateRunsWithoutTheLock",
		edits: []edit{{"queue/machine.go", `if e.control.Live() {
			m.endOne`, `if e != nil {
			m.endOne`}},
	},
	{
		name: "chosen-wait-on",
		what: "what CancelWhere has ended waits on",
		rule: "G12", kill: "./queue TestCancelWhereEndsWhatIsMeant",
		edits: []edit{{"queue/machine.go", `m.waiting.dropEnded()`, ``}},
	},
	{
		name: "chosen-plays-on",
		what: "CancelWhere does not stop the media of the running operation",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if cancelled[0] == m.current {`, `if cancelled[0] == nil {`}},
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
		rule: "G13", kill: "./queue TestMediaThatDoesNotReportIsAbandoned",
		edits: []edit{{"queue/machine.go", `if e.media&(reported|abandoned) != 0 {`, `if e.media.has(reported) {`}},
	},
	{
		name: "late-reports-are-not-counted",
		what: "a report that came too late is not counted",
		rule: "late reports", kill: "./queue TestTheFirstReportAfterACancelFreesTheMediaAndLaterOnesChangeNothing",
		edits: []edit{{"queue/machine.go", `m.coldState().late++`, `m.coldState()`}},
	},
	{
		name: "start-error-after-end",
		what: "an error from Start counts after an end was reported",
		rule: "an error after an End", kill: "./queue TestSimulation",
		edits: []edit{{"queue/machine.go", `if failed != nil && !e.media.has(reported) {`, `if failed != nil {`}},
	},
	{
		name: "late-start-counts",
		what: "a Start that fails after its media was abandoned is a report in time",
		rule: "a late Start", kill: "./queue TestAStartThatFailsTooLateIsDelivered",
		edits: []edit{{
			"queue/machine.go", `return m.report(e, failed, at)`, `m.applyReport(e, failed, at)
		return true`,
		}},
	},
	{
		name: "late-report-is-lost",
		what: "what abandoned media reports is counted and not delivered",
		rule: "recordings are never lost", kill: "./queue TestARecordingThatComesAfterDoneIsNotLost",
		edits: []edit{{"queue/machine.go", `m.release(e, logLate, r, at)`, `_ = r`}},
	},
	{
		name: "late-reports-are-delivered-twice",
		what: "every report of abandoned media is delivered",
		rule: "Late once", kill: "./queue TestReleasedClosesWhenTheMediaIsThrough",
		edits: []edit{{
			"queue/machine.go", `if !e.media.has(reported) {
		e.media |= reported
		m.cold.owed--`, `if e.media.has(abandoned) {
		m.cold.owed--`,
		}},
	},
	{
		name: "done-forgets-who-owes",
		what: "a queue that is done lets go of tasks whose media has yet to report",
		rule: "recordings are never lost", kill: "./queue TestARecordingThatComesAfterDoneIsNotLost",
		edits: []edit{{"queue/dispatch.go", `cold == nil || cold.owed == 0 {`, `cold == nil || cold.owed >= 0 {`}},
	},
	{
		name: "who-owed-keeps-the-queue",
		what: "a queue that is done is kept after the last late report",
		rule: "G15", kill: "./queue TestATaskKeptAfterDoneKeepsItsOperationAlone",
		edits: []edit{{
			"queue/dispatch.go", `if d.done {
		q.cutLink()
		return`, `if d.done {
		return`,
		}},
	},
	{
		name: "any-key-ends",
		what: "a key that is none of its stop tones ends a play",
		rule: "stop tones", kill: "./queue TestAKeyEndsThePlayThatRuns",
		edits: []edit{{"queue/machine.go", `!e.stopTones.Contains(t.Tone) ||`, `e.stopTones == 0 ||`}},
	},
	{
		name: "key-is-no-cause",
		what: "nobody knows which key has ended a play",
		rule: "who did it", kill: "./queue TestAKeyEndsThePlayThatRuns",
		edits: []edit{{"queue/machine.go", `by := &operation.Cause{Tone: t.Tone, ToneSeq: t.Seq}`, `by := &operation.Cause{Tone: t.Tone}`}},
	},
	{
		name: "key-from-before-ends",
		what: "a key that was pressed before a play started ends it",
		rule: "stop tones", kill: "./queue TestAKeyFromBeforeTheStartEndsNothing",
		edits: []edit{{"queue/machine.go", `!t.Time.After(e.control.Started())`, `t.Time.IsZero()`}},
	},
	{
		name: "key-ends-the-dead",
		what: "a key ends what has ended",
		rule: "stop tones", kill: "./queue TestAKeyInEveryStateOfALife",
		edits: []edit{{"queue/machine.go", `Contains(t.Tone) || !e.control.Live() ||`, `Contains(t.Tone) ||`}},
	},
	{
		name: "key-leaves-what-waits",
		what: "what waits does not begin when a key has ended what the media never had",
		rule: "G12", kill: "./queue TestTheExplorerReachesEveryState",
		edits: []edit{{"queue/machine.go", `m.end(e, ending{why: operation.KeyPressed, by: by}, at)
	m.advance(at)`, `m.end(e, ending{why: operation.KeyPressed, by: by}, at)`}},
	},
	{
		name: "end-shows-before-the-stop",
		what: "an end is seen before it is seen that the media is not through",
		rule: "the release is one step", kill: "./queue TestReadersSeeTheReleaseAsOneStep",
		edits: []edit{
			{"queue/machine.go", `		cancelled = append(cancelled, running)
		m.stopping(running)`, `		cancelled = append(cancelled, running)`},
			{"queue/machine.go", `	if running != nil {
		m.preempt(running)
	}
	m.logCancelled(`, `	if running != nil {
		m.stopping(running)
		m.preempt(running)
	}
	m.logCancelled(`},
		},
	},
	{
		name: "release-wakes-nobody",
		what: "who waits for the media of a preempted operation is forgotten",
		rule: "Released", kill: "./queue TestTheExplorerReachesEveryState",
		edits: []edit{{
			"queue/machine.go", `	m.applyReport(e, r, at)
	m.advance(at)
	return true`, `	was := e.control.Live()
	m.applyReport(e, r, at)
	m.advance(at)
	return was`,
		}},
	},
	{
		name: "abandoning-wakes-nobody",
		what: "who waits for the media of an operation that is abandoned is forgotten",
		rule: "Released", kill: "./queue TestTheExplorerReachesEveryState",
		edits: []edit{{"queue/machine.go", `		notify = m.abandon(e, fault, at)
		m.advance(at)
	}
	return notify`, `		m.abandon(e, fault, at)
		m.advance(at)
	}
	return notify`}},
	},
	{
		name: "released-is-not-delivered",
		what: "Released is not delivered",
		rule: "G13", kill: "./queue TestTheFirstReportAfterACancelFreesTheMediaAndLaterOnesChangeNothing",
		edits: []edit{{
			"queue/machine.go", `m.log.append(record{entry: e, kinds: kind, detail: &room.detail})`, `_ = kind`,
		}},
	},
	{
		name: "released-after-a-report-in-time",
		what: "media that has reported and is abandoned in its callback is released a second time",
		rule: "Released once", kill: "./queue TestACallbackThatHangsLosesTheMediaRole",
		edits: []edit{{"queue/machine.go", `released = e.media&(preempted|reported) == preempted; released`, `released = e.media.has(preempted); released`}},
	},
	{
		name: "values-released-too-early",
		what: "an operation releases its values while its media is not through",
		rule: "values are released", kill: "./queue TestValuesAreThereWhenReleasedIsDelivered",
		edits: []edit{{"queue/entry.go", `if !e.media.has(preempted) {`, `if e.media != 0 {`}},
	},
	{
		name: "logged-before-it-is-preempted",
		what: "the values of the running one are released at a CancelAll, before its media is through",
		rule: "values are released", kill: "./queue TestValuesAreThereUntilTheLastEventIsDelivered",
		edits: []edit{{"queue/machine.go", `m.preempt(running)`, `defer m.preempt(running)`}},
	},
	{
		name: "logged-before-one-is-preempted",
		what: "the values of the running one are released at a Cancel of its id, before its media is through",
		rule: "values are released", kill: "./queue TestValuesAreThereUntilTheLastEventIsDelivered",
		edits: []edit{{"queue/machine.go", `m.preempt(e) // first`, `defer m.preempt(e) // first`}},
	},

	// The end of the call.
	{
		name: "close-is-not-idempotent",
		what: "a second Close gives its own reason",
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
