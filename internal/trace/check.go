package trace

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Violation is something that must not have happened.
type Violation struct {
	Rule string // G1 to G14
	Text string
}

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Check judges a whole trace: one queue, from New to Done, with at least one observer if events are
// to be judged. What a trace does not hold is not judged.
func Check(items []Item) []Violation {
	c := newCase(items)
	for _, rule := range rules {
		rule.check(c, func(format string, args ...any) {
			c.found = append(c.found, Violation{rule.name, fmt.Sprintf(format, args...)})
		})
	}
	return c.found
}

// rules are the guarantees, in their order.
var rules = []struct {
	name  string
	check func(c *judged, violated func(format string, args ...any))
}{
	{"G1", order}, {"G2", oneAtATime}, {"G3", oneEnd}, {"G4", atomicCancel}, {"G4", forgotten},
	{"G5", barrier},
	{"G6", laterUntouched}, {"G7", oneStep}, {"G8", receipts}, {"G9", tones}, {"G10", events},
	{"G11", isolation}, {"G12", progress}, {"G13", released}, {"G14", closed},
}

// never is a stamp of what did not happen.
const never = -1

// life is what a trace tells of an operation. Stamps are places in the trace.
type life struct {
	id                         uuid.UUID
	called, returned           int // of the Enqueue or Interrupt that made it
	interrupted                bool
	startEntered, startExited  int
	stopEntered, stopExited    int
	startFailed                bool
	reporting                  int // the first
	accepted, started          uint64
	ended, released            uint64 // sequence numbers, by the first observer
	endedTimes, releasedTimes  int
	result                     operation.Reason
	abandoned                  bool
	receipts                   []int // stamps of the Returned that name it
	endedAt                    time.Time // of the Ended event
}

// judged is a trace, and what is known of each operation in it.
type judged struct {
	items  []Item
	called map[int]int // stamps of Called and Asked, by number
	lives  map[uuid.UUID]*life
	inSeq  []*life // in order of acceptance
	closed int     // stamp of the first return of Close
	done   int
	found  []Violation
}

func newCase(items []Item) *judged {
	c := &judged{
		items: items, called: map[int]int{}, lives: map[uuid.UUID]*life{}, closed: never, done: never,
	}
	for at, i := range items {
		c.read(at, &i)
	}
	for _, l := range c.lives {
		if l.accepted != 0 {
			c.inSeq = append(c.inSeq, l)
		}
	}
	slices.SortFunc(c.inSeq, func(a, b *life) int { return int(a.accepted) - int(b.accepted) })
	return c
}

func (c *judged) life(id uuid.UUID) *life {
	l := c.lives[id]
	if l == nil {
		l = &life{
			id: id, called: never, returned: never, startEntered: never, startExited: never,
			stopEntered: never, stopExited: never, reporting: never,
		}
		c.lives[id] = l
	}
	return l
}

func (c *judged) read(at int, i *Item) {
	switch i.What {
	case Called, Asked:
		c.called[i.Number] = at
	case Returned:
		c.readReturn(at, i)
	case StartEntered:
		c.life(i.Op).startEntered = at
	case StartReturned:
		l := c.life(i.Op)
		l.startExited, l.startFailed = at, i.Failed
	case StopEntered:
		c.life(i.Op).stopEntered = at
	case StopReturned:
		c.life(i.Op).stopExited = at
	case Reporting:
		if l := c.life(i.Op); l.reporting == never {
			l.reporting = at
		}
	case Told:
		if i.Who == 0 && i.Event != queue.Closed {
			c.readEvent(i)
		}
	case Done:
		c.done = at
	case Live, Read, Heard, Pressed, Subscribed, Took, Quiet:
	}
}

func (c *judged) readReturn(at int, i *Item) {
	for _, op := range i.Ops {
		l := c.life(op)
		l.receipts = append(l.receipts, at)
	}
	switch i.Method {
	case Enqueue, Interrupt:
		if !i.Failed {
			l := c.life(i.Op)
			l.called, l.returned, l.interrupted = c.called[i.Number], at, i.Method == Interrupt
		}
	case Close:
		if c.closed == never {
			c.closed = at
		}
	case CancelAll, Cancel, Seal:
	}
}

