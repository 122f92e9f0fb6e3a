package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
)

// takesCalls has the bot's calls announced to the rig.
func takesCalls(callback string) func(*service.Options) {
	return func(o *service.Options) { o.Bots = map[string]string{"bot": callback} }
}

// ringing starts a service whose bot takes calls at an address of its own, and has a caller ring.
func ringing(t *testing.T, change ...func(*service.Options)) (*rig, *phone) {
	t.Helper()
	announced := new(relay)
	url := announced.serve(t)
	r := start(t, append(change, takesCalls(url))...)
	announced.to.Store(r)
	a := r.must(201, "POST", "/dev/calls", "bot", `{"from":"+15550199"}`)
	id, _ := a["id"].(string)
	r.wait("comes in", func(res any) bool { return at(res, "state") == "incoming" && at(res, "id") == id })
	return r, &phone{r, id}
}

// A caller rings, the bot answers, plays and sends tones, and the caller hangs up.
func TestABotTakesACall(t *testing.T) {
	t.Parallel()
	r, p := ringing(t)
	in := r.wait("comes in", func(res any) bool { return at(res, "state") == "incoming" })
	if at(in, "direction") != "incoming" || at(in, "source", "identity", "phone", "id") != "+15550199" {
		t.Errorf("got %v", in)
	}
	path := "/v1.0/communications/calls/" + p.id
	if status, _ := r.do("POST", path+"/playPrompt", "bot", `{"prompts":[{"mediaInfo":{"uri":"embedded:x.wav"}}]}`); status != 409 {
		t.Errorf("a play before the answer: got %d", status)
	}
	r.must(202, "POST", path+"/answer", "bot", `{"callbackUri":"`+r.callback+`","acceptedModalities":["audio"],
		"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig"}}`)
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	if status, _ := r.do("POST", path+"/answer", "bot", `{}`); status != 409 {
		t.Errorf("a second answer: got %d", status)
	}
	people := r.must(200, "GET", path+"/participants", "bot", "")
	if all, _ := people["value"].([]any); len(all) != 2 || at(all[1], "info", "identity", "phone", "id") != "+15550199" {
		t.Errorf("got %v", people)
	}
	r.must(200, "POST", path+"/updateRecordingStatus", "bot", `{"status":"recording"}`)
	r.must(200, "POST", path+"/mute", "bot", `{}`)
	silent := p.act("sendDtmfTones", `{"tones":["tone1"]}`)
	r.ended(silent)
	_, before := r.do("GET", "/dev/calls/"+p.id+"/heard.wav", "bot", "")
	r.must(200, "POST", path+"/unmute", "bot", `{}`)
	heard := p.act("sendDtmfTones", `{"tones":["tone1","pound"]}`)
	if got := r.ended(heard); got["status"] != "completed" || got["completionReason"] != "completedSuccessfully" {
		t.Errorf("got %v", got)
	}
	_, after := r.do("GET", "/dev/calls/"+p.id+"/heard.wav", "bot", "")
	const header = 44
	if len(bytes.Trim(before[min(header, len(before)):], "\x00")) > 0 || len(bytes.Trim(after[min(header, len(after)):], "\x00")) == 0 {
		t.Errorf("heard %d bytes while muted, %d after that", len(before), len(after))
	}
	for _, action := range []string{"transfer", "redirect"} {
		if status, _ := r.do("POST", path+"/"+action, "bot", `{}`); status != 501 {
			t.Errorf("%s: got %d", action, status)
		}
	}
	r.must(204, "DELETE", "/dev/calls/"+p.id, "bot", "")
	r.wait("is over", func(res any) bool { return at(res, "state") == "terminated" })
}

// held is a log that stands still at a message until it is released.
type held struct {
	slog.Handler

	message string
	until   chan struct{}
}

func (h held) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == h.message {
		<-h.until
	}
	return h.Handler.Handle(ctx, r)
}

func (h held) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

