package member

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// outbox sends what the machine has decided on a goroutine of its own: a connection to a server
// that does not read may block a publisher. It keeps only the newest message to each process, for
// an old one is worth nothing.
type outbox struct {
	conn *nats.Conn

	mu      sync.Mutex // guards the block below
	waiting map[address][]byte
	wake    chan struct{} // 1: something waits
}

// address is a subject, and the process that is meant: two may have the name of one node. A beat is
// for all.
type address struct {
	subject string
	boot    uint64
}

// maxWaiting bounds the messages that wait: there are not so many nodes.
const maxWaiting = 4 * MaxNodes

func newOutbox(conn *nats.Conn) *outbox {
	return &outbox{conn: conn, waiting: map[address][]byte{}, wake: make(chan struct{}, 1)}
}

// put leaves a message to be sent.
func (o *outbox) put(to address, message []byte) {
	o.mu.Lock()
	if _, replaces := o.waiting[to]; replaces || len(o.waiting) < maxWaiting {
		o.waiting[to] = message
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default: // the sender has been told
	}
}

// run sends until stop is closed, and then once more.
func (o *outbox) run(stop <-chan struct{}) {
	for stopped := false; !stopped; {
		select {
		case <-o.wake:
		case <-stop:
			stopped = true
		}
		o.send()
	}
}

// send sends what waits. A connection that is down would keep it and send it later: it is dropped.
func (o *outbox) send() {
	o.mu.Lock()
	all := o.waiting
	o.waiting = map[address][]byte{}
	o.mu.Unlock()
	if len(all) == 0 || !o.conn.IsConnected() {
		return
	}
	for to, message := range all {
		_ = o.conn.Publish(to.subject, message) // what is lost is sent again with the next beat
	}
}

// flush waits until the server has what was sent, for so long at most: after that the others have
// noticed anyway. A connection that is down has nothing to flush.
func (o *outbox) flush(ctx context.Context, most time.Duration) {
	if o.conn == nil || !o.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	_ = o.conn.FlushWithContext(ctx)
}
