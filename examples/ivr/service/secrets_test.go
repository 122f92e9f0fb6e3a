package service_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
)

// Secrets of a call, none of which may be in what its operators see.
const (
	secretPIN      = "7391582640"
	secretToken    = "token-of-the-bot-3f9a"
	secretContext  = "context-of-a-body-5c21"
	secretResource = "resource-of-a-body-88b0"
	secretPath     = "/callback-of-the-bot-d4e7"
)

// keyName is a tone as package tone, Graph, a log of a tone.Event, and the inspector would write it.
var keyName = regexp.MustCompile(`(?i)\btone(\d|star|pound|flash|[a-d])\b|\bdigits?=|"tone":`)

// listener is a callback that keeps what it gets, and turns the last state away for good.
type listener struct {
	mu             sync.Mutex
	authorizations []string
	bodies         []string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.authorizations = append(l.authorizations, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	l.bodies = append(l.bodies, string(body))
	if strings.Contains(string(body), "terminated") {
		w.WriteHeader(http.StatusGone)
	}
}

// notifications returns the text of all, and the secret tokens in them.
func (l *listener) notifications() (text string, tokens []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text = strings.Join(l.bodies, "\n")
	for _, m := range regexp.MustCompile(`"recordingAccessToken":"([^"]+)"`).FindAllStringSubmatch(text, -1) {
		tokens = append(tokens, m[1])
	}
	return text, append(tokens, l.authorizations...)
}

// In a call whose caller enters a PIN and is recorded, and whose bot can't be notified of its end, no
// span, metric or log line has a tone, a token, anything of a body, or the callback's address. Nor has
// the page that shows calls, but for what it shows to the bot's author: client contexts and numbers.
func TestNoSecretIsExported(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	bot := new(listener)
	callback := httptest.NewServer(bot)
	t.Cleanup(callback.Close)
	r := start(t, func(o *service.Options) {
		o.Tokens[secretToken] = service.Application("pin", graph.RoleInitiate)
		o.Address = "http://127.0.0.1:1" // so that notifications have tokens
		o.Tracers = provider
		o.Caller = sine(300, 10*time.Second)
	})
	r.file("music.wav", sine(440, time.Second))
	prompt := `{"@odata.type":"#microsoft.graph.mediaPrompt","mediaInfo":{"@odata.type":"#microsoft.graph.mediaInfo","uri":"file:music.wav","resourceId":"` + secretResource + `"}}`

	a := r.must(201, "POST", "/v1.0/communications/calls", secretToken, createBody(callback.URL+secretPath))
	id, _ := a["id"].(string)
	act := func(action, body string) {
		t.Helper()
		r.must(200, "POST", "/v1.0/communications/calls/"+id+"/"+action, secretToken, `{"clientContext":"`+secretContext+`"`+body+`}`)
	}
	act("subscribeToTone", "")
	act("playPrompt", `,"loop":true,"prompts":[`+prompt+`]`)
	r.must(204, "POST", "/dev/calls/"+id+"/tones", secretToken, `{"tones":"`+secretPIN+`#"}`)
	act("cancelMediaProcessing", "")
	act("recordResponse", `,"playBeep":false,"maxRecordDurationInSeconds":1`)
	until(t, "the recording was notified", func() bool {
		text, _ := bot.notifications()
		return strings.Contains(text, "recordingAccessToken\":\"")
	})
	r.must(204, "DELETE", "/v1.0/communications/calls/"+id, secretToken, "")
	r.logs.wait(t, "notifications given up")
	r.logs.wait(t, "queue closed")

	text, tokens := bot.notifications()
	if len(tokens) < 4 || !strings.Contains(text, `"tone7"`) || !strings.Contains(text, secretContext) {
		t.Fatalf("the call had too few secrets: %d tokens, %s", len(tokens), text)
	}
	author := page{r, secretToken}
	shown := author.follow("events?call=1", func(e object) bool { return at(e, "call", "why") == "callEnded" }) +
		author.follow("events", func(e object) bool { return e["calls"] != nil })
	for _, want := range []string{`"kind":"key"`, `"kind":"cancel"`, `"state":"givenUp"`, "music.wav", secretContext} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not show %s: %s", want, shown)
		}
	}
	visible := []string{secretContext, "+12345678901"} // on the page
	secrets := slices.Concat(tokens, visible, []string{secretPIN, secretToken, secretResource, secretPath, callback.URL})
	for name, text := range map[string]string{
		"a span": fmt.Sprintf("%+v", spans.GetSpans()), "a metric": r.metrics(), "a log line": r.logs.String(), "the page": shown,
	} {
		if len(text) < 1000 {
			t.Errorf("%s: there are but %d bytes to look at", name, len(text))
		}
		for _, secret := range secrets {
			if name == "the page" && slices.Contains(visible, secret) {
				continue
			}
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("%s has the secret %q", name, secret)
			}
		}
		if key := keyName.FindString(text); key != "" {
			t.Errorf("%s names a key: %q", name, key)
		}
	}
}

// The spans of operations are below those of the requests that made them, and what a client's cancel
// has ended leads to the client's request.
func TestSpansLeadToTheirRequests(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	r := start(t, func(o *service.Options) { o.Tracers = trace.NewTracerProvider(trace.WithSyncer(spans)) })
	r.file("music.wav", sine(440, time.Second))
	r.busyCall("a")
	r.logs.wait(t, "queue closed")
	const calls = "/communications/calls/{call}/"
	names := make(map[string]string) // by id
	until(t, "all parents have ended", func() bool {
		for _, s := range spans.GetSpans() {
			names[s.SpanContext.SpanID().String()] = s.Name
		}
		return !slices.ContainsFunc(spans.GetSpans(), func(s tracetest.SpanStub) bool {
			return s.Parent.IsValid() && names[s.Parent.SpanID().String()] == ""
		})
	})
	links := 0
	for _, s := range spans.GetSpans() {
		parent := names[s.Parent.SpanID().String()]
		switch {
		case s.Name == "playPrompt" && parent != "POST "+calls+"playprompt",
			s.Name == "cancelMediaProcessing" && parent != "POST "+calls+"cancelmediaprocessing":
			t.Errorf("%s is below %q", s.Name, parent)
		case s.Name == "playPrompt" && len(s.Links) > 0:
			links++
			if got := names[s.Links[0].SpanContext.SpanID().String()]; got != "cancelMediaProcessing" {
				t.Errorf("a play was ended by %q", got)
			}
		}
	}
	if links != 2 {
		t.Errorf("%d links, want 2", links)
	}
}
