package queue

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ivrqueue/operation"
)

// invariants is what was seen of a machine from outside: its inputs, the events it logged, the
// calls that were due, the entries it returned, what its operations say of themselves, and the
// timeout it wants armed. From that it tells whether what the queue guarantees is so. It does not
// look into the machine, so that it can say whether that is right.
type invariants struct {
	ops    []seenOp // by number
	order  []Op     // in the queue, those that have left it included
	events []seenEvent
	late   uint64 // events that the late observer got
	now    time.Time

	sealed, paused        bool
	closing               operation.Result // of the close that counts
	closed                bool             // by its event
	abandoned, reportLate int

	keys    Key          // the last one that was new
	answers []seenAnswer // to inputs with keys, those that must be forgotten included
}

type seenEvent struct {
	kind EventKind
	op   Op
}

// seenOp is what was seen of one operation.
type seenOp struct {
	id                       Op
	protected                bool
	started, ended, released bool // by events
	late                     bool // likewise
	preempted                bool // ended by somebody else than its media, which had been called

	startEntered, startReturned, stopEntered, stopReturned bool
	reported, abandoned                                    bool

	wantsPause, gotPause, gotEndLoop, inOptional bool
	prepared                                     bool

	position time.Duration // reported by its media
	result   operation.Result
	final    operation.Result // what the media said last
	cause    operation.Cause
	endedAt  time.Time
	stopping time.Time // since when it must have the stop timeout, or zero
	last     uint64    // number of its last event so far
	done     <-chan struct{}
	silent   <-chan struct{} // closed when its media is through
}

func (o *seenOp) inCallback() bool {
	return o.startEntered && !o.startReturned || o.stopEntered && !o.stopReturned || o.inOptional
}

// hasMedia reports whether the media belongs to the operation.
func (o *seenOp) hasMedia() bool {
	switch {
	case !o.started || o.abandoned, o.ended && !o.startEntered:
		return false
	default:
		return !o.reported || o.inCallback() || !o.startReturned
	}
}

func (v *invariants) op(op Op) *seenOp { return &v.ops[op] }

// live returns the operations that have not ended, in order.
func (v *invariants) live() (all []Op) {
	for _, op := range v.order {
		if !v.op(op).ended {
			all = append(all, op)
		}
	}
	return all
}

// holder returns the operation that has the media, or zero.
func (v *invariants) holder() Op {
	for _, op := range v.order {
		if v.op(op).hasMedia() {
			return op
		}
	}
	return 0
}

// apply gives an input to the machine, books what came of it, and returns what is wrong, by the
// number of the guarantee. Unless all is set it books only: somebody has judged this before.
func (v *invariants) apply(b *Bare, in Input, at time.Time, all bool) (out Output, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("G3: %v", p)
		}
	}()
	v.now = at
	if in.Do == DoDeliver {
		err = v.deliver(b)
	} else {
		if first := v.answered(in.Key, at); first != nil && (in.Do.accepts() || in.Do == first.do) {
			out = b.Apply(in, at)
			if err = v.judgeRepeat(in, &out, first); err == nil && all {
				err = v.state(b)
			}
			return out, err
		}
		live := v.live()
		keyed := v.keyed(in)
		armed, _, _ := b.Timeout()
		refused := v.refusal(b, in)
		out = b.Apply(in, at)
		if !errors.Is(out.Err, refused) {
			return out, fmt.Errorf("G16: %v: %v, want %v", in, out.Err, refused) //nolint:errorlint // either may be nil
		}
		if err = v.input(b, in, &out, live); err == nil {
			err = v.book(b, in, &out, live)
		}
		if err == nil {
			err = v.media(b, in, &out, live, in.Do == armed.Do && in.Op == armed.Op)
		}
		if err == nil {
			err = v.ends(in, &out, live, keyed)
		}
		v.remember(in, &out)
	}
	if err == nil && all {
		err = v.state(b)
	}
	return out, err
}

// refusal returns the error that an input must come back with.
func (v *invariants) refusal(b *Bare, in Input) error {
	switch in.Do {
	case DoEnqueue, DoEnqueueNext, DoInterrupt:
		return v.admission(in.id(), in.Do == DoInterrupt, b.maxPending)
	case DoCancel:
		if v.find(in.ID) == 0 {
			return ErrNotFound
		}
	case DoPauseOperation, DoResumeOperation:
		switch op := v.find(in.ID); {
		case op == 0:
			return ErrNotFound
		case !v.op(op).started:
			return ErrNotRunning
		case b.m.serves&servesPause == 0:
			return ErrNotPausable
		}
	default:
	}
	return nil
}

