package queue

import (
	"math/bits"
	"slices"
	"time"

	"ivrqueue/operation"
)

// The log holds the events that some observer has yet to get: a list of records, appended by the
// machine, and a cursor on it for each observer. A record holds little, because an event is made
// from its operation when it is delivered. What every observer got is dropped.

// record is what one input of the machine logged of an operation, or of all that it ended.
type record struct {
	entry  *entry // nil for logClosed and logCancelled
	detail *detail
	kinds  kinds
}

// kinds are the events of a record, delivered in this order.
type kinds uint8

const (
	logAccepted kinds = 1 << iota
	logStarted
	logEnded
	logReleased
	logLate
	logClosed
	logCancelled // one Ended for each of the detail's operations
)

// detail is what the operation itself does not tell.
type detail struct {
	at        time.Time
	result    *operation.Result    // of logReleased, logLate and logClosed
	cancelled []*entry             // of logCancelled; shared with the receipt, read-only
	by        *operation.Operation // that cancelled them, or nil
	cancel    *operation.Control   // the same, if it is a CancelAll's own
}

// len returns how many events the record stands for.
func (r *record) len() int {
	if r.kinds == logCancelled {
		return len(r.detail.cancelled)
	}
	return bits.OnesCount8(uint8(r.kinds))
}

// ends returns how many of them are Ended.
func (r *record) ends() int {
	switch {
	case r.kinds == logCancelled:
		return len(r.detail.cancelled)
	case r.kinds&logEnded != 0:
		return 1
	default:
		return 0
	}
}

// event fills in the i-th event of the record; call and number are the caller's. It runs on a small
// stack, so it copies nothing twice.
func (r *record) event(i int, v *Event) {
	if r.kinds >= logReleased {
		r.detailed(i, v)
		return
	}
	c := &r.entry.control
	v.Operation, v.result, v.by = c.Operation(), nil, nil
	left := r.kinds
	for ; i > 0; i-- {
		left &= left - 1
	}
	switch left & -left {
	case logAccepted:
		v.Kind, v.Time = Accepted, c.Accepted()
	case logStarted:
		v.Kind, v.Time = Started, c.Started()
	default:
		v.Kind, v.Time = Ended, c.Ended()
	}
}

// detailed fills in an event of a record with a detail.
func (r *record) detailed(i int, v *Event) {
	d := r.detail
	v.Time, v.Operation, v.result, v.by = d.at, nil, d.result, d.by
	switch r.kinds {
	case logReleased:
		v.Kind, v.Operation = Released, r.entry.operation()
	case logLate:
		v.Kind, v.Operation = Late, r.entry.operation()
	case logClosed:
		v.Kind = Closed
	default: // logCancelled
		v.Kind, v.Operation = Ended, d.cancelled[i].operation()
	}
}

// keepRecords is for how many records a drained log keeps room while operations live.
const keepRecords = 16

// log is the records that some observer has yet to get.
type log struct {
	records     []record
	head        int       // the records before it were delivered to all, and cleared
	undelivered int       // Ended events in the rest
	leading     cursor    // of the first observer
	others      *[]cursor // of the second observer and those after it; few queues have any

	// first is the room of a log that holds one record at most, which is what one operation after
	// the other needs. It lies in the queue, so that two calls share no cache line: where they do,
	// and both work, each costs up to half as much again.
	first [1]record
}

// cursor is one observer's place in the log.
type cursor struct {
	seq  uint64 // of the event delivered last
	next int    // index of the record to deliver next
	off  int    // events of it that were delivered
}

// init makes the log of a queue with so many observers. Without any it stays the zero log, to which
// nothing is appended.
func (l *log) init(observers int) {
	if observers == 0 {
		return
	}
	l.records = l.first[:0]
	if observers > 1 {
		more := make([]cursor, observers-1)
		l.others = &more
	}
}

// observers returns how many there are.
func (l *log) observers() int {
	switch {
	case l.records == nil:
		return 0
	case l.others == nil:
		return 1
	default:
		return 1 + len(*l.others)
	}
}

// cursor returns the place of an observer.
func (l *log) cursor(i int) *cursor {
	if i == 0 {
		return &l.leading
	}
	return &(*l.others)[i-1]
}

