package ari_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// standIn is a server that speaks ARI as Asterisk does, on a loopback socket, with Basic
// authentication. What a playback does is in its media: "short" ends soon, "long" goes on until it
// is removed, "lost" ends soon without an event, "unending" begins, is gone at once, and never
// ends, as an unknown scheme of Asterisk's, "mute" does not answer the removal with an event,
// "early" has ended before the answer to the request that starts it, "slow" answers late, "broken"
// fails, and anything else is not found. Recordings go on until they are stopped, or a test ends
// them.
type standIn struct {
	*httptest.Server

	release   chan struct{} // "early" and "slow" answer when it is closed
	begun     chan string   // each playback's media, and the name of each recording
	connected chan struct{} // each event stream

	mu       sync.Mutex // guards the block below
	jobs     map[string]*serverJob
	stored   map[string]bool
	gone     map[string]bool // channels
	queues   bool            // recordings are queued until begin is called
	refusal  int             // status with which event streams are refused; 0: they are not
	silent   bool            // pings are not answered from the next event stream on
	failing  bool            // requests for a state are answered with 500
	conn     *websocket.Conn // the event stream; nil if there is none
	out      chan []byte     // its events
	heard    time.Duration   // of what has ended
	hung     bool
	turns    []turn   // of the requests that came meanwhile
	pending  [][]byte // events
	requests []string
}

type serverJob struct {
	channel, media string
	recording      bool
	queued         bool
	begun          time.Time
	timer          *time.Timer
}

// turn is when a request that was held is done.
type turn struct{ begin, end chan struct{} }

const (
	shortly  = 20 * time.Millisecond
	user     = "bot"
	password = "s3cret"
)