// admission returns why an operation with this id must be refused. One that barges in ends what
// waits first, save for what is protected.
func (v *invariants) admission(id Op, bargesIn bool, maxPending int) error {
	waiting := 0
	for _, op := range v.live() {
		if o := v.op(op); !o.started && (o.protected || !bargesIn) {
			waiting++
		}
	}
	switch {
	case v.sealed:
		return ErrClosed
	case maxPending > 0 && waiting >= maxPending:
		return ErrFull
	case v.find(id) != 0:
		return ErrDuplicateID
	}
	return nil
}

// find returns the live operation with this id, or zero.
func (v *invariants) find(id Op) Op {
	for _, op := range v.live() {
		if v.op(op).id == id {
			return op
		}
	}
	return 0
}

// deliver delivers one event to the late observer: the same, in the same order, without gaps.
func (v *invariants) deliver(b *Bare) error {
	for _, e := range b.deliver(1, 1, nil) {
		if v.late == uint64(len(v.events)) {
			return fmt.Errorf("G10: %v is delivered to one observer and not to the other", e.Kind)
		}
		want := v.events[v.late]
		v.late++
		if got := (seenEvent{e.Kind, b.Number(e.Operation)}); got != want || e.Seq != v.late {
			return fmt.Errorf("G10: event %d is %v of %d for one observer, and %d, %v of %d for another",
				v.late, want.kind, want.op, e.Seq, got.kind, got.op)
		}
	}
	return nil
}

// input books what an input says, before its events.
func (v *invariants) input(b *Bare, in Input, out *Output, live []Op) error {
	if out.Err != nil {
		if len(out.Cancelled)+len(out.Events) > 0 {
			return fmt.Errorf("G16: %v is refused, and something has changed", in)
		}
		return nil
	}
	switch in.Do {
	case DoEnqueue, DoEnqueueNext, DoInterrupt:
		place := len(v.order)
		if first := v.firstWaiting(); first != 0 && in.Do == DoEnqueueNext {
			place = slices.Index(v.order, first)
		}
		v.order = slices.Insert(v.order, place, in.Op)
		v.ops = append(v.ops, make([]seenOp, max(0, int(in.Op)+1-len(v.ops)))...)
		v.ops[in.Op] = seenOp{id: in.id(), protected: in.Protected}
		if in.Op%2 == 1 { // somebody waits for every other one
			v.op(in.Op).done = b.Operation(in.Op).Done()
		}
		if len(v.order) < 3 { // and some for the media to be through
			v.op(in.Op).silent = b.Operation(in.Op).Released()
		}
	case DoSeal:
		if !v.sealed {
			v.closing = operation.Result{Reason: operation.Succeeded}
		}
		v.sealed = true
	case DoClose:
		if !v.sealed || len(live) > 0 {
			v.closing = in.Result
		}
		v.sealed = true
	case DoPause, DoResume:
		v.paused = in.Do == DoPause
	case DoPauseOperation, DoResumeOperation:
		v.op(v.find(in.ID)).wantsPause = in.Do == DoPauseOperation
	case DoEnterStart:
		return v.enterStart(in.Op)
	case DoEnterStop:
		v.op(in.Op).stopEntered = true
	case DoPrepare:
		v.op(in.Op).prepared = true
	case DoEnterPause, DoEnterResume:
		o := v.op(in.Op)
		o.gotPause, o.inOptional = in.Do == DoEnterPause, true
	case DoEnterEndLoop:
		o := v.op(in.Op)
		o.gotEndLoop, o.inOptional = true, true
	default:
	}
	return nil
}

// enterStart: one at a time, and nothing that has ended.
func (v *invariants) enterStart(op Op) error {
	for _, other := range v.order {
		if o := v.op(other); other != op && o.startEntered && o.hasMedia() {
			return fmt.Errorf("G2: Start of %d is called while the media has %d", op, other)
		}
	}
	o := v.op(op)
	if o.ended {
		return fmt.Errorf("G5: Start of %d is called, which has ended", op)
	}
	o.startEntered = true
	return nil
}

