package queue

import (
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// A broken variant is a way of getting the machine wrong that is easy to fall into: a driver that
// skips a step, takes them in another order, or forgets a field. The explorer must find each of them,
// by a few inputs: that is what its finding nothing else is worth.
type brokenVariant struct {
	name    string
	config  BareConfig
	variant variant
	rule    string // the invariant that does not hold
	inputs  int    // of the shortest way to see it
}

func TestTheExplorerFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	b := budget{
		Enqueues: 3, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 1, Stale: 1, Late: 1, Progress: 1, Tones: 1,
		Protected: 1, Spares: 1, Next: 1, Wheres: 1,
	}
	for _, broken := range brokenVariants() {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			b := b
			if broken.config.Optional { // fewer of the others, or there are too many states
				b.Holds, b.Pauses, b.Wheres, b.Spares, b.Protected, b.Tones = 2, 2, 0, 0, 0, 0
			}
			found := explore(exploration{config: broken.config, budget: b, variant: broken.variant})
			t.Log(found)
			if found.err == nil || !strings.HasPrefix(found.err.Error(), broken.rule+":") || len(found.path) != broken.inputs {
				t.Fatalf("got %v, want %s after %d inputs", found, broken.rule, broken.inputs)
			}
		})
	}
}

func brokenVariants() []brokenVariant {
	var plain, blocking, runs, lateObserver, optional, prepares BareConfig
	blocking.Blocking, runs.RunTimeout, lateObserver.observers = true, true, 1
	optional.Optional, optional.RunTimeout, prepares.Prepares = true, true, true
	perform := func(f func(b *Bare, in Input, at time.Time) Output) variant { return variant{perform: f} }
	return []brokenVariant{
		{"what waits is taken in reverse order", plain, perform(lastInFirstOut), "G12", 3},
		{"what is next is taken under one lock and started under another", plain, perform(takenThenStarted), "G4", 4},
		{"the media is free as soon as its operation is cancelled", plain, perform(freedByCancel), "G2", 3},
		{"what was cancelled before its Start is started", plain, perform(startsTheDead), "G2", 2},
		{"a cancel forgets the one that runs", plain, perform(forgetsRunning), "G4", 2},
		{"a receipt misses one", plain, perform(receiptMissesOne), "G8", 2},
		{"a report counts for whoever has the media", plain, perform(reportsForAnyone), "G6", 5},
		{"a sealed queue accepts", plain, variant{admit: acceptsSealed}, "G14", 1},
		{"a close gives the media no time limit", plain, perform(after(DoClose, disarm)), "G13", 3},
		{"an interrupt keeps what waits", plain, perform(interruptKeepsWaiting), "G1", 3},
		{"the one that runs is ended twice", plain, perform(endsTwice), "G3", 4},

		{"a preemption leaves the run timeout armed", runs, perform(after(DoCancelAll, armRunTimeout)), "G13", 3},
		{"a cancel leaves media that does not return alone", plain, perform(leavesStuckMedia), "G13", 4},
		{"a seal leaves media that does not return alone", plain, perform(sealsWithoutWatch), "G13", 4},
		{"the stop timeout begins anew with each call", plain, perform(armsAnew), "G13", 5},
		{"Released is not logged", plain, perform(forgetsReleased), "G13", 4},
		{"Stop is due while Start has not returned", plain, variant{due: stopsInsideStart}, "G5", 3},
		{"a Blocking function is stopped", blocking, perform(after(DoCancel, forgetsBlocking)), "G5", 3},
		{"the values are released though Released follows", plain, perform(after(DoCancel, releasesValues)), "release", 3},
		{"what dies before its Start keeps its values", plain, perform(keepsValues), "release", 2},
		{"the values are released when the first observer has them", lateObserver, perform(releasesBeforeDelivery), "release", 3},
		{"a report of media that was abandoned counts", plain, perform(reportsAfterAbandon), "G3", 5},
		{"a late report is lost", plain, perform(losesLateReports), "G13", 5},
		{"every late report is delivered", plain, perform(deliversEveryLateReport), "G3", 6},
		{"a preempted operation is released at its end", plain, perform(after(DoCancelAll, releasesAtOnce)), "G13", 3},
		{"who waits for a release is forgotten", plain, perform(forgetsReleaseWaiters), "G13", 4},
		{"any key ends what runs", plain, perform(anyKeyEnds), "G6", 2},
		{"a key from before the start ends what runs", plain, perform(oldKeyEnds), "G6", 2},
		{"a key ends what waits", plain, perform(keyEndsWaiting), "G6", 3},
		{"a key is nobody's", plain, perform(keyIsNobodys), "keys", 2},
		{"media that was abandoned keeps the queue", plain, perform(abandonedKeepsMedia), "G2", 4},
		{"media that was abandoned is not counted", plain, perform(abandonsUncounted), "G13", 4},
		{"what Stop did instead of returning is forgotten", plain, perform(forgetsFault), "G13", 4},
		{"a stop timeout counts for whoever has the media", plain, perform(timesOutAnyone), "G13", 4},
		{"the position of one that is preempted is lost", plain, perform(losesPosition), "G4", 4},
		{"an error of Start counts after a report", plain, perform(startFailsTwice), "G3", 4},
		{"what is accepted after a cancel belongs to the generation that it ended", plain, perform(keepsGeneration), "G3", 3},
		{"a seal of an idle queue does not close it", plain, perform(sealsOnly), "G14", 1},
		{"a queue closes while the media is not through", plain, perform(closesEarly), "G14", 3},
		{"the return of a Start with an error goes unnoticed", plain, perform(ignoresError), "G3", 3},
		{"a return is booked without its time", plain, perform(returnsWithoutTime), "G10", 5},
		{"who waits for an operation is forgotten", plain, perform(forgetsWaiters), "G4", 2},
		{"an observer that lags is taken past a record", lateObserver, variant{deliver: skipsRecord}, "G10", 4},
		{"a duplicate id is accepted", plain, variant{admit: acceptsDuplicates}, "G16", 1},
		{"a full queue refuses an interrupt", plain, variant{admit: refusesInterrupts}, "G16", 2},

		{"an interrupt ends what is protected", plain, perform(protectsNothing), "G6", 2},
		{"a cancel that spares ends all", plain, perform(sparesNothing), "G6", 2},
		{"a cancel of all spares what is protected", plain, perform(sparesAlways), "G4", 2},
		{"what is accepted beside protected ones is not linked to them", plain, perform(linksNothingLater), "G4", 3},
		{"the first protected one does not link the others", plain, perform(linksNothingBefore), "G4", 3},
		{"an interrupt goes before what is protected", plain, perform(interruptsBefore), "G12", 4},
		{"an interrupt starts what it spares first", plain, perform(startsBeforeAccepted), "G7", 3},
		{"a cancel does not say who did it", plain, perform(forgetsCause), "cause", 2},
		{"what is to be next is the last", plain, perform(nextIsLast), "G12", 3},
		{"what is to be next is before the running one", plain, perform(nextTakesOver), "G2", 2},
		{"those chosen wait on", plain, perform(chosenWaitOn), "G4", 3},
		{"the running one, chosen, is not stopped", plain, perform(after(DoCancelWhere, stopsNothing)), "G12", 4},
		{"a chosen one is forgotten", plain, perform(forgetsChosen), "G4", 2},
		{"the receipt of those chosen names one that had ended", plain, perform(namesAllChosen), "G8", 3},

		{"a pause does not hold what comes", optional, perform(holdsNothingNew), "pause", 2},
		{"a pause does not hold what waits", optional, perform(holdsNothingThatWaits), "pause", 5},
		{"a resume starts nothing", optional, perform(resumesWithoutStart), "G12", 3},
		{"a cancel ends a pause", optional, perform(after(DoCancelAll, resumes)), "pause", 2},
		{"what waits is paused", optional, perform(pausesWaiting), "G16", 3},
		{"a pause that was told is told again", optional, perform(after(DoEnterPause, forgetsTold)), "G5", 6},
		{"a pause that was taken back is told", optional, perform(tellsTakenBack), "G5", 5},
		{"a resume is not told", optional, perform(after(DoResumeOperation, forgetsToldPause)), "G12", 7},
		{"Pause is due while Start has not returned", optional, variant{due: pausesInsideStart}, "G5", 3},
		{"Stop is due while Pause has not returned", optional, variant{due: stopsInsidePause}, "G5", 6},
		{"the media is free while Pause has not returned", optional, perform(freedInPause), "G2", 6},
		{"the run timeout counts while it is paused", optional, perform(after(DoPauseOperation, armsRun)), "G12", 2},
		{"the run timeout does not count after a resume", optional, perform(whilePaused(DoResumeOperation, disarmsRun)), "G12", 3},
		{"nothing frees media that has ended in Pause", optional, perform(whilePaused(DoReport, disarmsRun)), "G12", 4},
		{"a seal lets a loop go on", optional, perform(sealsWithoutLoops), "loops", 2},
		{"what begins in a sealed queue may loop", optional, perform(loopsWhenSealed), "loops", 5},
		{"EndLoop is called again", optional, perform(after(DoReturnOptional, forgetsTold)), "G5", 6},

		{"what was prepared is prepared again", prepares, perform(after(DoReturnStart, forgetsPrepared)), "prepare", 5},
		{"what is displaced is prepared again", prepares, perform(after(DoEnqueueNext, forgetsPreparedBehind)), "prepare", 5},
		{"what takes the place of the next is not prepared", prepares, perform(after(DoEnqueueNext, preparesNothing)), "prepare", 2},

		{"protected ones without a bound", plain, variant{admit: acceptsBeyondTheProtected}, "G16", 2},
	}
}

