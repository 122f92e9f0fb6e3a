package service_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ivrqueue/examples/ivr/service"
)

// Anybody may post to the inbox: what he makes of it is bounded in number before it is looked at.
func TestTheInboxIsBoundedInNumber(t *testing.T) {
	t.Parallel()
	r := start(t)
	for count, want := range map[int]int{service.InboxMax: 202, service.InboxMax + 1: 400, 500_000: 400} {
		status, _ := r.do("POST", "/dev/inbox", "", `{"value":[`+strings.Repeat("0,", count-1)+`0]}`)
		if status != want {
			t.Errorf("%d notifications: got %d, want %d", count, status, want)
		}
	}
}

// A proxy on this machine says in one of many ways that it is one.
func TestTheMetricsAreNotForWhoComesThroughAProxy(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, header := range []string{
		"", "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP",
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		req.RemoteAddr = "127.0.0.1:4000"
		want := http.StatusOK
		if header != "" {
			req.Header.Set(header, "1.1 proxy")
			want = http.StatusNotFound
		}
		w := httptest.NewRecorder()
		r.service.ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("%q: got %d, want %d", header, w.Code, want)
		}
	}
}

// A bot that wants no audio would wait for ever to be heard.
func TestACallWithoutAudioIsRefused(t *testing.T) {
	t.Parallel()
	r, p := ringing(t)
	path := "/v1.0/communications/calls/" + p.id
	if status, _ := r.do("POST", path+"/answer", "bot", `{"acceptedModalities":["video"]}`); status != 400 {
		t.Errorf("an answer with video alone: got %d, want 400", status)
	}
	r.must(202, "POST", path+"/answer", "bot", `{"acceptedModalities":["video","audio"]}`)
	status, _ := r.do("POST", "/v1.0/communications/calls", "bot",
		`{"callbackUri":"`+r.callback+`","requestedModalities":["video"]}`)
	if status != 400 {
		t.Errorf("a call with video alone: got %d, want 400", status)
	}
}
