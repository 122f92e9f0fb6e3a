package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// speak is a kind of the platform's own.
type speak struct {
	Text string `json:"text"`
	Rate int    `json:"rate"`
}

func (*speak) Kind() operation.Kind { return "speak" }

func (s *speak) Validate() error {
	if s.Text == "" {
		return &operation.FieldError{Field: "text", Value: "missing", Limit: "what is to be said"}
	}
	return nil
}

func speakOf(body []byte) (operation.Request, error) {
	s := new(speak)
	return s, json.Unmarshal(body, s)
}

// other is a request of a kind that is its value.
type other operation.Kind

func (o other) Kind() operation.Kind { return operation.Kind(o) }
func (other) Validate() error        { return nil }

func speaking() graph.KindSpec {
	return graph.KindSpec{
		Kind: "speak", Action: "speakText", Decode: speakOf, Type: "#contoso.media.speakOperation",
		Outcome: func(r operation.Result) any { return r.Value },
	}
}

// served returns the bot's client of a server that has a goroutine for each request.
func (p *platform) served() *client {
	c := p.direct()
	c.do = func(r *http.Request) (*http.Response, error) {
		done := make(chan struct{})
		recorded := httptest.NewRecorder()
		go func() {
			defer close(done)
			r.RequestURI = r.URL.RequestURI()
			p.handler.ServeHTTP(recorded, r)
		}()
		<-done
		return recorded.Result(), nil
	}
	return c
}

const speakBody = `{"clientContext":"s","text":"Hello."}`

// An action of a kind of the platform's own is as Graph's: in its path's forms, with its answer, in
// reads, in its notification; the outcome comes with its end.
func TestAKindOfThePlatformsOwnIsOnTheWire(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver, graph.WithKind(speaking()))
	bot, call := p.direct(), p.attach("bot", "")
	path := "/communications/calls/" + call.ID().String()
	r := bot.post(call, "speakText", speakBody).must(t, 200)
	for _, form := range []string{"/SPEAKTEXT", "/speaktext/", "/microsoft.graph.speakText"} {
		bot.request("POST", path+form, speakBody).must(t, 200)
	}
	for member, want := range map[string]string{
		"@odata.type": "#contoso.media.speakOperation", "status": "running", "clientContext": "s",
	} {
		if r.text(member) != want {
			t.Errorf("answer: %s is %q, want %q", member, r.text(member), want)
		}
	}
	task := call.waitStarted(t)
	if req, ok := task.Request().(*speak); !ok || req.Text != "Hello." {
		t.Errorf("request: got %#v", task.Request())
	}
	location := strings.TrimPrefix(r.header.Get("Location"), bot.base)
	if got := bot.request("GET", location, nil).must(t, 200); got.text("@odata.type") != r.text("@odata.type") || at(got.body, "outcome") != nil {
		t.Errorf("live: got %s", show(got.body))
	}
	task.End(operation.Result{Value: map[string]string{"said": "Hello."}})
	change := box.wait(t, 2)[1]
	if got := show(at(change, "resourceData", "outcome")); got != `{"said":"Hello."}` || at(change, "resourceData", "@odata.type") != r.text("@odata.type") || change["changeType"] != "deleted" {
		t.Errorf("notification: got %s", show(change))
	}
	got := bot.request("GET", location, nil).must(t, 200)
	if show(at(got.body, "outcome")) != `{"said":"Hello."}` || got.text("status") != "completed" || at(got.body, "resultInfo", "code") != 200.0 {
		t.Errorf("ended: got %s", show(got.body))
	}
	for body, says := range map[string]string{
		`{}`: "text is missing", `{"text":7}`: "text is number, must be a string", `{"text":"a","rate":{}}`: "rate is object",
		`{"text":"a","clientContext":7}`: "clientContext", `[]`: "object", `{"text":"a","clientContext":"` + strings.Repeat("x", 257) + `"}`: "clientContext",
	} {
		if r := bot.post(call, "speakText", body); r.status != 400 || !strings.Contains(r.text("error", "message"), says) {
			t.Errorf("%s: got %d, want %q: %s", body, r.status, says, show(r.body))
		}
	}
	if r := bot.request("GET", path+"/speakText", nil); r.status != 405 || r.header.Get("Allow") != "POST" {
		t.Errorf("GET: got %d, %q", r.status, r.header.Get("Allow"))
	}
	bot.post(call, "speakText", `{"text":"a","TEXT":"b"}`).must(t, 200)
	waiting := call.Queue().Snapshot().Waiting
	if last := waiting[len(waiting)-1].Request().(*speak); last.Text != "b" {
		t.Errorf("of members that come twice got %q", last.Text)
	}
	if err := call.SetState(graph.State{Call: graph.Redirecting}); err != nil {
		t.Fatal(err)
	}
	bot.post(call, "speakText", speakBody).must(t, 409)
}

