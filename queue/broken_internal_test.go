package queue

import (
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
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
		Enqueues: 3, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 1, Stale: 1, Late: 1, Progress: 1,
	}
	for _, broken := range brokenVariants() {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			found := explore(exploration{config: broken.config, budget: b, variant: broken.variant})
			t.Log(found)
			if found.err == nil || !strings.HasPrefix(found.err.Error(), broken.rule+":") || len(found.path) != broken.inputs {
				t.Fatalf("got %v, want %s after %d inputs", found, broken.rule, broken.inputs)
			}
		})
	}
}

func brokenVariants() []brokenVariant {
	var plain, blocking, runs, lateObserver BareConfig
	blocking.Blocking, runs.RunTimeout, lateObserver.observers = true, true, 1
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
		{"an interrupt keeps what waits", plain, perform(interruptKeepsWaiting), "G7", 3},
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
		{"media that was abandoned keeps the queue", plain, perform(abandonedKeepsMedia), "G2", 4},
		{"media that was abandoned is not counted", plain, perform(abandonsUncounted), "G13", 4},
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
	if in.Do == DoCancelAll {
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

func acceptsSealed(b *Bare, e *entry, maxPending int) error {
	was := b.m.phase
	b.m.phase = phaseOpen
	defer func() { b.m.phase = was }()
	return b.m.admit(e, true, maxPending)
}

func acceptsDuplicates(b *Bare, e *entry, maxPending int) error {
	return b.m.admit(e, false, maxPending)
}

func refusesInterrupts(b *Bare, e *entry, maxPending int) error {
	return b.m.admit(e, true, max(maxPending, 1))
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
