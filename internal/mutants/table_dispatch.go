package main

// ofDispatcher are mutants of who makes the calls: dispatchers, roles, what a callback that does
// not return leaves to others, and when Done is closed.
var ofDispatcher = []mutant{
	// The call itself.
	{
		name: "callback-under-the-lock",
		what: "the media is called with the lock held",
		rule: "G11", kill: "./queue TestNoCallbackIsMadeUnderTheLock",
		edits: []edit{{
			"queue/dispatch.go", `if err := media.Start(task); err != nil {`,
			`if err := func() error {
		q.mu.Lock()
		defer q.mu.Unlock()
		return media.Start(task)
	}(); err != nil {`,
		}},
	},
	{
		name: "observer-under-the-lock",
		what: "an observer is called with the lock held",
		rule: "G11", kill: "./queue TestNoCallbackIsMadeUnderTheLock",
		edits: []edit{{"queue/dispatch.go", `f(e) // the common form`, `q.mu.Lock()
			f(e)
			q.mu.Unlock() // the common form`}},
	},
	{
		name: "event-of-no-queue",
		what: "an event does not name its queue",
		rule: "an event names its queue", kill: "./queue TestAnEventNamesItsQueue",
		edits: []edit{{"queue/dispatch.go", `e := Event{Queue: q}`, `e := Event{}`}},
	},
	{
		name: "failed-start-is-no-report",
		what: "a Start that panicked or exited has not reported",
		rule: "a panic is a report", kill: "./queue TestPanicsAndExitsOfCallbacksLoseNothing",
		edits: []edit{{
			"queue/dispatch.go", `failed = &operation.Result{Reason: operation.Panicked, Err: err}`, `_ = err`,
		}},
	},
	{
		name: "start-error-closes-no-done",
		what: "the Done channel of an operation whose Start failed stays open",
		rule: "G4", kill: "./queue TestTheDoneOfWhateverEndsIsClosed",
		edits: []edit{{
			"queue/dispatch.go", `d.booked(at)
	if notify {
		d.notifyDone(e)
	}
}

// notifyDone`, `d.booked(at)
	_ = notify
}

// notifyDone`,
		}},
	},
	{
		name: "blocking-closes-no-done",
		what: "the Done channel of an operation whose Blocking function has returned stays open",
		rule: "G4", kill: "./queue TestTheDoneOfWhateverEndsIsClosed",
		edits: []edit{{
			"queue/dispatch.go", `d.booked(at)
	if notify {
		d.notifyDone(e)
	}
}

// blockingReport`, `d.booked(at)
	_ = notify
}

// blockingReport`,
		}},
	},
	{
		name: "panicking-event-is-delivered-again",
		what: "an event on which an observer panics is delivered to it again",
		rule: "G10", kill: "./queue TestSimulation",
		edits: []edit{{"queue/dispatch.go", `q.machine.eventsDelivered(role.observer(), &d.batch)`, `_ = role`}},
	},
	{
		name: "done-follows-too-late",
		what: "the Done channels of what CancelAll ended are closed after it has returned",
		rule: "G4", kill: "./queue TestACancelClosesDoneBeforeItReturns",
		edits: []edit{{
			"queue/dispatch.go", `for _, e := range awaited {
			e.control.NotifyDone()
		}`, `go func() {
			time.Sleep(time.Second)
			for _, e := range awaited {
				e.control.NotifyDone()
			}
		}()`,
		}},
	},

	// Exits of callbacks.
	{
		name: "exit-loses-the-dispatcher",
		what: "a callback that exits its goroutine takes the dispatcher along",
		rule: "G11", kill: "./queue TestALoggerThatPanicsOrExitsLosesOnlyItsWarning",
		edits: []edit{{"queue/dispatch.go", `go d.queue.dispatchOwn()`, `_ = d`}},
	},
	{
		name: "exit-loses-the-inline-dispatcher",
		what: "an inline callback that exits its goroutine takes the inline dispatcher along",
		rule: "G11", kill: "./queue TestAnExitOfOneCallbackDoesNotLoseAnothersRole",
		edits: []edit{{"queue/dispatch.go", `go d.queue.dispatchInline()`, `_ = d`}},
	},
	{
		name: "exit-loses-the-media-role",
		what: "nobody goes on after a media callback that exits its goroutine",
		rule: "G11", kill: "./queue TestPanicsAndExitsOfCallbacksLoseNothing",
		edits: []edit{{"queue/dispatch.go", `if panicked == nil {`, `if panicked == nil && role == mediaRole {
		d.unlock()
	} else if panicked == nil {`}},
	},
	{
		name: "exit-loses-the-observer-role",
		what: "nobody goes on after an observer that exits its goroutine",
		rule: "G11", kill: "./queue TestPanicsAndExitsOfCallbacksLoseNothing",
		edits: []edit{{"queue/dispatch.go", `if panicked == nil {`, `if panicked == nil && role >= observerRole {
		d.unlock()
	} else if panicked == nil {`}},
	},
	{
		name: "exit-loses-the-logger-role",
		what: "nobody goes on after a logger that exits its goroutine",
		rule: "G11", kill: "./queue TestALoggerThatPanicsOrExitsLosesOnlyItsWarning",
		edits: []edit{{"queue/dispatch.go", `if panicked == nil {`, `if panicked == nil && role == loggerRole {
		d.unlock()
	} else if panicked == nil {`}},
	},
	{
		name: "exit-loses-the-blocking-function",
		what: "a Blocking function that exits its goroutine has not reported",
		rule: "G11", kill: "./queue TestABlockingFunctionsReturnIsItsOnlyReport",
		edits: []edit{{"queue/dispatch.go", `if exited { // its goroutine`, `if exited && e == nil { // its goroutine`}},
	},
	{
		name: "panic-of-blocking-is-not-logged",
		what: "the logger does not hear of a Blocking function that panicked",
		rule: "the logger is a callback", kill: "./queue TestThePanicOfABlockingFunctionIsLogged",
		edits: []edit{{"queue/dispatch.go", `if isFault(r.Err) {`, `if !isFault(r.Err) && r.Err != nil {`}},
	},

	// Who is next.
	{
		name: "lost-wake-up",
		what: "whoever has called the media does not look what that has made due",
		rule: "G12", kill: "./queue TestSimulation",
		edits: []edit{{"queue/dispatch.go", `if d.last == 0 {`, `if d.last == 0 || d.entry != nil {`}},
	},
	{
		name: "an-observer-starves-the-media",
		what: "an observer that is always behind keeps the media from being called",
		rule: "fair turns", kill: "./queue TestWhoIsAlwaysBehindStarvesNobody",
		edits: []edit{{"queue/dispatch.go", `d.last = q.ownWork(d.last)`, `d.last = q.ownWork(0)`}},
	},
	{
		name: "an-observer-starves-the-next",
		what: "an observer that is always behind keeps the one after it from being called",
		rule: "fair turns", kill: "./queue TestWhoIsAlwaysBehindStarvesNobody",
		edits: []edit{{
			"queue/dispatch.go", `roles { return r | (r - 1) }`, `roles { return r - 1 }`,
		}},
	},
	{
		name: "the-media-starves-the-logger",
		what: "media that is always due keeps the logger from being called",
		rule: "fair turns", kill: "./queue TestWhoIsAlwaysBehindStarvesNobody",
		edits: []edit{{"queue/dispatch.go", `case last == mediaRole && due&loggerRole != 0:`, `case last == mediaRole && due == loggerRole:`}},
	},
	{
		name: "two-deliver-to-one-observer",
		what: "two goroutines may have the role of one observer",
		rule: "one role, one goroutine", kill: "./queue TestSimulation",
		edits: []edit{{"queue/dispatch.go", `s.held |= role`, `s.held |= role & mediaRole`}},
	},
	{
		name: "inline-event-under-a-callback",
		what: "events are delivered inline while a media callback is on the stack",
		rule: "inline events", kill: "./queue TestNoEventIsDeliveredInlineWithAMediaCallbackOnTheStack",
		edits: []edit{{"queue/dispatch.go", `m.log.behind(0) && !q.mediaCallback()`, `m.log.behind(0)`}},
	},
	{
		name: "inline-events-are-nobodys",
		what: "events for an inline observer wait for the media's callback to return",
		rule: "G11", kill: "./queue TestABlockedCallbackBlocksNoOther",
		edits: []edit{{
			"queue/dispatch.go", `(i > 0 || !m.config.inlineObserver || !d.inline)`, `(i > 0 || !m.config.inlineObserver)`,
		}},
	},
	{
		name: "all-inline-needs-no-dispatcher",
		what: "a queue whose callbacks are all inline never has a dispatcher of its own",
		rule: "G11", kill: "./queue TestAnInlineCallNeedsADispatcherToo",
		edits: []edit{{
			"queue/dispatch.go", `d.inline && m.config.allInline && !m.blocking && m.cold == nil`,
			`m.config.allInline && !m.blocking`,
		}},
	},

	// A borrowed goroutine.
	{
		name: "borrowed-for-ever",
		what: "a borrowed goroutine makes calls as long as there are any",
		rule: "256 calls", kill: "./queue TestABorrowedGoroutineMakesAtMost256Calls",
		edits: []edit{{"queue/dispatch.go", `const borrowedCalls = 256`, `const borrowedCalls = math.MaxInt32`}},
	},
	{
		name: "a-batch-is-one-call",
		what: "a borrowed goroutine delivers a batch of events to its end, however many calls it has made",
		rule: "256 calls", kill: "./queue TestABorrowedGoroutineStopsWithinABatch",
		edits: []edit{{"queue/dispatch.go", `more = d.left > 0 && d.batch.next(&e)`, `more = d.batch.next(&e)`}},
	},
	{
		name: "handed-over-and-not-looked",
		what: "a goroutine that goes on with inline calls does not look what was left to it meanwhile",
		rule: "G12", kill: "./queue TestWhatIsLeftToTheMediaRoleIsDelivered",
		edits: []edit{{
			"queue/dispatch.go", `q.lock(byInlineDispatcher)`, `q.lock(byInlineDispatcher)
	if q.machine.due() == callNone {
		q.unlock(byInlineDispatcher)
		return
	}`,
		}},
	},

	// Callbacks that do not return: the watch, detached and abandoned.
	{
		name: "the-watch-never-detaches",
		what: "a callback that does not return holds up all others of its call",
		rule: "G11", kill: "./queue TestABlockedCallbackBlocksNoOther",
		edits: []edit{{"queue/timeout.go", `if d.current == 0 || d.calls != d.seen {`, `if d.current < 99 {`}},
	},
	{
		name: "the-watch-looks-once",
		what: "the watch looks at a dispatcher once and never again",
		rule: "G11", kill: "./queue TestABlockedCallbackBlocksNoOther",
		edits: []edit{{
			"queue/timeout.go", `d.seen = d.calls
		q.unlock(byWatch)
		return true`, `d.seen = d.calls
		q.unlock(byWatch)
		return false`,
		}},
	},
	{
		name: "detached-and-not-replaced",
		what: "nobody goes on when the watch has detached a dispatcher",
		rule: "G11", kill: "./queue TestABlockedCallbackBlocksNoOther",
		edits: []edit{{
			"queue/timeout.go", `spawn := q.claimOwn()
	q.unlock(byWatch)`, `spawn := false
	q.unlock(byWatch)`,
		}},
	},
	{
		name: "a-callback-is-not-current",
		what: "the watch does not see in which callback a dispatcher is",
		rule: "G11", kill: "./queue TestABlockedCallbackBlocksNoOther",
		edits: []edit{{"queue/dispatch.go", `s.current = uint8(bits.Len32(uint32(role)))`, `s.current = 0`}},
	},
	{
		name: "two-callbacks-are-one",
		what: "the watch takes two callbacks that it finds one after the other for one that does not return",
		rule: "the watch", kill: "./queue TestOneDispatcherUnlessACallbackTakesLong",
		edits: []edit{{"queue/dispatch.go", `s.calls++`, ``}},
	},
	{
		name: "detached-goes-on",
		what: "a detached dispatcher goes on though another is active",
		rule: "one dispatcher", kill: "./queue TestOneDispatcherUnlessACallbackTakesLong",
		edits: []edit{{"queue/dispatch.go", `} else if d.over = s.own; !d.over {`, `} else {`}},
	},
	{
		name: "rejoined-is-not-active",
		what: "a dispatcher that goes on after it was detached is not known to be active",
		rule: "one dispatcher", kill: "./queue TestOneDispatcherUnlessACallbackTakesLong",
		edits: []edit{{"queue/dispatch.go", `d.queue.activateOwn()`, `_ = s`}},
	},
	{
		name: "rejoined-is-not-watched",
		what: "a dispatcher that goes on after it was detached is not watched any more",
		rule: "G11", kill: "./queue TestADispatcherThatGoesOnIsWatched",
		edits: []edit{{"queue/dispatch.go", `d.queue.activateOwn()`, `s.own = true`}},
	},
	{
		name: "blocking-holds-up-the-others",
		what: "events wait for a Blocking function to return",
		rule: "G11", kill: "./queue TestABlockingFunctionBlocksNoOtherCallback",
		edits: []edit{{
			"queue/dispatch.go", `q.dispatch.own = false
	spawn := q.claimOwn()`, `spawn := q.claimOwn()`,
		}},
	},
	{
		name: "blocking-does-not-rejoin",
		what: "who has run a Blocking function goes on though another is active",
		rule: "one dispatcher", kill: "./queue TestOneDispatcherUnlessACallbackTakesLong",
		edits: []edit{{"queue/dispatch.go", `notify := q.blockingReport(e, r, at)
	d.rejoin()`, `notify := q.blockingReport(e, r, at)`}},
	},
	{
		name: "late-callback-frees-the-role",
		what: "a callback that returns after its media was abandoned gives back a role that another has",
		rule: "a late Start", kill: "./queue TestEventsAreInlineAgainWhenALateCallbackHasReturned",
		edits: []edit{{
			"queue/dispatch.go", `if role == mediaRole && d.entry.media.has(abandoned) {
		q.machine.cold.shell.stuck--`, `if role == mediaRole && d.entry.media.has(abandoned) && q.machine.cold.shell.stuck < 0 {
		q.machine.cold.shell.stuck--`,
		}},
	},
	{
		name: "late-start-gets-no-stop",
		what: "a Start that returns after its media was abandoned gets no Stop",
		rule: "a late Start", kill: "./queue TestACallbackThatHangsLosesTheMediaRole",
		edits: []edit{{
			"queue/dispatch.go", `if d.entry.media&(abandoned|reported|stopEntered) == abandoned {`, `if d.call == callNone {`,
		}},
	},

	// The end.
	{
		name: "done-before-the-last-event",
		what: "Done does not wait until all observers got everything",
		rule: "G14", kill: "./queue TestDoneWaitsForTheLastCallback",
		edits: []edit{
			{"queue/dispatch.go", `m.phase != phaseDrained || d.own || d.inline || d.held != 0 ||`, `m.phase != phaseDrained ||`},
			{"queue/dispatch.go", `!m.log.drained() || m.cold`, `m.cold`},
		},
	},
	{
		name: "done-before-the-last-warning",
		what: "Done does not wait for a logger that blocks",
		rule: "G14", kill: "./queue TestDoneWaitsForEveryCallback",
		edits: []edit{{"queue/dispatch.go", `d.own || d.inline || d.held != 0 ||`, `d.own || d.inline ||`}},
	},
	{
		name: "done-before-the-done-of-operations",
		what: "Done does not wait for the Done channels of what was cancelled",
		rule: "G14", kill: "./queue TestDoneComesAfterTheDoneOfTheCancelled",
		edits: []edit{
			{"queue/dispatch.go", `q.dispatch.finishing++
		q.unlock(by)`, `q.unlock(by)`},
			{"queue/dispatch.go", `q.dispatch.finishing--
		inline`, `inline`},
		},
	},
	{
		name: "done-before-the-timeouts",
		what: "Done does not wait for timeouts that are under way",
		rule: "G14", kill: "./queue TestDoneWaitsForATimeoutThatIsUnderWay",
		edits: []edit{{"queue/dispatch.go", `d.finishing > 0 ||`, `d.finishing > 1<<20 ||`}},
	},
	{
		name: "done-waits-for-abandoned-media",
		what: "Done waits for the callbacks of media that was abandoned",
		rule: "Done does not count it", kill: "./queue TestDoneDoesNotWaitForAbandonedMedia",
		edits: []edit{{
			"queue/dispatch.go", `d.finishing > 0 ||`, `d.finishing > 0 || m.cold != nil && m.cold.shell.stuck > 0 ||`,
		}},
	},
	{
		name: "counters-of-16-bits",
		what: "Done is closed beside 65,536 goroutines that it should wait for",
		rule: "counters", kill: "./queue TestDoneWaitsForMoreGoroutinesThan16BitsCount",
		edits: []edit{{"queue/dispatch.go", `finishing uint32`, `finishing uint16`}},
	},
	{
		name: "done-keeps-the-media",
		what: "a queue that is done keeps its media alive",
		rule: "G15", kill: "./queue TestAQueueThatIsDoneKeepsLittle",
		edits: []edit{{"queue/dispatch.go", `q.media, m.generation = nil, nil`, `m.generation = nil`}},
	},
	{
		name: "the-link-is-not-cut",
		what: "a task that is kept after Done keeps the queue and its observers",
		rule: "G15", kill: "./queue TestATaskKeptAfterDoneKeepsItsOperationAlone",
		edits: []edit{{"queue/dispatch.go", `q.link.queue.Store(nil)`, ``}},
	},
	{
		name: "the-last-does-not-close-done",
		what: "a dispatcher that was replaced, and is the last to leave, does not look whether the queue is done",
		rule: "G14", kill: "./queue TestAReplacedDispatcherMayBeTheLast",
		edits: []edit{{"queue/dispatch.go", `	q.closeDone() // here too`, `	// here too`}},
	},
	{
		name: "left-events-are-forgotten",
		what: "events that an inline dispatcher may not deliver wait for the media's callback",
		rule: "G11", kill: "./queue TestWhatIsLeftToTheOwnDispatcherIsDelivered",
		edits: []edit{{"queue/dispatch.go", `if q.machine.log.behind(0) { // under`, `if false { // under`}},
	},
	{
		name: "panic-nil-is-two",
		what: "after a panic with nil, where that is allowed, two goroutines go on",
		rule: "panics", kill: "./queue TestAPanicWithNilIsAnExit",
		edits: []edit{{"queue/dispatch.go", `finished = panicked == nil // GODEBUG`, `finished = false // GODEBUG`}},
	},
	{
		name: "the-media-waits-for-each-observer",
		what: "the media waits until the watch has looked at each of the observers that block",
		rule: "G11", kill: "./queue TestTheMediaDoesNotWaitForEachObserver",
		edits: []edit{{"queue/dispatch.go", `last: ^roles(0)}`, `last: 0}`}},
	},
	{
		name: "values-of-an-operation-go-with-it",
		what: "an operation that was enqueued with another's context loses its values with that one",
		rule: "attached values", kill: "./queue TestTheValuesOfAnOperationsContextAreHandedOn",
		edits: []edit{{"operation/control.go", `		s.Context = c.operation().values()`, `		_ = c`}},
	},
	{
		name: "a-bubble-arms-the-shared-watch",
		what: "a queue in a synctest bubble arms timers that are shared with everybody else",
		rule: "bubbles", kill: "./queue TestBubblesTakeNoClockAway",
		edits: []edit{{"queue/timeout.go", `return at == at.Round(0) //`, `return at.IsZero() //`}},
	},
	{
		name: "stop-waits-for-the-watch",
		what: "after a cancel Stop waits until the watch has noticed an observer that blocks",
		rule: "Stop is at once", kill: "./queue TestStopDoesNotWaitForTheWatch",
		edits: []edit{{"queue/dispatch.go", `	q.hurryStop()`, ``}},
	},
}