// book books the events: each once, in the order of a life, at the time of the input.
func (v *invariants) book(b *Bare, in Input, out *Output, live []Op) error {
	for _, e := range out.Events {
		op := b.Number(e.Operation)
		v.events = append(v.events, seenEvent{e.Kind, op})
		seq := uint64(len(v.events))
		switch {
		case e.Seq != seq:
			return fmt.Errorf("G10: event %d has number %d", seq, e.Seq)
		case v.closed && e.Kind != Late:
			return fmt.Errorf("G14: %v of %d after closed", e.Kind, op)
		case e.Kind == Closed:
			v.closed = true
			if e.Result() != v.closing || !e.Time.Equal(v.now) {
				return fmt.Errorf("G14: closed with %v at %v, want %v", e.Result(), e.Time, v.closing)
			}
			continue
		}
		o := v.op(op)
		if e.Kind != Late { // the values are gone by then
			o.last = seq
		}
		var err error
		switch {
		case e.Kind == Accepted && in.Op == op && in.Do.accepts():
			if before := v.before(); in.Do == DoInterrupt && len(out.Cancelled) > 0 && before.kind != Ended {
				return fmt.Errorf("G7: %v of %d between the ends and %d, which barged in", before.kind, before.op, op)
			}
		case e.Kind == Started && !o.started && !o.ended:
			if first := v.firstWaiting(); op != first {
				return fmt.Errorf("G1: %d starts, and %d is before it", op, first)
			}
			if v.paused {
				return fmt.Errorf("pause: %d starts in a queue that is paused", op)
			}
			if holder := v.holder(); holder != 0 && !v.mayFree(in, holder) {
				return fmt.Errorf("G2: %d starts while the media has %d", op, holder)
			}
			o.started = true
		case e.Kind == Ended && !o.ended:
			err = v.ended(in, op, e.Result(), live)
		case e.Kind == Released && o.preempted && !o.released:
			err = v.released(in, op, e.Result())
		case e.Kind == Late && o.abandoned && o.released && !o.late:
			err = v.reportedLate(in, op, e.Result())
		default:
			err = fmt.Errorf("G3: %v of %d, once too often or out of order", e.Kind, op)
		}
		if err != nil {
			return err
		}
		if !e.Time.Equal(v.now) {
			return fmt.Errorf("G10: %v of %d has not the time of the %v", e.Kind, op, in)
		}
	}
	return nil
}

// before returns the event before the one that was booked last.
func (v *invariants) before() seenEvent {
	if len(v.events) < 2 {
		return seenEvent{}
	}
	return v.events[len(v.events)-2]
}

// firstWaiting returns the operation that is to start next, or zero.
func (v *invariants) firstWaiting() Op {
	for _, op := range v.order {
		if o := v.op(op); !o.started && !o.ended {
			return op
		}
	}
	return 0
}

// spares reports whether an input must leave an operation alone which it would end otherwise.
func (v *invariants) spares(in Input, op Op) bool {
	return v.op(op).protected && (in.Do == DoInterrupt || in.Do == DoCancelAll && in.Spare)
}

// mayFree reports whether the input can be what has freed the media.
func (v *invariants) mayFree(in Input, holder Op) bool {
	o := v.op(holder)
	switch in.Do {
	case DoReport, DoReturnStop, DoReturnOptional:
		return in.Op == holder
	case DoReturnStart:
		return in.Op == holder && (in.Failed || o.reported)
	case DoStopTimeout, DoRunTimeout:
		return in.Op == holder
	default:
		return false
	}
}

// keyed returns the operation that a tone must end: the running one, if it is one of its stop tones
// and not from before.
func (v *invariants) keyed(in Input) Op {
	for _, op := range v.order {
		if o := v.op(op); in.Do == DoTone && !in.Failed && o.started && !o.ended && StopTones(op).Contains(in.Tone) {
			return op
		}
	}
	return 0
}

