package main

// ofOperation are mutants of package operation: what a reader sees, with no lock, and when.
var ofOperation = []mutant{
	{
		name: "attached-in-place-of-the-rest",
		what: "what is attached to an operation takes the place of Enqueue's context",
		rule: "values", kill: "./operation TestAttachedValuesAreThoseOfTheOperation",
		edits: []edit{{"operation/operation.go", `o.ctx = layered{ctx, o.ctx}`, `o.ctx = ctx`}},
	},
	{
		name: "attached-to-itself",
		what: "an operation's own context may be attached to it",
		rule: "no way into itself", kill: "./operation TestWhatCanNotBeAttachedIsAnError",
		edits: []edit{{"operation/context.go", `ctx.Value(derivedFrom{o}) != nil`, `ctx == o.Context()`}},
	},
	{
		name: "preempted-until-the-release",
		what: "after the release an operation was not preempted",
		rule: "Released follows", kill: "./queue TestPreemptedSaysThatReleasedFollows",
		edits: []edit{{
			"operation/release.go", `c.op.flags.And(^stopping)`, `c.op.flags.And(^(stopping | preempted))`,
		}},
	},
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
		rule: "the re-read", kill: "./operation TestAReaderLooksAgainAtWhatHasEnded",
		edits: []edit{{"operation/operation.go", `if w.status().Terminal() {
		return w, nil
	}
	return w, end`, `if w.status().Terminal() && end == nil {
		return w, nil
	}
	return w, end`}},
	},
	{
		name: "live-ignores-the-generation",
		what: "Live looks at the operation's own state only",
		rule: "G5", kill: "./queue TestNoFrameFollowsACancel",
		edits: []edit{{
			"operation/operation.go",
			`(o.generation == nil || o.generation.ended() == nil)`, `(o.generation == nil || o.generation != nil)`,
		}},
	},
	{
		name: "status-ignores-the-generation",
		what: "Status looks at the operation's own state only",
		rule: "G4", kill: "./queue TestSimulation",
		edits: []edit{{"operation/operation.go", `return end.reason.Status()`, `return w.status()`}},
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
			`end := &generationEnd{reason: r, at: at, position: position}`,
			`end := &generationEnd{reason: r}
	g.end.Store(end)
	end.at, end.position = at, position`,
		}},
	},
	{
		name: "link-is-not-looked-at-again",
		what: "a reader of a linked generation does not look again after it has seen the end of all",
		rule: "the link's re-read", kill: "./operation TestAReaderOfALinkedGenerationSeesAnInstant",
		edits: []edit{{"operation/generation.go", `if again == end {`, `if again == end || again != nil {`}},
	},
	{
		name: "link-is-an-end",
		what: "a generation that is linked reads as ended",
		rule: "the link", kill: "./operation TestALinkedGenerationEndsOnce",
		edits: []edit{{"operation/generation.go", `return g.resolve(end)`, `return end`}},
	},
	{
		name: "who-ended-all-is-lost",
		what: "a generation's end does not keep who did it",
		rule: "the cause", kill: "./queue TestTheCauseIsKnown",
		edits: []edit{{"operation/generation.go", `end.by = *by`, `_ = by`}},
	},
	{
		name: "who-ended-one-is-lost",
		what: "the end of one operation does not keep who did it",
		rule: "the cause", kill: "./queue TestCancelSaysWhyAndWho",
		edits: []edit{{"operation/control.go", `if by != nil || r.hasDetail() {`, `if r.hasDetail() {`}},
	},
	{
		name: "result-moves",
		what: "the result of a cancelled operation has its live position",
		rule: "a result never changes", kill: "./queue TestTheRunningOperationsPositionIsReported",
		edits: []edit{{"operation/operation.go", `r.Position = end.position`, `r.Position = o.Position()`}},
	},
	{
		name: "position-of-another",
		what: "an operation that was cancelled while it waited has the running one's position",
		rule: "the position in the generation", kill: "./queue TestOnlyTheRunningOneHasAPosition",
		edits: []edit{{
			"operation/operation.go",
			`*r = Result{Reason: end.reason}
		if w.started() {`,
			`*r = Result{Reason: end.reason}
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
		rule: "the cause is the reason", kill: "./operation TestDoneIsClosedForWhoeverAsks",
		edits: []edit{{
			"operation/context.go",
			`v := c.operation().reason().ended().Value(key); v != nil`, `v := c.operation().reason().ended().Value(key); v != nil && key == nil`,
		}},
	},
	{
		name: "detached-context-ends",
		what: "DetachedContext ends with Enqueue's context",
		rule: "detached", kill: "./operation TestAnOperationShowsWhatItIs",
		edits: []edit{{"operation/operation.go", `return context.WithoutCancel(o.values())`, `return o.values()`}},
	},
	{
		name: "keeps-its-values",
		what: "an operation keeps its context and value after its last event",
		rule: "values are released", kill: "./queue TestValuesAreThereUntilTheLastEventIsDelivered",
		edits: []edit{{"operation/control.go", `o.ctx, o.value = nil, nil`, ``}},
	},
	{
		name: "keeps-its-context",
		what: "the context of an operation keeps its values after the last event",
		rule: "values are released", kill: "./queue TestValuesAreReleasedWhoeverComesLast",
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
			`if v := recover(); v != nil {
			err = fmt.Errorf("operation: Wait:`, `if v := error(nil); v != nil {
			err = fmt.Errorf("operation: Wait:`,
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
		what: "media that reports the same position again is timed out",
		rule: "run timeout", kill: "./queue TestReportingProgressKeepsTheRunTimeoutAway",
		edits: []edit{{
			"operation/progress.go", `p.word.Store(int64(max(position, 0)))`,
			`if p.position() != position {
		p.word.Store(int64(max(position, 0)))
	}`,
		}},
	},
	{
		name: "negative-position-is-no-progress",
		what: "a position before the beginning looks as if nothing was reported",
		rule: "run timeout", kill: "./queue TestReportingProgressKeepsTheRunTimeoutAway",
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
	{
		name: "outcome-is-not-released",
		what: "what the media of a preempted operation reports as its outcome is lost",
		rule: "outcomes of a platform's own", kill: "./queue TestSimulation",
		edits: []edit{{
			"queue/machine.go", `operation.Release{Result: *r}}`,
			`operation.Release{Result: operation.Result{Reason: r.Reason, Recording: r.Recording, Position: r.Position}}}`,
		}},
	},
	{
		name: "outcome-is-lost",
		what: "an outcome alone is no detail of a result",
		rule: "outcomes of a platform's own", kill: "./queue TestABlockingFunctionHasAnOutcome",
		edits: []edit{{
			"operation/result.go", `r.Err != nil || r.Value != nil || `,
			`r.Err != nil || `,
		}},
	},
	{
		name: "two-reasons-of-a-name",
		what: "a second reason of a name is accepted",
		rule: "names are unique", kill: "./operation TestAWrongReasonIsRefused",
		edits: []edit{{"operation/register.go", `if old.name != r.name {`, `if old != r {`}},
	},
	{
		name: "a-reason-too-many",
		what: "the 256th reason is accepted",
		rule: "255 reasons", kill: "./operation TestReasonsAreRegisteredUpToTheLimit",
		edits: []edit{{"operation/register.go", `if t.next > MaxReasons {`, `if t.next > MaxReasons+1 {`}},
	},
	{
		name: "until-failed-ends-with-a-completion",
		what: "the context of UntilFailed ends with every end of the operation",
		rule: "a collection outlives a prompt that was heard", kill: "./operation TestUntilFailedEndsWithAFailureAndNotWithACompletion",
		edits: []edit{{"operation/until.go", `if err := op.Err(); err != nil {`, `if err := op.Err(); err != nil || !op.Live() {`}},
	},
	{
		name: "until-failed-looks-late",
		what: "the context of UntilFailed is live for a moment if the operation has failed before",
		rule: "what a cancel ended is over for all who come later", kill: "./operation TestUntilFailedEndsWithAFailureAndNotWithACompletion",
		edits: []edit{{"operation/until.go", `	look()
	forget`, `	forget`}},
	},
	{
		name: "wait-prefers-the-context",
		what: "Wait returns the end of its context though the operation has ended",
		rule: "the operation counts", kill: "./operation TestWaitPrefersTheOperation",
		edits: []edit{{"operation/operation.go", `if !ended {
		return Result{}, over`, `if !ended || over != nil {
		return Result{}, over`}},
	},
	{
		name: "a-mute-context-is-an-end",
		what: "Wait returns no error for a live operation if its context does not say why it ended",
		rule: "no error means ended", kill: "./operation TestWaitForWhatLivesOnIsAnError",
		edits: []edit{{"operation/operation.go", `cmp.Or(context.Cause(ctx), context.Canceled)`, `cmp.Or(context.Cause(ctx), nil)`}},
	},
	{
		name: "an-errors-text-asks-for-ever",
		what: "the text of an error asks a cause that panics, or unwraps to itself, without a bound",
		rule: "an error is code of others", kill: "./operation TestAnErrorHasATextForAnyCause",
		edits: []edit{
			{"operation/result.go", `if named, ok := FindReason(e.Err); ok && named == e.Reason {`, `if errors.Is(e.Err, e.Reason) {`},
			{"operation/result.go", `import (
`, `import (
	"errors"
`},
		},
	},
	{
		name: "a-token-in-the-log",
		what: "a recording that is printed shows its token",
		rule: "a secret", kill: "./operation TestWhatIsPrintedIsSafeAndNoSecret",
		edits: []edit{{"operation/result.go", `"%s (%v)", r.Location`, `"%s (%v)", r.Location+r.AccessToken`}},
	},
}