func (c *judged) readEvent(i *Item) {
	l := c.life(i.Op)
	switch i.Event {
	case queue.Accepted:
		l.accepted = i.Seq
	case queue.Started:
		l.started = i.Seq
	case queue.Ended:
		l.ended, l.result = i.Seq, i.Reason
		l.endedTimes++
		l.endedAt = i.Time
	case queue.Released:
		l.released = i.Seq
		l.releasedTimes++
		l.abandoned = i.Reason == operation.Abandoned
	case queue.Closed:
	}
}

// overHead reports whether the operation was ended by somebody else than its media.
func overHead(r operation.Reason) bool {
	switch r {
	case operation.Cancelled, operation.BargedIn, operation.CallEnded, operation.ShutDown,
		operation.TimedOut:
		return true
	default:
		return false
	}
}

// order: operations start in the order in which they were accepted, and are accepted in the order of
// calls that do not overlap.
func order(c *judged, violated func(string, ...any)) {
	var before *life
	for _, l := range c.inSeq {
		if l.started == 0 {
			continue
		}
		if before != nil && before.started > l.started {
			violated("%.8s was accepted before %.8s and started after it", before.id, l.id)
		}
		before = l
	}
	var entered *life
	for _, l := range c.inSeq {
		if l.startEntered == never || l.abandoned {
			continue
		}
		if entered != nil && entered.startEntered > l.startEntered {
			violated("Start of %.8s was entered before that of %.8s, accepted earlier", l.id, entered.id)
		}
		entered = l
	}
	for i, a := range c.inSeq {
		for _, b := range c.inSeq[i+1:] {
			if b.returned != never && a.called != never && b.returned < a.called {
				violated("%.8s was accepted after %.8s, whose Enqueue came later", b.id, a.id)
			}
		}
	}
}

// oneAtATime: the next Start is entered only after the one before was reported and its callbacks have
// returned, or it was given up.
func oneAtATime(c *judged, violated func(string, ...any)) {
	var entered []*life
	for _, l := range c.lives {
		if l.startEntered != never {
			entered = append(entered, l)
		}
	}
	slices.SortFunc(entered, func(a, b *life) int { return a.startEntered - b.startEntered })
	for i, b := range entered {
		for _, a := range entered[:i] {
			if a.abandoned {
				continue
			}
			reported := a.reporting != never && a.reporting < b.startEntered ||
				a.startFailed && a.startExited < b.startEntered
			inStart := a.startExited == never || a.startExited > b.startEntered
			inStop := a.stopEntered != never && a.stopEntered < b.startEntered &&
				(a.stopExited == never || a.stopExited > b.startEntered)
			if !reported || inStart || inStop {
				violated("Start of %.8s was entered while %.8s had the media (reported %v, in Start %v, in Stop %v)",
					b.id, a.id, reported, inStart, inStop)
			}
		}
	}
}

// oneEnd: each accepted operation has one end, told once, and what is read of it agrees.
func oneEnd(c *judged, violated func(string, ...any)) {
	for _, l := range c.inSeq {
		if c.done != never && l.endedTimes != 1 {
			violated("the end of %.8s was told %d times", l.id, l.endedTimes)
		}
		if l.endedTimes > 0 && l.ended < l.accepted {
			violated("the end of %.8s was told before its acceptance", l.id)
		}
	}
	for _, i := range c.items {
		if i.What != Read || !i.Status.Terminal() {
			continue
		}
		if l := c.life(i.Op); l.endedTimes > 0 && l.result != i.Reason {
			violated("%.8s was read as %v and told as %v", i.Op, i.Reason, l.result)
		}
	}
	final := map[uuid.UUID]int{} // the first read that showed the end
	for at, i := range c.items {
		if i.What != Read {
			continue
		}
		if first, ok := final[i.Op]; ok && !i.Status.Terminal() && c.called[i.Number] > first {
			violated("%.8s lived again after it had ended", i.Op)
		}
		if _, ok := final[i.Op]; !ok && i.Status.Terminal() {
			final[i.Op] = at
		}
	}
}