// newStandIn makes a server that the end of the test closes.
func newStandIn(t testing.TB) *standIn {
	t.Helper()
	s := &standIn{
		release: make(chan struct{}), jobs: map[string]*serverJob{}, stored: map[string]bool{},
		gone: map[string]bool{}, begun: make(chan string, 1000), connected: make(chan struct{}, 100),
	} // more than a test makes
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ari/events", s.events)
	mux.HandleFunc("POST /ari/channels/{channel}/play/{id}", s.inTurn(s.play))
	mux.HandleFunc("POST /ari/channels/{channel}/record", s.inTurn(s.record))
	mux.HandleFunc("DELETE /ari/playbacks/{id}", s.inTurn(s.remove))
	mux.HandleFunc("POST /ari/recordings/live/{id}/stop", s.inTurn(s.stopRecording))
	mux.HandleFunc("GET /ari/playbacks/{id}", s.inTurn(s.state))
	mux.HandleFunc("GET /ari/recordings/live/{id}", s.inTurn(s.state))
	mux.HandleFunc("GET /ari/recordings/stored/{id}", s.inTurn(s.state))
	mux.HandleFunc("GET /ari/channels/{id}", s.inTurn(s.state))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, word, ok := r.BasicAuth(); !ok || name != user || word != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="Asterisk REST Interface"`)
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.String())
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// events is the event stream. Whoever comes last has it, as with Asterisk.
func (s *standIn) events(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refusal, silent := s.refusal, s.silent
	s.silent = false
	s.mu.Unlock()
	switch {
	case r.FormValue("app") == "":
		http.Error(w, "no app", http.StatusBadRequest)
		return
	case refusal != 0:
		w.Header().Set("Location", "/ari/events?app=elsewhere")
		w.WriteHeader(refusal)
		return
	}
	options := &websocket.AcceptOptions{Subprotocols: []string{"ari"}}
	if silent {
		options.OnPingReceived = func(context.Context, []byte) bool { return false }
	}
	conn, err := websocket.Accept(w, r, options)
	if err != nil {
		return
	}
	out := make(chan []byte, 1000)
	s.mu.Lock()
	s.conn, s.out = conn, out
	s.mu.Unlock()
	s.connected <- struct{}{}
	ctx := conn.CloseRead(r.Context())
	for {
		select {
		case e := <-out:
			_ = conn.Write(ctx, websocket.MessageText, e)
		case <-ctx.Done():
			return
		}
	}
}

// reconnected waits until the client has connected again.
func (s *standIn) reconnected(t *testing.T) {
	t.Helper()
	select {
	case <-s.connected:
	case <-within(t).Done():
		t.Fatal("it has not connected again")
	}
}

// cut breaks the event stream; events until there is another one are lost.
func (s *standIn) cut() {
	s.mu.Lock()
	conn := s.conn
	s.conn, s.out = nil, nil
	s.mu.Unlock()
	_ = conn.CloseNow()
}

// refuse has event streams refused with a status; with 0 they are accepted again.
func (s *standIn) refuse(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = status
}

func (s *standIn) play(w http.ResponseWriter, r *http.Request) {
	id, media := r.PathValue("id"), strings.TrimPrefix(r.FormValue("media"), "sound:")
	p := &serverJob{channel: r.PathValue("channel"), media: media, begun: time.Now()}
	s.mu.Lock()
	s.jobs[id] = p
	s.begun <- media
	switch media {
	case "short", "lost":
		p.timer = time.AfterFunc(shortly, func() { s.end(id, "done") })
	case "long", "mute":
	case "unending":
		delete(s.jobs, id)
	case "broken":
		p.timer = time.AfterFunc(shortly, func() { s.end(id, "failed") })
	case "early", "slow":
		s.mu.Unlock()
		if media == "early" {
			s.end(id, "done")
		}
		<-s.release
		w.WriteHeader(http.StatusCreated)
		return
	default:
		delete(s.jobs, id)
		s.mu.Unlock()
		http.Error(w, "no such media", http.StatusNotFound)
		return
	}
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

func (s *standIn) record(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("name")
	s.mu.Lock()
	s.jobs[id] = &serverJob{
		channel: r.PathValue("channel"), recording: true, queued: s.queues, begun: time.Now(),
	}
	if !s.queues {
		s.tellLocked(map[string]any{
			"type": "RecordingStarted", "recording": map[string]any{"name": id, "state": "recording"},
		})
	}
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	s.begun <- id
}

// begin has a queued recording begin, whether it was stopped or not.
func (s *standIn) begin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[id].queued = false
	s.tellLocked(map[string]any{
		"type": "RecordingStarted", "recording": map[string]any{"name": id, "state": "recording"},
	})
}

func (s *standIn) remove(w http.ResponseWriter, r *http.Request) {
	if !s.end(r.PathValue("id"), "done") {
		http.Error(w, "no such playback", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// stopRecording stops a recording. To one that is queued nothing happens, and it says the same.
func (s *standIn) stopRecording(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	p := s.jobs[id]
	queued := p != nil && p.queued
	s.mu.Unlock()
	switch {
	case p == nil:
		http.Error(w, "no such recording", http.StatusNotFound)
		return
	case !queued:
		s.endRecording(id, map[string]any{"state": "done", "duration": 3, "talking_duration": 2})
	}
	w.WriteHeader(http.StatusNoContent)
}

// state answers what there is.
func (s *standIn) state(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.jobs[id] != nil
	switch {
	case strings.Contains(r.URL.Path, "/stored/"):
		found = s.stored[id]
	case strings.Contains(r.URL.Path, "/channels/"):
		found = !s.gone[id]
	case s.failing:
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if !found {
		http.Error(w, "not found", http.StatusNotFound)
	}
}

// end ends a playback and sends its event, unless its media is of the kind that does not.
func (s *standIn) end(id, state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.jobs[id]
	if p == nil {
		return false
	}
	delete(s.jobs, id)
	s.heard += time.Since(p.begun)
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.media == "lost" || p.media == "mute" {
		return true
	}
	s.tellLocked(map[string]any{"type": "PlaybackFinished", "playback": map[string]string{
		"id": id, "state": state, "target_uri": "channel:" + p.channel,
	}})
	return true
}

// endRecording ends a recording and sends how, in the members of a LiveRecording.
func (s *standIn) endRecording(id string, how map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.jobs[id]
	delete(s.jobs, id)
	s.heard += time.Since(p.begun)
	s.stored[id] = how["state"] == "done"
	how["name"] = id
	kind := "RecordingFinished"
	if how["state"] == "failed" {
		kind = "RecordingFailed"
	}
	s.tellLocked(map[string]any{"type": kind, "recording": how})
}

// endAll ends all that plays or records.
func (s *standIn) endAll() {
	s.mu.Lock()
	jobs := map[string]bool{}
	for id, p := range s.jobs {
		jobs[id] = p.recording
	}
	s.mu.Unlock()
	for id, recording := range jobs {
		if recording {
			s.endRecording(id, map[string]any{"state": "done", "duration": 1})
		} else {
			s.end(id, "done")
		}
	}
}

func (s *standIn) press(channel, digit string) {
	s.emit(map[string]any{
		"type": "ChannelDtmfReceived", "digit": digit, "duration_ms": 100,
		"channel": map[string]any{"id": channel},
	})
}

func (s *standIn) emit(e map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(e)
}

func (s *standIn) tellLocked(e map[string]any) {
	text, _ := json.Marshal(e)
	switch {
	case s.hung:
		s.pending = append(s.pending, text)
	case s.out != nil:
		s.out <- text
	}
}

// send sends bytes as a text message.
func (s *standIn) send(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out <- text
}

// stall has it take requests and do none, and send no event, until release is called. What plays
// goes on.
func (s *standIn) stall() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = true
	return s.goOn
}

// goOn does what came meanwhile, in order. A client that has gone changes nothing.
func (s *standIn) goOn() {
	s.mu.Lock()
	for _, e := range s.pending {
		if s.out != nil {
			s.out <- e
		}
	}
	turns := s.turns
	s.hung, s.pending, s.turns = false, nil, nil
	s.mu.Unlock()
	for _, t := range turns {
		close(t.begin)
		<-t.end
	}
}

// inTurn has requests wait while the server hangs.
func (s *standIn) inTurn(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t := turn{make(chan struct{}), make(chan struct{})}
		defer close(t.end)
		s.mu.Lock()
		hung := s.hung
		if hung {
			s.turns = append(s.turns, t)
		}
		s.mu.Unlock()
		if hung {
			<-t.begin
		}
		h(w, r)
	}
}

// heardFor returns for how many milliseconds something was heard.
func (s *standIn) heardFor() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	for _, p := range s.jobs {
		heard += time.Since(p.begun)
	}
	return int(heard.Milliseconds())
}

// playing returns how many playbacks and recordings there are.
func (s *standIn) playing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs)
}

// asked returns how many requests there were that begin so.
func (s *standIn) asked(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}
