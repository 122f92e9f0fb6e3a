package main

// ofShell are mutants of the public calls: the critical section around the machine, what is checked
// before it, media, options.
var ofShell = []mutant{
	{
		name: "admit-and-accept-apart",
		what: "Enqueue checks under one lock hold and accepts under another",
		rule: "G14", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/queue.go", `at := time.Now()
	m.enqueue(e, at)`, `q.unlock(byCaller)
	q.lock(byCaller)
	at := time.Now()
	m.enqueue(e, at)`,
		}},
	},
	{
		name: "clock-before-the-lock",
		what: "Enqueue reads the clock before it takes the lock",
		rule: "clock under the lock", kill: "./queue TestSimulation",
		edits: []edit{
			{
				"queue/queue.go", `func (q *Queue) enqueue(e *entry, idGiven bool) error {`,
				`func (q *Queue) enqueue(e *entry, idGiven bool) error {
	at := time.Now()`,
			},
			{"queue/queue.go", `at := time.Now()
	m.enqueue(e, at)`, `m.enqueue(e, at)`},
		},
	},
	{
		name: "interrupt-checks-too-late",
		what: "Interrupt looks whether it is refused after it has cancelled",
		rule: "G7", kill: "./queue TestARefusedInterruptCancelsNothing",
		edits: []edit{
			{
				"queue/queue.go", `if err := q.machine.admit(e, idGiven, 0); err != nil {
		q.unlock(byCaller)`,
				`at := time.Now()
	cancelled, awaited := q.machine.cancelAll(operation.BargedIn, b, at)
	if err := q.machine.admit(e, idGiven, 0); err != nil {
		q.commit(byCaller, at, b, awaited)`,
			},
			{"queue/queue.go", `at := time.Now()
	cancelled, awaited := q.machine.interrupt(e, b, at)`, `q.machine.enqueue(e, at)`},
		},
	},
	{
		name: "interrupt-in-two-steps",
		what: "Interrupt is CancelAll and then Enqueue",
		rule: "G7", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/queue.go", `cancelled, awaited := q.machine.interrupt(e, b, at)`,
			`cancelled, awaited := q.machine.cancelAll(operation.BargedIn, b, at)
	q.unlock(byCaller)
	q.lock(byCaller)
	q.machine.enqueue(e, at)`,
		}},
	},
	{
		name: "interrupt-is-refused-when-full",
		what: "a full queue refuses an Interrupt",
		rule: "G7", kill: "./queue TestARefusedInterruptCancelsNothing",
		edits: []edit{{"queue/queue.go", `admit(e, idGiven, 0)`, `admit(e, idGiven, q.machine.config.maxPending)`}},
	},
	{
		name: "receipt-misses-one",
		what: "the receipt of CancelAll does not name the last one that it ended",
		rule: "G8", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/queue.go", `return Receipt{own.Operation(), cancelled}`,
			`return Receipt{own.Operation(), cancelled[:max(0, len(cancelled)-1)]}`,
		}},
	},
	{
		name: "an-end-closes-no-done",
		what: "the Done channel of an operation whose media reports stays open",
		rule: "G4", kill: "./queue TestTheDoneOfWhateverEndsIsClosed",
		edits: []edit{{"queue/queue.go", `if ended && e.control.HasWaiters() {`, `if !ended && e.control.HasWaiters() {`}},
	},
	{
		name: "the-queue-is-a-word-longer",
		what: "the queue's size is no multiple of a cache line",
		rule: "64 bytes", kill: "./queue TestTheQueuesSizeIsAMultipleOfACacheLine",
		edits: []edit{{"queue/queue.go", `%64) % 64]byte`, `%64)%64 + 8]byte`}},
	},

	// Code of others, before the lock.
	{
		name: "dead-context-is-accepted",
		what: "Enqueue accepts with a context that is over",
		rule: "G16", kill: "./queue TestBadInputIsNamedAndNothingIsAccepted",
		edits: []edit{{"queue/context.go", `if ctx.Err() != nil {`, `if ctx.Err() != nil && ctx.Done() == nil {`}},
	},
	{
		name: "context-panics-in-the-caller",
		what: "a typed nil context panics in the caller",
		rule: "G16", kill: "./queue TestAContextThatPanicsIsRefused",
		edits: []edit{{
			"queue/context.go", `defer contextPanicked(ctx, &err)
	if ctx.Err() != nil {`, `if ctx.Err() != nil {`,
		}},
	},
	{
		name: "error-under-the-lock",
		what: "the error that a report tells is asked for its reason under the lock",
		rule: "code of others under the lock", kill: "./queue TestAnErrorWhoseMethodsBlockHoldsUpNobodyElse",
		edits: []edit{{
			"queue/queue.go", `q.commitEnd(q.machine.report(e, r, at), e, at)`,
			`if r.Err != nil {
		_ = operation.ReasonOf(r.Err)
	}
	q.commitEnd(q.machine.report(e, r, at), e, at)`,
		}},
	},
	{
		name: "exit-in-an-error-is-no-report",
		what: "a report whose error exits the goroutine is lost",
		rule: "code of others under the lock", kill: "./queue TestAnErrorWhoseMethodsExitIsReported",
		edits: []edit{{
			"queue/media.go", `defer func() { t.End(r) }()
	r.Reason = operation.ReasonOf(r.Err)`, `r.Reason = operation.ReasonOf(r.Err)
	t.End(r)`,
		}},
	},
	{
		name: "kind-under-the-lock",
		what: "a warning asks the request for its kind under the lock",
		rule: "code of others under the lock", kill: "./queue TestARequestsKindIsCodeOfOthers",
		edits: []edit{{
			"queue/warning.go", `w.list = append(w.list, warning{`, `if e != nil {
		_ = e.operation().Kind()
	}
	w.list = append(w.list, warning{`,
		}},
	},
	{
		name: "logger-on-the-callers-goroutine",
		what: "the logger is called with the lock held by whoever warns",
		rule: "the logger is a callback", kill: "./queue TestNoCallbackIsMadeUnderTheLock",
		edits: []edit{{
			"queue/warning.go", `w.list = append(w.list, warning{what: what, entry: e, err: err, at: time.Now()})`,
			`(&warning{what: what, entry: e, err: err, at: time.Now()}).log(q.machine.config.logger, q.callID)`,
		}},
	},
	{
		name: "warnings-without-a-bound",
		what: "a logger that blocks keeps warnings without a bound",
		rule: "the logger is a callback", kill: "./queue TestALoggerThatBlocksLosesWarningsAndIsToldHowMany",
		edits: []edit{{"queue/warning.go", `if len(w.list) == maxWarnings {`, `if len(w.list) < 0 {`}},
	},
	{
		name: "dropped-warnings-are-not-counted",
		what: "a logger that blocks is not told how many warnings it lost",
		rule: "the logger is a callback", kill: "./queue TestALoggerThatBlocksLosesWarningsAndIsToldHowMany",
		edits: []edit{{"queue/warning.go", `w.dropped++`, ``}},
	},

	// Options.
	{
		name: "bound-overflows",
		what: "four times a huge WithMaxPending is a small bound",
		rule: "G16", kill: "./queue TestAHugeBoundRefusesNothing",
		edits: []edit{{"queue/options.go", `if c.maxPending <= math.MaxInt/4 {`, `if c.maxPending <= math.MaxInt {`}},
	},
	{
		name: "typed-nil-observer",
		what: "an observer that is a nil pointer is accepted",
		rule: "G16", kill: "./queue TestNilObserversOfEveryKindAreRefused",
		edits: []edit{{"queue/options.go", `case reflect.Pointer, reflect.Map`, `case reflect.Map`}},
	},
	{
		name: "typed-nil-media",
		what: "media that is a nil pointer, map, function, channel or slice is accepted",
		rule: "G16", kill: "./queue TestNilMediaOfEveryKindIsRefused",
		edits: []edit{{"queue/queue.go", `case isNil(media):`, `case media == nil:`}},
	},
	{
		name: "logger-without-a-handler",
		what: "a logger without a handler is accepted",
		rule: "G16", kill: "./queue TestALoggerWithoutAHandlerIsRefused",
		edits: []edit{{"queue/options.go", `isNil(l.Handler())`, `l.Handler() == quietly`}, {
			"queue/options.go", `// wrong notes an error`, `var quietly = slog.DiscardHandler

// wrong notes an error`,
		}},
	},
	{
		name: "second-inline-observer",
		what: "a second inline observer replaces the first one without a word",
		rule: "G16", kill: "./queue TestASecondInlineObserverIsRefused",
		edits: []edit{{"queue/options.go", `case c.inlineObserver:`, `case c.inlineObserver && len(c.observers) == 0:`}},
	},
	{
		name: "shared-options-grow",
		what: "an observer that one call adds to shared options is another call's too",
		rule: "options are shared", kill: "./queue TestSharedOptionsAreNotChanged",
		edits: []edit{{"queue/options.go", `append(slices.Clip(c.observers), o)`, `append(c.observers, o)`}},
	},
	{
		name: "inline-media-by-default",
		what: "the media is called on the goroutine of whoever changed the state",
		rule: "G11", kill: "./queue TestSimulation",
		edits: []edit{{"queue/options.go", `maxPending:     DefaultMaxPending,`, `inlineMedia: true, maxPending: DefaultMaxPending,`}},
	},
}
