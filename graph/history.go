package graph

import (
	"container/list"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// A history holds the operations of a call that the bot can read: those that live, in the order in
// which they came, and of those that have ended what is shown of them, for some time and up to some
// number. An ended operation itself is released, with all that its request asked for.
type history struct {
	retention   *retention
	application *retained // of all calls of the call's application
	debt        *debt     // of the call; nil without a ledger

	// Guarded by retention.mu.
	order  list.List                       // of *entry
	live   map[*operation.Operation]*entry // until the handler got their end
	byID   map[uuid.UUID]*entry            // the last one with this id: ids may come again
	ended  list.List                       // of *entry, in the order of their ends
	closed bool
}

// entry is an operation in a history.
type entry struct {
	history   *history
	id        uuid.UUID
	operation *operation.Operation // nil once it has ended
	cost      int64                // bytes that are reserved for it

	// Of one that has ended.
	shown  *operationResource
	status operation.Status
	until  time.Time

	inOrder, inCall, inApplication, inAll *list.Element
}

// retention bounds how many ended operations are shown: of each call, of each application, of all.
type retention struct {
	kinds              *kinds
	keepFor            time.Duration
	keepPerCall        int
	keepPerApplication int
	keepInAll          int

	mu            sync.Mutex // guards everything below, and the histories
	ended         list.List  // of *entry, in the order of their ends
	byApplication map[string]*retained
}

// retained are the ended operations of all calls of an application.
type retained struct {
	calls int       // that have a history
	ended list.List // of *entry, in the order of their ends
}

// registration ties an operation that a request made to its one entry, whoever comes first: the
// request, once the queue has accepted it, or the event that it was accepted. The later one may be
// so late that the operation has ended and left the history again. It is the operation's Value,
// which no other operation inherits.
type registration struct {
	operation *operation.Operation // that has been entered; guarded by retention.mu
	cost      int64                // bytes that are reserved for it
}

func (r *retention) newHistory(application string) *history {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.byApplication[application]
	if all == nil {
		all = new(retained)
		if r.byApplication == nil {
			r.byApplication = make(map[string]*retained)
		}
		r.byApplication[application] = all
	}
	all.calls++
	return &history{
		retention: r, application: all,
		live: make(map[*operation.Operation]*entry), byID: make(map[uuid.UUID]*entry),
	}
}

// add enters an operation. One that was not made by a request has no registration. It returns how
// many bytes are released by nothing else any more: those of an operation of a call that has ended.
func (h *history) add(op *operation.Operation, reg *registration) (unused int64) {
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	var cost int64
	if reg != nil && (reg.operation == nil || reg.operation == op) {
		if reg.operation == op {
			return 0
		}
		reg.operation, cost = op, reg.cost
	}
	if h.closed || h.live[op] != nil {
		return cost
	}
	e := &entry{history: h, id: op.ID(), operation: op, cost: cost}
	h.live[op] = e
	h.put(e)
	h.debt.accept(op)
	return 0
}

// addEnded enters an operation that was created completed.
func (h *history) addEnded(op *operation.Operation) {
	e := &entry{history: h, id: op.ID()}
	e.show(op, h.retention.kinds)
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	if !h.closed {
		h.put(e)
		h.retention.retain(e)
	}
}

// end notes that an operation has ended: from now on it is shown for a time. It reports whether the
// operation was there, what is shown of it, and the bytes that were reserved for it.
func (h *history) end(
	op *operation.Operation,
) (shown *operationResource, cost int64, found bool) {
	var ended entry
	ended.show(op, h.retention.kinds) // asks the request for its kind, so not under the lock
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	e := h.live[op]
	if e == nil {
		return nil, 0, false
	}
	delete(h.live, op)
	cost = e.cost
	e.operation, e.cost, e.shown, e.status, e.until = nil, 0, ended.shown, ended.status, ended.until
	h.retention.retain(e)
	return ended.shown, cost, true
}

// show keeps of an ended operation what a client can read.
func (e *entry) show(op *operation.Operation, s *kinds) {
	e.status, e.until = op.Status(), op.Times().Ended
	e.shown = s.read(op, e.status)
}

func (h *history) put(e *entry) {
	e.inOrder = h.order.PushBack(e)
	h.byID[e.id] = e
}

// retain has an ended operation shown for its time, and removes those whose time or number is over.
func (r *retention) retain(e *entry) {
	h := e.history
	e.until = e.until.Add(r.keepFor)
	e.inCall = h.ended.PushBack(e)
	e.inApplication = h.application.ended.PushBack(e)
	e.inAll = r.ended.PushBack(e)
	r.shorten(&h.ended, r.keepPerCall)
	r.shorten(&h.application.ended, r.keepPerApplication)
	r.shorten(&r.ended, r.keepInAll)
	r.expire(time.Now())
}

// shorten removes the oldest until at most so many are left.
func (r *retention) shorten(ended *list.List, most int) {
	for range ended.Len() - most {
		r.remove(ended.Front().Value.(*entry))
	}
}

// expire removes what has been shown for its time, some of it at once: all calls wait meanwhile.
func (r *retention) expire(now time.Time) {
	for range min(r.ended.Len(), 1000) {
		e := r.ended.Front().Value.(*entry)
		if e.visible(now) {
			return
		}
		r.remove(e)
	}
}

// visible reports whether the operation lives, or is shown yet.
func (e *entry) visible(now time.Time) bool { return e.shown == nil || now.Before(e.until) }

// remove takes an ended operation out of its history.
func (r *retention) remove(e *entry) {
	h := e.history
	h.order.Remove(e.inOrder)
	h.ended.Remove(e.inCall)
	h.application.ended.Remove(e.inApplication)
	r.ended.Remove(e.inAll)
	if h.byID[e.id] == e {
		delete(h.byID, e.id)
	}
}

// get returns the entry with this id: the last one, if the id came again.
func (h *history) get(id uuid.UUID) (entry, bool) {
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	now := time.Now()
	h.retention.expire(now)
	if e := h.byID[id]; e != nil && e.visible(now) {
		return *e, true
	}
	return entry{}, false
}

// all returns the entries in their order.
func (h *history) all() []entry {
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	now := time.Now()
	h.retention.expire(now)
	entries := make([]entry, 0, h.order.Len())
	for at := h.order.Front(); at != nil; at = at.Next() {
		if e := at.Value.(*entry); e.visible(now) {
			entries = append(entries, *e)
		}
	}
	return entries
}

// close empties the history for good. All its operations have ended.
func (h *history) close(application string) {
	r := h.retention
	r.mu.Lock()
	defer r.mu.Unlock()
	h.closed = true
	r.shorten(&h.ended, 0)
	h.order.Init()
	h.live, h.byID = nil, nil
	if h.application.calls--; h.application.calls == 0 {
		delete(r.byApplication, application)
	}
}