// A kind without a type is shown as what all operations derive from; a registered reason with its
// code, subcode and message; a kind without an action has no path.
func TestAKindThatSaysNothingIsShownAsAllAre(t *testing.T) {
	t.Parallel()
	why, err := operation.RegisterReason(operation.ReasonSpec{
		Name: "graphTest.noVoice", Status: operation.Failed, Code: 500, Subcode: 99001, Message: "There is no such voice.",
	})
	if err != nil {
		t.Fatal(err)
	}
	box := new(inbox)
	p := newPlatform(t, box.Deliver, graph.WithKind(graph.KindSpec{
		Kind: "pause", Outcome: func(operation.Result) any { return 7 },
	}), graph.WithKind(graph.KindSpec{Kind: "speak", Action: "speak", Decode: speakOf}))
	bot, call := p.direct(), p.attach("bot", "")
	bot.post(call, "pause", `{}`).must(t, 404)
	if r := bot.post(call, "speak", speakBody).must(t, 200); r.text("@odata.type") != "#microsoft.graph.commsOperation" {
		t.Errorf("answer: got %s", show(r.body))
	}
	call.waitStarted(t).End(operation.Result{Reason: why, Value: "secret"})
	end := at(box.wait(t, 2)[1], "resourceData")
	if at(end, "resultInfo", "code") != 500.0 || at(end, "resultInfo", "subcode") != 99001.0 || at(end, "resultInfo", "message") != "There is no such voice." ||
		at(end, "status") != "failed" || at(end, "outcome") != nil || strings.Contains(show(end), "secret") {
		t.Errorf("notification: got %s", show(end))
	}
	if _, err := call.Queue().Enqueue(t.Context(), other("pause")); err != nil {
		t.Fatal(err)
	}
	call.Queue().CancelAll(queue.Because(why))
	end = at(box.wait(t, 3)[2], "resourceData")
	if at(end, "outcome") != 7.0 || at(end, "resultInfo", "subcode") != 99001.0 || at(end, "@odata.type") != "#microsoft.graph.commsOperation" {
		t.Errorf("of the platform's own: got %s", show(end))
	}
}

// A decoder of the platform's may do what it likes: the client has an answer, and the call goes on.
func TestADecodersFaultsStayInside(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	var decode func([]byte) (operation.Request, error)
	box := new(inbox)
	p := newPlatform(t, box.Deliver, graph.WithKind(graph.KindSpec{
		Kind: "speak", Action: "speak", Decode: func(b []byte) (operation.Request, error) { return decode(b) },
	}))
	bot, call := p.served(), p.attach("bot", "")
	box.wait(t, 1)
	for _, test := range []struct {
		name   string
		decode func([]byte) (operation.Request, error)
		status int
		says   string
	}{
		{"an error", func([]byte) (operation.Request, error) { return nil, errors.New(secret) }, 500, ""},
		{"a panic", func([]byte) (operation.Request, error) { panic(secret) }, 500, ""},
		{"an exit", func([]byte) (operation.Request, error) { runtime.Goexit(); return nil, nil }, 500, ""},
		{"nothing", func([]byte) (operation.Request, error) { return nil, nil }, 500, ""},
		{"nil of a type", func([]byte) (operation.Request, error) { return (*speak)(nil), nil }, 500, ""},
		{"another kind", func([]byte) (operation.Request, error) { return other(secret), nil }, 500, ""},
		{"a field", func([]byte) (operation.Request, error) {
			return nil, fmt.Errorf("%s: %w", secret, &operation.FieldError{Field: "voice", Value: `"x"`, Limit: "one of ours"})
		}, 400, `voice is "x", must be one of ours.`},
		{"a nil field", func([]byte) (operation.Request, error) { return nil, (*operation.FieldError)(nil) }, 500, ""},
		{"a type of nothing", func([]byte) (operation.Request, error) { return nil, &json.UnmarshalTypeError{Offset: 25} }, 500, ""},
		{"an error of its own", func([]byte) (operation.Request, error) {
			return nil, &graph.Error{Status: 422, Code: "voiceNotFound", Message: "No such voice."}
		}, 422, "No such voice."},
		{"unavailable", func([]byte) (operation.Request, error) {
			return nil, fmt.Errorf("%s: %w", secret, graph.ErrUnavailable)
		}, 503, ""},
	} {
		decode = test.decode
		r := bot.post(call, "speak", speakBody)
		envelope(t, r)
		if r.status != test.status || !strings.Contains(r.text("error", "message"), test.says) || strings.Contains(show(r.body), secret) {
			t.Errorf("%s: got %d, want %d, %q: %s", test.name, r.status, test.status, test.says, show(r.body))
		}
	}
	decode = speakOf
	bot.post(call, "speak", speakBody).must(t, 200)
	call.waitStarted(t).End(succeeded())
	box.wait(t, 2)
}