// after has f break something after each input of a kind.
func after(do Do, f func(b *Bare, at time.Time)) func(*Bare, Input, time.Time) Output {
	return func(b *Bare, in Input, at time.Time) Output {
		out := b.perform(in, at)
		if in.Do == do {
			f(b, at)
		}
		return out
	}
}

func disarm(b *Bare, _ time.Time) { b.m.timeout = noTimeout }

func armRunTimeout(b *Bare, _ time.Time) {
	if b.m.timeout == stopTimeout {
		b.m.timeout = runTimeout
	}
}

func forgetsBlocking(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil {
		e.media &^= stopEntered | stopReturned
	}
}

func releasesValues(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil && !e.control.Live() {
		e.control.ReleaseValues()
	}
}

func lastInFirstOut(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if l := &b.m.waiting; in.Do == DoEnqueue && l.n > 1 {
		e := b.entry(in.Op)
		l.remove(e)
		e.next, l.head = l.head, e
		l.n++
	}
	return out
}

// takenThenStarted leaves what it has taken to a second step, which never needs to come.
func takenThenStarted(b *Bare, in Input, at time.Time) Output {
	m := &b.m
	if m.waiting.head == nil || m.current == nil || in.Do != DoReport && in.Do != DoReturnStart {
		return b.perform(in, at)
	}
	e := m.waiting.pop()
	out := b.perform(in, at)
	if m.current == nil {
		return out
	}
	rest := m.waiting // not yet: put it back
	m.waiting = list{}
	m.waiting.push(e)
	for rest.n > 0 {
		m.waiting.push(rest.pop())
	}
	return out
}

