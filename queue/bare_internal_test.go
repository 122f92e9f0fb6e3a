package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// Bare is the machine of a queue without the shell around it. It takes inputs one at a time, and
// does with what the machine asks for what the shell does, except that it calls nobody: whoever has
// the Bare makes the calls that are due, delivers, and lets timeouts fire. The explorer, the scripts
// and the histories drive it.
type Bare struct {
	m          machine
	maxPending int
	entries    []*entry // by number
	order      []*entry // in the queue, those that have left it included
	events     []Event  // of the last input

	// The timeout that is armed, for whom, and since when.
	armed      timeoutKind
	armedFor   *entry
	armedSince time.Time

	variant variant
}

// variant is how a Bare gives inputs to its machine: like the shell, or in a broken way.
type variant struct {
	perform func(b *Bare, in Input, at time.Time) Output
	admit   func(b *Bare, e *entry, bargesIn bool, maxPending int) error
	due     func(b *Bare) mediaCall
	deliver func(b *Bare, observer int, bt *batch)
}

// BareConfig is what of a queue's options the machine knows.
type BareConfig struct {
	MaxPending int // zero for no limit
	RunTimeout bool
	Blocking   bool
	Optional   bool // the media can pause, and ends loops; not Blocking
	Prepares   bool // likewise
	Unobserved bool // nobody gets the events
	observers  int  // besides the one who gets the events of an input at once
}

// Op numbers an operation, from 1; zero is none. Whoever makes the inputs gives the numbers.
type Op uint16

// ID returns the id of the operation that has this number as its own.
func (op Op) ID() uuid.UUID { return uuid.UUID{14: byte(op >> 8), 15: byte(op)} } //nolint:gosec // two bytes

// Do says what an input does.
type Do uint8

// The inputs of the machine: what callers do, what happens at the media, timeouts, deliveries.
const (
	DoEnqueue Do = iota + 1
	DoEnqueueNext
	DoInterrupt
	DoCancelAll
	DoCancel      // the one with this ID
	DoCancelWhere // those that are Chosen
	DoSeal
	DoClose // with Result.Reason, and Result.Err as its cause

	DoEnterStart  // the call of Start is being made
	DoReturnStart // it has returned; if Failed, with Result
	DoEnterStop
	DoReturnStop
	DoReport
	DoProgress // Result.Position

	DoStopTimeout // fires for Op
	DoRunTimeout

	DoTone // Tone, of the stream; one from before the operation started if Failed

	DoPause // what waits
	DoResume
	DoPauseOperation // the one with this ID
	DoResumeOperation

	DoEnterPause
	DoEnterResume
	DoEnterEndLoop
	DoReturnOptional // one of these has returned

	DoPrepare // the call of Prepare is being made

	DoDeliver // one event to the observer that gets them late
)

var doNames = [...]string{
	DoEnqueue: "enqueue", DoEnqueueNext: "enqueue next", DoInterrupt: "interrupt",
	DoCancelAll: "cancel all", DoCancel: "cancel", DoCancelWhere: "cancel where",
	DoSeal: "seal", DoClose: "close", DoEnterStart: "Start entered", DoReturnStart: "Start returned",
	DoEnterStop: "Stop entered", DoReturnStop: "Stop returned", DoReport: "report",
	DoProgress: "progress", DoStopTimeout: "stop timeout", DoRunTimeout: "run timeout",
	DoTone: "tone", DoDeliver: "deliver",
	DoPause: "pause", DoResume: "resume",
	DoPauseOperation: "pause operation", DoResumeOperation: "resume operation",
	DoEnterPause: "Pause entered", DoEnterResume: "Resume entered",
	DoEnterEndLoop: "EndLoop entered", DoReturnOptional: "optional call returned",
	DoPrepare: "prepare",
}

func (d Do) String() string { return doNames[d] }

// Input is one input, with what it needs.
type Input struct {
	Do     Do
	Op     Op // of enqueue and interrupt: the new one; of what happens at the media: whose
	ID     Op // of enqueue and interrupt: whose id the new one has, zero for its own; of cancel
	Failed bool
	Tone   tone.Tone
	Result operation.Result

	Protected bool   // of what accepts: the new one
	Spare     bool   // of cancel all: those that are protected
	Chosen    Chosen // of cancel where
	Key       Key    // of what accepts, and of cancel all: its idempotency key, or zero
}

