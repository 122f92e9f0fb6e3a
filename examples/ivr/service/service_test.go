package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/webhook"
)

// The bot gets a call's states as they come, and may ask for media from the first established on.
func TestACallGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	slow := start(t, func(o *service.Options) { o.Establish = time.Hour })
	if status, body := slow.do("POST", "/v1.0/communications/calls/"+slow.call().id+"/playPrompt", "bot", playBody("file:a.wav", false)); status != 409 {
		t.Errorf("before established: got %d: %s", status, body)
	}
	r := start(t, func(o *service.Options) {
		o.Establish, o.Audio = service.DefaultEstablish, service.DefaultAudio
		r := sine(400, 100*time.Millisecond)
		o.Caller = r
	})
	r.file("a.wav", sine(400, 100*time.Millisecond))
	began := time.Now()
	a := r.must(201, "POST", "/v1.0/communications/calls", "bot", createBody(r.callback))
	if a["state"] != "establishing" {
		t.Errorf("created: got %v", a["state"])
	}
	id, _ := a["id"].(string)
	p := &phone{r, id}
	r.wait("established", func(res any) bool { return at(res, "state") == "established" })
	op := p.play("file:a.wav", false)
	r.wait("active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	if took := time.Since(began); took < service.DefaultEstablish+service.DefaultAudio {
		t.Errorf("active after %v", took)
	}
	r.wantEnd(op, 200, 0)
	p.must(204, "DELETE", "/v1.0/communications/calls/"+id, "bot", "")
	r.wait("terminated", func(res any) bool { return at(res, "state") == "terminated" })
	states, _ := r.notified()
	if want := []string{"establishing", "established", "established active", "terminating active", "terminated"}; !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
}

// Who may do what, below /dev too; what is not for everyone is not there without Dev.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) { o.Tokens["poor"] = service.Application("poor") })
	p := r.call()
	dev := "/dev/calls/" + p.id
	for _, test := range []struct {
		method, path, token, body string
		want                      int
	}{
		{"POST", "/v1.0/communications/calls", "", "", 401},
		{"POST", "/v1.0/communications/calls", "nobody", "", 401},
		{"POST", "/v1.0/communications/calls", "poor", createBody(r.callback), 403},
		{"POST", "/v1.0/communications/calls", "bot", createBody("http://192.168.0.1/"), 400},
		{"GET", "/v1.0/communications/calls/" + p.id, "other", "", 404},
		{"GET", "/v1.0/communications/calls/" + p.id, "bot", "", 200},
		{"POST", dev + "/tones", "", `{"tones":"1"}`, 401},
		{"POST", dev + "/tones", "other", `{"tones":"1"}`, 404},
		{"POST", "/dev/calls/57dab8b1-894c-409a-b240-bd8beae78896/tones", "bot", `{"tones":"1"}`, 404},
		{"POST", "/dev/calls/x/tones", "bot", `{"tones":"1"}`, 404},
		{"POST", dev + "/tones", "bot", `{"tones":"1e"}`, 400},
		{"POST", dev + "/tones", "bot", `{"tones":"1a"}`, 400},
		{"POST", dev + "/tones", "bot", `{"tones":7}`, 400},
		{"POST", dev + "/tones", "bot", `{}`, 400},
		{"POST", dev + "/tones", "bot", ``, 400},
		{"POST", dev + "/tones", "bot", `{"tones":""} and more`, 400},
		{"POST", dev + "/tones", "bot", "{\"tones\":\"\",\"x\":\"\xff\"}", 400},
		{"POST", dev + "/tones", "bot", "\xef\xbb\xbf{\"tones\":\"\"}", 204},
		{"POST", dev + "/tones", "bot", `{"tones":"1e","tones":""}`, 204},
		{"POST", dev + "/tones", "bot", `{"tones":"` + strings.Repeat("1", 70_000) + `"}`, 400},
		{"POST", dev + "/tones", "bot", `{"tones":""}`, 204},
		{"GET", dev + "/heard.wav", "other", "", 404},
		{"GET", dev + "/heard.wav", "bot", "", 200},
		{"GET", dev + "/said.wav", "other", "", 404},
		{"GET", dev + "/said.wav", "bot", "", 200},
		{"DELETE", dev, "other", "", 404},
		{"GET", "/dev/inbox", "", "", 401},
		{"POST", "/dev/inbox", "", "nonsense", 400},
		{"GET", "/recordings/57dab8b1-894c-409a-b240-bd8beae78896", "bot", "", 401},
		{"GET", "/recordings/x", "bot", "", 401},
		{"GET", "/healthz", "", "", 204},
		{"GET", "/elsewhere", "bot", "", 404},
		{"GET", "/v1.0/communications/calls/" + p.id, " bot", "", 200}, // a space more
		{"GET", "/v1.0/communications/calls/" + p.id, "bot bot", "", 401},
	} {
		status, body := r.do(test.method, test.path, test.token, test.body)
		if status != test.want {
			t.Errorf("%s %s as %q: got %d, want %d: %s", test.method, test.path, test.token, status, test.want, body)
		}
		if status >= 400 { // an error has Graph's form, whoever answers
			var o object
			_ = json.Unmarshal(body, &o)
			for _, path := range [][]string{{"code"}, {"message"}, {"innerError", "date"}, {"innerError", "request-id"}, {"innerError", "client-request-id"}} {
				if at(o, append([]string{"error"}, path...)...) == nil {
					t.Errorf("%s %s: no %v in %s", test.method, test.path, path, body)
				}
			}
		}
	}
	p.act("subscribeToTone", `{}`)
	p.press("0123456789*#ABCD!")
	r.wait("flash", func(res any) bool { return at(res, "toneInfo", "tone") == "flash" })
	if _, tones := r.notified(); len(tones) != 17 {
		t.Errorf("got %d tones, want 17: none of the refused ones", len(tones))
	}
	if logs := r.logs.String(); strings.Contains(logs, "pound") || strings.Contains(logs, "tone1") {
		t.Errorf("a key is in the log:\n%s", logs)
	}

	closed := start(t, func(o *service.Options) { o.Dev = false })
	for _, path := range []string{"/dev/inbox", "/dev/calls/" + p.id + "/heard.wav"} {
		if status, _ := closed.do("GET", path, "bot", ""); status != 404 {
			t.Errorf("%s without Dev: got %d", path, status)
		}
	}
	for _, uri := range []string{"http://localhost/", "https://127.0.0.1/", closed.callback} {
		if status, _ := closed.do("POST", "/v1.0/communications/calls", "bot", createBody(uri)); status != 400 {
			t.Errorf("callback %s without Dev: got %d", uri, status)
		}
	}
}

