package graph_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/queue"
)

// fuzz sends bodies to an action, plain and as gzip, and checks what must hold whatever they are:
// no panic, no 500, an envelope for every error, and an operation exactly if it is said to be one.
func fuzz(f *testing.F, action string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.request.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
		f.Add(zipped(string(body)), true)
	}
	for _, s := range []string{
		"", "null", "{}", `{"prompts":[null]}`, `{"prompts":[{"mediaInfo":{"uri":"x"}}],"loop":true}`, `{"stopTones":["!"]}`,
		`{"callbackUri":"https://[::1]/"}`, `{"callbackUri":"https://x/","mediaConfig":{"@odata.type":null}}`, `{"targets":[{"a":1e999}]}`,
		strings.Repeat("[", 100), "{\"clientContext\":\"\xff\"}", `{"clientContext":"\ud800"}`, `{"maxRecordDurationInSeconds":1e1}`,
	} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, gzip bool) {
		p := newPlatform(t, new(inbox).Deliver)
		bot, call := p.direct(), p.attach("bot", "https://bot.contoso.com/", queue.WithMaxPending(1))
		path, want := "/communications/calls/"+call.ID().String()+"/"+action, http.StatusOK
		if action == "" {
			path, want = "/communications/calls", http.StatusCreated
		}
		var header []string
		if gzip {
			header = []string{"Content-Encoding", "gzip"}
		}
		r := bot.request(http.MethodPost, path, body, header...)
		switch r.status {
		case want:
			if _, err := uuid.Parse(r.text("id")); err != nil || !strings.HasSuffix(r.header.Get("Location"), r.text("id")) {
				t.Errorf("no resource: %s, %v", show(r.body), r.header)
			}
		case 400, 413:
			envelope(t, r)
			if s := call.Queue().Snapshot(); s.Running != nil || len(p.calls) > 1 || len(list(t, bot, call)) > 0 {
				t.Errorf("half accepted: %+v", s)
			}
		default:
			t.Errorf("got %d: %s", r.status, show(r.body))
		}
	})
}

func FuzzPlayPrompt(f *testing.F)            { fuzz(f, "playPrompt") }
func FuzzRecordResponse(f *testing.F)        { fuzz(f, "recordResponse") }
func FuzzCancelMediaProcessing(f *testing.F) { fuzz(f, "cancelMediaProcessing") }
func FuzzSubscribeToTone(f *testing.F)       { fuzz(f, "subscribeToTone") }
func FuzzCreateCall(f *testing.F)            { fuzz(f, "") }

// FuzzPath asks for anything anywhere.
func FuzzPath(f *testing.F) {
	p := newPlatform(f, func(context.Context, graph.Delivery) error { return nil })
	bot, call := p.direct(), p.attach("bot", "")
	for _, s := range []string{
		"/communications/calls", "/app/calls/%s", "/beta/communications/calls/%s/operations/%s", "/communications/calls/%s/microsoft.graph.",
		"//communications//calls", "/communications/calls/%2e%2e/x", "/communications/calls/%s/operations/%s/..",
	} {
		f.Add("GET", strings.ReplaceAll(s, "%s", call.ID().String()))
		f.Add("POST", strings.ReplaceAll(s, "%s", call.ID().String()))
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://media.example/", nil)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.Path = path
		r.Header.Set("Authorization", "Bearer bot")
		w, err := bot.do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		if w.StatusCode >= 500 || w.StatusCode/100 == 3 {
			t.Errorf("%s %q: got %d", method, path, w.StatusCode)
		}
	})
}
