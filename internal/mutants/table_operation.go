package main

// ofOperation are mutants of package operation: what a reader sees, with no lock, and when.
var ofOperation = []mutant{
	{
		name: "a-move-too-few",
		what: "an operation that waits cannot fail",
		rule: "the table is the machine", kill: "./operation TestTheTableIsTheMachine",
		edits: []edit{{
			"operation/lifecycle.go",
			`if int(s) < len(statusNames) && int(e) < len(eventNames) {`,
			`if int(s) < len(statusNames) && int(e) < len(eventNames) && (s != NotStarted || e != Fail) {`,
		}},
	},
	{
		name: "no-second-look",
		what: "a reader does not look at the operation again after the generation",
		rule: "the re-read", kill: "./operation TestWhatHasEndedIsNeverSeenCancelled", chance: true,
		edits: []edit{{"operation/operation.go", `if w.status().Terminal() {`, `if w.status().Terminal() && dead == 0 {`}},
	},
	{
		name: "live-ignores-the-generation",
		what: "Live looks at the operation's own state only",
		rule: "G5", kill: "./queue TestNoFrameFollowsACancel",
		edits: []edit{{
			"operation/operation.go",
			`(o.generation == nil || o.generation.reason() == 0)`, `(o.generation == nil || o.generation.reason() < 99)`,
		}},
	},
	{
		name: "status-ignores-the-generation",
		what: "Status looks at the operation's own state only",
		rule: "G4", kill: "./queue TestSimulation",
		edits: []edit{{"operation/operation.go", `return dead.Status()`, `return w.status()`}},
	},
	{
		name: "state-before-the-result",
		what: "the state shows an end before its result is written",
		rule: "result before the state", kill: "-race ./operation TestReadersSeeOneInstant",
		edits: []edit{{
			"operation/control.go",
			`o.ended, o.position = at.Sub(o.accepted), r.Position`,
			`o.state.Store(uint32(newState(next, r.Reason, w.started())))
	o.ended, o.position = at.Sub(o.accepted), r.Position`,
		}},
	},
	{
		name: "reason-before-the-time",
		what: "a generation shows its end before its time is written",
		rule: "result before the state", kill: "-race ./operation TestReadersSeeOneInstant",
		edits: []edit{{
			"operation/generation.go",
			`g.end.Store(&generationEnd{r, at, position})`,
			`end := &generationEnd{reason: r}
	g.end.Store(end)
	*end = generationEnd{r, at, position}`,
		}},
	},
	{
		name: "result-moves",
		what: "the result of a cancelled operation has its live position",
		rule: "a result never changes", kill: "./queue TestTheRunningOperationsPositionIsTold",
		edits: []edit{{"operation/operation.go", `r.Position = o.generation.end.Load().position`, `r.Position = o.Position()`}},
	},
	{
		name: "position-of-another",
		what: "an operation that was cancelled while it waited has the running one's position",
		rule: "the position in the generation", kill: "./queue TestOnlyTheRunningOneHasAPosition",
		edits: []edit{{
			"operation/operation.go",
			`*r = Result{Reason: dead}
		if w.started() {`,
			`*r = Result{Reason: dead}
		if o != nil {`,
		}},
	},
	{
		name: "done-does-not-look-again",
		what: "Done does not look whether the end has come meanwhile",
		rule: "publish, then look again", kill: "./operation TestWhoFindsWhatAnotherHasMadeLooksToo",
		edits: []edit{{"operation/operation.go", `if o.reason() != 0 {`, `if o.reason() > 99 {`}},
	},
	{
		name: "found-done-is-not-looked-at",
		what: "Done returns the channel that another reader has made, without a look",
		rule: "G4", kill: "./operation TestWhoFindsWhatAnotherHasMadeLooksToo",
		edits: []edit{{
			"operation/operation.go", `o.flags.Or(awaited)`, `o.flags.Or(awaited)
	} else {
		return o.done`,
		}},
	},
	{
		name: "done-is-closed-twice",
		what: "whoever comes to close Done closes it",
		rule: "closed once", kill: "./operation TestDoneIsClosedOnce",
		edits: []edit{{
			"operation/operation.go", `if o.done != nil && o.flags.Load()&doneClosed == 0 {`, `if o.done != nil {`,
		}},
	},
	{
		name: "contexts-do-not-follow",
		what: "a cancel leaves the contexts of what it ended",
		rule: "the canceller ends contexts", kill: "./queue TestACancelReleasesAStartThatWaitsForItsContext",
		edits: []edit{{"operation/control.go", `c.op.closeDone()`, `_ = c`}},
	},
	{
		name: "context-err-ignores-the-generation",
		what: "the context of a cancelled operation says that it lives",
		rule: "the context is the operation", kill: "./operation TestTheContextEndsWithItsOperationAlone",
		edits: []edit{{
			"operation/context.go",
			`if c.operation().reason() == 0 {`, `if packedState(c.state.Load()).reason() == 0 {`,
		}},
	},
	{
		name: "cause-is-not-the-reason",
		what: "context.Cause of a task's context is not the operation's reason",
		rule: "the cause is the reason", kill: "./operation TestWhoeverAsksForDoneIsTold",
		edits: []edit{{
			"operation/context.go",
			`v := causes[c.operation().reason()].Value(key); v != nil`, `v := causes[0].Value(key); v != nil && key == nil`,
		}},
	},
	{
		name: "detached-context-ends",
		what: "DetachedContext ends with Enqueue's context",
		rule: "detached", kill: "./operation TestAnOperationTellsWhatItIs",
		edits: []edit{{"operation/operation.go", `return context.WithoutCancel(o.values())`, `return o.values()`}},
	},
	{
		name: "keeps-its-values",
		what: "an operation keeps its context and value after its last event",
		rule: "values are released", kill: "./queue TestWhatWasLentIsThereUntilTheLastEventWasTold",
		edits: []edit{{"operation/control.go", `o.ctx, o.value = nil, nil`, ``}},
	},
	{
		name: "keeps-its-context",
		what: "the context of an operation keeps its values after the last event",
		rule: "values are released", kill: "./queue TestWhatWasLentIsLetGoWhoeverComesLast",
		edits: []edit{{"operation/control.go", `o.ctx, o.value = nil, nil`, `o.value = nil`}},
	},
	{
		name: "value-needs-a-context",
		what: "a value that is given without a context is lost",
		rule: "the platform's datum", kill: "./operation TestAValueNeedsNoContext",
		edits: []edit{{"operation/control.go", `if o.ctx != nil || o.value != nil {`, `if o.ctx != nil {`}},
	},
	{
		name: "wait-panics-in-the-caller",
		what: "a typed nil context panics in Wait",
		rule: "G16", kill: "./queue TestAContextThatPanicsIsRefused",
		edits: []edit{{
			"operation/operation.go",
			`if v := recover(); v != nil {`, `if v := error(nil); v != nil {`,
		}},
	},
	{
		name: "error-is-not-guarded",
		what: "a method of an error that panics ends the process",
		rule: "code of others under the lock", kill: "./queue TestAnErrorWhoseMethodsPanicIsReportedAsUnspecified",
		edits: []edit{{"operation/find.go", `if recover() != nil {`, `if found > 99 {`}},
	},
	{
		name: "errors-without-a-bound",
		what: "an error that unwraps to itself is followed for ever",
		rule: "code of others under the lock", kill: "./queue TestTheReasonIsFoundInAnErrorOfAnyShape",
		edits: []edit{{"operation/find.go", `*left--`, ``}},
	},
	{
		name: "a-success-is-found-in-an-error",
		what: "an error that holds a reason of success completes the operation",
		rule: "an error is never a success", kill: "./queue TestAnErrorFromStartIsNeverASuccess",
		edits: []edit{{"operation/find.go", `return found, ok && found.Status() == Failed`, `return found, ok`}},
	},
	{
		name: "progress-is-not-seen-in-a-loop",
		what: "an operation that plays on at one position is timed out",
		rule: "G13", kill: "./queue TestSimulation",
		edits: []edit{{
			"operation/progress.go", `p.word.Store(int64(max(position, 0)))`,
			`if p.position() != position {
		p.word.Store(int64(max(position, 0)))
	}`,
		}},
	},
	{
		name: "same-position-is-no-progress",
		what: "media that tells the same position again is timed out",
		rule: "run timeout", kill: "./queue TestTellingProgressKeepsTheRunTimeoutAway",
		edits: []edit{{
			"operation/progress.go", `p.word.Store(int64(max(position, 0)))`,
			`if p.position() != position {
		p.word.Store(int64(max(position, 0)))
	}`,
		}},
	},
	{
		name: "negative-position-is-no-progress",
		what: "a position before the beginning looks as if nothing was told",
		rule: "run timeout", kill: "./queue TestTellingProgressKeepsTheRunTimeoutAway",
		edits: []edit{{"operation/progress.go", `int64(max(position, 0))`, `int64(position)`}},
	},
	{
		name: "never-stalled",
		what: "an operation without progress never looks stalled",
		rule: "run timeout", kill: "./queue TestTheRunTimeoutEndsWhatShowsNoProgress",
		edits: []edit{{"operation/progress.go", `w|stalledBit)`, `w)`}},
	},
	{
		name: "stall-bit-shows",
		what: "a look for progress changes the position that readers see",
		rule: "the stall bit", kill: "./operation TestALookForProgressChangesNoPosition",
		edits: []edit{{"operation/progress.go", `p.word.Load() &^ stalledBit`, `p.word.Load()`}},
	},
}
