package service_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/media"
)

// What the inbox keeps is bounded in bytes too: notifications of a megabyte push out older ones.
func TestTheInboxIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	r := start(t)
	id := r.call().id
	for range 10 {
		r.must(202, "POST", "/dev/inbox", "", `{"value":[{"resourceUrl":"/communications/calls/`+id+`","x":"`+strings.Repeat("x", 900_000)+`"}]}`)
	}
	if _, data := r.do("GET", "/dev/inbox", "bot", ""); len(data) > service.InboxBytes+1000 || len(data) < service.InboxBytes/2 {
		t.Errorf("%d bytes are kept, want at most %d", len(data), service.InboxBytes)
	}
}

// What is heard is kept of some calls at once, and of others again when those have ended.
func TestWhatIsHeardIsKeptOfSomeCalls(t *testing.T) {
	t.Parallel()
	r := start(t)
	var calls []*phone
	for range service.HeardCalls {
		calls = append(calls, r.call())
	}
	heard := func(p *phone) int {
		status, _ := r.do("GET", "/dev/calls/"+p.id+"/heard.wav", "bot", "")
		return status
	}
	if got := heard(calls[len(calls)-1]); got != http.StatusOK {
		t.Errorf("the last one: got %d", got)
	}
	if got := heard(r.call()); got != http.StatusServiceUnavailable {
		t.Errorf("one more: got %d", got)
	}
	calls[0].must(204, "DELETE", "/dev/calls/"+calls[0].id, "bot", "")
	r.logs.wait(t, "queue closed")
	if got := heard(r.call()); got != http.StatusOK {
		t.Errorf("after one has ended: got %d", got)
	}
}

// The recordings of an application that are kept are bounded in bytes: the oldest make room, and
// another application's stay.
func TestRecordingsAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) {
		o.Caller, o.RecordingBytes = sine(300, 10*time.Second), media.WAVSize(2*time.Second)
	})
	record := func(token string) (location, access string) {
		a := r.must(201, "POST", "/v1.0/communications/calls", token, createBody(r.callback))
		call, _ := a["id"].(string)
		a = r.must(200, "POST", "/v1.0/communications/calls/"+call+"/recordResponse", token, `{"playBeep":false,"maxRecordDurationInSeconds":1}`)
		op, _ := a["id"].(string)
		got := r.wantEnd(op, 200, 8515)
		location, _ = got["recordingLocation"].(string)
		access, _ = got["recordingAccessToken"].(string)
		return location, access
	}
	want := func(what, location, access string, status int) {
		t.Helper()
		if got, _ := r.do("GET", location, access, ""); got != status {
			t.Errorf("%s: got %d, want %d", what, got, status)
		}
	}
	others, token := record("other")
	var locations, tokens []string
	for range 3 {
		location, access := record("bot")
		locations, tokens = append(locations, location), append(tokens, access)
	}
	want("another's", others, token, 200)
	want("the oldest", locations[0], tokens[0], 401)
	want("the last", locations[2], tokens[2], 200)
	if left, err := os.ReadDir(r.folder); err != nil || len(left) != 2 && len(left) != 3 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