// What an outcome does wrong is left out, and the notification comes all the same.
func TestAnOutcomesFaultsStayInside(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	logged := new(logBook)
	p := newPlatform(t, box.Deliver, graph.WithLogger(slog.New(slog.NewTextHandler(logged, nil))), graph.WithKind(graph.KindSpec{
		Kind: "speak", Outcome: func(r operation.Result) any { return r.Value.(func() any)() },
	}))
	call := p.attach("bot", "")
	text := func(n int) func() any { return func() any { return strings.Repeat("x", n) } }
	tests := []struct {
		name    string
		outcome any
		shown   bool
	}{
		{"a panic", func() any { panic("x") }, false},
		{"an exit", func() any { runtime.Goexit(); return 1 }, false},
		{"another value", 7, false},
		{"no JSON", func() any { return make(chan int) }, false},
		{"invalid JSON", func() any { return json.RawMessage("{") }, false},
		{"text that is not UTF-8", func() any { return json.RawMessage("[\"\xff\"]") }, false},
		{"half a character", func() any { return json.RawMessage(`{"a":"\ud800"}`) }, false},
		{"a name that is not UTF-8", func() any { return json.RawMessage("{\"\xff\":1}") }, false},
		{"too long", text(graph.MaxOutcome - 1), false},
		{"as long as it may be", text(graph.MaxOutcome - 2), true},
		{"nil", func() any { return nil }, false},
	}
	for i, test := range tests {
		op, err := call.Queue().Enqueue(t.Context(), &speak{Text: test.name})
		if err != nil {
			t.Fatal(err)
		}
		task, err := call.media.WaitStarted(t.Context(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		task.End(operation.Result{Value: test.outcome})
		end := box.wait(t, 2+i)[1+i]
		if at(end, "resourceData", "id") != op.ID().String() || at(end, "resourceData", "outcome") != nil != test.shown {
			t.Errorf("%s: got %.300s", test.name, show(end))
		}
	}
	if n := strings.Count(logged.text(), "graph: outcome left out"); n != len(tests)-2 {
		t.Errorf("%d were logged: %s", n, logged.text())
	}
}

// logBook is what was logged.
type logBook struct {
	mu  sync.Mutex
	all []byte
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p...)
	return len(p), nil
}

func (l *logBook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.all)
}

