package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ivrqueue/operation"
	"ivrqueue/webhook"
)

// Bounds of a [Ledger].
const (
	DefaultPatience = 250 * time.Millisecond
	MaxOwed         = 64 << 10 // bytes of notifications in line that one [Owed] holds
)

// Ledger says what calls owe to their applications ([Call.Owes]) to a keeper elsewhere, so that
// another process can deliver it when this one is gone. NewLedger makes it, [WithLedger] gives it
// to a handler. It is safe for concurrent use.
//
// The keeper waits for Changed, takes the calls with TakeAwaited or Take, asks each what it owes,
// writes that down, and says so with [Call.Kept]. Requests that make a call owe something (a new
// call, an operation, another callback address) are answered when it is kept, and each delivery
// begins when it is kept, or when the patience of the Ledger is over. With [Ledger.ConfirmBy], a
// delivery waits longer.
type Ledger struct {
	patience time.Duration
	confirm  func(sent time.Time) bool
	changed  chan struct{} // has a value when there is something urgent to take

	waived     atomic.Bool   // nothing waits
	operations atomic.Uint64 // counts of Stats
	deliveries atomic.Uint64

	mu      sync.Mutex // guards everything below
	listed  int        // calls that have changed
	awaited []*Call    // those for which somebody waits, in order
	others  []*Call    // in order, and some that have been taken since
}

// LedgerStats counts what was not kept when it had to be.
type LedgerStats struct {
	Changed    int    // calls that were not taken yet
	Operations uint64 // requests that were answered before what they changed was kept
	Deliveries uint64 // first attempts that were made before the delivery was kept
}

// NewLedger makes a ledger whose users wait so long at most until what they owe is kept. patience
// must be positive, and at most a day; 0 means [DefaultPatience].
func NewLedger(patience time.Duration) (*Ledger, error) {
	if patience == 0 {
		patience = DefaultPatience
	}
	if patience < 0 || patience > longest {
		return nil, errors.New("graph: NewLedger: patience " + patience.String() +
			": must be 0 (the default) or more, at most " + longest.String())
	}
	return &Ledger{patience: patience, changed: make(chan struct{}, 1)}, nil
}

// String says how many calls have changed, for logs: what is given to package fmt would be read
// without the lock otherwise.
func (l *Ledger) String() string {
	return fmt.Sprintf("ledger, %d calls changed", l.Stats().Changed)
}

// Changed returns a channel that has a value when a request or a delivery waits for a change to be
// kept. What nothing waits for (an end in line, a delivery that has arrived, a call that is over)
// is found by Take, without a value: take it from time to time.
func (l *Ledger) Changed() <-chan struct{} { return l.changed }

// Take returns the calls that have changed since they were last taken, at most so many: first those
// for which somebody waits.
func (l *Ledger) Take(most int) []*Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.takeAwaited(most)
	n := 0
	for ; n < len(l.others) && len(taken) < most; n++ {
		c := l.others[n]
		if c.debt.inOthers = false; c.debt.listed && !c.debt.awaited {
			taken = l.take(taken, c)
		}
	}
	if l.others = slices.Delete(l.others, 0, n); len(l.others) == 0 {
		l.others = nil
	}
	return taken
}

// TakeAwaited returns those whose change is waited for, at most so many. A keeper that takes them
// at once, and all from time to time, writes less: where nothing waits, there is mostly another
// change to come.
func (l *Ledger) TakeAwaited(most int) []*Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.takeAwaited(most)
}

func (l *Ledger) takeAwaited(most int) (taken []*Call) {
	n := min(len(l.awaited), max(most, 0))
	for _, c := range l.awaited[:n] {
		c.debt.awaited = false
		taken = l.take(taken, c)
	}
	if l.awaited = slices.Delete(l.awaited, 0, n); len(l.awaited) == 0 {
		l.awaited = nil
	}
	return taken
}

func (l *Ledger) take(taken []*Call, c *Call) []*Call {
	c.debt.listed = false
	l.listed--
	return append(taken, c)
}

// Waive has nothing wait any more, or wait again: for a keeper that knows that it can keep nothing
// for now. What is not kept meanwhile is counted as if the patience were over.
func (l *Ledger) Waive(waived bool) { l.waived.Store(waived) }