func freedByCancel(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoCancelAll && !in.Spare {
		b.m.free()
		b.m.advance(at)
	}
	return out
}

func startsTheDead(b *Bare, in Input, at time.Time) Output {
	was := b.m.current
	out := b.perform(in, at)
	if in.Do == DoCancelAll && b.m.current == nil {
		b.m.current = was
	}
	return out
}

func forgetsRunning(b *Bare, in Input, at time.Time) Output {
	was := b.m.current
	if in.Do == DoCancelAll {
		b.m.current = nil
		defer func() { b.m.current = was }()
	}
	return b.perform(in, at)
}

func receiptMissesOne(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if n := len(out.Cancelled); n > 0 && in.Do == DoCancelAll {
		out.Cancelled = out.Cancelled[:n-1]
	}
	return out
}

func reportsForAnyone(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport && b.Running() != 0 {
		in.Op = b.Running()
	}
	return b.perform(in, at)
}

func acceptsSealed(b *Bare, e *entry, bargesIn bool, maxPending int) error {
	was := b.m.phase
	b.m.phase = phaseOpen
	defer func() { b.m.phase = was }()
	return b.m.admit(e, true, bargesIn, maxPending)
}

func acceptsDuplicates(b *Bare, e *entry, bargesIn bool, maxPending int) error {
	return b.m.admit(e, false, bargesIn, maxPending)
}