// ended: only what the input ends, with its reason, at the position of this instant.
func (v *invariants) ended(in Input, op Op, r operation.Result, live []Op) error {
	o := v.op(op)
	want := operation.Result{}
	switch in.Do {
	case DoCancelAll:
		want.Reason = in.reason()
	case DoCancelWhere:
		if in.Chosen.Has(op) {
			want.Reason = in.reason()
		}
	case DoInterrupt:
		want.Reason = operation.BargedIn
	case DoClose:
		want = operation.Result{Reason: in.Result.Reason}
	case DoCancel:
		if in.ID == o.id {
			want.Reason = in.reason()
		}
	case DoTone:
		if v.keyed(in) == op {
			want.Reason = operation.KeyPressed
		}
	case DoRunTimeout:
		if in.Op == op {
			want.Reason = operation.TimedOut
		}
	case DoReport, DoReturnStart:
		if in.Op == op && !o.reported && !o.abandoned {
			want = reportedBy(in, operation.Succeeded)
		}
	default:
	}
	if want.Reason == 0 || !slices.Contains(live, op) || v.spares(in, op) {
		return fmt.Errorf("G6: %v has ended %d", in, op)
	}
	if want.Position <= 0 && o.started {
		want.Position = o.position
	}
	if r != want {
		return fmt.Errorf("G4: %v has ended %d with %+v, want %+v", in, op, r, want)
	}
	o.ended, o.result, o.final, o.endedAt = true, r, r, v.now
	switch in.Do {
	case DoCancelAll, DoCancelWhere:
		o.cause = BareCancel
	case DoTone:
		o.cause = operation.Cause{Tone: in.Tone, ToneSeq: BareSeq}
	case DoInterrupt:
		o.cause = operation.Cause{ID: in.id().ID()}
	default:
	}
	o.preempted = in.Do != DoReport && in.Do != DoReturnStart && o.startEntered
	return nil
}

// released: by the first report, or because the media was abandoned.
func (v *invariants) released(in Input, op Op, r operation.Result) error {
	o := v.op(op)
	var want operation.Result
	switch {
	case in.Op != op || o.reported || o.abandoned:
	case in.Do == DoStopTimeout:
		want.Reason, want.Err = operation.Abandoned, in.Result.Err
	case in.Do == DoReport || in.Do == DoReturnStart && in.Failed:
		want = reportedBy(in, o.result.Reason)
	default:
	}
	if want.Reason == 0 {
		return fmt.Errorf("G13: %v has released %d", in, op)
	}
	if want.Position <= 0 {
		want.Position = o.position
	}
	if r != want {
		return fmt.Errorf("G13: %d is released with %+v, want %+v", op, r, want)
	}
	o.released, o.final = true, r
	return nil
}

// reportedLate: by the first report after the media was abandoned.
func (v *invariants) reportedLate(in Input, op Op, r operation.Result) error {
	o := v.op(op)
	if in.Op != op || o.reported || in.Do != DoReport && (in.Do != DoReturnStart || !in.Failed) {
		return fmt.Errorf("G13: %v arrives as a late report of %d", in, op)
	}
	want := reportedBy(in, o.result.Reason)
	if want.Position <= 0 {
		want.Position = o.position
	}
	if r != want {
		return fmt.Errorf("G13: %d has reported late with %+v, want %+v", op, r, want)
	}
	o.late, o.final = true, r
	return nil
}

// reportedBy is the result that an input reports, with this reason if it says none.
func reportedBy(in Input, otherwise operation.Reason) operation.Result {
	r := in.Result
	if normalize(&r); r.Reason == 0 {
		r.Reason = otherwise
	}
	return r
}

// media books what happened at the media. The report of a preempted operation arrives as Released,
// and a late one changes nothing; media that is not to be waited for has the stop timeout.
func (v *invariants) media(
	b *Bare, in Input, out *Output, live []Op, fired bool,
) (err error) {
	switch in.Do {
	case DoEnterStart:
		v.op(in.Op).startReturned = b.m.blocking
	case DoReturnStart:
		o := v.op(in.Op)
		if o.startReturned = true; in.Failed {
			err = v.report(in, out)
		} else if out.StopLate != (o.abandoned && !o.reported) {
			err = fmt.Errorf("G13: Start of %d has returned late, and the media gets Stop: %v", in.Op, out.StopLate)
		}
	case DoReturnStop:
		v.op(in.Op).stopReturned = true
	case DoReturnOptional:
		o := v.op(in.Op)
		if o.inOptional = false; out.StopLate != (o.abandoned && !o.reported && !o.stopEntered) {
			err = fmt.Errorf("G13: a call for %d has returned late, and the media gets Stop: %v", in.Op, out.StopLate)
		}
	case DoReport:
		err = v.report(in, out)
	case DoProgress:
		v.op(in.Op).position = in.Result.Position
	case DoStopTimeout, DoRunTimeout:
		if o := v.op(in.Op); fired && !slices.Contains(live, in.Op) {
			o.abandoned = true
			v.abandoned++
			if o.preempted && !o.released {
				err = fmt.Errorf("G13: %d is abandoned and not released", in.Op)
			}
		} else if !fired && len(out.Events) > 0 {
			err = fmt.Errorf("G13: the %v came too late and has changed something", in)
		}
	default:
	}
	v.mustStop(in, out)
	return err
}

