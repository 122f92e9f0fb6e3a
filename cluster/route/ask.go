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

	number uint64 // once it is sent, with the lock held
	gone   bool   // with the lock held
}

// reply is what comes back for a forwarded request: an answer, or why there is none.
type reply struct {
	number  uint64
	verdict verdict
	text    []byte // of the answer, or the beginning of one that is longer than a message
	rest    string // the name of such a one
	size    int    // of it
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

// maxReply is what a reply has besides its texts, at most.
const maxReply = 2 + 4*binary.MaxVarintLen64

// appendReply appends a reply, as an item.
func appendReply(to []byte, a reply) []byte {
	to = append(appendNumber(append(to, anAnswer), a.number), byte(a.verdict))
	to = appendText(appendText(to, a.text), a.rest)
	return appendNumber(to, uint64(a.size)) //nolint:gosec // not negative
}

// cutReply cuts a reply off, whose text is a part of data.
func cutReply(data []byte) (a reply, rest []byte, err error) {
	errNone := errors.New("route: a message with an answer that is none")
	if data[0] != anAnswer {
		return a, nil, errNone
	}
	var size int
	if a.number, size = binary.Uvarint(data[1:]); size <= 0 || len(data) < size+2 {
		return a, nil, errNone
	}
	a.verdict = verdict(data[1+size])
	text, data, ok := cutText(data[size+2:])
	name, data, named := cutText(data)
	all, size := binary.Uvarint(data)
	if !ok || !named || size <= 0 || all > MaxAnswer+MaxHead {
		return a, nil, errNone
	}
	a.text, a.rest, a.size = text, string(name), int(all)
	switch a.verdict {
	case answered, held:
	case fenced:
		a.err = errFenced
	case busy:
		a.err = errBusy
	default:
		return a, nil, errNone
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
func (t *Router) ask(r *http.Request, o callid.Owner, text []byte) (reply, error) {
	life := t.options.Life(o)
	over := time.NewTimer(t.options.Timeout)
	defer over.Stop()
	w := &waiter{reply: make(chan reply, 1)}
	t.send(t.subject(o)+batchToken, item{text, w})
	var a reply
	select {
	case a = <-w.reply:
	case <-r.Context().Done():
		a.err = context.Cause(r.Context())
	case <-life.Done():
		a.err = errDead
	case <-over.C:
		a.err = errTimeout
	}
	if a.err != nil {
		t.forget(w)
		return a, a.err
	}
	if a.rest != "" {
		ctx, cancel := context.WithTimeout(r.Context(), t.options.Timeout)
		defer cancel()
		defer context.AfterFunc(life, cancel)() //nolint:contextcheck // the owner's
		a.text, a.err = t.fetch(ctx, o, a)
	}
	return a, a.err
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

// fetch gets the rest of a long answer.
func (t *Router) fetch(ctx context.Context, o callid.Owner, a reply) ([]byte, error) {
	if a.size < len(a.text) {
		return nil, fmt.Errorf("route: an answer of %d bytes", a.size)
	}
	text := bytes.Clone(a.text)
	for len(text) < a.size {
		m := nats.NewMsg(t.subject(o) + restToken)
		m.Data = appendText(appendNumber(nil, uint64(len(text))), a.rest)
		more, err := t.conn.RequestMsgWithContext(ctx, m)
		switch {
		case err != nil:
			return nil, err
		case len(more.Data) == 0 || len(text)+len(more.Data) > a.size:
			return nil, errors.New("route: the rest of the answer is gone")
		}
		text = append(text, more.Data...)
	}
	return text, nil
}