func refusesInterrupts(b *Bare, e *entry, _ bool, maxPending int) error {
	return b.m.admit(e, true, false, maxPending)
}

func acceptsBeyondTheProtected(b *Bare, e *entry, bargesIn bool, maxPending int) error {
	if bargesIn {
		maxPending = 0
	}
	return b.m.admit(e, true, bargesIn, maxPending)
}

func interruptKeepsWaiting(b *Bare, in Input, at time.Time) Output {
	if in.Do != DoInterrupt {
		return b.perform(in, at)
	}
	kept := b.m.waiting
	b.m.waiting = list{}
	out := b.perform(in, at)
	for kept.n > 0 {
		b.m.waiting.push(kept.pop())
	}
	return out
}

func nextIsLast(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoEnqueueNext {
		in.Do = DoEnqueue
	}
	return b.perform(in, at)
}

func nextTakesOver(b *Bare, in Input, at time.Time) Output {
	was := b.m.current
	if in.Do != DoEnqueueNext || was == nil || was.media != 0 {
		return b.perform(in, at)
	}
	b.m.current = nil
	out := b.perform(in, at)
	b.m.waiting.pushAhead(was)
	return out
}

func chosenWaitOn(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	for _, op := range out.Cancelled {
		if e := b.entry(op); in.Do == DoCancelWhere && b.m.current != nil && e != b.m.current && e.media == 0 {
			b.m.waiting.push(e)
		}
	}
	return out
}

func stopsNothing(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil && !e.control.Live() {
		e.media |= stopEntered | stopReturned
	}
}

func forgetsChosen(b *Bare, in Input, at time.Time) Output {
	in.Chosen &^= 2
	return b.perform(in, at)
}

func namesAllChosen(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoCancelWhere {
		out.Cancelled = nil
		for _, e := range b.order {
			if op := b.number(e); in.Chosen.Has(op) {
				out.Cancelled = append(out.Cancelled, op)
			}
		}
	}
	return out
}

// holdsNothingNew has what is enqueued begin though the queue is paused.
func holdsNothingNew(b *Bare, in Input, at time.Time) Output {
	return unpaused(b, in, at, DoEnqueue)
}

func holdsNothingThatWaits(b *Bare, in Input, at time.Time) Output {
	return unpaused(b, in, at, DoReturnStart)
}

// unpaused has the queue forget that it is paused while there is an input of this kind.
func unpaused(b *Bare, in Input, at time.Time, do Do) Output {
	was := b.m.paused
	if in.Do == do {
		b.m.paused = false
		defer func() { b.m.paused = was }()
	}
	return b.perform(in, at)
}

func resumesWithoutStart(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoResume {
		b.m.paused = false
		return Output{}
	}
	return b.perform(in, at)
}

func resumes(b *Bare, _ time.Time) { b.m.paused = false }