// mustStop books since when the media of an operation must have the stop timeout: when it was
// preempted, or when it was found not to return from its callback.
func (v *invariants) mustStop(in Input, out *Output) {
	closed := v.sealed && len(v.live()) == 0
	cancels := out.Err == nil && (in.Do == DoCancelAll || in.Do == DoInterrupt || in.Do == DoClose)
	for _, op := range v.order {
		o := v.op(op)
		if o.stopping.IsZero() && (o.preempted || o.ended && o.hasMedia() && (cancels || closed)) {
			o.stopping = v.now
		}
	}
}

// report books a report, or an error of Start.
func (v *invariants) report(in Input, out *Output) error {
	o := v.op(in.Op)
	late, first := o.reported || o.abandoned, !o.reported
	o.reported = true
	if late && (first || in.Do == DoReport) {
		v.reportLate++
	}
	switch {
	case late && first:
		if len(out.Events) != 1 || !o.late {
			return fmt.Errorf("G13: the first report of %d after it was abandoned is not delivered", in.Op)
		}
	case in.Do == DoReport && late:
		if len(out.Events) > 0 {
			return fmt.Errorf("G13: a second report of %d has changed something", in.Op)
		}
	case !late && !o.ended:
		return fmt.Errorf("G3: the report of %d has not ended it", in.Op)
	case !late && o.preempted && !o.released:
		return fmt.Errorf("G13: the report of %d did not arrive as released", in.Op)
	}
	return nil
}

// ends: all that the input must end has ended, and is returned.
func (v *invariants) ends(in Input, out *Output, live []Op, keyed Op) error {
	if out.Err != nil {
		return nil //nolint:nilerr // refused, so nothing has to end
	}
	var now, want []Op
	for _, op := range live {
		if v.op(op).ended {
			now = append(now, op)
		}
	}
	rule := "G4"
	switch in.Do {
	case DoTone:
		if rule = "keys"; keyed != 0 {
			want = []Op{keyed}
		}
	case DoInterrupt, DoCancelAll, DoClose:
		if in.Do == DoInterrupt {
			rule = "G7"
		}
		for _, op := range live {
			if !v.spares(in, op) {
				want = append(want, op)
			}
		}
	case DoCancel, DoCancelWhere:
		for _, op := range live {
			if in.Do == DoCancel && v.op(op).id == in.ID || in.Do == DoCancelWhere && in.Chosen.Has(op) {
				want = append(want, op)
			}
		}
	default:
		return nil
	}
	switch {
	case !slices.Equal(now, want):
		return fmt.Errorf("%s: %v lived, and %v has ended %v", rule, live, in, now)
	case !slices.Equal(out.Cancelled, want):
		return fmt.Errorf("G8: %v has ended %v and returned %v", in, want, out.Cancelled)
	}
	return nil
}

// state: what must be so at any time.
func (v *invariants) state(b *Bare) error {
	for _, op := range v.order {
		if err := v.operation(b, op); err != nil {
			return err
		}
	}
	holder := v.holder()
	if err := v.queue(b, holder); err != nil {
		return err
	}
	if err := v.timeout(b, holder); err != nil {
		return err
	}
	if err := v.due(b, holder); err != nil {
		return err
	}
	if err := v.toPrepare(b); err != nil {
		return err
	}
	return v.admissions(b)
}

