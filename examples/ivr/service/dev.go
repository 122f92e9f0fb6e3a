package service

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/media"
	"ivrqueue/tone"
)

// The helpers below /dev play the caller. They need a token of the call's application.

// ofCall makes a handler of one that is about a call: 401 without a good token, 404 without a call
// that is the application's.
func (s *Service) ofCall(f func(http.ResponseWriter, *http.Request, *call)) http.HandlerFunc {
	return s.of(func(w http.ResponseWriter, r *http.Request, app graph.Application) {
		id, err := uuid.Parse(r.PathValue("id"))
		c := s.find(id)
		if err != nil || c == nil || c.owner != app.ID {
			graph.WriteError(w, r, http.StatusNotFound, "8522", "Call not found.")
			return
		}
		f(w, r, c)
	})
}

// of makes a handler of one that needs a token.
func (s *Service) of(
	f func(http.ResponseWriter, *http.Request, graph.Application),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if app, ok := s.admit(w, r, "Bearer"); ok {
			f(w, r, app)
		}
	}
}

// pressKeys has the caller press keys, as in {"tones":"12#"}: all of them, or none if one is no
// key.
func (*Service) pressKeys(w http.ResponseWriter, r *http.Request, c *call) {
	var body struct {
		Tones *string `json:"tones"`
	}
	if wrong := readBody(w, r, &body); wrong != "" || body.Tones == nil {
		refuse(w, r, wrong+`The body must be as in {"tones":"12#"}.`)
		return
	}
	var keys []tone.Tone
	for _, char := range *body.Tones {
		key, err := tone.FromChar(char)
		if err != nil || strings.ContainsRune("abcd", char) {
			refuse(w, r, "tones has a character that is no key, must be of 0123456789*#ABCD!.")
			return
		}
		keys = append(keys, key)
	}
	for _, key := range keys {
		if _, err := c.tones.Publish(key); err != nil { // the call has ended meanwhile
			graph.WriteError(w, r, http.StatusNotFound, "8522", "Call not found.")
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// heard sends what the caller has heard until now, as a WAV file.
func (*Service) heard(w http.ResponseWriter, r *http.Request, c *call) {
	sendKept(w, r, c, func(heard, _ []int16) []int16 { return heard })
}

// said sends what the caller has said until now, as a WAV file as long as that of what was heard.
func (*Service) said(w http.ResponseWriter, r *http.Request, c *call) {
	sendKept(w, r, c, func(_, said []int16) []int16 { return said })
}

// sendKept sends one of the two directions of a call, if they are kept.
func sendKept(
	w http.ResponseWriter, r *http.Request, c *call, of func(heard, said []int16) []int16,
) {
	if c.phone == nil {
		graph.WriteError(w, r, http.StatusNotFound, "itemNotFound",
			"What a telephone has heard and said is not kept.")
		return
	}
	if !c.listened {
		graph.WriteError(w, r, http.StatusServiceUnavailable, "ServiceUnavailable", fmt.Sprintf(
			"What is heard is kept of %d calls at once, and there were as many before.", HeardCalls))
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	_ = media.EncodeWAV(w, of(c.phone.Until(time.Now()))) // a client that is gone misses it
}

// callerHangsUp ends the call as the caller would.
func (*Service) callerHangsUp(w http.ResponseWriter, _ *http.Request, c *call) {
	c.end(nil, graph.ConversationEnded())
	w.WriteHeader(http.StatusNoContent)
}