func pausesWaiting(b *Bare, in Input, at time.Time) Output {
	if e := b.m.waiting.head; in.Do == DoPauseOperation && e != nil && e == b.entry(in.ID) {
		e.optional |= wantsPause
		return Output{}
	}
	return b.perform(in, at)
}

// forgetsTold has the media not have got what it got last.
func forgetsTold(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil {
		e.optional &^= gotPause | gotEndLoop
	}
}

// tellsTakenBack makes the calls that were asked for, and not those that are needed.
func tellsTakenBack(b *Bare, in Input, at time.Time) Output {
	if e := b.m.current; in.Do == DoResumeOperation && e != nil && e.optional.has(wantsPause) {
		e.optional |= gotPause
	}
	return b.perform(in, at)
}

// whilePaused has f break something after each input of a kind that comes while it is paused.
func whilePaused(do Do, f func(b *Bare, at time.Time)) func(*Bare, Input, time.Time) Output {
	return func(b *Bare, in Input, at time.Time) Output {
		e := b.m.current
		was := e != nil && e.optional.has(wantsPause)
		out := b.perform(in, at)
		if in.Do == do && was {
			f(b, at)
		}
		return out
	}
}

func forgetsToldPause(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil {
		e.optional &^= gotPause
	}
}

func pausesInsideStart(b *Bare) mediaCall {
	if e := b.m.current; e != nil && e.media == startEntered && e.optional.has(wantsPause) {
		return callPause
	}
	return b.m.due()
}

func stopsInsidePause(b *Bare) mediaCall {
	if e := b.m.current; e != nil && e.media&^inOptional == startEntered|startReturned|preempted {
		return callStop
	}
	return b.m.due()
}

func freedInPause(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport {
		b.entry(in.Op).media &^= inOptional
	}
	return b.perform(in, at)
}

func armsRun(b *Bare, _ time.Time) { b.m.watchRun() }

func disarmsRun(b *Bare, _ time.Time) {
	if b.m.timeout == runTimeout {
		b.m.timeout = noTimeout
	}
}

func sealsWithoutLoops(b *Bare, in Input, at time.Time) Output {
	if e := b.m.current; in.Do == DoSeal && e != nil {
		b.m.phase = phaseSealed
	}
	return b.perform(in, at)
}

func loopsWhenSealed(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReturnStart && b.m.phase == phaseSealed && b.m.waiting.n > 0 {
		b.m.phase = phaseOpen
		defer func() { b.m.phase = phaseSealed }()
	}
	return b.perform(in, at)
}

// forgetsPreparedBehind has all that wait behind the first be new.
func forgetsPreparedBehind(b *Bare, _ time.Time) {
	if b.m.waiting.head == nil {
		return
	}
	for e := b.m.waiting.head.next; e != nil; e = e.next {
		e.optional &^= gotPrepare
	}
}

// forgetsPrepared has the first be new.
func forgetsPrepared(b *Bare, _ time.Time) {
	if e := b.m.waiting.head; e != nil {
		e.optional &^= gotPrepare
	}
}

func preparesNothing(b *Bare, _ time.Time) {
	if e := b.m.waiting.head; e != nil {
		e.optional |= gotPrepare
	}
}

// protectsNothing has the operations unprotected while there is an interrupt.
func protectsNothing(b *Bare, in Input, at time.Time) Output {
	if in.Do != DoInterrupt {
		return b.perform(in, at)
	}
	var were []*entry
	for _, e := range b.entries {
		if e != nil && e.protected {
			e.protected = false
			were = append(were, e)
		}
	}
	out := b.perform(in, at)
	for _, e := range were {
		e.protected = true
	}
	return out
}

func sparesNothing(b *Bare, in Input, at time.Time) Output {
	in.Spare = false
	return b.perform(in, at)
}

func sparesAlways(b *Bare, in Input, at time.Time) Output {
	in.Spare = in.Do == DoCancelAll
	return b.perform(in, at)
}

