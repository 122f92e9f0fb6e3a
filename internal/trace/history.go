package trace

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// never is the stamp of what did not happen. Stamps are places in the trace.
const never = -1

// life is what a trace shows of an operation.
type life struct {
	id               uuid.UUID
	called, returned int // of what made it
	by               Method
	protected        bool
	place            int // in the queue

	startEntered, startReturned int
	stopEntered, stopReturned   int
	starts, stops               int // how often each was entered; the stamps are of the first
	startFailed                 bool
	abandoned                   bool
	givenUp                     bool      // its Prepare
	abandonedAt                 time.Time // when that was first logged

	progress []int // stamps of Progressing, of those that have returned

	reports []report
	events  [queue.Late + 1]delivery // of the first observer
	times   [queue.Late + 1]int      // how often each was delivered
	timeout time.Duration            // its own stop timeout, or zero
	keys    bool                     // a key may end it
	in      []int                    // stamps of the Returned whose receipts name it
}

// report is a media's report: it was booked somewhere between two stamps.
type report struct {
	called, returned int
	position         time.Duration
}

// delivery is an event that the first observer got.
type delivery struct {
	at       int // the stamp
	seq      uint64
	time     time.Time
	reason   operation.Reason
	position time.Duration
	cause    uuid.UUID
}

func (l *life) name() string { return name(l.id) }

// seq returns the number of an event of the operation, zero if it was not delivered.
func (l *life) seq(k queue.EventKind) uint64 { return l.events[k].seq }

// reason returns why it ended, zero if that was not delivered.
func (l *life) reason() operation.Reason { return l.events[queue.Ended].reason }

// endedByQueue reports whether the operation was ended by other than its media.
func (l *life) endedByQueue() bool {
	switch l.reason() {
	case operation.Cancelled, operation.BargedIn, operation.CallEnded, operation.ShutDown,
		operation.TimedOut, operation.KeyPressed:
		return true
	default:
		return false
	}
}

// history is a trace, and what is known of each operation in it.
type history struct {
	items []Item
	terms Terms

	called   map[int]int // stamps of Called and Asked, by number
	returned map[int]int // stamps of Returned, by number
	lives    map[uuid.UUID]*life
	inOrder  []*life           // of acceptance
	queued   []*life           // in the order of the queue
	events   map[uint64]*Item  // by number, as the first observer got them
	closed   int               // stamp of the first return of what closes
	done     int               // stamp of Done
	receipts []int             // stamps of the Returned that cancelled something
	open     map[int]uuid.UUID // reports under way, by number
	blind    bool              // nobody knows whose media was abandoned

	rule  string // that is being checked
	found []Violation
}

func newHistory(items []Item, terms Terms) *history {
	h := &history{
		items: items, terms: terms,
		called: map[int]int{}, returned: map[int]int{}, lives: map[uuid.UUID]*life{},
		events: map[uint64]*Item{}, closed: never, done: never, open: map[int]uuid.UUID{},
	}
	for at := range items {
		h.read(at, &items[at])
	}
	for _, l := range h.lives {
		if l.seq(queue.Accepted) != 0 {
			h.inOrder = append(h.inOrder, l)
		}
	}
	slices.SortFunc(h.inOrder, func(a, b *life) int {
		return cmp.Compare(a.seq(queue.Accepted), b.seq(queue.Accepted))
	})
	h.queueUp()
	return h
}

// queueUp puts the operations into the order of the queue: that of acceptance, save that what was
// to be next came before those that waited then.
func (h *history) queueUp() {
	for _, l := range h.inOrder {
		at := len(h.queued)
		if l.by == EnqueueNext {
			at = slices.IndexFunc(h.queued, func(other *life) bool {
				return other.waited(l.seq(queue.Accepted))
			})
		}
		if at < 0 {
			at = len(h.queued)
		}
		h.queued = slices.Insert(h.queued, at, l)
	}
	for at, l := range h.queued {
		l.place = at
	}
}

