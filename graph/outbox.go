package graph

import (
	"slices"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// An outbox holds what a call's bot is still to be told, in order. It is emptied by one goroutine,
// which exists only while the first notification in line may go.
//
// A notification may go when every request to the call that was open when it was put has been
// answered: so no notification overtakes the reply to the request that caused it. Later requests do
// not hold it, so it goes at last, however busy the call is.

// notification is one notification to be, as little as is needed to write it when its turn comes.
type pendingNotification struct {
	change   *operationChange // of an operation that ended; nil for the call's own
	state    State            // the call's own, when it was put
	version  uint64           // of the call
	sequence uint64           // of the tone, if it is one
	tone     tone.Tone
	result   *ResultInfo // of a terminated call

	at     time.Time            // when it was put
	after  uint64               // number of the last request opened before
	awaits *operation.Operation // whose recording is yet to come
	cost   int64                // bytes that are reserved for it
}

type outbox struct {
	limit int                         // of notifications that wait; put blocks above it
	send  func([]pendingNotification) // one call at a time, on the outbox's goroutine; must survive
	idle  func(busy bool)             // called, under mu, when sending begins and ends
	over  func()                      // told, under mu, once the call's last notification has gone

	mu      sync.Mutex            // guards everything below
	space   sync.Cond             // wakes those who wait for room
	waiting []pendingNotification // in line
	opened  uint64                // requests so far
	open    []uint64              // those not answered, in order
	version uint64                // of the call: one for each notification of its own
	sending bool                  // the goroutine exists
	final   bool                  // the call's last notification was put, and has not gone
	dropped bool                  // takes nothing more, and has let go of what it had
}

func (o *outbox) init(
	limit int, send func([]pendingNotification), idle func(busy bool), over func(),
) {
	o.limit, o.send, o.idle, o.over = limit, send, idle, over
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
// nobody else. It returns false if the outbox takes nothing any more.
func (o *outbox) enqueue(n pendingNotification, wait bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for wait && len(o.waiting) >= o.limit && !o.dropped {
		o.space.Wait()
	}
	if o.dropped {
		if n.result != nil {
			o.over()
		}
		return false
	}
	o.final = n.result != nil
	if n.change == nil {
		o.version++
		n.version = o.version
	}
	n.at, n.after = time.Now(), o.opened
	if len(o.waiting) == 0 && !o.sending {
		o.idle(true)
	}
	o.waiting = append(o.waiting, n)
	o.startSender()
	return true
}

// settle gives notifications that are held for operations a recording, or none, and lets them go.
func (o *outbox) settle(op *operation.Operation, rec operation.Recording) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.waiting {
		n := &o.waiting[i]
		if n.awaits != nil && (op == nil || n.awaits == op) {
			n.change.record(rec)
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
	}
	return n
}

// batch is how many notifications are sent in one request. 100 are some 60 KB.
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

// take takes what may go out of the outbox; nil if there is nothing, and nobody is sending then.
func (o *outbox) take() []pendingNotification {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.ready()
	if n == 0 {
		o.sending = false
		if len(o.waiting) == 0 {
			o.waiting = nil // an idle call keeps no buffer
			o.emptied()
		}
		return nil
	}
	notifications := slices.Clone(o.waiting[:n])
	o.waiting = slices.Delete(o.waiting, 0, n)
	o.space.Broadcast()
	return notifications
}

func (o *outbox) currentVersion() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.version
}

// emptied tells that there is nothing to tell.
func (o *outbox) emptied() {
	o.idle(false)
	if o.final {
		o.final = false
		o.over()
	}
}

// drop lets go of everything, now and from now on, and returns what that was.
func (o *outbox) drop() []pendingNotification {
	o.mu.Lock()
	defer o.mu.Unlock()
	dropped := o.waiting
	o.waiting, o.dropped = nil, true
	o.space.Broadcast()
	if len(dropped) > 0 && !o.sending {
		o.emptied()
	}
	return dropped
}