// The inbox is a callback for those who have none; each application sees its own.
func TestTheInboxTakesNotifications(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.callback = r.url + "/dev/inbox"
	r.call()
	read := func(token string) []any {
		all, _ := r.must(200, "GET", "/dev/inbox", token, "")["value"].([]any)
		return all
	}
	until(t, "the inbox has 3 notifications", func() bool { return len(read("bot")) == 3 })
	if got := len(read("other")); got != 0 {
		t.Errorf("another application sees %d of them", got)
	}
	forged := `{"value":[{"resourceUrl":"/communications/calls/00000000000000000000000000000000"},{}]}`
	r.must(202, "POST", "/dev/inbox", "", forged)
	for range service.InboxMax {
		r.must(202, "POST", "/dev/inbox", "", `{"value":[{"resourceUrl":"/communications/calls/`+r.call().id+`"}]}`)
	}
	if got := len(read("bot")); got != service.InboxMax {
		t.Errorf("%d notifications are kept, want %d", got, service.InboxMax)
	}
}

// A shutdown ends the calls, notifies their bots why, and takes no new ones; dead callbacks do not
// keep it longer than it has time.
func TestAShutdownEndsTheCallsAndNotifiesTheirBots(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.file("a.wav", sine(400, time.Second))
	hang := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-hang:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(dead.Close)
	t.Cleanup(func() { close(hang) })

	p := r.call()
	op := p.play("file:a.wav", true)
	alive := r.callback
	r.callback = dead.URL
	r.call()
	r.callback = alive
	ctx, timeIsOver := context.WithCancel(t.Context())
	defer timeIsOver()
	over := make(chan error, 1)
	go func() { over <- r.service.Shutdown(ctx) }()
	r.wantEnd(op, 500, 8572)
	end := r.wait("terminated", func(res any) bool { return at(res, "state") == "terminated" })
	if at(end, "resultInfo", "subcode") != 8572.0 {
		t.Errorf("got %v", end["resultInfo"])
	}
	began := time.Now()
	timeIsOver()
	if err := <-over; !errors.Is(err, context.Canceled) || time.Since(began) > attempt {
		t.Errorf("got %v, %v after its time", err, time.Since(began))
	}
	if status, _ := r.do("POST", "/v1.0/communications/calls", "bot", createBody(r.callback)); status != 503 {
		t.Errorf("a call after the end: got %d, want 503", status)
	}
	if r.service.Shutdown(t.Context()) == nil {
		t.Error("a second shutdown is no error")
	}
}

// A service that drains keeps its calls until they end, and no longer than it has time. They go on as
// ever: one in which nothing plays is no call that has ended.
func TestDrainingWaitsForTheCalls(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.file("a.wav", sine(400, 100*time.Millisecond))
	p, stays := r.call(), r.call()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		r.service.Drain(t.Context())
	}()
	for range 2 { // the second one begins when nothing plays
		r.wantEnd(p.play("file:a.wav", false), 200, 0)
	}
	p.must(204, "DELETE", "/v1.0/communications/calls/"+p.id, "bot", "")
	select {
	case <-drained:
		t.Error("it has not waited for the other call")
	default:
	}
	stays.must(204, "DELETE", "/v1.0/communications/calls/"+stays.id, "bot", "")
	<-drained

	r.call()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r.service.Drain(ctx)
	if ctx.Err() == nil {
		t.Error("it has not waited for the call")
	}
}

// Calls that are created while the service is shut down are refused or ended, none is left.
func TestCreationAndShutdownRacing(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := start(t)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					if status, body := r.do("POST", "/v1.0/communications/calls", "bot", createBody(r.callback)); status != 201 && status != 503 {
						t.Errorf("got %d: %s", status, body)
					}
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		if err := r.service.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		all.Wait()
		cancel()
	}
}

func TestOptionsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*service.Options){
		"Folder is empty":          func(o *service.Options) { o.Folder = "" },
		"PromptBytes is -1":        func(o *service.Options) { o.PromptBytes = -1 },
		"RecordingBytes is -1":     func(o *service.Options) { o.RecordingBytes = -1 },
		"Audio is -1ns":            func(o *service.Options) { o.Audio = -1 },
		"must be both or neither":  func(o *service.Options) { o.Issuer = "https://x" },
		"loader: open":             func(o *service.Options) { o.Prompts = "nowhere" },
		"WithMaxConnections(1)":    func(o *service.Options) { o.Notifier = []webhook.Option{webhook.WithMaxConnections(1)} },
		"issuer http://127.0.0.1:": func(o *service.Options) { o.Issuer, o.Audience = "http://127.0.0.1:1", "x" },
	} {
		o := service.Options{Folder: t.TempDir()}
		change(&o)
		if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