// Key is an idempotency key.
type Key uint8

// keyed is what the machine gets of the key.
func (in Input) keyed() *keyed {
	return &keyed{key: string('a' + rune(in.Key)), call: calls(in.Do)}
}

// Chosen is a set of operations, those with numbers below 64.
type Chosen uint64

// Has reports whether an operation is in the set.
func (c Chosen) Has(op Op) bool { return c>>op&1 == 1 }

// With returns the set with one more.
func (c Chosen) With(op Op) Chosen { return c | 1<<op }

// accepts reports whether the input brings a new operation.
func (d Do) accepts() bool { return d == DoEnqueue || d == DoEnqueueNext || d == DoInterrupt }

// reason returns why an input ends operations, of the cancels.
func (in Input) reason() operation.Reason {
	if in.Result.Reason != 0 {
		return in.Result.Reason
	}
	return operation.Cancelled
}

func (in Input) String() string {
	text := in.Do.String()
	if in.Spare {
		text += " but the protected"
	}
	if in.Protected {
		text += " protected"
	}
	if op := max(in.Op, in.ID); op != 0 {
		text += fmt.Sprintf(" %d", op)
	}
	if in.Chosen != 0 {
		text += fmt.Sprintf(" %b", in.Chosen>>1)
	}
	switch {
	case in.Do == DoTone && in.Failed:
		text += fmt.Sprintf(" %v from before", in.Tone)
	case in.Do == DoTone:
		text += fmt.Sprintf(" %v", in.Tone)
	case in.Failed:
		text += " with an error"
	}
	if in.Key != 0 {
		text += fmt.Sprintf(" with key %d", in.Key)
	}
	return text
}

// id returns the id of the new operation.
func (in Input) id() Op {
	if in.ID != 0 {
		return in.ID
	}
	return in.Op
}

// Output is what came of an input.
type Output struct {
	Err       error
	Repeats   bool // the answer is that of the first call with the key, which has accepted
	First     Op   // or zero, if it was a cancel
	Cancelled []Op // in the receipt, or the one that Cancel returns
	Events    []Event
	StopLate  bool // the media gets Stop for an operation that was abandoned inside Start

	awaited []*entry // whose Done channels are to be closed
}

// NewBare makes one.
func NewBare(c BareConfig) *Bare { return newBare(c, variant{}) }

func newBare(c BareConfig, v variant) *Bare {
	b := &Bare{maxPending: c.MaxPending, variant: v}
	b.m.config = &bareConfigs[0]
	if c.RunTimeout {
		b.m.config = &bareConfigs[1]
	}
	b.m.blocking = c.Blocking
	if c.Optional {
		b.m.serves = servesPause | servesEndLoop
	}
	if c.Prepares {
		b.m.serves |= servesPrepare
	}
	if !c.Unobserved {
		b.m.log.init(1 + c.observers)
	}
	return b
}

var bareConfigs = [2]config{
	{maxUndelivered: 1 << 20, maxKeys: bareKeys, keyAge: bareKeyAge},
	{maxUndelivered: 1 << 20, maxKeys: bareKeys, keyAge: bareKeyAge, runTimeout: 1},
}

// What a Bare remembers of the inputs with keys.
const (
	bareKeys   = 2
	bareKeyAge = 4 * time.Second
)

// Apply gives the machine one input, delivers its events, and arms what it wants armed. The events
// are there until the next input.
func (b *Bare) Apply(in Input, at time.Time) (out Output) {
	if b.variant.perform != nil {
		out = b.variant.perform(b, in, at)
	} else {
		out = b.perform(in, at)
	}
	b.sync(at)
	for _, e := range out.awaited {
		e.control.NotifyDone()
	}
	b.events = b.events[:0]
	for b.m.log.behind(0) {
		b.events = b.deliver(0, maxBatch, b.events)
	}
	out.Events = b.events
	return out
}

// sync arms or disarms the timeout, by the rule of Queue.syncTimeout.
func (b *Bare) sync(at time.Time) {
	if b.armed == b.m.timeout && b.armedFor == b.m.current {
		return
	}
	b.armed, b.armedFor, b.armedSince = b.m.timeout, nil, at
	if b.armed != noTimeout {
		b.armedFor = b.m.current
	}
}