// atomicCancel: when one victim of a cancel is seen ended, or the cancel has returned, all of them
// are; and they have ended at the same time.
func atomicCancel(c *judged, violated func(string, ...any)) {
	for at, r := range c.items {
		if r.What != Returned || len(r.Ops) == 0 {
			continue
		}
		first := at // the earliest moment at which the cancel is known to have happened
		for seen, i := range c.items[:at] {
			if i.What == Read && i.Status.Terminal() && slices.Contains(r.Ops, i.Op) {
				first = seen
				break
			}
		}
		for _, i := range c.items {
			if i.What == Read && !i.Status.Terminal() && slices.Contains(r.Ops, i.Op) &&
				c.called[i.Number] > first {
				violated("%.8s was read as %v after the cancel #%d had ended another",
					i.Op, i.Status, r.Number)
			}
		}
		var when *life
		for _, op := range r.Ops {
			l := c.life(op)
			if l.endedTimes == 0 {
				continue
			}
			if when != nil && !when.endedAt.Equal(l.endedAt) {
				violated("%.8s and %.8s were ended by the cancel #%d at two times", when.id, op, r.Number)
			}
			when = l
		}
	}
}

// forgotten: a CancelAll ends what was accepted before it was called and has not ended otherwise.
func forgotten(c *judged, violated func(string, ...any)) {
	for at, r := range c.items {
		if r.What != Returned || r.Method != CancelAll && r.Method != Close {
			continue
		}
		for _, l := range c.inSeq {
			if l.returned == never || l.returned > c.called[r.Number] || slices.Contains(r.Ops, l.id) {
				continue
			}
			ownEnd := !overHead(l.result) && !l.startFailed && l.reporting > at
			later := len(l.receipts) > 0 && c.called[c.items[l.receipts[0]].Number] > at
			if ownEnd || later {
				violated("%.8s, accepted before %s #%d, lived on", l.id, r.Method, r.Number)
			}
		}
	}
}

// barrier: after a cancel has returned its victims are not live, whoever asks.
func barrier(c *judged, violated func(string, ...any)) {
	for _, i := range c.items {
		if i.What != Live || i.Failed {
			continue
		}
		for _, cancel := range c.life(i.Op).receipts {
			if c.called[i.Number] > cancel {
				violated("%.8s said that it is live after its cancel had returned", i.Op)
			}
		}
	}
}

// laterUntouched: a cancel does not end what was enqueued after it had returned.
func laterUntouched(c *judged, violated func(string, ...any)) {
	for _, l := range c.inSeq {
		for _, cancel := range l.receipts {
			if l.called != never && l.called > cancel {
				violated("%.8s was enqueued after the cancel that ended it", l.id)
			}
		}
	}
}

// oneStep: the victims of an Interrupt and its operation are one commit.
func oneStep(c *judged, violated func(string, ...any)) {
	for _, r := range c.items {
		if r.What != Returned || r.Method != Interrupt {
			continue
		}
		if r.Failed {
			if len(r.Ops) > 0 {
				violated("a refused Interrupt has %d victims", len(r.Ops))
			}
			continue
		}
		own := c.life(r.Op)
		for _, op := range r.Ops {
			victim := c.life(op)
			if victim.endedTimes == 0 || own.accepted == 0 {
				continue
			}
			for _, other := range c.inSeq {
				if other.accepted > victim.ended && other.accepted < own.accepted {
					violated("%.8s got between the Interrupt %.8s and its victim %.8s",
						other.id, own.id, victim.id)
				}
			}
		}
	}
}

// receipts: who was ended over its head is in exactly one receipt, and nobody else is in one.
func receipts(c *judged, violated func(string, ...any)) {
	for _, l := range c.lives {
		if l.endedTimes == 0 {
			continue
		}
		want := 0
		if overHead(l.result) && l.result != operation.TimedOut {
			want = 1
		}
		if len(l.receipts) != want {
			violated("%.8s, which ended with %v, is in %d receipts", l.id, l.result, len(l.receipts))
		}
	}
}

// tones: each subscription takes every tone that came after it, once and in order.
func tones(c *judged, violated func(string, ...any)) {
	next, pressed := map[int]uint64{}, uint64(0)
	for _, i := range c.items {
		switch i.What {
		case Pressed:
			pressed++
			if i.Seq != pressed {
				violated("the tone pressed as number %d has number %d", pressed, i.Seq)
			}
		case Subscribed:
			next[i.Who] = i.Seq + 1
		case Took:
			if i.Seq != next[i.Who] {
				violated("subscription %d took tone %d, want %d", i.Who, i.Seq, next[i.Who])
			}
			next[i.Who] = i.Seq + 1
		case Done:
			for who, n := range next {
				if n != pressed+1 {
					violated("subscription %d took tones up to %d of %d", who, n-1, pressed)
				}
			}
		default:
		}
	}
}

