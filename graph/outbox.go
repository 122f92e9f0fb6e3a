package graph

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// An outbox holds the notifications that a call's bot is still to get, in order. It is emptied by
// one goroutine, which exists only while the first notification in line may go.
//
// A notification may go when every request to the call that was open when it was put has been
// answered: so no notification overtakes the reply to the request that caused it. Later requests do
// not hold it, so it goes at last, however busy the call is.

// pendingNotification is one notification to be, as little as is needed to write it when its turn
// comes.
type pendingNotification struct {
	change   *operationChange // of an operation that ended; nil for the call's own
	state    State            // the call's own, when it was put
	version  uint64           // of the call
	sequence uint64           // of the tone, if it is one
	tone     tone.Tone
	result   *ResultInfo // of a terminated call
	roster   *roster     // of its participants, not of the call itself

	at     time.Time            // when it was put
	after  uint64               // number of the last request opened before
	awaits *operation.Operation // of which the media has not said the last word
	cost   int64                // bytes that are reserved for it
	owed   *owedNotice          // nil without a ledger
}

type outbox struct {
	limit int                         // of notifications that wait; put blocks above it
	send  func([]pendingNotification) // one call at a time, on the outbox's goroutine; must survive
	lost  func([]pendingNotification) // what was dropped; must survive
	idle  func(busy bool)             // called, under mu, when sending begins and ends
	over  func()                      // called, under mu, once the call's last notification has gone
	debt  *debt                       // nil without a ledger

	mu      sync.Mutex            // guards everything below
	space   sync.Cond             // wakes those who wait for room
	waiting []pendingNotification // in line
	opened  uint64                // requests so far
	open    []uint64              // those not answered, in order
	version uint64                // of the call: one for each notification of its own
	sending bool                  // the goroutine exists
	final   bool                  // the call's last notification was put, and has not gone
	dropped bool                  // takes nothing more, and has dropped what it had
	taken   int                   // notifications that are being sent
	leaving int                   // dropped notifications that the failure handler is getting
}

func (o *outbox) init(
	limit int, send, lost func([]pendingNotification), idle func(busy bool), over func(),
) {
	o.limit, o.send, o.lost, o.idle, o.over = limit, send, lost, idle, over
	o.space.L = &o.mu
}

// hold opens a request to the call: what is put from now on waits until release is called.
func (o *outbox) hold() (release func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened++
	n := o.opened
	o.open = append(o.open, n)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if i := slices.Index(o.open, n); i >= 0 {
			o.open = slices.Delete(o.open, i, i+1)
			o.startSender()
		}
	}
}

// enqueue appends a notification. If wait is true and the outbox is full it blocks until there is
// room: that is how a bot that does not listen slows down those who make notifications for it, and
// no others. It returns false if the outbox takes nothing any more; an operation's end, and the
// call's, is lost then, as those are that were dropped.
func (o *outbox) enqueue(n pendingNotification, wait bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for wait && len(o.waiting) >= o.limit && !o.dropped {
		o.space.Wait()
	}
	if o.dropped {
		o.debt.unlist(&n)
		o.final = o.final || n.result != nil
		if n.change != nil || n.result != nil {
			o.leaving++
			go o.lose([]pendingNotification{n}) // not here: the failure handler may block
		}
		return false
	}
	o.final = n.result != nil
	if n.change == nil && n.roster == nil {
		o.version++
		n.version = o.version
	}
	n.at, n.after = time.Now(), o.opened
	o.debt.put(&n)
	if len(o.waiting) == 0 && !o.sending {
		o.idle(true)
	}
	o.waiting = append(o.waiting, n)
	o.startSender()
	return true
}

// holdsFor reports whether a notification is held for the operation.
func (o *outbox) holdsFor(op *operation.Operation) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.waiting, func(n pendingNotification) bool { return n.awaits == op })
}

// settle gives notifications that are held for an operation, or for any if it is nil, what the
// media has said last, and lets them go.
func (o *outbox) settle(op *operation.Operation, rec operation.Recording, outcome json.RawMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.waiting {
		n := &o.waiting[i]
		if n.awaits != nil && (op == nil || n.awaits == op) {
			n.change.settle(rec, outcome)
			n.awaits = nil
		}
	}
	o.startSender()
}

// ready returns how many notifications may go, at most batch.
func (o *outbox) ready() int {
	n := 0
	for ; n < len(o.waiting) && n < batch; n++ {
		next := &o.waiting[n]
		if next.awaits != nil || len(o.open) > 0 && o.open[0] <= next.after {
			break
		}
		if next.roster != nil { // it may be long
			return n + 1
		}
	}
	return n
}

// batch is how many notifications are sent in one request. 100 are some 75 KB, and those of a call
// have its callback's address besides. One that lists participants is the last of its batch.
const batch = 100

// startSender starts the goroutine if it has something to do.
func (o *outbox) startSender() {
	if !o.sending && o.ready() > 0 {
		o.sending = true
		go o.run()
	}
}

// run sends until nothing may go.
func (o *outbox) run() {
	returned := false
	defer func() {
		if !returned { // what it called exited the goroutine
			go o.run()
		}
	}()
	for {
		notifications := o.take()
		if notifications == nil {
			break
		}
		o.send(notifications)
	}
	returned = true
}

// take takes what may go out of the outbox; nil if there is nothing, and sending ends then.
func (o *outbox) take() []pendingNotification {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.ready()
	o.taken = n
	if n == 0 {
		o.debt.take(nil)
		o.sending = false
		if len(o.waiting) == 0 {
			o.waiting = nil // an idle call keeps no buffer
			if o.leaving == 0 {
				o.emptied()
			}
		}
		return nil
	}
	notifications := slices.Clone(o.waiting[:n])
	o.debt.take(notifications)
	o.waiting = slices.Delete(o.waiting, 0, n)
	o.space.Broadcast()
	return notifications
}

// pending returns how many notifications are on the way.
func (o *outbox) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) + o.taken + o.leaving
}

func (o *outbox) currentVersion() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.version
}

// emptied reports that no notification is left.
func (o *outbox) emptied() {
	o.idle(false)
	if o.final {
		o.final = false
		o.over()
	}
}

// drop drops everything, now and from now on; what there is now is lost on this goroutine.
func (o *outbox) drop() {
	o.mu.Lock()
	dropped := o.waiting
	if len(dropped) > 0 {
		o.debt.drop()
	}
	o.waiting, o.dropped = nil, true
	o.leaving += len(dropped)
	o.space.Broadcast()
	o.mu.Unlock()
	if len(dropped) > 0 {
		o.lose(dropped)
	}
}

// lose says that notifications, which are counted in leaving, were lost.
func (o *outbox) lose(dropped []pendingNotification) {
	defer func() { // what it called may have exited the goroutine
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.leaving -= len(dropped); o.leaving == 0 && !o.sending {
			o.emptied()
		}
	}()
	o.lost(dropped)
}