// deliver appends the next events of an observer's batch, up to n.
func (b *Bare) deliver(observer, n int, events []Event) []Event {
	var bt batch
	b.m.log.nextBatch(observer, &bt)
	var e Event
	for i := 0; i < n && bt.next(&e); i++ {
		events = append(events, e)
	}
	if b.variant.deliver != nil {
		b.variant.deliver(b, observer, &bt)
	}
	b.m.eventsDelivered(observer, &bt)
	return events
}

// perform gives the machine the input as the shell does.
func (b *Bare) perform(in Input, at time.Time) (out Output) {
	m := &b.m
	var cancelled []*entry
	if in.Key != 0 {
		first, err := m.repeats(in.keyed(), at)
		if in.Do.accepts() && err != nil || first != nil {
			return b.repeat(first, err)
		}
		if err != nil { // a cancel of all is never refused
			in.Key = 0
		}
		defer func() { b.remember(in, &out, cancelled, at) }()
	}
	switch in.Do {
	case DoEnqueue, DoEnqueueNext, DoInterrupt:
		cancelled, out.awaited, out.Err = b.accept(in, at)
	case DoCancelAll:
		by := BareCancel
		how := ending{why: in.reason(), by: &by, spare: in.Spare}
		cancelled, out.awaited = m.cancelAll(how, new(cancelBlock), at)
	case DoCancel:
		e := m.cancel(in.ID.ID(), ending{why: in.reason()}, at)
		if e == nil {
			out.Err = ErrNotFound
			return out
		}
		cancelled = []*entry{e}
		out.awaited = cancelled
	case DoTone:
		published := at
		if e := m.current; in.Failed && e != nil {
			published = e.control.Started()
		}
		if e := m.key(tone.Event{Tone: in.Tone, Seq: BareSeq, Time: published}, at); e != nil {
			cancelled = []*entry{e}
			out.awaited = cancelled
		}
	case DoCancelWhere:
		by := BareCancel
		var chosen []*entry // of those that were live at some time, in queue order
		for _, e := range b.order {
			if in.Chosen.Has(b.number(e)) {
				chosen = append(chosen, e)
			}
		}
		cancelled = m.cancelChosen(chosen, ending{why: in.reason(), by: &by}, new(cancelBlock), at)
		out.awaited = cancelled
	case DoSeal:
		m.seal(at)
	case DoPause:
		m.pause()
	case DoResume:
		m.resume(at)
	case DoPauseOperation, DoResumeOperation:
		out.Err = m.pauseOperation(in.ID.ID(), in.Do == DoPauseOperation)
	case DoClose:
		cancelled, out.awaited = m.close(in.Result.Reason, in.Result.Err, new(cancelBlock), at)
	case DoProgress:
		b.entry(in.Op).control.Progress(in.Result.Position)
	case DoDeliver:
	default:
		b.performMedia(in, at, &out)
	}
	out.Cancelled = b.numbers(cancelled)
	return out
}

func (b *Bare) numbers(entries []*entry) (all []Op) {
	for _, e := range entries {
		all = append(all, b.number(e))
	}
	return all
}

// repeat is the output of an input whose key was given before.
func (b *Bare) repeat(first *answer, err error) Output {
	if err != nil {
		return Output{Err: err}
	}
	out := Output{Repeats: true, Cancelled: b.numbers(first.cancelled)}
	if first.call != calls(DoCancelAll) {
		out.First = b.Number(first.operation)
	}
	return out
}

// remember has the machine remember the answer of an input with a key, unless it was refused.
func (b *Bare) remember(in Input, out *Output, cancelled []*entry, at time.Time) {
	if in.Key == 0 || out.Err != nil {
		return
	}
	op := b.Operation(in.Op)
	if op == nil {
		op = new(operation.Control).Operation() // the cancel's own
	}
	b.m.remember(in.keyed(), op, cancelled, at)
}