// A bot answers a call, and hangs it up, before the service is through with the beginning of it.
func TestABotIsFasterThanTheService(t *testing.T) {
	t.Parallel()
	announced := new(relay)
	until := make(chan struct{})
	r := start(t, takesCalls(announced.serve(t)), func(o *service.Options) {
		o.Logger = slog.New(held{o.Logger.Handler(), "call created", until})
	})
	goOn := sync.OnceFunc(func() { close(until) })
	t.Cleanup(goOn)
	announced.to.Store(r)
	rang := make(chan int, 1)
	go func() {
		status, _ := r.do("POST", "/dev/calls", "bot", "")
		rang <- status
	}()
	in := r.wait("comes in", func(res any) bool { return at(res, "state") == "incoming" })
	id, _ := in["id"].(string)
	p := &phone{r, id}
	r.must(202, "POST", p.path()+"/answer", "bot", answerBody(r.callback))
	r.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	r.must(204, "DELETE", p.path(), "bot", "")
	r.wantResult(200, 5001)
	goOn()
	if status := <-rang; status != 201 {
		t.Errorf("the caller's request: got %d", status)
	}
}

func TestABotRejectsACall(t *testing.T) {
	t.Parallel()
	r, p := ringing(t)
	r.must(202, "POST", "/v1.0/communications/calls/"+p.id+"/reject", "bot", `{"reason":"busy"}`)
	over := r.wait("is over", func(res any) bool { return at(res, "state") == "terminated" })
	if at(over, "resultInfo", "subcode") != float64(10550) {
		t.Errorf("got %v", over)
	}
	r.logs.wait(t, "queue closed")
	if status, _ := r.do("POST", "/dev/calls/"+p.id+"/tones", "bot", `{"tones":"1"}`); status != 404 {
		t.Errorf("the caller is still there: got %d", status)
	}
}

func TestACallerHangsUpBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	r, p := ringing(t)
	r.must(204, "DELETE", "/dev/calls/"+p.id, "bot", "")
	r.wait("is over", func(res any) bool { return at(res, "state") == "terminated" })
	if status, _ := r.do("POST", "/v1.0/communications/calls/"+p.id+"/answer", "bot", `{}`); status != 404 {
		t.Errorf("got %d", status)
	}
}

// A call that nobody answers leaves nothing behind.
func TestACallThatIsNotAnsweredEnds(t *testing.T) {
	t.Parallel()
	r, p := ringing(t, func(o *service.Options) { o.Graph = append(o.Graph, graph.WithAnswerTimeout(50*time.Millisecond)) })
	over := r.wait("is over", func(res any) bool { return at(res, "state") == "terminated" })
	if at(over, "resultInfo", "code") != float64(408) {
		t.Errorf("got %v", over)
	}
	r.logs.wait(t, "queue closed") // the service may be through with it before it is to end it
	if status, _ := r.do("DELETE", "/dev/calls/"+p.id, "bot", ""); status != 404 {
		t.Errorf("the caller is still there: got %d", status)
	}
}

func TestRingingIsChecked(t *testing.T) {
	t.Parallel()
	r := start(t, takesCalls("http://127.0.0.1:1/"))
	for _, test := range []struct {
		token, body string
		want        int
	}{
		{"", `{}`, 401},
		{"other", `{}`, 404},
		{"bot", `{"from":""}`, 400},
		{"bot", `{"from":7}`, 400},
		{"bot", `[`, 400},
		{"bot", `{"from":"+1"} and more`, 400},
		{"bot", "{\"from\":\"Zo\xeb\"}", 400},
		{"bot", `{"from":"\ud83d"}`, 400},
		{"bot", `{"from":"+1","from":7}`, 400},
		{"bot", `{"from":"` + strings.Repeat("5", 257) + `"}`, 400},
	} {
		if status, body := r.do("POST", "/dev/calls", test.token, test.body); status != test.want {
			t.Errorf("%s %.40s: got %d: %s", test.token, test.body, status, body)
		}
	}
	for _, bad := range []string{"", "http://8.8.8.8/", "https://10.0.0.1/"} {
		o := service.Options{Folder: t.TempDir(), Bots: map[string]string{"demo": bad}}
		if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), `Bots["demo"]`) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// relay is an address that is there before the rig that its requests are for.
type relay struct{ to atomic.Pointer[rig] }

func (r *relay) serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.to.Load().ServeHTTP(w, req) }))
	t.Cleanup(s.Close)
	return s.URL
}