func TestKindsAreChecked(t *testing.T) {
	t.Parallel()
	good := speaking()
	for _, test := range []struct {
		name   string
		change func(*graph.KindSpec)
		want   string
	}{
		{"no kind", func(k *graph.KindSpec) { k.Kind = "" }, "kind is empty"},
		{"a long kind", func(k *graph.KindSpec) { k.Kind = operation.Kind(noise(257)) }, "kind is 257 characters"},
		{"Graph's kind", func(k *graph.KindSpec) { k.Kind = operation.KindPlayPrompt }, `Kind is "playPrompt", must be none of Graph's`},
		{"the wire's kind", func(k *graph.KindSpec) { k.Kind = "subscribeToTone" }, "none of Graph's"},
		{"Graph's action", func(k *graph.KindSpec) { k.Action = "PLAYPROMPT" }, `Action is "PLAYPROMPT", must be none of the names that Graph has`},
		{"an old action", func(k *graph.KindSpec) { k.Action = "record" }, "none of the names"},
		{"a collection", func(k *graph.KindSpec) { k.Action = "Operations" }, "none of the names"},
		{"no decoder", func(k *graph.KindSpec) { k.Decode = nil }, "nil Decode"},
		{"no action", func(k *graph.KindSpec) { k.Action = "" }, "must have no Decode"},
		{"a segment", func(k *graph.KindSpec) { k.Action = "a/b" }, "letters, digits and underscores"},
		{"a pattern", func(k *graph.KindSpec) { k.Action = "{x...}" }, "letters, digits"},
		{"a namespace", func(k *graph.KindSpec) { k.Action = "microsoft.graph.x" }, "letters, digits"},
		{"letters of others", func(k *graph.KindSpec) { k.Action = "söeak" }, "letters, digits"},
		{"a digit first", func(k *graph.KindSpec) { k.Action = "7up" }, "letters, digits"},
		{"a line", func(k *graph.KindSpec) { k.Action = "speak\n" }, "letters, digits"},
		{"a long name", func(k *graph.KindSpec) { k.Action = strings.Repeat("a", 65) }, "1 to 64"},
		{"a name as long as may be", func(k *graph.KindSpec) { k.Action = strings.Repeat("a", 64) }, ""},
		{"a bare type", func(k *graph.KindSpec) { k.Type = "speakOperation" }, "Type is"},
		{"a type without namespace", func(k *graph.KindSpec) { k.Type = "#speakOperation" }, "must be #namespace.name"},
		{"a type that ends", func(k *graph.KindSpec) { k.Type = "#contoso." }, "must be #namespace.name"},
		{"a long type", func(k *graph.KindSpec) { k.Type = "#contoso." + strings.Repeat("a", 120) }, "at most 128"},
		{"a type as long as may be", func(k *graph.KindSpec) { k.Type = "#contoso." + strings.Repeat("a", 119) }, ""},
	} {
		k := good
		test.change(&k)
		_, err := graph.New(graph.Platform{Authenticate: authenticate}, graph.WithKind(k))
		if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "graph: WithKind: ")) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	second := good
	second.Action = "say"
	third := good
	third.Kind, third.Action = "say", "SpeakTEXT"
	for want, k := range map[string]graph.KindSpec{`Kind "speak" comes twice`: second, `Action "SpeakTEXT" comes twice`: third} {
		if _, err := graph.New(graph.Platform{Authenticate: authenticate}, graph.WithKind(good), graph.WithKind(k)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What Graph has below a call is never a platform's own.
func TestNoKindTakesANameOfGraphs(t *testing.T) {
	t.Parallel()
	for _, r := range newPlatform(t, new(inbox).Deliver).handler.Routes() {
		name, below := strings.CutPrefix(r.Path, "/communications/calls/{call}/")
		if name, _, _ = strings.Cut(name, "/"); !below {
			continue
		}
		k := speaking()
		k.Action = strings.ToUpper(name)
		if _, err := graph.New(graph.Platform{Authenticate: authenticate}, graph.WithKind(k)); err == nil {
			t.Errorf("%s %s: %s was taken", r.Method, r.Path, k.Action)
		}
	}
}

// What a client has kept with a request of the platform's own kind counts as all does.
func TestOwnKindsCountAsAllDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithKind(speaking()), graph.WithMaxBytes(8<<10, 0))
		defer p.stop()
		bot, call := p.direct(), p.attach("bot", "")
		body := `{"text":"` + strings.Repeat("x", 4<<10) + `"}`
		bot.post(call, "speakText", body).must(t, 200)
		bot.post(call, "speakText", body).must(t, http.StatusTooManyRequests)
		call.waitStarted(t).End(succeeded())
		synctest.Wait()
		bot.post(call, "speakText", body).must(t, 200)
	})
}

// What the end of the call broke off is delivered with the outcome that its media reports then; without
// one it is delivered all the same.
func TestAnOutcomeOutlivesTheCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(queue.Task)
		want any
	}{
		"an outcome":    {func(task queue.Task) { task.End(operation.Result{Value: "half a"}) }, "half a"},
		"none":          {func(task queue.Task) { task.End(operation.Result{}) }, nil},
		"a late report": {func(queue.Task) { time.Sleep(time.Hour) }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			box := new(inbox)
			p := newPlatform(t, box.Deliver, graph.WithKind(speaking()))
			defer p.stop()
			media := &silent{started: make(chan queue.Task, 1)}
			call, err := p.add(p.handler.Attach, media, graph.Attachment{
				Application: tokens["bot"].ID, State: graph.State{Call: graph.Established},
			})
			if err != nil {
				t.Fatal(err)
			}
			bot := p.direct()
			r := bot.post(call, "speakText", speakBody).must(t, 200)
			task := <-media.started
			if err := call.Detach(graph.ResultInfo{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := len(box.all()); n != 1 {
				t.Errorf("%s: %d notifications before the media has reported", name, n)
			}
			test.end(task)
			<-call.Done()
			all := box.all()
			if len(all) != 3 || at(all[1], "resourceData", "id") != r.text("id") || at(all[1], "resourceData", "outcome") != test.want ||
				at(all[1], "resourceData", "resultInfo", "subcode") != 8528.0 || at(all[1], "resourceData", "recordingLocation") != nil {
				t.Errorf("%s: got %s", name, show(all))
			}
		})
	}
}

// silent is media that never reports by itself.
type silent struct{ started chan queue.Task }

func (m *silent) Start(t queue.Task) error {
	m.started <- t
	return nil
}

func (*silent) Stop(queue.Task) {}