// waited reports whether the operation had neither started nor ended when an event was
// logged.
func (l *life) waited(seq uint64) bool {
	for _, k := range []queue.EventKind{queue.Started, queue.Ended} {
		if s := l.seq(k); s != 0 && s < seq {
			return false
		}
	}
	return true
}

// life returns what is known of an operation.
func (h *history) life(id uuid.UUID) *life {
	l := h.lives[id]
	if l == nil {
		l = &life{
			id: id, called: never, returned: never, startEntered: never, startReturned: never,
			stopEntered: never, stopReturned: never,
		}
		h.lives[id] = l
	}
	return l
}

func (h *history) read(at int, i *Item) {
	switch i.What {
	case Called:
		h.called[i.Number] = at
		if i.Method == End {
			l := h.life(i.Op)
			l.reports = append(l.reports, report{at, never, i.Position})
			h.open[i.Number] = i.Op
		}
	case Asked:
		h.called[i.Number] = at
	case Returned:
		h.readReturn(at, i)
	case StartEntered:
		l := h.life(i.Op)
		l.starts++
		if l.startEntered == never {
			l.startEntered = at
		}
	case StartReturned:
		l := h.life(i.Op)
		l.startReturned, l.startFailed = at, i.Failed
	case StopEntered:
		l := h.life(i.Op)
		l.stops++
		if l.stopEntered == never {
			l.stopEntered = at
		}
	case StopReturned:
		h.life(i.Op).stopReturned = at
	case Progressing:
		h.called[i.Number] = at
	case Progressed:
		l := h.life(i.Op)
		l.progress = append(l.progress, h.called[i.Number])
	case Abandoned:
		h.life(i.Op).giveUp(i)
		h.blind = h.blind || i.Op == uuid.Nil
	case Delivering:
		if i.Who == 0 {
			h.readEvent(at, i)
		}
	case Done:
		h.done = at
	case GivenUp:
		h.life(i.Op).givenUp = true
	case Live, Read, Snapped, Followed, Repeated, OptionalEntered, OptionalReturned, PrepareEntered,
		PrepareReturned, Delivered, Pressed, Subscribed, Took, TonesOver, Final, Quiet:
	}
}

func (h *history) readReturn(at int, i *Item) {
	h.returned[i.Number] = at
	if len(i.Ops) > 0 {
		h.receipts = append(h.receipts, at)
	}
	for _, op := range i.Ops {
		l := h.life(op)
		l.in = append(l.in, at)
	}
	switch {
	case i.Method.Accepts() && !i.Failed:
		if l := h.life(i.Op); l.called == never {
			l.called, l.returned, l.by = h.called[i.Number], at, i.Method
			l.timeout, l.keys = i.Timeout, i.Keys
			l.protected = i.Protected
		}
	case i.Method.closes() && h.closed == never:
		h.closed = at
	case i.Method == End:
		l := h.life(h.open[i.Number])
		for n := range l.reports {
			if l.reports[n].called == h.called[i.Number] {
				l.reports[n].returned = at
			}
		}
	}
}

func (h *history) readEvent(at int, i *Item) {
	h.events[i.Seq] = i
	l := h.life(i.Op)
	l.times[i.Event]++
	l.events[i.Event] = delivery{at, i.Seq, i.Time, i.Reason, i.Position, i.By}
	if i.Event == queue.Released && i.Reason == operation.Abandoned {
		l.giveUp(i)
	}
}

func (l *life) giveUp(i *Item) {
	if !l.abandoned {
		l.abandoned, l.abandonedAt = true, i.At
	}
}

// stopTimeout returns how long the media of an operation has to report.
func (h *history) stopTimeout(l *life) time.Duration {
	if l.timeout > 0 {
		return l.timeout
	}
	return h.terms.StopTimeout
}

// inCallback reports whether the media was inside Start or Stop of the operation at a stamp.
func (l *life) inCallback(at int) bool {
	inside := func(entered, returned int) bool {
		return entered != never && entered < at && (returned == never || returned > at)
	}
	return inside(l.startEntered, l.startReturned) || inside(l.stopEntered, l.stopReturned)
}