// performMedia is for inputs that may be the end of one operation, or its release.
func (b *Bare) performMedia(in Input, at time.Time, out *Output) {
	m, e := &b.m, b.entry(in.Op)
	notify := false
	switch in.Do {
	case DoEnterStart:
		m.callEntered(e, callStart)
		if m.blocking { // see dispatcher.runFunction
			notify = m.callReturned(e, callStart, nil, time.Time{})
		}
	case DoEnterStop:
		m.callEntered(e, callStop)
	case DoPrepare:
		m.prepareEntered(e)
	case DoEnterPause:
		m.callEntered(e, callPause)
	case DoEnterResume:
		m.callEntered(e, callResume)
	case DoEnterEndLoop:
		m.callEntered(e, callEndLoop)
	case DoReturnStart:
		notify = b.returned(e, callStart, in, at)
		out.StopLate = e.media&(abandoned|reported|stopEntered) == abandoned
	case DoReturnOptional:
		notify = b.returned(e, callPause, in, at)
		out.StopLate = e.media&(abandoned|reported|stopEntered) == abandoned
	case DoReturnStop:
		notify = b.returned(e, callStop, in, at)
	case DoReport:
		r := in.Result
		normalize(&r)
		notify = m.report(e, &r, at)
	case DoStopTimeout:
		notify = m.stopTimedOut(e, in.Result.Err, at)
	case DoRunTimeout:
		notify = m.runTimedOut(e, at)
	default:
		panic("no input: " + in.String())
	}
	if notify {
		out.awaited = []*entry{e}
	}
}

// returned is dispatcher.mediaReturned.
func (b *Bare) returned(e *entry, c mediaCall, in Input, at time.Time) (notify bool) {
	var failed *operation.Result
	if in.Failed {
		failed = &in.Result
	} else if !b.m.returnNeedsTime() {
		at = time.Time{}
	}
	return b.m.callReturned(e, c, failed, at)
}

// errBareFault is what each Stop has done when its operation is abandoned.
var errBareFault = errors.New("fault of a Stop")

// BareSeq is the number that each tone has.
const BareSeq = 7

// BareCancel is the cause that a cancel of all gives.
var BareCancel = operation.Cause{ID: Op(0xffff).ID(), ClientContext: "mark"}

// accept is Enqueue and Interrupt.
func (b *Bare) accept(in Input, at time.Time) (cancelled, awaited []*entry, err error) {
	e := newBareEntry(in.id())
	e.stopTones = StopTones(in.Op)
	e.protected = in.Protected
	if err = b.admit(e, in.Do == DoInterrupt, b.maxPending); err != nil {
		return nil, nil, err
	}
	b.entries = append(b.entries, make([]*entry, max(0, int(in.Op)+1-len(b.entries)))...)
	b.entries[in.Op] = e
	if in.Do == DoInterrupt {
		by := causedBy(e.operation(), "")
		cancelled, awaited = b.m.interrupt(e, &by, new(cancelBlock), at)
	} else {
		b.m.enqueue(e, in.Do == DoEnqueueNext, at)
	}
	place := len(b.order)
	if in.Do == DoEnqueueNext && e.next != nil {
		place = slices.Index(b.order, e.next)
	}
	b.order = slices.Insert(b.order, place, e)
	return cancelled, awaited, nil
}

// StopTones are those of the operation with this number: every one but the fourth has some.
func StopTones(op Op) tone.Set {
	if op%4 == 0 {
		return 0
	}
	return tone.SetOf(tone.Tone1, tone.Pound)
}

func newBareEntry(id Op) *entry {
	e := new(entry)
	e.control.Init(operation.Spec{ID: id.ID(), Context: context.Background(), Value: id})
	return e
}

func (b *Bare) admit(e *entry, bargesIn bool, maxPending int) error {
	if b.variant.admit != nil {
		return b.variant.admit(b, e, bargesIn, maxPending)
	}
	return b.m.admit(e, true, bargesIn, maxPending)
}

// Due returns the input that makes the call which is due, if there is one.
func (b *Bare) Due() (in Input, ok bool) {
	due := b.m.due()
	if b.variant.due != nil {
		due = b.variant.due(b)
	}
	switch due {
	case callStart:
		return Input{Do: DoEnterStart, Op: b.number(b.m.current)}, true
	case callStop:
		return Input{Do: DoEnterStop, Op: b.number(b.m.current)}, true
	case callPause:
		return Input{Do: DoEnterPause, Op: b.number(b.m.current)}, true
	case callResume:
		return Input{Do: DoEnterResume, Op: b.number(b.m.current)}, true
	case callEndLoop:
		return Input{Do: DoEnterEndLoop, Op: b.number(b.m.current)}, true
	default:
		return Input{}, false
	}
}

