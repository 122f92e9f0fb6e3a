package queue

import (
	"math/bits"
	"slices"
	"time"
	"unsafe"

	"ivrqueue/operation"
)

// The log is what the observers are told: one list of entries, appended at the commit, and a cursor
// on it for each observer. An entry holds little, because the events are made from the operation
// when they are told; what all have been told is dropped.

// entry is what one commit logged of an operation, or of all that it ended.
type entry struct {
	item   *item // nil for logClosed and logBatch
	detail *detail
	kinds  kinds
}

// kinds are the events of an entry, told in this order.
type kinds uint8

const (
	logAccepted kinds = 1 << iota
	logStarted
	logEnded
	logReleased
	logClosed
	logBatch // one Ended for each victim of the detail
)

// detail is what the operation itself does not tell.
type detail struct {
	at      time.Time
	result  operation.Result // of logReleased and logClosed; its position is the first victim's
	victims []*item          // shared with the receipt; nobody writes to it
}

// len returns how many events the entry stands for.
func (e *entry) len() int {
	if e.kinds == logBatch {
		return len(e.detail.victims)
	}
	return bits.OnesCount8(uint8(e.kinds))
}

// ends returns how many of them are Ended.
func (e *entry) ends() int {
	switch {
	case e.kinds == logBatch:
		return len(e.detail.victims)
	case e.kinds&logEnded != 0:
		return 1
	default:
		return 0
	}
}

// event fills in the i-th event of the entry; call and number are the caller's. It is told on a
// small stack, so it copies nothing twice.
func (e *entry) event(i int, v *Event) {
	if e.kinds >= logReleased {
		e.detailed(i, v)
		return
	}
	c := &e.item.control
	v.Operation = c.Operation()
	left := e.kinds
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
		c.Result(&v.Result)
		return
	}
	if v.Result.Reason != 0 { // of the event before
		v.Result = operation.Result{}
	}
}

// detailed fills in an event of an entry with a detail.
func (e *entry) detailed(i int, v *Event) {
	d := e.detail
	v.Time, v.Operation, v.Result = d.at, nil, d.result
	switch e.kinds {
	case logReleased:
		v.Kind, v.Operation = Released, e.item.control.Operation()
	case logClosed:
		v.Kind = Closed
	default: // logBatch
		c := &d.victims[i].control
		v.Kind, v.Operation = Ended, c.Operation()
		c.Result(&v.Result)
		if i == 0 {
			v.Result.Position = d.result.Position
		}
	}
}

// keepSlots is how many slots a drained log keeps while operations live. Without any it keeps
// idleSlots, which serve the life of one operation after the other.
const (
	keepSlots = 8
	idleSlots = 2
)

// slots are what a log begins with. They fill a cache line, so that two calls never share one:
// where they do, and both work, each life costs up to half as much again.
type slots struct {
	entries [idleSlots]entry
	_       [64 - idleSlots*unsafe.Sizeof(entry{})]byte
}

// log is the entries that some observer has not been told yet, and before them some that all were
// told, which are cleared.
type log struct {
	entries []entry
	untold  int // Ended events in the entries
	cursors cursors
}

// cursor is one observer's place in the log.
type cursor struct {
	seq  uint64 // of the event told last
	next int    // index of the entry to tell next
	off  int    // events of it that were told
}

// cursors are one per observer; the first needs no allocation, and few have more.
type cursors struct {
	first cursor
	more  *[]cursor
}

func (c *cursors) at(i int) *cursor {
	if i == 0 {
		return &c.first
	}
	return &(*c.more)[i-1]
}

func (l *log) init(observers int) {
	if observers > 1 {
		more := make([]cursor, observers-1)
		l.cursors.more = &more
	}
}

// append logs an entry, if there is anyone to tell.
func (q *Queue) append(e entry) {
	if len(q.config.observers) == 0 {
		q.told(&e)
		return
	}
	if q.log.entries == nil {
		q.log.entries = new(slots).entries[:0]
	}
	q.log.entries = append(q.log.entries, e)
	q.log.untold += e.ends()
}

// behind reports whether the observer has something to be told.
func (l *log) behind(i int) bool { return l.cursors.at(i).next < len(l.entries) }

// toldToAll returns how many entries, from the first, every observer was told.
func (q *Queue) toldToAll() int {
	all := len(q.log.entries)
	for i := range q.config.observers {
		all = min(all, q.log.cursors.at(i).next)
	}
	return all
}

// allTold reports whether everybody was told everything, and nobody is being told.
func (q *Queue) allTold() bool { return q.telling == 0 && q.toldToAll() == len(q.log.entries) }

// share is a few entries of the log, to be told without the lock. They stay as they are until the
// observer's cursor is past them: what follows is appended behind them, and trim moves nothing in
// place. So they need not be copied, and a share is small: what tells it runs on a new goroutine's
// stack, of which 1,100 bytes may be used before it has to be moved, and that costs a microsecond.
type share struct {
	entries []entry
	told    int    // entries told in full
	off     int    // events told of the next one
	seq     uint64 // of the event told last
}

const maxShare = 4

// take fills in what the observer is to be told next.
func (l *log) take(i int, s *share) {
	c := l.cursors.at(i)
	s.entries = l.entries[c.next:min(c.next+maxShare, len(l.entries))]
	s.told, s.off, s.seq = 0, c.off, c.seq
}

// next fills in the next event of the share and books it as told: an event on which the observer
// panics counts.
func (s *share) next(v *Event) bool {
	if s.told == len(s.entries) {
		return false
	}
	e := &s.entries[s.told]
	e.event(s.off, v)
	s.seq++
	v.Seq = s.seq
	if s.off++; s.off == e.len() {
		s.told++
		s.off = 0
	}
	return true
}

// advance moves the observer's cursor past what it was told, and drops what all were told.
func (q *Queue) advance(i int, s *share) {
	before := q.toldToAll()
	c := q.log.cursors.at(i)
	c.next += s.told
	c.off, c.seq = s.off, s.seq
	q.trim(before)
}

// trim drops the entries that every observer was told, of which those before are cleared already.
func (q *Queue) trim(before int) {
	l := &q.log
	size, all := len(l.entries), q.toldToAll()
	for at := before; at < all; at++ {
		e := &l.entries[at]
		l.untold -= e.ends()
		q.told(e)
		*e = entry{} // keeps nothing alive
	}
	switch {
	case all < size && (all < 32 || all < size/2):
		return // not worth moving the rest yet
	case all < size:
		l.entries = slices.Clone(l.entries[all:]) // not in place: shares of it may be under way
	case cap(l.entries) > keepSlots || (cap(l.entries) > idleSlots && q.live() == 0):
		l.entries = nil
	default:
		l.entries = l.entries[:0]
	}
	for i := range q.config.observers {
		l.cursors.at(i).next -= all
	}
}

// told lets go of what an operation was lent once its last event was told: Released if it was ended
// over its media's head, else Ended.
func (q *Queue) told(e *entry) {
	switch {
	case e.kinds == logBatch:
		for _, it := range e.detail.victims {
			it.letGoUnlessOverruled()
		}
	case e.kinds&logEnded != 0:
		e.item.letGoUnlessOverruled()
	case e.kinds == logReleased:
		e.item.control.LetGo()
	}
}

func (it *item) letGoUnlessOverruled() {
	if !it.media.has(overruled) {
		it.control.LetGo()
	}
}
