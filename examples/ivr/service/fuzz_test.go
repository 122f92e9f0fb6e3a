package service_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/internal/bounds"
)

// Whatever is posted to the helpers below /dev, it is taken or refused, and to read it is bounded in
// memory and time.
func FuzzDevBodies(f *testing.F) {
	r := start(f, func(o *service.Options) { o.Logger = slog.New(slog.DiscardHandler) })
	id := r.call().id
	// Its bot has all notifications by then: the figures are the whole process's.
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	f.Add([]byte(`{"tones":"12#"}`))
	f.Add([]byte(`{"tones":null}`))
	f.Add([]byte(`{"value":[{"resourceUrl":"/communications/calls/` + id + `"},7,null]}`))
	f.Add([]byte(`{"value":{}}`))
	f.Add(bytes.Repeat([]byte(`[`), 20_000))
	f.Fuzz(func(t *testing.T, body []byte) {
		for path, taken := range map[string]int{
			"/dev/inbox": http.StatusAccepted, "/dev/calls/" + id + "/tones": http.StatusNoContent,
		} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
			req.Header.Set("Authorization", "Bearer bot")
			w := httptest.NewRecorder()
			got, took := bounds.Measure(func() {
				r.service.ServeHTTP(w, req)
			})
			if got > uint64(256<<10+50*len(body)) || took > 5*time.Second {
				t.Errorf("%s: %d bytes and %v for %d bytes", path, got, took, len(body))
			}
			if w.Code != taken && w.Code != http.StatusBadRequest {
				text, _ := io.ReadAll(w.Body)
				t.Errorf("%s: answered %d: %s", path, w.Code, text)
			}
		}
	})
}
