package route

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
)

// waiter waits for the answer to a forwarded request.
type waiter struct {
	reply chan reply // has room for one
	over  *time.Timer

	number uint64 // once it is sent, with the lock held
	gone   bool   // with the lock held
}

// newWaiter makes a waiter, for [sync.Pool]: a channel and a timer are half of what waiting costs.
func newWaiter() any { return &waiter{reply: make(chan reply, 1), over: time.NewTimer(time.Hour)} }

// reply is what comes back for a forwarded request: an answer, or why there is none.
type reply struct {
	number  uint64
	verdict verdict
	head    []byte // of the answer
	body    []byte // or the beginning of one that is longer than a message
	rest    string // the name of such a one
	size    uint64 // of it
	err     error
}

// verdict is what the owner says about a request.
type verdict byte

const (
	answered verdict = iota // here is the answer
	held                    // the same, and something waits until the client has it
	fenced                  // it has lost the right to answer
	busy                    // it serves as many as it can
)

// maxItem is what an item has besides its texts, at most.
const maxItem = 2 + 5*binary.MaxVarintLen64

// item is the reply as an item.
func (a *reply) item() item {
	text := make([]byte, 0, maxItem+len(a.head)+len(a.body)+len(a.rest))
	text = append(appendNumber(append(text, anAnswer), a.number), byte(a.verdict))
	text = appendText(appendText(appendText(text, a.head), a.body), a.rest)
	return item{text: appendNumber(text, a.size)}
}

// cutReply cuts a reply off, whose texts are parts of data.
func cutReply(data []byte) (a reply, others []byte, err error) {
	if data[0] != anAnswer {
		return a, nil, errItem
	}
	number, size := binary.Uvarint(data[1:])
	if size <= 0 || len(data) < size+2 {
		return a, nil, errItem
	}
	a.number, a.verdict = number, verdict(data[1+size])
	data = data[size+2:]
	var rest []byte
	whole := true
	for _, text := range []*[]byte{&a.head, &a.body, &rest} {
		var ok bool
		*text, data, ok = cutText(data)
		whole = whole && ok
	}
	a.rest = string(rest)
	a.size, size = binary.Uvarint(data)
	if !whole || size <= 0 {
		return a, nil, errItem
	}
	switch a.verdict {
	case answered, held:
	case fenced:
		a.err = errFenced
	case busy:
		a.err = errBusy
	default:
		return a, nil, errItem
	}
	return a, data[size:], nil
}

var (
	errFenced  = errors.New("route: the owner has lost its lease")
	errBusy    = errors.New("route: the owner is busy")
	errDead    = errors.New("route: the owner is dead")
	errTimeout = errors.New("route: no answer in time")
	errClosed  = errors.New("route: closed")
)

// ask forwards a request, and waits for its answer: until the client has gone, its time is over, or
// the owner is dead.
func (t *Router) ask(r *http.Request, o callid.Owner, to *line, text []byte) (reply, error) {
	life := t.options.Life(o)
	a := t.await(r.Context(), life, to, text)
	if a.err == nil && a.rest != "" {
		ctx, cancel := context.WithTimeout(r.Context(), t.options.Timeout)
		defer cancel()
		defer context.AfterFunc(life, cancel)() //nolint:contextcheck // the owner's
		a.body, a.err = t.fetch(ctx, o, a)
	}
	return a, a.err
}

// await sends a request, and waits for the reply.
func (t *Router) await(client, life context.Context, to *line, text []byte) (a reply) {
	w := t.waiting.Get().(*waiter)
	w.number, w.gone = 0, false
	w.over.Reset(t.options.Timeout)
	if !t.send(to, item{text, w}) {
		w.over.Stop()
		return reply{err: errClosed}
	}
	select {
	case a = <-w.reply:
		if !w.over.Stop() {
			select { // its time may be over, too, and with GODEBUG=asynctimerchan=1 be noted
			case <-w.over.C:
			default:
			}
		}
		t.waiting.Put(w) // nobody else knows it any more
		return a
	case <-client.Done():
		a.err = context.Cause(client)
	case <-life.Done():
		a.err = errDead
	case <-w.over.C:
		a.err = errTimeout
	}
	w.over.Stop()
	t.forget(w)
	return a
}

// forget waits no longer.
func (t *Router) forget(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.gone = true
	delete(t.waiters, w.number)
}

// hear takes answers of other nodes, and the news that a batch has come to nobody.
func (t *Router) hear(m *nats.Msg) {
	if m.Subject != t.inbox {
		if _, first, requests, err := parseReply(m.Subject); err == nil {
			t.fail(first, requests, nats.ErrNoResponders)
		}
		return
	}
	for text := m.Data; len(text) > 0; {
		var a reply
		var err error
		if a, text, err = cutReply(text); err != nil {
			t.options.Logger.Error("route: answers", slog.Any("error", err))
			return
		}
		t.settle(a)
	}
}

// settle gives an answer to who waits for it, if anybody does.
func (t *Router) settle(a reply) {
	t.mu.Lock()
	w := t.waiters[a.number]
	delete(t.waiters, a.number)
	t.mu.Unlock()
	if w != nil {
		w.reply <- a
	}
}

// fail says of some requests that there will be no answer.
func (t *Router) fail(first, requests uint64, err error) {
	for n := range min(requests, maxBatch) { // a request has a byte
		t.settle(reply{number: first + n, err: err})
	}
}

// fetch gets the rest of a long body.
func (t *Router) fetch(ctx context.Context, o callid.Owner, a reply) ([]byte, error) {
	if a.size < uint64(len(a.body)) || a.size > MaxAnswer {
		return nil, fmt.Errorf("route: an answer of %d bytes", a.size)
	}
	body := bytes.Clone(a.body)
	for uint64(len(body)) < a.size {
		m := nats.NewMsg(t.subject(o) + restToken)
		m.Data = appendText(appendNumber(nil, uint64(len(body))), a.rest)
		more, err := t.conn.RequestMsgWithContext(ctx, m)
		switch {
		case err != nil:
			return nil, err
		case len(more.Data) == 0 || uint64(len(body)+len(more.Data)) > a.size:
			return nil, errors.New("route: the rest of the answer is gone")
		}
		body = append(body, more.Data...)
	}
	return body, nil
}