// ToPrepare returns the operation that is to be prepared, or zero.
func (b *Bare) ToPrepare() Op { return b.number(b.m.toPrepare()) }

// Timeout returns the input that the timeout which is armed will be, and since when it is.
func (b *Bare) Timeout() (in Input, since time.Time, ok bool) {
	switch b.armed {
	case stopTimeout:
		in.Do, in.Result.Err = DoStopTimeout, errBareFault
	case runTimeout:
		in.Do = DoRunTimeout
	default:
		return in, since, false
	}
	in.Op = b.number(b.armedFor)
	return in, b.armedSince, true
}

func (b *Bare) entry(op Op) *entry { return b.entries[op] }

// number returns an entry's number, or zero for nil.
func (b *Bare) number(e *entry) Op {
	if e == nil {
		return 0
	}
	return Op(slices.Index(b.entries, e)) //nolint:gosec // an Op when it was accepted
}

// Number returns an operation's number, or zero for nil.
func (b *Bare) Number(o *operation.Operation) Op {
	if o == nil {
		return 0
	}
	return Op(slices.IndexFunc(b.entries, func(e *entry) bool { //nolint:gosec // likewise
		return e != nil && e.operation() == o
	}))
}

// Operation returns the operation with this number, or nil if it was not accepted.
func (b *Bare) Operation(op Op) *operation.Operation {
	if int(op) >= len(b.entries) || b.entries[op] == nil {
		return nil
	}
	return b.entries[op].operation()
}

// Find returns the live operation with this id, or zero.
func (b *Bare) Find(id Op) Op { return b.number(b.m.find(id.ID())) }

// Running returns the operation that has the media and lives, or zero.
func (b *Bare) Running() Op {
	if e := b.m.current; e != nil && e.control.Live() {
		return b.number(e)
	}
	return 0
}

// Stopping returns the operation that has ended and still has the media, or zero.
func (b *Bare) Stopping() Op {
	if e := b.m.current; e != nil && !e.control.Live() {
		return b.number(e)
	}
	return 0
}

// Waiting returns the operations that wait, in order.
func (b *Bare) Waiting() (all []Op) {
	for e := b.m.waiting.head; e != nil; e = e.next {
		all = append(all, b.number(e))
	}
	return all
}

// Paused reports whether what waits is held.
func (b *Bare) Paused() bool { return b.m.paused }

// Sealed reports whether nothing more is accepted.
func (b *Bare) Sealed() bool { return b.m.phase >= phaseSealed }

// Closed reports whether the queue is closed.
func (b *Bare) Closed() bool { return b.m.phase >= phaseClosed }

// Drained reports whether it is closed and the media free: nothing can happen any more.
func (b *Bare) Drained() bool { return b.m.phase == phaseDrained }

// Owed reports whether some media was abandoned and has not reported since.
func (b *Bare) Owed() bool { return b.m.cold != nil && b.m.cold.owed > 0 }

// Counts returns how many operations were abandoned, and how many reports came too late.
func (b *Bare) Counts() (abandoned, late int) {
	if b.m.cold == nil {
		return 0, 0
	}
	return b.m.cold.abandoned, b.m.cold.late
}

// Key is equal for machines that have the same past, as far as it can be read, and the same future.
func (b *Bare) Key() string {
	m := &b.m
	key := []byte{byte(m.phase), byte(m.timeout), byte(b.number(m.current)), byte(m.waiting.n)} //nolint:gosec // few
	key = append(key, flags(m.cold == nil || m.cold.protected == nil, m.paused))
	for e := m.waiting.head; e != nil; e = e.next {
		key = append(key, byte(b.number(e))) //nolint:gosec // few
	}
	for op, e := range b.entries {
		if e != nil {
			r, _ := e.operation().Result()
			key = append(key, byte(op), byte(e.media), byte(e.optional), byte(e.operation().Status()), byte(r.Reason), flags(e.protected)) //nolint:gosec // few
		}
	}
	return string(key)
}

var errBare = errors.New("of a test")
