package inspect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// eventStream is the form of server-sent events (https://html.spec.whatwg.org/#server-sent-events).
const eventStream = "text/event-stream"

// Times of a stream.
const (
	listEvery    = 250 * time.Millisecond // how often a list looks for changes
	callEvery    = 100 * time.Millisecond // and a call
	placeEvery   = 300 * time.Millisecond // how often the place of the media is sent
	pingEvery    = 15 * time.Second       // what keeps proxies from closing it
	writeTimeout = 5 * time.Second        // after it a client that does not read is dropped
)

// maxBatch is how many calls one event has, so that no list needs more memory than that.
const maxBatch = 500

// stream sends events to one client. Nothing is queued for it: each event is made of what has
// changed since the last one that it took, so a slow client gets fewer, and holds up nobody.
type stream struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	gone       <-chan struct{} // the client
	buf        bytes.Buffer
	sent       time.Time
}

func newStream(w http.ResponseWriter, r *http.Request) *stream {
	s := &stream{w: w, controller: http.NewResponseController(w), gone: r.Context().Done()}
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	w.WriteHeader(http.StatusOK)
	return s
}

// release takes the deadline back: the connection may be used again.
func (s *stream) release() { _ = s.controller.SetWriteDeadline(time.Time{}) }

// send sends an event, and reports whether it could.
func (s *stream) send(event string, v any) bool {
	data, err := json.Marshal(v) // on one line, with < and > escaped
	if err != nil {
		return false
	}
	s.buf.Reset()
	s.buf.WriteString("event: " + event + "\ndata: ")
	s.buf.Write(data)
	s.buf.WriteString("\n\n")
	return s.write()
}

// ping sends a comment if nothing was sent for a while.
func (s *stream) ping() bool {
	if time.Since(s.sent) < pingEvery {
		return true
	}
	s.buf.Reset()
	s.buf.WriteString(":\n\n")
	return s.write()
}

func (s *stream) write() bool {
	s.sent = time.Now()
	// In the place of the server's own, for all of an answer. What knows no deadlines has none.
	_ = s.controller.SetWriteDeadline(s.sent.Add(writeTimeout))
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return false
	}
	return s.controller.Flush() == nil
}

// wait waits for the next tick, and reports whether there is one.
func (s *stream) wait(t *time.Ticker, closed <-chan struct{}) bool {
	select {
	case <-s.gone:
	case <-closed:
	case <-t.C:
		return true
	}
	return false
}

// watchCalls sends the calls that the client may see, until it goes.
func (h *Handler) watchCalls(s *stream, sees func(*call) bool) {
	t := time.NewTicker(listEvery)
	defer t.Stop()
	l := list{sees: sees, calls: make(map[uint64]listed)}
	for ok := true; ok && s.ping(); ok = s.wait(t, h.done) {
		for _, m := range h.changes(&l) {
			if !s.send("calls", m) {
				return
			}
		}
	}
}

// watchCall sends one call until it is not shown any more, or the client goes.
func (h *Handler) watchCall(s *stream, c *call) {
	t := time.NewTicker(callEvery)
	defer t.Stop()
	var version uint64
	var sent time.Time // the place
	var paused bool
	for ok := true; ok && s.ping(); ok = s.wait(t, h.done) {
		if h.numbered(c.number) != c {
			s.send("gone", struct{}{})
			return
		}
		now := time.Now()
		m, v := c.message(version, now)
		if m.Call == nil && m.Paused == paused &&
			(m.Running == nil || now.Sub(sent) < placeEvery) {
			continue
		}
		if !s.send("call", m) {
			return
		}
		version, sent, paused = v, now, m.Paused
	}
}
