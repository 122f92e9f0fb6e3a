package queue

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"ivrqueue/operation"
)

// invariants is what was seen of a machine from outside: its inputs, the events it logged, the calls
// that were due, the entries it returned, what its operations say of themselves, and the timeout it
// wants armed. From that it tells whether what the queue guarantees is so. It does not look into the
// machine, so that it can say whether that is right.
type invariants struct {
	ops         []seenOp // by number
	order       []Op     // of acceptance
	events      []seenEvent
	late        uint64 // events that the late observer got
	lastStarted int    // its place in the order
	now         time.Time

	sealed                bool
	closing               operation.Result // of the close that counts
	closed                bool             // by its event
	abandoned, reportLate int
}

type seenEvent struct {
	kind EventKind
	op   Op
}

// seenOp is what was seen of one operation.
type seenOp struct {
	place                    int // in the order of acceptance, from 1
	id                       Op
	started, ended, released bool // by events
	preempted                bool // ended by somebody else than its media, which had been called

	startEntered, startReturned, stopEntered, stopReturned bool
	reported, abandoned                                    bool

	position time.Duration // told by its media
	result   operation.Result
	endedAt  time.Time
	stopping time.Time // since when it must have the stop timeout, or zero
	last     uint64    // number of its last event so far
	done     <-chan struct{}
}

func (o *seenOp) inCallback() bool {
	return o.startEntered && !o.startReturned || o.stopEntered && !o.stopReturned
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
		live := v.live()
		armed, _, _ := b.Timeout()
		refused := v.refusal(b, in)
		out = b.Apply(in, at)
		if out.Err != refused { //nolint:errorlint // none is wrapped
			return out, fmt.Errorf("G16: %v: %v, want %v", in, out.Err, refused)
		}
		if err = v.input(b, in, &out, live); err == nil {
			err = v.book(b, in, &out, live)
		}
		if err == nil {
			err = v.media(b, in, &out, live, in == armed)
		}
		if err == nil {
			err = v.ends(in, &out, live)
		}
	}
	if err == nil && all {
		err = v.state(b)
	}
	return out, err
}

// refusal returns the error that an input must come back with.
func (v *invariants) refusal(b *Bare, in Input) error {
	switch in.Do {
	case DoEnqueue:
		return v.admission(in.id(), b.maxPending)
	case DoInterrupt:
		return v.admission(in.id(), 0)
	case DoCancel:
		if v.find(in.ID) == 0 {
			return ErrNotFound
		}
	default:
	}
	return nil
}

