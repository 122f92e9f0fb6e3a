package route

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
)

// What goes to another node at the same time shares a message: requests, answers, and the news that
// a client has its answer. A message over two servers takes several times the processor time of
// what is in it.

// maxBatch is the size of a message, in bytes, from which on nothing is added to it.
const maxBatch = 128 << 10

// Last tokens of the subjects of an owner.
const (
	batchToken = ".batch"
	restToken  = ".rest" // of a long answer: a request of NATS
)

// What an item is, by its first byte.
const (
	aRequest byte = iota + 1 // its head and its body
	anAnswer                 // see [reply]
	isThere                  // the number of a request whose client has its answer
)

// item is a part of a message.
type item struct {
	text   []byte
	waiter *waiter // of a request; nil: it is none
}

// line is what is to be sent to a subject. All but the subject is guarded by the router's lock.
type line struct {
	subject string
	items   []item
	sending bool // a goroutine sends them
}

// maxOwners is of how many owners of calls lines are kept. When there are more, those that are idle
// go: anybody can make an owner up. Lines of answers stay, one for each process that was a node:
// what waits for the news that an answer has arrived goes by them.
const maxOwners = 256

// lineOfAnswers returns the line of the answers to another node.
func (t *Router) lineOfAnswers(inbox string) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.answering[inbox]
	if l == nil {
		l = &line{subject: inbox}
		t.answering[inbox] = l
	}
	return l
}

// lineToOwner returns the line to an owner of calls.
func (t *Router) lineToOwner(o callid.Owner) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.owners[o]
	if l == nil {
		if len(t.owners) >= maxOwners {
			maps.DeleteFunc(t.owners, func(_ callid.Owner, l *line) bool { return !l.sending })
		}
		l = &line{subject: t.subject(o) + batchToken}
		t.owners[o] = l
	}
	return l
}

// send has an item sent. It is false for a request when the router has ended: nobody would hear the
// answer.
func (t *Router) send(l *line, i item) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended && i.waiter != nil {
		return false
	}
	l.items = append(l.items, i)
	if !l.sending {
		l.sending = true
		t.senders++
		go t.sendLine(l)
	}
	return true
}

// sendLine sends what is in a line, until nothing is left.
func (t *Router) sendLine(l *line) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	for {
		runtime.Gosched()    // who is about to send something does so first
		room := t.learnMax() // without the lock: it waits while the connection is blocked
		t.mu.Lock()
		if len(l.items) == 0 {
			l.sending = false
			t.senders--
			t.idle.Broadcast()
			t.mu.Unlock()
			return
		}
		b := t.batch(l.items, *buffer, min(maxBatch, room))
		l.items = slices.Delete(l.items, 0, b.items)
		t.mu.Unlock()
		t.publish(l.subject, b)
		*buffer = b.data // it was copied
	}
}

// learnMax asks how large a message may be now, in bytes.
func (t *Router) learnMax() int {
	most := t.conn.MaxPayload()
	t.maxPayload.Store(most)
	return int(most)
}

// payload is how large a message may be, as far as is known: nobody waits for the connection.
func (t *Router) payload() int { return int(t.maxPayload.Load()) }

// buffers are for batches.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// batch is what a message has.
type batch struct {
	data     []byte
	items    int
	first    uint64 // number of its first request
	requests uint64 // that it has; they have numbers in order
}

// batch makes a batch of the first items in line, into a buffer: as many as there is room for, and
// at least one. A request whose client has gone is left out.
func (t *Router) batch(line []item, into []byte, room int) (b batch) {
	size := 0
	for ; b.items < len(line) && (size == 0 || size+len(line[b.items].text) <= room); b.items++ {
		size += len(line[b.items].text)
	}
	b.data, b.first = slices.Grow(into[:0], size), t.last+1
	for _, i := range line[:b.items] {
		if w := i.waiter; w != nil {
			if w.gone {
				continue
			}
			t.last++
			w.number = t.last
			t.waiters[t.last] = w
			b.requests++
		}
		b.data = append(b.data, i.text...)
	}
	return b
}

// publish sends a batch. The subject for answers says which requests are in it: so the owner
// numbers them, and this node learns which of them have come to nobody.
func (t *Router) publish(subject string, b batch) {
	if len(b.data) == 0 {
		return
	}
	m := &nats.Msg{
		Subject: subject, Data: b.data,
		Reply: fmt.Sprintf("%s.%d.%d", t.inbox, b.first, b.requests),
	}
	t.messages.Add(1)
	if err := t.conn.PublishMsg(m); err != nil {
		t.fail(b.first, b.requests, err)
		t.options.Logger.Warn("route: a message could not be sent", slog.Any("error", err))
	}
}

// parseReply reads the subject for answers of a batch: where its node gets them, the number of its
// first request, and how many it has.
func parseReply(reply string) (inbox string, first, requests uint64, err error) {
	inbox, count, _ := cutLast(reply)
	inbox, number, ok := cutLast(inbox)
	if !ok {
		return "", 0, 0, errors.New("route: a message without a subject for answers")
	}
	first, err = strconv.ParseUint(number, 10, 64)
	if err == nil {
		requests, err = strconv.ParseUint(count, 10, 32)
	}
	return inbox, first, requests, err
}

// cutLast cuts the last token off a subject.
func cutLast(subject string) (before, last string, ok bool) {
	at := strings.LastIndexByte(subject, '.')
	if at < 0 {
		return subject, "", false
	}
	return subject[:at], subject[at+1:], true
}