// ConfirmBy has a delivery that is not kept in time wait until f says that others know of it
// without that. The keeper says with [Call.Sent] when it has sent them that, and f is asked, again
// and again, whether what was sent at a time has got through; also when it does not matter any
// more, since nothing may be delivered. Otherwise a process that is cut off from the keeper
// delivers an end, and then another one delivers another end in its place. f must return at once.
// It is called before the first call is attached. Default: a delivery waits for as long as a
// request.
func (l *Ledger) ConfirmBy(f func(sent time.Time) bool) { l.confirm = f }

// Stats returns the counts of this moment.
func (l *Ledger) Stats() LedgerStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return LedgerStats{
		Changed: l.listed, Operations: l.operations.Load(), Deliveries: l.deliveries.Load(),
	}
}

// list puts a call among those that have changed.
func (l *Ledger) list(c *Call, urgent bool) {
	l.mu.Lock()
	d := c.debt
	if !d.listed {
		d.listed = true
		l.listed++
	}
	switch {
	case d.awaited:
	case urgent:
		d.awaited = true
		l.awaited = append(l.awaited, c)
	case !d.inOthers:
		d.inOthers = true
		l.others = append(l.others, c)
	}
	l.mu.Unlock()
	if urgent {
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
}

// debt is what a call with a ledger knows of what it owes. The outbox's mu guards it, so that an
// operation is live or in line at every instant, never both and never neither.
type debt struct {
	call   *Call
	ledger *Ledger

	// Guarded by the ledger's mu.
	listed   bool // it has changed
	awaited  bool // among the ledger's awaited
	inOthers bool // among its others

	live     []*operation.Operation // accepted, and the notification of their end is not put
	numbered uint64                 // notifications so far
	taken    []pendingNotification  // out of the line, and not a post yet
	post     *OwedPost              // that is being delivered
	ends     bool                   // it has the call's end
	over     bool                   // everything was delivered, or given up

	revision uint64        // changes so far
	urgent   uint64        // the last one that is waited for
	sent     uint64        // the last one that others were sent
	kept     uint64        // the last one that is kept
	waiting  chan struct{} // closed when another one is kept; nil if nothing waits
}

// owedNotice is what a notification in line has besides, in a call with a ledger.
type owedNotice struct {
	operation *operation.Operation // whose end it is; nil once it is live no more
	shown     OwedOperation        // what of it is kept where the notification is not
	number    uint64               // among those of the call
	text      []byte               // as it was kept, so as it is sent; guarded by the outbox's mu
}

// owedNotice makes the one of an operation's end.
func (c *Call) owedNotice(op *operation.Operation) *owedNotice {
	if c.debt == nil {
		return nil
	}
	return &owedNotice{operation: op, shown: c.handler.kinds.owed(op)}
}

// changed notes a change; the outbox's mu is held.
func (d *debt) changed(urgent bool) {
	d.revision++
	if urgent {
		d.urgent = d.revision
	}
	d.ledger.list(d.call, urgent)
}

// accept notes an operation that is live from now on.
func (d *debt) accept(op *operation.Operation) {
	if d == nil {
		return
	}
	d.call.out.mu.Lock()
	defer d.call.out.mu.Unlock()
	d.live = append(d.live, op)
	d.changed(true)
}

// put notes a notification that comes into the line; the outbox's mu is held.
func (d *debt) put(n *pendingNotification) {
	if d == nil {
		return
	}
	if n.owed == nil {
		n.owed = new(owedNotice)
	}
	d.numbered++
	n.owed.number = d.numbered
	d.unlist(n)
}

// unlist notes that an operation is live no more; the outbox's mu is held.
func (d *debt) unlist(n *pendingNotification) {
	if d == nil {
		return
	}
	if n.owed != nil && n.owed.operation != nil {
		// Ends come in order, so it is among the first.
		if i := slices.Index(d.live, n.owed.operation); i >= 0 {
			d.live = slices.Delete(d.live, i, i+1)
		}
		if len(d.live) == 0 {
			d.live = nil
		}
		n.owed.operation = nil
	}
	d.changed(false)
}

// take notes what is out of the line, and that what was out of it before has gone; the outbox's mu
// is held.
func (d *debt) take(notifications []pendingNotification) {
	if d == nil {
		return
	}
	if d.post != nil || d.taken != nil {
		d.changed(false)
	}
	d.taken, d.post = notifications, nil
}

// drop notes that what is in line will not be sent; the outbox's mu is held.
func (d *debt) drop() {
	if d != nil {
		d.changed(false)
	}
}

// begin notes the delivery that the notifications out of the line have become, and waits until it
// is kept.
func (d *debt) begin(ctx context.Context, delivery *webhook.Delivery, ends bool) {
	if d == nil {
		return
	}
	d.call.out.mu.Lock()
	d.taken, d.ends = nil, ends
	d.post = &OwedPost{
		ID: delivery.ID, Notifications: delivery.Notifications, Body: delivery.Body,
	}
	d.changed(true)
	d.call.out.mu.Unlock()
	if at, kept := d.await(ctx, &d.ledger.deliveries); !kept && d.ledger.confirm != nil {
		d.awaitConfirmation(ctx, at)
	}
}

// close notes that nothing will be owed any more; the outbox's mu is held.
func (d *debt) close() {
	if d == nil {
		return
	}
	d.over = true
	d.changed(false)
}

// described notes the call itself, or another callback address.
func (d *debt) described() {
	if d == nil {
		return
	}
	d.call.out.mu.Lock()
	defer d.call.out.mu.Unlock()
	d.changed(true)
}

// await waits until what somebody has to wait for is kept, for as long as the ledger's patience and
// ctx say. If it is not kept then, it is counted.
func (d *debt) await(ctx context.Context, late *atomic.Uint64) (revision uint64, kept bool) {
	d.call.out.mu.Lock()
	revision = d.urgent
	d.call.out.mu.Unlock()
	var over <-chan time.Time
	for {
		waiting, kept := d.look(revision)
		switch {
		case kept:
			return revision, true
		case d.ledger.waived.Load():
			late.Add(1)
			return revision, false
		case over == nil:
			timer := time.NewTimer(d.ledger.patience)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-waiting:
			continue
		case <-over:
		case <-ctx.Done():
		}
		late.Add(1)
		return revision, false
	}
}

// confirmEvery is how often it is asked whether others know.
const confirmEvery = 25 * time.Millisecond

// awaitConfirmation waits until others know what was owed at a revision.
func (d *debt) awaitConfirmation(ctx context.Context, revision uint64) {
	look := time.NewTicker(confirmEvery)
	defer look.Stop()
	var sent time.Time
	for {
		waiting, kept := d.look(revision)
		if kept {
			return
		}
		if sent.IsZero() && d.wasSent(revision) {
			sent = time.Now()
		}
		if d.ledger.confirm(sent) {
			return
		}
		select {
		case <-waiting:
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// wasSent reports whether a revision was sent to others.
func (d *debt) wasSent(revision uint64) bool {
	d.call.out.mu.Lock()
	defer d.call.out.mu.Unlock()
	return d.sent >= revision
}

// look reports whether a revision is kept, and else returns what is closed when another one is.
func (d *debt) look(revision uint64) (waiting <-chan struct{}, kept bool) {
	d.call.out.mu.Lock()
	defer d.call.out.mu.Unlock()
	if d.kept >= revision {
		return nil, true
	}
	if d.waiting == nil {
		d.waiting = make(chan struct{})
	}
	return d.waiting, false
}

// Sent says that others were sent, as far as is known, what the call owed at this revision: see
// [Ledger.ConfirmBy]. Nothing happens on a call without a ledger.
func (c *Call) Sent(revision uint64) {
	if c.debt == nil {
		return
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.debt.sent = max(c.debt.sent, min(revision, c.debt.revision))
}

// Kept says that what the call owed at this revision ([Owed.Revision]) is kept. Nothing happens on
// a call without a ledger.
func (c *Call) Kept(revision uint64) {
	if c.debt == nil {
		return
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	d := c.debt
	if revision = min(revision, d.revision); revision > d.kept {
		d.kept = revision
	}
	if d.waiting != nil {
		close(d.waiting)
		d.waiting = nil
	}
}