// append logs a record. Without observers it counts as delivered.
func (l *log) append(r record) {
	if l.records == nil {
		delivered(&r)
		return
	}
	l.undelivered += r.ends()
	if len(l.records) == cap(l.records) {
		l.grow()
	}
	l.records = append(l.records, r)
}

// grow makes room. The old records stay where they are: batches of them may be under way.
//
//go:noinline
func (l *log) grow() {
	l.records = slices.Grow(l.records, max(keepRecords-len(l.records), len(l.records)))
}

// behind reports whether an observer has yet to get something.
func (l *log) behind(i int) bool { return l.cursor(i).next < len(l.records) }

// drained reports whether every observer got everything.
func (l *log) drained() bool { return l.head == len(l.records) }

// batch is a few records, to be delivered without the lock. They stay as they are until the
// observer's cursor is past them: later ones are appended behind them, and trim moves nothing in
// place under another's batch. So they need not be copied, and a batch is small: it is delivered on
// a new goroutine's stack, of which 1,100 bytes may be used before it has to be moved, and that
// costs a microsecond.
type batch struct {
	records   []record
	delivered int    // records delivered in full
	off       int    // events delivered of the next one
	seq       uint64 // of the event delivered last
}

const maxBatch = 4

// nextBatch fills in what the observer is to get next.
func (l *log) nextBatch(i int, b *batch) {
	c := l.cursor(i)
	b.records = l.records[c.next:min(c.next+maxBatch, len(l.records))]
	b.delivered, b.off, b.seq = 0, c.off, c.seq
}

// next fills in the next event of the batch and counts it as delivered: an event on which the
// observer panics counts.
func (b *batch) next(v *Event) bool {
	if b.delivered == len(b.records) {
		return false
	}
	r := &b.records[b.delivered]
	r.event(b.off, v)
	b.seq++
	v.Seq = b.seq
	if b.off++; b.off == r.len() {
		b.delivered++
		b.off = 0
	}
	return true
}

// advance moves the observer's cursor past what was delivered of the batch, and drops what every
// observer got.
func (l *log) advance(i int, b *batch) {
	c := l.cursor(i)
	c.next += b.delivered
	c.off, c.seq = b.off, b.seq
	l.trim()
}

// trim drops the records that every observer got.
func (l *log) trim() {
	all := l.leading.next
	if l.others != nil {
		for i := range *l.others {
			all = min(all, (*l.others)[i].next)
		}
	}
	for ; l.head < all; l.head++ {
		r := &l.records[l.head]
		l.undelivered -= r.ends()
		delivered(r)
		*r = record{} // keeps nothing alive
	}
	if l.head > 0 && cap(l.records) > len(l.first) {
		l.first = [1]record{} // the first of them, if the log has grown since
	}
	switch {
	case l.drained():
		if l.records = l.records[:0]; cap(l.records) > keepRecords {
			l.dropRoom()
		}
	case l.head < len(l.records)/2 || l.others != nil && l.head < 32:
		return // not worth moving the rest yet
	case l.others != nil:
		l.records = slices.Clone(l.records[l.head:]) // not in place: batches of it may be under way
	default: // in place: the only observer has just got its batch
		l.records = slices.Delete(l.records, 0, l.head)
	}
	l.leading.next -= l.head
	if l.others != nil {
		for i := range *l.others {
			(*l.others)[i].next -= l.head
		}
	}
	l.head = 0
}

// keepsRoom reports whether the log is drained and has more room than it needs for one operation
// after the other.
func (l *log) keepsRoom() bool { return len(l.records) == 0 && cap(l.records) > len(l.first) }

// dropRoom has a drained log begin anew with the least room.
func (l *log) dropRoom() {
	l.records = l.first[:0]
}

// delivered drops the values attached to an operation once its last event was delivered: Released
// if it was preempted, else Ended.
func delivered(r *record) {
	switch {
	case r.kinds == logCancelled:
		for _, e := range r.detail.cancelled {
			e.releaseValues()
		}
		if own := r.detail.cancel; own != nil {
			own.ReleaseContext()
		}
	case r.kinds&logEnded != 0:
		r.entry.releaseValues()
	case r.kinds == logReleased:
		r.entry.control.ReleaseValues()
	}
}
