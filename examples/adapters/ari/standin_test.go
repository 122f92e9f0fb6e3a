package ari_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// standIn is a server in the manner of ARI, on a loopback socket. What a playback does is in its
// media: "short" ends soon, "long" goes on until it is removed, "lost" ends soon and tells nobody,
// "mute" does not answer the removal with an event, "early" has ended before the answer to the
// request that starts it, "slow" answers late, "broken" fails, and anything else is not found.
type standIn struct {
	*httptest.Server

	release chan struct{} // "early" answers when it is closed
	down    chan struct{}
	begun   chan string // each playback's media

	mu        sync.Mutex // guards the block below
	playbacks map[string]*playback
	listener  chan []byte
	heard     time.Duration // of the playbacks that have ended
	hung      bool
	turns     []turn   // of the requests that came meanwhile
	untold    [][]byte // events
}

type playback struct {
	channel, media string
	begun          time.Time
	timer          *time.Timer
}

// turn is when a request that was held is done.
type turn struct{ begin, end chan struct{} }

const shortly = 20 * time.Millisecond

// newStandIn makes a server that the end of the test closes.
func newStandIn(t testing.TB) *standIn {
	t.Helper()
	s := &standIn{
		release: make(chan struct{}), down: make(chan struct{}),
		playbacks: map[string]*playback{},
		listener:  make(chan []byte, 100), begun: make(chan string, 100),
	} // more than a test makes
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /channels/{channel}/play/{id}", s.inTurn(s.play))
	mux.HandleFunc("DELETE /playbacks/{id}", s.inTurn(s.remove))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// events is the long-lived stream.
func (s *standIn) events(w http.ResponseWriter, r *http.Request) {
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for {
		select {
		case e := <-s.listener:
			_, _ = w.Write(append(e, '\n'))
			_ = flush()
		case <-s.down:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *standIn) play(w http.ResponseWriter, r *http.Request) {
	id, media := r.PathValue("id"), strings.TrimPrefix(r.FormValue("media"), "sound:")
	p := &playback{channel: r.PathValue("channel"), media: media, begun: time.Now()}
	s.mu.Lock()
	s.playbacks[id] = p
	s.begun <- media
	switch media {
	case "short", "lost":
		p.timer = time.AfterFunc(shortly, func() { s.end(id, "done") })
	case "long", "mute":
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
		delete(s.playbacks, id)
		s.mu.Unlock()
		http.Error(w, "no such media", http.StatusNotFound)
		return
	}
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

func (s *standIn) remove(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !s.end(id, "done") {
		http.Error(w, "no such playback", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// end ends a playback and tells it, unless its media is of the kind that does not.
func (s *standIn) end(id, state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.playbacks[id]
	if p == nil {
		return false
	}
	delete(s.playbacks, id)
	s.heard += time.Since(p.begun)
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.media == "lost" || p.media == "mute" {
		return true
	}
	e, _ := json.Marshal(map[string]any{"type": "PlaybackFinished", "playback": map[string]string{
		"id": id, "state": state, "target_uri": "channel:" + p.channel,
	}})
	if s.hung {
		s.untold = append(s.untold, e)
		return true
	}
	s.listener <- e
	return true
}

// stall has it take requests and do none, and tell no event, until release is called. What plays
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
	for _, e := range s.untold {
		s.listener <- e
	}
	turns := s.turns
	s.hung, s.untold, s.turns = false, nil, nil
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
	for _, p := range s.playbacks {
		heard += time.Since(p.begun)
	}
	return int(heard.Milliseconds())
}

// playing returns how many playbacks there are.
func (s *standIn) playing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.playbacks)
}