// operation: what is to be read of it is what the events say, and never changes after the end.
func (v *invariants) operation(b *Bare, op Op) error {
	o, is := v.op(op), b.Operation(op)
	status, times := is.Status(), is.Times()
	r, ended := is.Result()
	want := operation.NotStarted
	switch {
	case o.ended:
		want = o.result.Reason.Status()
	case o.started:
		want = operation.Running
	}
	switch {
	case status != want || ended != o.ended:
		return fmt.Errorf("G3: %d is %v, and by its events %v", op, status, want)
	case r != o.result:
		return fmt.Errorf("G3: the result of %d was %+v and is %+v", op, o.result, r)
	case !times.Ended.Equal(o.endedAt) || times.Started.IsZero() == o.started:
		return fmt.Errorf("G4: the times of %d are %v, it has ended at %v", op, times, o.endedAt)
	case b.entry(op).control.Live() == o.ended:
		return fmt.Errorf("G5: %d is live: %v", op, o.ended)
	case (b.Find(o.id) == op) == o.ended:
		return fmt.Errorf("G4: %d is found: %v", op, o.ended)
	}
	if loops := !b.entry(op).control.LastLoop(); o.started && !o.ended && loops == v.sealed {
		return fmt.Errorf("loops: %d may loop on: %v, sealed: %v", op, loops, v.sealed)
	}
	if cause, known := is.Cause(); cause != o.cause || known != (cause != operation.Cause{}) {
		return fmt.Errorf("cause: %d was ended by %v, and tells %v", op, o.cause, cause)
	}
	if o.done != nil && isOver(o.done) != o.ended {
		return fmt.Errorf("G4: Done of %d is closed: %v", op, !o.ended)
	}
	over := o.ended && (!o.preempted || o.released) // its media is through
	if o.silent != nil && isOver(o.silent) != over {
		return fmt.Errorf("G13: Released of %d is closed: %v", op, !over)
	}
	switch final, ok := is.FinalResult(); {
	case ok != over:
		return fmt.Errorf("G13: %d has a final result: %v", op, ok)
	case ok && final != o.final:
		return fmt.Errorf("G13: the final result of %d is %+v, want %+v", op, final, o.final)
	}
	held := is.Value() != nil
	undelivered := b.m.log.observers() > 1 && o.last > v.late
	switch {
	case !held && (!over || undelivered):
		return fmt.Errorf("release: the values of %d are gone before its last event", op)
	case held && over && (b.m.log.observers() == 1 || v.late == uint64(len(v.events))):
		return fmt.Errorf("release: the values of %d are kept after its last event", op)
	}
	return nil
}

