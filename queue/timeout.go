package queue

import (
	"sync"
	"time"
)

// Timeouts and the watch. All timeouts of one kind of one configuration are of the same length, so
// their deadlines are in order: they wait in a list, with one timer for all, and to arm or disarm
// one is to append it or take it out. That is 20 ns, where a timer for each is 250 ns and two
// allocations.

// clocks are the deadlines of all queues of one configuration.
type clocks struct{ stops, runs deadlines }

func newClocks(stopTimeout, runTimeout time.Duration) *clocks {
	return &clocks{
		stops: deadlines{length: stopTimeout},
		runs:  deadlines{length: max(runTimeout/runLooks, 1)},
	}
}

// In a synctest bubble time is the bubble's own, and a timer must not be shared with others: a
// bubble that ends takes its timers along. There each timeout has a list of its own, and each queue
// a watch.

// inBubble reports whether at is a time of a bubble, where time.Now has no monotonic reading.
func inBubble(at time.Time) bool {
	return at == at.Round(0) //nolint:staticcheck // it strips the reading
}

// deadlines returns where a timeout of this kind waits that begins at this time. One whose
// length is the operation's own has a list, and a timer, of its own.
func (q *Queue) deadlines(k timeoutKind, e *entry, at time.Time) *deadlines {
	config := q.machine.config
	shared := &config.clocks.runs
	if k == stopTimeout {
		if own := q.stopTimeoutOf(e); own != config.stopTimeout {
			return &deadlines{length: own, own: true}
		}
		shared = &config.clocks.stops
	}
	if inBubble(at) && !config.oneBubble {
		return &deadlines{length: shared.length, own: true}
	}
	return shared
}

// stopTimeoutOf returns the stop timeout of an operation: its own or the queue's.
func (q *Queue) stopTimeoutOf(e *entry) time.Duration {
	if own := e.control.StopTimeout(); own > 0 {
		return own
	}
	return q.machine.config.stopTimeout
}

// watch returns what looks at the queue's dispatcher.
func (q *Queue) watch() *watch {
	if inBubble(time.Now()) {
		return &watch{tickEvery: q.machine.config.tickEvery}
	}
	return processWatch
}

// timeout is an armed timeout of a queue's current operation.
type timeout struct {
	next, prev *timeout
	deadline   time.Time
	list       *deadlines // that it was added to
	queue      *Queue
	entry      *entry
	idle       uint8 // looks in a row without progress, at most runLooks
	kind       timeoutKind
	waits      bool // it is in the list; under the list's lock
}

// runLooks is how often the run timeout looks for progress in its length.
const runLooks = 4

// Actors, for tests.
const (
	byTimeout actor = 1 << 60
	byWatch   actor = 1 << 59
)

// deadlines is a list of timeouts, the first deadline first.
type deadlines struct {
	length time.Duration
	own    bool // of one timeout alone

	mu         sync.Mutex
	head, tail *timeout
	armed      bool        // a timer will call fire
	timer      *time.Timer // the timer, of a list of one timeout alone
}

// add appends a timeout that begins now.
func (l *deadlines) add(t *timeout, now time.Time) {
	t.deadline = now.Add(l.length)
	l.mu.Lock()
	defer l.mu.Unlock()
	t.waits = true
	if t.prev = l.tail; t.prev == nil {
		l.head = t
	} else {
		t.prev.next = t
	}
	l.tail = t
	if !l.armed {
		l.armed = true
		l.arm(l.length)
	}
}

// arm has fire called in d.
func (l *deadlines) arm(d time.Duration) {
	timer := time.AfterFunc(d, l.fire)
	if l.own {
		l.timer = timer
	}
}

// remove takes a timeout out, and reports whether it was there: if not, it has fired.
func (l *deadlines) remove(t *timeout) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !t.waits {
		return false
	}
	l.unlink(t)
	if l.own { // its timer is for this one alone, and may have long to go
		l.armed = false
		l.timer.Stop()
	}
	return true
}

func (l *deadlines) unlink(t *timeout) {
	if t.prev == nil {
		l.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.next, t.prev, t.waits = nil, nil, false
}

// fire has what is due handled, each on a goroutine of its own, since that may run inline
// callbacks, and arms the timer for what is next.
func (l *deadlines) fire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for t := l.head; t != nil && !t.deadline.After(now); t = l.head {
		l.unlink(t)
		go t.queue.timedOut(t)
	}
	if l.armed = l.head != nil; l.armed {
		l.arm(l.head.deadline.Sub(now))
	}
}

