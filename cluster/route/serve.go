package route

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
)

// receive takes a message of another node, on the subscription's goroutine.
func (t *Router) receive(o callid.Owner, m *nats.Msg) {
	switch m.Subject[strings.LastIndexByte(m.Subject, '.')+1:] {
	case "answered":
		t.release(m.Header.Get(headHeld))
	case "rest":
		t.sendRest(m)
	case "request":
		select {
		case t.places <- struct{}{}:
		default:
			t.refused.Add(1)
			t.say(m, headBusy)
			return
		}
		t.work.Go(func() {
			defer func() { <-t.places }()
			t.serve(o, m)
		})
	}
}

// serve serves a forwarded request.
func (t *Router) serve(o callid.Owner, m *nats.Msg) {
	if !t.is(o) {
		t.say(m, headFenced)
		return
	}
	r, cancel, err := receive(m)
	if err != nil {
		t.options.Logger.Error("route: a request that is none", slog.Any("error", err))
		return
	}
	defer cancel()
	t.served.Add(1)
	held := ""
	r = r.WithContext(graph.AnsweredElsewhere(r.Context(), func(release func()) {
		held = t.hold(release)
	}))
	w := newRecorder()
	t.platform(w, r)
	if !t.is(o) {
		t.say(m, headFenced)
		return
	}
	t.send(m, w.bytes(), held)
}

// platform has the platform serve a request. net/http's own panic has no answer here: the client
// gets 503 when its time is over, or the connection's end.
func (t *Router) platform(w *recorder, r *http.Request) {
	returned := false
	defer func() {
		v := recover()
		if returned {
			return
		}
		*w = *newRecorder()
		graph.WriteError(w, r, http.StatusInternalServerError, "9999",
			"Unknown internal server error.")
		if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			t.options.Logger.Error("route: the platform panicked", slog.Any("panic", v),
				slog.String("stack", string(debug.Stack())))
		}
	}()
	t.next.ServeHTTP(w, r)
	returned = true
}

// is reports whether this node has the lease of that owner.
func (t *Router) is(o callid.Owner) bool {
	self, ok := t.options.Owner()
	return ok && self == o
}

// say answers that there is no answer.
func (t *Router) say(m *nats.Msg, why string) {
	reply := nats.NewMsg(m.Reply)
	reply.Header.Set(why, "1")
	_ = m.RespondMsg(reply) // who waits has a time
}

// send sends an answer, or as much of it as goes into a message.
func (t *Router) send(m *nats.Msg, text []byte, held string) {
	reply := nats.NewMsg(m.Reply)
	if held != "" {
		reply.Header.Set(headHeld, held)
	}
	reply.Data = text
	if most := t.chunk(); len(text) > most {
		name, ok := t.keepRest(text)
		if !ok {
			t.say(m, headBusy)
			return
		}
		reply.Header.Set(headRest, name)
		reply.Header.Set(headSize, strconv.Itoa(len(text)))
		reply.Data = text[:most]
	}
	if err := m.RespondMsg(reply); err != nil {
		t.options.Logger.Warn("route: an answer could not be sent", slog.Any("error", err))
	}
}

// chunk is how much of an answer goes into a message.
func (t *Router) chunk() int { return max(1024, int(t.conn.MaxPayload())-MaxHead) }

// hold keeps what waits for an answer, and names it.
func (t *Router) hold(release func()) string {
	name := uuid.NewString()
	t.mu.Lock()
	t.held[name] = release
	t.mu.Unlock()
	time.AfterFunc(heldTime, func() { t.release(name) })
	return name
}

// release lets it go.
func (t *Router) release(name string) {
	t.mu.Lock()
	release := t.held[name]
	delete(t.held, name)
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
	t.mu.Lock()
	text := t.rests[m.Header.Get(headRest)]
	t.mu.Unlock()
	reply := nats.NewMsg(m.Reply)
	if at, err := strconv.Atoi(m.Header.Get(headOffset)); err == nil && at >= 0 && at < len(text) {
		reply.Data = text[at:min(len(text), at+t.chunk())]
	}
	_ = m.RespondMsg(reply) // who waits has a time
}