// isOver reports whether a channel is closed.
func isOver(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// queue: no lost wake-up, and the end comes when it must and not before.
func (v *invariants) queue(b *Bare, holder Op) error {
	live := v.live()
	waiting := live
	if len(live) > 0 && v.op(live[0]).started {
		waiting = live[1:]
	}
	abandoned, late := b.Counts()
	switch {
	case holder == 0 && len(live) > 0 && !v.paused:
		return fmt.Errorf("G12: %d waits and nothing has the media", live[0])
	case !slices.Equal(b.Waiting(), waiting):
		return fmt.Errorf("G12: %v wait, and in the queue %v", waiting, b.Waiting())
	case len(waiting) < len(live) && holder != live[0], b.Running()+b.Stopping() != holder:
		return fmt.Errorf("G2: %d has the media, in the queue %d", holder, b.Running()+b.Stopping())
	case v.closed != (v.sealed && len(live) == 0 && holder == 0):
		return fmt.Errorf("G14: closed is logged: %v, sealed: %v, live: %v, the media has %d", v.closed, v.sealed, live, holder)
	case b.Sealed() != v.sealed || b.Closed() != (v.sealed && len(live) == 0) || b.Drained() != v.closed:
		return fmt.Errorf("G14: sealed, closed, drained: %v, %v, %v", b.Sealed(), b.Closed(), b.Drained())
	case b.Paused() != v.paused:
		return fmt.Errorf("pause: the queue is paused: %v", !v.paused)
	case b.m.log.drained() && len(live) == 0 && cap(b.m.log.records) > 1:
		return fmt.Errorf("G15: the log of an idle queue has room for %d", cap(b.m.log.records))
	case abandoned != v.abandoned || late != v.reportLate:
		return fmt.Errorf("G13: %d abandoned, %d late, counted as %d, %d", v.abandoned, v.reportLate, abandoned, late)
	}
	return nil
}

// timeout: media that must come free does.
func (v *invariants) timeout(b *Bare, holder Op) error {
	armed, since, is := b.Timeout()
	if holder == 0 {
		if is {
			return fmt.Errorf("G15: the %v is armed, and nothing has the media", armed)
		}
		return nil
	}
	o := v.op(holder)
	runs := b.m.config.runTimeout > 0 && (!o.wantsPause || o.ended)
	switch {
	case is && armed.Op != holder:
		return fmt.Errorf("G13: the %v is armed, and %d has the media", armed, holder)
	case !o.stopping.IsZero() && armed.Do != DoStopTimeout:
		return fmt.Errorf("G13: the media is to be through with %d, and no stop timeout is armed", holder)
	case !o.stopping.IsZero() && !since.Equal(o.stopping):
		return fmt.Errorf("G13: the stop timeout of %d does not count from its preemption", holder)
	case o.stopping.IsZero() && (armed.Do == DoStopTimeout || is != runs):
		return fmt.Errorf("G12: the media works for %d, and armed is %q", holder, armed.text())
	case v.sealed && len(v.live()) == 0 && !is:
		return fmt.Errorf("G14: after a close nothing frees the media of %d", holder)
	}
	return nil
}

// due: what the media must be called for, and nothing else.
func (v *invariants) due(b *Bare, holder Op) error {
	due, _ := b.Due()
	var want Input
	if holder != 0 {
		switch o := v.op(holder); {
		case !o.startEntered:
			want = Input{Do: DoEnterStart, Op: holder}
		case o.inOptional || !o.startReturned:
		case o.preempted && !o.stopEntered && !o.reported && !b.m.blocking:
			want = Input{Do: DoEnterStop, Op: holder}
		case o.ended:
		case o.wantsPause && !o.gotPause:
			want = Input{Do: DoEnterPause, Op: holder}
		case !o.wantsPause && o.gotPause:
			want = Input{Do: DoEnterResume, Op: holder}
		case v.sealed && !o.gotEndLoop && b.m.serves&servesEndLoop != 0:
			want = Input{Do: DoEnterEndLoop, Op: holder}
		}
	}
	if due != want {
		rule := "G12"
		if due.Do != 0 {
			rule = "G5"
		}
		return fmt.Errorf("%s: due is %q, want %q", rule, due.text(), want.text())
	}
	return nil
}

// toPrepare: the operation that will be next, once.
func (v *invariants) toPrepare(b *Bare) error {
	want := v.firstWaiting()
	if b.m.serves&servesPrepare == 0 || want != 0 && v.op(want).prepared {
		want = 0
	}
	if got := b.ToPrepare(); got != want {
		return fmt.Errorf("prepare: %d is to be prepared, want %d", got, want)
	}
	return nil
}

func (in Input) text() string {
	if in.Do == 0 {
		return "nothing"
	}
	return in.String()
}

func (v *invariants) ids() (all []Op) {
	for _, op := range v.order {
		all = append(all, v.op(op).id)
	}
	return all
}

// entryWithID returns an entry to ask with.
func entryWithID(id Op) *entry {
	if few := askers(); int(id) < len(few) {
		return few[id]
	}
	return newBareEntry(id)
}

var askers = sync.OnceValue(func() (all []*entry) {
	all = make([]*entry, 32)
	for id := range all {
		all[id] = newBareEntry(Op(id)) //nolint:gosec // few
	}
	return all
})

// admissions: what may be accepted now.
func (v *invariants) admissions(b *Bare) error {
	waiting := max(len(b.Waiting()), 1)
	for _, id := range append(v.ids(), 0) { // zero is nobody's
		for _, limit := range [...]int{0, 1, waiting, waiting + 1} {
			for _, bargesIn := range [...]bool{false, true} {
				got, want := b.admit(entryWithID(id), bargesIn, limit), v.admission(id, bargesIn, limit)
				if errors.Is(got, want) {
					continue
				}
				rule := "G16"
				if v.sealed {
					rule = "G14"
				}
				return fmt.Errorf("%s: id %d with room for %d, barges in: %v: %w, want %v", rule, id, limit, bargesIn, got, want) //nolint:errorlint // one of them
			}
		}
	}
	return nil
}

// Judged is a bare machine whose every input is judged.
type Judged struct {
	*Bare

	seen invariants
}

// NewJudged makes one.
func NewJudged(c BareConfig) *Judged { return &Judged{Bare: NewBare(c)} }

// Apply gives the machine an input, and returns what is wrong with what came of it.
func (j *Judged) Apply(in Input, at time.Time) (Output, error) {
	return j.seen.apply(j.Bare, in, at, true)
}
