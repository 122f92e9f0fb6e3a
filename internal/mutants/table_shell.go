package main

// ofShell are mutants of the public calls: the critical section around the machine, what is checked
// before it, media, options.
var ofShell = []mutant{
	{
		name: "admit-and-accept-apart",
		what: "Enqueue checks under one lock hold and accepts under another",
		rule: "G4", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/queue.go", `at := time.Now()
	m.enqueue(e, next, at)`, `q.unlock(byCaller)
	q.lock(byCaller)
	at := time.Now()
	m.enqueue(e, next, at)`,
		}},
	},
	{
		name: "clock-before-the-lock",
		what: "Enqueue reads the clock before it takes the lock",
		rule: "clock under the lock", kill: "./queue TestSimulation",
		edits: []edit{
			{
				"queue/queue.go", `func (q *Queue) enqueue(p prepared, next bool) (*operation.Operation, error) {`,
				`func (q *Queue) enqueue(p prepared, next bool) (*operation.Operation, error) {
	at := time.Now()`,
			},
			{"queue/queue.go", `at := time.Now()
	m.enqueue(e, next, at)`, `m.enqueue(e, next, at)`},
		},
	},
	{
		name: "interrupt-checks-too-late",
		what: "Interrupt looks whether it is refused after it has cancelled",
		rule: "G7", kill: "./queue TestARefusedInterruptCancelsNothing",
		edits: []edit{
			{
				"queue/queue.go", `if err := m.admit(e, p.idGiven, true, m.config.maxPending); err != nil {
		q.unlock(byCaller)`,
				`at := time.Now()
	cancelled, awaited := m.cancelAll(ending{why: operation.BargedIn, by: &by, spare: true}, b, at)
	if err := m.admit(e, p.idGiven, true, m.config.maxPending); err != nil {
		q.commit(byCaller, at, b, awaited)`,
			},
			{"queue/queue.go", `at := time.Now()
	cancelled, awaited := m.interrupt(e, &by, b, at)`, `m.enqueue(e, false, at)`},
		},
	},
	{
		name: "interrupt-in-two-steps",
		what: "Interrupt is CancelAll and then Enqueue",
		rule: "G7", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/queue.go", `cancelled, awaited := m.interrupt(e, &by, b, at)`,
			`cancelled, awaited := m.cancelAll(ending{why: operation.BargedIn, by: &by, spare: true}, b, at)
	q.unlock(byCaller)
	q.lock(byCaller)
	m.enqueue(e, false, at)`,
		}},
	},
	{
		name: "interrupt-is-refused-when-full",
		what: "a full queue refuses an Interrupt",
		rule: "G7", kill: "./queue TestARefusedInterruptCancelsNothing",
		edits: []edit{{"queue/queue.go", `m.admit(e, p.idGiven, true,`, `m.admit(e, p.idGiven, false,`}},
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
		edits: []edit{{"queue/queue.go", `if notify && e.control.HasWaiters() {`, `if !notify && e.control.HasWaiters() {`}},
	},
	{
		name: "the-queue-is-a-word-longer",
		what: "the queue's size is no multiple of a cache line",
		rule: "64 bytes", kill: "./queue TestTheQueuesSizeIsAMultipleOfACacheLine",
		edits: []edit{{"queue/queue.go", `%64) % 64]byte`, `%64)%64 + 8]byte`}},
	},

	{
		name: "an-option-for-any-call",
		what: "an option on a call that it is not for is ignored without a word",
		rule: "G16", kill: "./queue TestAnOptionThatIsNotForACallIsNamed",
		edits: []edit{{"queue/options.go", `optionRules[o].of&call == 0`, `optionRules[o].of == 0`}},
	},
	{
		name: "a-cancel-succeeds",
		what: "a cancel may end with a reason of success",
		rule: "G16", kill: "./queue TestAWrongCancelEndsNothing",
		edits: []edit{{"queue/options.go", `o.reason.Status() != operation.Failed`, `o.reason.Status() == 0`}},
	},
	{
		name: "a-panic-in-a-predicate",
		what: "a panic of CancelWhere's predicate reaches the caller",
		rule: "G16", kill: "./queue TestAWrongCancelEndsNothing",
		edits: []edit{{
			"queue/queue.go", `if v := recover(); v != nil {
			chosen, err`, `if v := error(nil); v != nil {
			chosen, err`,
		}},
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
		what: "the error of a report is asked for its reason under the lock",
		rule: "code of others under the lock", kill: "./queue TestAnErrorWhoseMethodsBlockBlocksItsReporterAlone",
		edits: []edit{{
			"queue/media.go", `	normalize(&r)
	asked = r`, `	q := t.queue()
	q.lock(byCaller)
	normalize(&r)
	q.unlock(byCaller)
	asked = r`,
		}},
	},
	{
		name: "exit-in-an-error-is-no-report",
		what: "a report whose error exits the goroutine is lost",
		rule: "code of others under the lock", kill: "./queue TestAnErrorWhoseMethodsExitIsReported",
		edits: []edit{{
			"queue/media.go", `defer func() {
		if q := t.queue(); q != nil {
			q.report(t.entry, &asked)`, `normalize(&r)
	defer func() {
		if q := t.queue(); q != nil {
			q.report(t.entry, &asked)`,
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
		rule: "the logger is a callback", kill: "./queue TestALoggerThatBlocksLosesWarningsAndGetsTheirNumber",
		edits: []edit{{"queue/warning.go", `if len(w.list) == maxWarnings {`, `if len(w.list) < 0 {`}},
	},
	{
		name: "dropped-warnings-are-not-counted",
		what: "a logger that blocks does not get how many warnings it lost",
		rule: "the logger is a callback", kill: "./queue TestALoggerThatBlocksLosesWarningsAndGetsTheirNumber",
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
		edits: []edit{{"internal/foreign/nil.go", `case reflect.Pointer, reflect.Map`, `case reflect.Map`}},
	},
	{
		name: "right-option-hides-a-wrong-one",
		what: "options are checked when all were applied, so a later one of the kind hides a wrong one",
		rule: "G16", kill: "./queue TestAWrongOptionIsAnErrorWhereverItStands",
		edits: []edit{{
			"queue/options.go", `c.apply(o)
		if err := c.check(); err != nil {
			return c, err
		}
	}`, `c.apply(o)
	}
	if err := c.check(); err != nil {
		return c, err
	}`,
		}},
	},
	{
		name: "wrong-option-drops-the-right-one",
		what: "CancelAll drops a right key if there is a wrong one too",
		rule: "G16", kill: "./queue TestAWrongEnqueueOptionIsAnErrorWhereverItStands",
		edits: []edit{{"queue/options.go", `			err = cmp.Or(err, wrong)
			continue
		}
		k =`, `			return nil, wrong
		}
		k =`}},
	},
	{
		name: "cause-panics-who-asks",
		what: "a cause whose methods panic is kept, and panics whoever asks for it",
		rule: "code of others", kill: "./queue TestACauseThatPanicsIsReplaced",
		edits: []edit{{"queue/sound.go", `if foreign.IsNil(err) {`, `if foreign.IsNil(err) && *left < 0 {`}},
	},
	{
		name: "cause-without-end",
		what: "a cause that unwraps to itself is kept, and errors.Is of it never returns",
		rule: "code of others", kill: "./queue TestACauseThatPanicsIsReplaced",
		edits: []edit{{"queue/sound.go", `ask(err, &left); left < 0 {`, `ask(err, &left); left < -1 {`}},
	},
	{
		name: "zero-queue-stays-locked",
		what: "a queue that New did not make panics with its lock held",
		rule: "nothing leaves it locked", kill: "./queue TestAZeroValueDoesNoHarmOrSaysWhoMakesIt",
		edits: []edit{{
			"queue/queue.go", `if !q.dispatch.plain {
		q.seam(by)
	}
	q.mu.Lock()`, `if !q.dispatch.plain && q.machine.config != nil {
		q.seam(by)
	}
	q.mu.Lock()`,
		}},
	},
	{
		name: "typed-nil-media",
		what: "media that is a nil pointer, map, function, channel or slice is accepted",
		rule: "G16", kill: "./queue TestNilMediaOfEveryKindIsRefused",
		edits: []edit{{"queue/queue.go", `case foreign.IsNil(media):`, `case media == nil && foreign.IsNil(media):`}},
	},
	{
		name: "logger-without-a-handler",
		what: "a logger without a handler is accepted",
		rule: "G16", kill: "./queue TestALoggerWithoutAHandlerIsRefused",
		edits: []edit{{"internal/foreign/logger.go", `l != nil && IsNil(l.Handler())`, `l == &nobodys`}, {
			"internal/foreign/logger.go", `// NoHandler reports`, `var nobodys slog.Logger

// NoHandler reports`,
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
	{
		name: "cancel-all-keeps-any-client-context",
		what: "CancelAll keeps a client context of any length",
		rule: "G16", kill: "./queue TestCancelAllIgnoresAClientContextThatIsNone",
		edits: []edit{{
			"queue/options.go", `err = cmp.Or(err, wrong)
				continue
			}
			s.ClientContext`, `err = cmp.Or(err, wrong)
			}
			s.ClientContext`,
		}},
	},
	{
		name: "a-mute-context-is-a-success",
		what: "Shutdown says that all was done in time if its context does not say why it ended",
		rule: "an error if it was not done in time", kill: "./queue TestAContextThatDoesNotSayWhyIsNoSuccess",
		edits: []edit{{"queue/context.go", `cmp.Or(context.Cause(ctx), context.Canceled)`, `cmp.Or(context.Cause(ctx), nil)`}},
	},
}