// syncTimeout arms what the machine wants armed, if that is not what is. b, if there is one, has
// room for it.
func (q *Queue) syncTimeout(b *cancelBlock, at time.Time) {
	m := &q.machine
	if t := q.armed; t != nil {
		if t.kind == m.timeout && t.entry == m.current {
			return
		}
		if t.list.remove(t) { // else it counts until it has seen that it came too late
			q.dispatch.finishing--
			t.queue, t.entry = nil, nil // a receipt may keep the block that it lies in
		}
		q.armed = nil
	}
	if m.timeout == noTimeout {
		return
	}
	var t *timeout
	if b != nil {
		t = &b.timeout
	} else {
		t = new(timeout)
	}
	t.queue, t.entry, t.kind = q, m.current, m.timeout
	q.armed = t
	q.dispatch.finishing++
	if t.kind == runTimeout {
		t.entry.control.Stalled() // from now on
	}
	t.list = q.deadlines(t.kind, t.entry, at)
	t.list.add(t, at)
}

// timedOut is called when a timeout has fired.
func (q *Queue) timedOut(t *timeout) {
	q.lock(byTimeout)
	e, at := t.entry, time.Now()
	if q.armed != t { // too late: it was disarmed a moment ago
		q.timeoutOver(t, e, at, false)
		return
	}
	m := &q.machine
	if t.kind == stopTimeout {
		q.armed = nil
		stuck := e.media.inCallback()
		notify := m.stopTimedOut(e, q.faultInStop(e), at)
		q.abandoned(e, stuck)
		q.timeoutOver(t, e, at, notify)
		return
	}
	if e.control.Stalled() || !e.control.Live() { // after the end, progress means nothing
		t.idle++
	} else {
		t.idle = 0
	}
	if t.idle < runLooks {
		t.list.add(t, at)
		q.unlock(byTimeout)
		return
	}
	q.armed = nil
	stuck := e.media.inCallback()
	notify := m.runTimedOut(e, at)
	q.abandoned(e, stuck)
	q.timeoutOver(t, e, at, notify)
}

// timeoutOver ends the handling of a timeout that fired. If notify is set, somebody may wait
// for what it has changed of the entry.
func (q *Queue) timeoutOver(t *timeout, e *entry, at time.Time, notify bool) {
	q.dispatch.finishing--
	t.queue, t.entry = nil, nil
	var awaited []*entry
	if notify && e.control.HasWaiters() {
		awaited = []*entry{e}
	}
	q.commit(byTimeout, at, nil, awaited)
}

// abandoned takes the media role from the goroutine that is stuck in a callback of an operation
// that was abandoned, if it was.
func (q *Queue) abandoned(e *entry, stuck bool) {
	if !e.media.has(abandoned) {
		return
	}
	q.warn("media abandoned", e, nil)
	if !stuck {
		return
	}
	q.shellState().stuck++
	d := &q.dispatch
	switch {
	case d.detached&mediaRole != 0: // another dispatcher is active already, or none
		d.detached &^= mediaRole
	case q.mediaIsInline():
		d.inline = false
	default:
		d.own, d.current = false, 0
	}
	d.held &^= mediaRole
}

// watch notices callbacks that take long. It ticks only while there are own dispatchers, of all
// queues: a timer for each callback would cost more than the callback.
type watch struct {
	tickEvery time.Duration

	mu     sync.Mutex
	queues []*Queue // with an own dispatcher since the last tick
	armed  bool
}

// tick is how long a callback may hold up the others of its call; twice that, if the watch has just
// looked.
const tick = time.Millisecond

var processWatch = &watch{tickEvery: tick}

// add has the watch look at a queue until that has no own dispatcher any more.
func (w *watch) add(q *Queue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queues = append(w.queues, q)
	if !w.armed {
		w.armed = true
		time.AfterFunc(w.tickEvery, w.tick)
	}
}

func (w *watch) tick() {
	w.mu.Lock()
	queues := w.queues
	w.queues = nil
	w.mu.Unlock()
	keep := queues[:0]
	for _, q := range queues {
		if q.lookAtCallback() {
			keep = append(keep, q)
		}
	}
	clear(queues[len(keep):])
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queues = append(keep, w.queues...)
	if w.armed = len(w.queues) > 0; w.armed {
		time.AfterFunc(w.tickEvery, w.tick)
	}
}

// lookAtCallback detaches the own dispatcher if it is in the same callback as when the watch last
// looked. It returns whether to look again.
func (q *Queue) lookAtCallback() (again bool) {
	q.lock(byWatch)
	d := &q.dispatch
	if !d.own {
		d.watched = false
		q.unlock(byWatch)
		return false
	}
	if d.current == 0 || d.calls != d.seen {
		d.seen = d.calls
		q.unlock(byWatch)
		return true
	}
	d.watched = false
	d.detach()
	spawn := q.claimOwn()
	q.unlock(byWatch)
	if spawn {
		go q.dispatchInPlace()
	}
	return false
}
