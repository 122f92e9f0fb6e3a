package route

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
)

// origin is where a request comes from: a node, by the line of its answers, and its number there.
type origin struct {
	answers *line
	number  uint64
}

// receive takes a message of another node, on the subscription's goroutine.
func (t *Router) receive(o callid.Owner, m *nats.Msg) {
	if strings.HasSuffix(m.Subject, restToken) {
		t.sendRest(m)
		return
	}
	inbox, first, _, err := parseReply(m.Reply)
	if err == nil {
		next := origin{t.lineOfAnswers(inbox), first} // request
		for data := m.Data; err == nil && len(data) > 0; {
			data, err = t.take(o, &next, data)
		}
	}
	if err != nil {
		t.options.Logger.Error("route: a message of another node", slog.Any("error", err))
	}
}

// take takes the first item of a message, and returns the others.
func (t *Router) take(o callid.Owner, next *origin, data []byte) (others []byte, err error) {
	kind, data := data[0], data[1:]
	switch kind {
	case aRequest:
		head, data, ok := cutText(data)
		body, data, whole := cutText(data)
		if !ok || !whole {
			return nil, errItem
		}
		t.accept(o, *next, head, body)
		next.number++
		return data, nil
	case isThere:
		number, size := binary.Uvarint(data)
		if size <= 0 {
			return nil, errItem
		}
		t.release(origin{next.answers, number})
		return data[size:], nil
	}
	return nil, errItem
}

var errItem = errors.New("route: a message with a part that is cut off, or of no known kind")

// accept serves a request, or says that there are too many, or that the router has ended.
func (t *Router) accept(o callid.Owner, from origin, head, body []byte) {
	t.mu.Lock()
	taken := !t.ended && t.serving < MaxServed
	wakes := taken && t.resting > 0
	if taken {
		t.serving++ // with the lock: Close waits for it
	}
	if wakes {
		t.resting--
	}
	t.mu.Unlock()
	j := job{o, from, head, body}
	switch {
	case wakes:
		t.jobs <- j // somebody is there to take it
	case taken:
		go t.serveInTurn(j)
	default:
		t.refused.Add(1)
		t.reply(from, reply{verdict: busy})
	}
}

// job is a request to be served. It has a place. Without an origin it is none: nothing more comes.
type job struct {
	owner      callid.Owner
	from       origin
	head, body []byte
}

// maxResting is how many goroutines wait for the next request to be served. One that has served has
// a stack that is large enough, which a new one gets by growing and copying, for a twentieth of
// what a forwarded request costs.
const maxResting = 64

// serveInTurn serves a request, and then those that come next.
func (t *Router) serveInTurn(j job) {
	for j.from.answers != nil {
		t.serve(j)
		if !t.rest() {
			return
		}
		j = <-t.jobs
	}
}

// rest reports whether a goroutine may wait for another request.
func (t *Router) rest() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.resting == maxResting {
		return false
	}
	t.resting++
	return true
}

// endRest ends the goroutines that rest. The router has ended.
func (t *Router) endRest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; t.resting > 0; t.resting-- {
		t.jobs <- job{} // as in accept; who takes it needs no lock
	}
}

// leave gives the place of a request up that was served.
func (t *Router) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.serving--
	t.idle.Broadcast()
}

// serve serves a forwarded request.
func (t *Router) serve(j job) {
	defer t.leave() // also if the platform ends the goroutine
	if !t.is(j.owner) {
		t.reply(j.from, reply{verdict: fenced})
		return
	}
	t.learnMax() // it may have changed since something was sent
	f := readFields(j.head)
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout(f))
	defer cancel()
	w := newRecorder()
	ctx = graph.AnsweredElsewhere(ctx, func(release func()) {
		w.verdict = held
		t.hold(j.from, release)
	})
	r, err := readRequest(ctx, f, j.body)
	if err != nil {
		t.options.Logger.Error("route: a request that is none", slog.Any("error", err))
		return
	}
	t.served.Add(1)
	defer func() { t.answer(j, w) }() // also if the platform ends the goroutine
	t.platform(w, r)
}

// answer sends the answer to a request, if this node may give one yet.
func (t *Router) answer(j job, w *recorder) {
	if !t.is(j.owner) {
		t.reply(j.from, reply{verdict: fenced})
		return
	}
	a := reply{verdict: w.verdict, head: w.head, body: w.body.Bytes()}
	if most := t.chunk(len(a.head)); len(a.body) > most {
		name, ok := t.keepRest(a.body)
		if !ok {
			t.reply(j.from, reply{verdict: busy})
			return
		}
		a.rest, a.size, a.body = name, uint64(len(a.body)), a.body[:most]
	}
	t.reply(j.from, a)
}

// platform has the platform serve a request. If that panics, or ends its goroutine, the answer is
// 500; net/http's own panic is not logged.
func (t *Router) platform(w *recorder, r *http.Request) {
	most := min(MaxHead, t.chunk(0))
	returned := false
	defer func() {
		v := recover()
		switch {
		case returned && len(w.head) <= most:
			return
		case returned:
			t.options.Logger.Error("route: the header of an answer is too large",
				slog.Int("bytes", len(w.head)), slog.Int("most", most))
		case v != http.ErrAbortHandler: //nolint:errorlint // net/http compares it so
			t.options.Logger.Error("route: the platform panicked", slog.Any("panic", v),
				slog.String("stack", string(debug.Stack())))
		}
		w.reset()
		graph.WriteError(w, r, http.StatusInternalServerError, "9999",
			"Unknown internal server error.")
	}()
	t.next.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK) // if it has not
	returned = true
}

// is reports whether this node has the lease of that owner.
func (t *Router) is(o callid.Owner) bool {
	self, ok := t.options.Owner()
	return ok && self == o
}

// reply has a reply sent to where the request came from.
func (t *Router) reply(to origin, a reply) {
	a.number = to.number
	t.send(to.answers, a.item())
}

// chunk is how much of a body goes into a message besides its head, in bytes: none if that has no
// room.
func (t *Router) chunk(head int) int {
	const name = 36 // of the rest, a UUID
	return max(0, t.payload()-maxItem-name-head)
}

// hold keeps what waits for the answer to a request. It is forgotten some seconds later: package
// graph does not wait for so long.
func (t *Router) hold(from origin, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.turned) > heldTime {
		t.held, t.before, t.turned = make(map[origin]func()), t.held, now
	}
	t.held[from] = release
}

// release calls what waits for the answer to a request.
func (t *Router) release(from origin) {
	t.mu.Lock()
	release := t.held[from]
	if release == nil {
		release = t.before[from]
	}
	delete(t.held, from)
	delete(t.before, from)
	t.mu.Unlock()
	if release != nil {
		release()
	}
}

// keepRest keeps a long answer, and names it.
func (t *Router) keepRest(text []byte) (name string, ok bool) {
	name = uuid.NewString()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept+len(text) > maxRest {
		return "", false
	}
	t.kept += len(text)
	t.rests[name] = text
	time.AfterFunc(restTime, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.rests, name)
		t.kept -= len(text)
	})
	return name, true
}

// sendRest sends some more of it; nothing if it is gone.
func (t *Router) sendRest(m *nats.Msg) {
	f := readFields(m.Data)
	from, name := f.number(), f.text()
	t.mu.Lock()
	text := t.rests[name]
	t.mu.Unlock()
	var more []byte
	if !f.bad && from < uint64(len(text)) {
		more = text[from:]
	}
	t.learnMax()
	_ = m.Respond(more[:min(len(more), t.chunk(0))]) // who waits has a time
}