func linksNothingLater(b *Bare, in Input, at time.Time) Output {
	if b.m.cold == nil || in.Do != DoEnqueue || in.Protected {
		return b.perform(in, at)
	}
	protected := b.m.cold.protected
	b.m.cold.protected = nil
	defer func() { b.m.cold.protected = protected }()
	return b.perform(in, at)
}

func linksNothingBefore(b *Bare, in Input, at time.Time) Output {
	if in.Do != DoEnqueue || !in.Protected {
		return b.perform(in, at)
	}
	generation := b.m.generation
	b.m.generation = nil
	defer func() { b.m.generation = generation }()
	return b.perform(in, at)
}

func interruptsBefore(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if l := &b.m.waiting; in.Do == DoInterrupt && l.n > 1 {
		e := b.entry(in.Op)
		l.remove(e)
		e.next, l.head = l.head, e
		l.n++
	}
	return out
}

func startsBeforeAccepted(b *Bare, in Input, at time.Time) Output {
	if in.Do != DoInterrupt {
		return b.perform(in, at)
	}
	how := ending{why: operation.BargedIn, by: &operation.Cause{ID: in.id().ID()}, spare: true}
	cancelled, awaited := b.m.cancelAll(how, new(cancelBlock), at)
	out := b.perform(in, at)
	out.awaited = awaited
	for _, e := range cancelled {
		out.Cancelled = append(out.Cancelled, b.number(e))
	}
	return out
}

func forgetsCause(b *Bare, in Input, at time.Time) Output {
	if in.Do != DoCancelAll {
		return b.perform(in, at)
	}
	how := ending{why: operation.Cancelled, spare: in.Spare}
	cancelled, awaited := b.m.cancelAll(how, new(cancelBlock), at)
	out := Output{awaited: awaited}
	for _, e := range cancelled {
		out.Cancelled = append(out.Cancelled, b.number(e))
	}
	return out
}

func endsTwice(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport && in.Op == b.Stopping() {
		b.m.log.append(record{entry: b.entry(in.Op), kinds: logEnded})
	}
	return b.perform(in, at)
}

func leavesStuckMedia(b *Bare, in Input, at time.Time) Output {
	was, stopping := b.m.timeout, b.Stopping()
	out := b.perform(in, at)
	if in.Do == DoCancelAll && stopping != 0 {
		b.m.timeout = was
	}
	return out
}

func sealsWithoutWatch(b *Bare, in Input, at time.Time) Output {
	was, stopping := b.m.timeout, b.Stopping()
	out := b.perform(in, at)
	if in.Do == DoSeal && stopping != 0 {
		b.m.timeout = was
	}
	return out
}

func armsAnew(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoEnterStop {
		b.armed = noTimeout
	}
	return out
}

func forgetsReleased(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	l := &b.m.log
	if n := len(l.records); n > 0 && l.records[n-1].kinds == logReleased {
		l.records = l.records[:n-1]
	}
	return out
}

func stopsInsideStart(b *Bare) mediaCall {
	if e := b.m.current; e != nil && e.media&(startEntered|stopEntered|preempted) == startEntered|preempted {
		return callStop
	}
	return b.m.due()
}

func keepsValues(b *Bare, in Input, at time.Time) Output {
	if e := b.m.current; in.Do == DoCancel && e != nil && !e.media.has(startEntered) {
		e.media |= preempted
	}
	return b.perform(in, at)
}

func releasesBeforeDelivery(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoReport && b.entry(in.Op).media&preempted == 0 {
		b.entry(in.Op).control.ReleaseValues()
	}
	return out
}

func reportsAfterAbandon(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport {
		b.entry(in.Op).media &^= abandoned
	}
	return b.perform(in, at)
}

func losesLateReports(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport && b.entry(in.Op).media.has(abandoned) {
		b.entry(in.Op).media |= reported
	}
	return b.perform(in, at)
}