// events: each observer is told all events in order, without gaps, one at a time, and all are told
// the same.
func events(c *judged, violated func(string, ...any)) {
	type told struct {
		next  uint64
		under bool
	}
	by, first := map[int]*told{}, map[uint64]Item{}
	for _, i := range c.items {
		switch i.What {
		case Told:
			t := by[i.Who]
			if t == nil {
				t = &told{next: 1}
				by[i.Who] = t
			}
			if t.under {
				violated("observer %d was told event %d while it was being told another", i.Who, i.Seq)
			}
			if i.Seq != t.next {
				violated("observer %d was told event %d, want %d", i.Who, i.Seq, t.next)
			}
			t.next, t.under = i.Seq+1, true
			was, ok := first[i.Seq]
			if ok && (was.Event != i.Event || was.Op != i.Op || was.Reason != i.Reason) {
				violated("event %d is %v of %.8s to one observer and %v of %.8s to another",
					i.Seq, was.Event, was.Op, i.Event, i.Op)
			}
			first[i.Seq] = i
		case Heard:
			if t := by[i.Who]; t != nil {
				t.under = false
			}
		default:
		}
	}
	if c.done == never {
		return
	}
	for who, t := range by {
		if int(t.next) != len(first)+1 {
			violated("observer %d was told %d events of %d", who, t.next-1, len(first))
		}
	}
}

// isolation: every call returns, whatever callbacks do.
func isolation(c *judged, violated func(string, ...any)) {
	open := map[int]Item{}
	for _, i := range c.items {
		switch i.What {
		case Called:
			open[i.Number] = i
		case Returned:
			delete(open, i.Number)
		default:
		}
	}
	for _, i := range open {
		violated("%s #%d never returned", i.Method, i.Number)
	}
}

// progress: when all is quiet and nothing has the media, nothing waits for it.
func progress(c *judged, violated func(string, ...any)) {
	for _, i := range c.items {
		if i.What == Quiet && !i.Running && !i.Stopping && i.Waiting > 0 {
			violated("%d operations wait for media that nobody has", i.Waiting)
		}
	}
}

// released: who was ended over its head after its Start was entered is released, once, and nobody
// else is.
func released(c *judged, violated func(string, ...any)) {
	for _, l := range c.inSeq {
		if l.releasedTimes > 1 {
			violated("%.8s was released %d times", l.id, l.releasedTimes)
		}
		if l.releasedTimes > 0 && (!overHead(l.result) || l.startEntered == never) {
			violated("%.8s was released, which ended with %v, Start entered %v",
				l.id, l.result, l.startEntered != never)
		}
		if l.releasedTimes > 0 && l.released < l.ended {
			violated("%.8s was released before it had ended", l.id)
		}
		if c.done != never && l.releasedTimes == 0 && l.endedTimes > 0 && overHead(l.result) &&
			l.startEntered != never {
			violated("%.8s was ended over its media's head and never released", l.id)
		}
		if l.stopEntered != never && l.stopEntered < l.startEntered {
			violated("Stop of %.8s was entered before its Start", l.id)
		}
		if l.stopEntered != never && l.startEntered == never {
			violated("Stop of %.8s was entered, which was never started", l.id)
		}
	}
}

// closed: after Close nothing is accepted, and nothing is started but a task that is dead; after Done
// nothing is called.
func closed(c *judged, violated func(string, ...any)) {
	if c.closed != never {
		for _, l := range c.lives {
			if l.called > c.closed {
				violated("%.8s was accepted after Close", l.id)
			}
		}
	}
	if c.done == never {
		return
	}
	for _, i := range c.items[c.done:] {
		switch i.What {
		case StartEntered, Told:
			violated("after Done: %v", i)
		case StopEntered:
			if !c.life(i.Op).abandoned {
				violated("after Done: %v", i)
			}
		default:
		}
	}
}