// admission returns why an operation with this id must be refused.
func (v *invariants) admission(id Op, maxPending int) error {
	waiting := 0
	for _, op := range v.live() {
		if !v.op(op).started {
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
	case DoEnqueue, DoInterrupt:
		v.order = append(v.order, in.Op)
		v.ops = append(v.ops, make([]seenOp, max(0, int(in.Op)+1-len(v.ops)))...)
		v.ops[in.Op] = seenOp{place: len(v.order), id: in.id()}
		if in.Op%2 == 1 { // somebody waits for every other one
			v.op(in.Op).done = b.Operation(in.Op).Done()
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
	case DoEnterStart:
		return v.enterStart(in.Op)
	case DoEnterStop:
		v.op(in.Op).stopEntered = true
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
		case v.closed:
			return fmt.Errorf("G14: %v of %d after closed", e.Kind, op)
		case e.Kind == Closed:
			v.closed = true
			if e.Result != v.closing || !e.Time.Equal(v.now) {
				return fmt.Errorf("G14: closed with %v at %v, want %v", e.Result, e.Time, v.closing)
			}
			continue
		}
		o := v.op(op)
		o.last = seq
		var err error
		switch {
		case e.Kind == Accepted && in.Op == op && (in.Do == DoEnqueue || in.Do == DoInterrupt):
		case e.Kind == Started && !o.started && !o.ended:
			if o.place < v.lastStarted {
				return fmt.Errorf("G1: %d was accepted before %d and starts after it", op, v.order[v.lastStarted-1])
			}
			if holder := v.holder(); holder != 0 && !v.mayFree(in, holder) {
				return fmt.Errorf("G2: %d starts while the media has %d", op, holder)
			}
			o.started, v.lastStarted = true, o.place
		case e.Kind == Ended && !o.ended:
			err = v.ended(in, op, e.Result, live)
		case e.Kind == Released && o.preempted && !o.released:
			err = v.released(in, op, e.Result)
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

// mayFree reports whether the input can be what has freed the media.
func (v *invariants) mayFree(in Input, holder Op) bool {
	o := v.op(holder)
	switch in.Do {
	case DoReport, DoReturnStop:
		return in.Op == holder
	case DoReturnStart:
		return in.Op == holder && (in.Failed || o.reported)
	case DoStopTimeout, DoRunTimeout:
		return in.Op == holder
	default:
		return false
	}
}

// ended: only what the input ends, with its reason, at the position of this instant.
func (v *invariants) ended(in Input, op Op, r operation.Result, live []Op) error {
	o := v.op(op)
	want := operation.Result{}
	switch in.Do {
	case DoCancelAll:
		want.Reason = operation.Cancelled
	case DoInterrupt:
		want.Reason = operation.BargedIn
	case DoClose:
		want = operation.Result{Reason: in.Result.Reason}
	case DoCancel:
		if in.ID == o.id {
			want.Reason = operation.Cancelled
		}
	case DoRunTimeout:
		if in.Op == op {
			want.Reason = operation.TimedOut
		}
	case DoReport, DoReturnStart:
		if in.Op == op && !o.reported && !o.abandoned {
			want = told(in, operation.Succeeded)
		}
	default:
	}
	if want.Reason == 0 || !slices.Contains(live, op) {
		return fmt.Errorf("G6: %v has ended %d", in, op)
	}
	if want.Position <= 0 && o.started {
		want.Position = o.position
	}
	if r != want {
		return fmt.Errorf("G4: %v has ended %d with %+v, want %+v", in, op, r, want)
	}
	o.ended, o.result, o.endedAt = true, r, v.now
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
		want.Reason = operation.Abandoned
	case in.Do == DoReport || in.Do == DoReturnStart && in.Failed:
		want = told(in, o.result.Reason)
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
	o.released = true
	return nil
}

// told is the result that an input reports, with this reason if it says none.
func told(in Input, otherwise operation.Reason) operation.Result {
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
	late := o.reported || o.abandoned
	o.reported = true
	switch {
	case in.Do == DoReport && late:
		v.reportLate++
		if len(out.Events) > 0 {
			return fmt.Errorf("G13: a late report of %d has changed something", in.Op)
		}
	case !late && !o.ended:
		return fmt.Errorf("G3: the report of %d has not ended it", in.Op)
	case !late && o.preempted && !o.released:
		return fmt.Errorf("G13: the report of %d did not arrive as released", in.Op)
	}
	return nil
}

// ends: all that the input must end has ended, and is returned.
func (v *invariants) ends(in Input, out *Output, live []Op) error {
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
	case DoInterrupt:
		rule, want = "G7", live
	case DoCancelAll, DoClose:
		want = live
	case DoCancel:
		for _, op := range live {
			if v.op(op).id == in.ID {
				want = []Op{op}
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
	if o.done != nil {
		closed := false
		select {
		case <-o.done:
			closed = true
		default:
		}
		if closed != o.ended {
			return fmt.Errorf("G4: Done of %d is closed: %v", op, closed)
		}
	}
	over := o.ended && (!o.preempted || o.released) // its last event is in the log
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

// queue: no lost wake-up, and the end comes when it must and not before.
func (v *invariants) queue(b *Bare, holder Op) error {
	live := v.live()
	waiting := live
	if len(live) > 0 && v.op(live[0]).started {
		waiting = live[1:]
	}
	abandoned, late := b.Counts()
	switch {
	case holder == 0 && len(live) > 0:
		return fmt.Errorf("G12: %d waits and nothing has the media", live[0])
	case !slices.Equal(b.Waiting(), waiting):
		return fmt.Errorf("G12: %v wait, and in the queue %v", waiting, b.Waiting())
	case len(waiting) < len(live) && holder != live[0], b.Running()+b.Stopping() != holder:
		return fmt.Errorf("G2: %d has the media, in the queue %d", holder, b.Running()+b.Stopping())
	case v.closed != (v.sealed && len(live) == 0 && holder == 0):
		return fmt.Errorf("G14: closed is logged: %v, sealed: %v, live: %v, the media has %d", v.closed, v.sealed, live, holder)
	case b.Sealed() != v.sealed || b.Closed() != (v.sealed && len(live) == 0) || b.Drained() != v.closed:
		return fmt.Errorf("G14: sealed, closed, drained: %v, %v, %v", b.Sealed(), b.Closed(), b.Drained())
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
	o, runs := v.op(holder), b.m.config.runTimeout > 0
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
		case o.preempted && o.startReturned && !o.stopEntered && !o.reported && !b.m.blocking:
			want = Input{Do: DoEnterStop, Op: holder}
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
		for _, limit := range [...]int{0, waiting, waiting + 1} {
			if got, want := b.admit(entryWithID(id), limit), v.admission(id, limit); got != want { //nolint:errorlint // none is wrapped
				rule := "G16"
				if v.sealed {
					rule = "G14"
				}
				return fmt.Errorf("%s: id %d with room for %d: %w, want %v", rule, id, limit, got, want) //nolint:errorlint // one of them
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