func deliversEveryLateReport(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReport && b.entry(in.Op).media.has(abandoned) {
		b.entry(in.Op).media &^= reported
	}
	return b.perform(in, at)
}

func releasesAtOnce(b *Bare, _ time.Time) {
	if e := b.m.current; e != nil && !e.control.Live() {
		e.control.Release(nil)
	}
}

func forgetsReleaseWaiters(b *Bare, in Input, at time.Time) Output {
	stopping := b.Stopping()
	out := b.perform(in, at)
	if in.Do == DoReport && in.Op == stopping {
		out.awaited = nil
	}
	return out
}

func anyKeyEnds(b *Bare, in Input, at time.Time) Output {
	if e := b.m.current; in.Do == DoTone && e != nil {
		was := e.stopTones
		e.stopTones = tone.All
		defer func() { e.stopTones = was }()
	}
	return b.perform(in, at)
}

func oldKeyEnds(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoTone {
		in.Failed = false
	}
	return b.perform(in, at)
}

func keyEndsWaiting(b *Bare, in Input, at time.Time) Output {
	if e := b.m.waiting.head; in.Do == DoTone && e != nil && e.stopTones.Contains(in.Tone) {
		return b.perform(Input{Do: DoCancel, ID: b.number(e)}, at)
	}
	return b.perform(in, at)
}

func keyIsNobodys(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoTone {
		return Output{}
	}
	return b.perform(in, at)
}

func abandonedKeepsMedia(b *Bare, in Input, at time.Time) Output {
	was := b.m.current
	out := b.perform(in, at)
	if in.Do == DoStopTimeout && b.m.current == nil {
		b.m.current = was
	}
	return out
}

func abandonsUncounted(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoStopTimeout && b.m.cold != nil {
		b.m.cold.abandoned = 0
	}
	return out
}

func forgetsFault(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoStopTimeout {
		in.Result.Err = nil
	}
	return b.perform(in, at)
}

func timesOutAnyone(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoStopTimeout && b.Stopping() != 0 {
		in.Op = b.Stopping()
	}
	return b.perform(in, at)
}

func losesPosition(b *Bare, in Input, at time.Time) Output {
	e := b.m.current
	if in.Do != DoCancelAll || e == nil {
		return b.perform(in, at)
	}
	was := e.operation().Position()
	e.control.Progress(0)
	defer e.control.Progress(was)
	return b.perform(in, at)
}

func startFailsTwice(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReturnStart && in.Failed {
		b.entry(in.Op).media &^= reported
	}
	return b.perform(in, at)
}

func keepsGeneration(b *Bare, in Input, at time.Time) Output {
	was := b.m.generation
	out := b.perform(in, at)
	if in.Do == DoCancelAll && was != nil {
		b.m.generation = was
	}
	return out
}

func sealsOnly(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoSeal && b.m.phase == phaseOpen {
		b.m.phase = phaseSealed
		return Output{}
	}
	return b.perform(in, at)
}

func closesEarly(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	if in.Do == DoClose && b.m.phase == phaseClosed {
		was := b.m.current
		b.m.current = nil
		b.m.advance(at)
		b.m.current = was
	}
	return out
}

func ignoresError(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReturnStart {
		in.Failed, in.Result = false, operation.Result{}
	}
	return b.perform(in, at)
}

func returnsWithoutTime(b *Bare, in Input, at time.Time) Output {
	if in.Do == DoReturnStart && !in.Failed {
		at = time.Time{}
	}
	return b.perform(in, at)
}

func forgetsWaiters(b *Bare, in Input, at time.Time) Output {
	out := b.perform(in, at)
	out.awaited = nil
	return out
}

func skipsRecord(_ *Bare, observer int, bt *batch) {
	if observer == 1 && bt.delivered == 0 && len(bt.records) > 1 {
		bt.delivered, bt.off = 1, 0
	}
}
