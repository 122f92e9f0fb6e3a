package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/graph"
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
			refuse(w, http.StatusNotFound, "8522", "Call not found.")
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
		app, err := s.authority.authenticate(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken",
				"Access token is missing or wrong.")
			return
		}
		f(w, r, app)
	}
}

// pressKeys has the caller press keys, as in {"tones":"12#"}: all of them, or none if one is no
// key.
func (*Service) pressKeys(w http.ResponseWriter, r *http.Request, c *call) {
	var body struct {
		Tones *string `json:"tones"`
	}
	const most = 64 << 10
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(&body); err != nil ||
		body.Tones == nil {
		refuse(w, http.StatusBadRequest, "BadRequest", `The body must be as in {"tones":"12#"}.`)
		return
	}
	var keys []tone.Tone
	for _, char := range *body.Tones {
		key, err := tone.FromChar(char)
		if err != nil || strings.ContainsRune("abcd", char) {
			refuse(w, http.StatusBadRequest, "BadRequest",
				"tones has a character that is no key, must be of 0123456789*#ABCD!.")
			return
		}
		keys = append(keys, key)
	}
	for _, key := range keys {
		if _, err := c.tones.Publish(key); err != nil { // the call has ended meanwhile
			refuse(w, http.StatusNotFound, "8522", "Call not found.")
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// heard sends what the caller has heard so far, as a WAV file.
func (*Service) heard(w http.ResponseWriter, _ *http.Request, c *call) {
	if !c.listened {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", fmt.Sprintf(
			"What is heard is kept of %d calls at once, and there were as many before.", HeardCalls))
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	_ = softmedia.EncodeWAV(w, c.phone.Heard()) // a client that is gone misses it
}

// callerHangsUp ends the call as the caller would.
func (*Service) callerHangsUp(w http.ResponseWriter, _ *http.Request, c *call) {
	c.end(nil, graph.ConversationEnded())
	w.WriteHeader(http.StatusNoContent)
}
