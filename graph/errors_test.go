package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func zipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

// envelope checks that an error has Graph's form.
func envelope(t *testing.T, r reply) {
	t.Helper()
	inner, _ := at(r.body, "error", "innerError").(object)
	if r.text("error", "code") == "" || r.text("error", "message") == "" || inner["date"] == "" ||
		inner["request-id"] != r.header.Get("Request-Id") || inner["client-request-id"] != r.header.Get("Client-Request-Id") {
		t.Errorf("no envelope: %s", show(r.body))
	}
}

// Every mistake of a client is answered with its status, names what is wrong, and leaves nothing
// behind.
func TestEveryMistakeIsNamedAndNothingIsAccepted(t *testing.T) {
	t.Parallel()
	bot, call, box := bench(t)
	at := "/communications/calls/" + call.ID().String()
	prompts := func(n int) string {
		return `{"prompts":[` + strings.TrimSuffix(strings.Repeat(`{"mediaInfo":{"uri":"file:a.wav"}},`, n), ",") + `]}`
	}
	for _, test := range []struct {
		name, path string
		body       any
		header     []string
		status     int
		code, says string
	}{
		{"empty body", "playPrompt", "", nil, 400, "BadRequest", "empty"},
		{"white space", "playPrompt", strings.Repeat(" ", 100), nil, 400, "BadRequest", "empty"},
		{"null", "playPrompt", "null", nil, 400, "BadRequest", "must be a JSON object"},
		{"an array", "cancelMediaProcessing", "[]", nil, 400, "BadRequest", "must be a JSON object"},
		{"no JSON", "cancelMediaProcessing", "{nope}", nil, 400, "BadRequest", "offset 2"},
		{"truncated", "cancelMediaProcessing", `{"clientContext":"a`, nil, 400, "BadRequest", "unexpected end"},
		{"data after the object", "cancelMediaProcessing", `{} {}`, nil, 400, "BadRequest", "offset 4"},
		{"too deep", "cancelMediaProcessing", strings.Repeat(`{"a":`, 20_000), nil, 400, "BadRequest", "at most 64 levels"},
		{"too deep arrays", "cancelMediaProcessing", `{"a":` + strings.Repeat(`[`, 100_000), nil, 400, "BadRequest", "at most 64 levels"},
		{"too long", "cancelMediaProcessing", `{"a":"` + strings.Repeat("x", 128<<10) + `"}`, nil, 413, "RequestEntityTooLarge", "131072 bytes"},
		{"too long when inflated", "cancelMediaProcessing", zipped(`{"a":"` + strings.Repeat("0123456789abcdef", 8<<10) + noise(8<<10) + `"}`), []string{"Content-Encoding", "gzip"}, 413, "RequestEntityTooLarge", "131072 bytes"},
		{"grows too much", "cancelMediaProcessing", zipped(`{"a":"` + strings.Repeat("x", 100_000) + `"}`), []string{"Content-Encoding", "gzip"}, 413, "RequestEntityTooLarge", "at most 32 times"},
		{"too many members", "cancelMediaProcessing", `{"a":[` + strings.Repeat("0,", 5000) + `0]}`, nil, 400, "BadRequest", "at most 4096"},
		{"no UTF-8", "cancelMediaProcessing", []byte("{\"clientContext\":\"caf\xe9\"}"), nil, 400, "8523", "clientContext is not valid UTF-8"},
		{"no gzip", "cancelMediaProcessing", `{}`, []string{"Content-Encoding", "gzip"}, 400, "BadRequest", "could not be read"},
		{"truncated gzip", "cancelMediaProcessing", zipped(`{"a":1}`)[:20], []string{"Content-Encoding", "gzip"}, 400, "BadRequest", "could not be read"},
		{"other coding", "cancelMediaProcessing", `{}`, []string{"Content-Encoding", "br"}, 415, "UnsupportedMediaType", `"br"`},
		{"two codings", "cancelMediaProcessing", `{}`, []string{"Content-Encoding", "gzip, gzip"}, 415, "UnsupportedMediaType", `"gzip, gzip"`},
		{"no content type", "cancelMediaProcessing", `{}`, []string{"Content-Type", ""}, 415, "UnsupportedMediaType", "application/json"},
		{"other content type", "cancelMediaProcessing", `{}`, []string{"Content-Type", "text/plain"}, 415, "UnsupportedMediaType", "text/plain"},

		{"context of a wrong type", "cancelMediaProcessing", `{"clientContext":7}`, nil, 400, "8523", "clientContext is number, must be a string."},
		{"long context", "cancelMediaProcessing", `{"clientContext":"` + strings.Repeat("ä", 257) + `"}`, nil, 400, "8523", "clientContext is 257 characters, must be at most 256."},
		{"long context of a subscription", "subscribeToTone", `{"clientContext":"` + strings.Repeat("x", 257) + `"}`, nil, 400, "8523", "at most 256"},
		{"long context of a play", "playPrompt", `{"clientContext":"` + strings.Repeat("x", 257) + `",` + prompts(1)[1:], nil, 400, "8523", "at most 256"},
		{"no prompts", "playPrompt", `{}`, nil, 400, "8523", "prompts is none, must be 1 to 20."},
		{"prompts null", "playPrompt", `{"prompts":null}`, nil, 400, "8523", "prompts is none, must be 1 to 20."},
		{"too many prompts", "playPrompt", prompts(21), nil, 400, "8523", "prompts is 21 entries, must be 1 to 20."},
		{"prompts of a wrong type", "playPrompt", `{"prompts":"a"}`, nil, 400, "8523", "prompts is string, must be an array."},
		{"a prompt of a wrong type", "playPrompt", `{"prompts":[1]}`, nil, 400, "8523", "prompts[0] is number, must be an object."},
		{"a null prompt", "playPrompt", `{"prompts":[null]}`, nil, 400, "8523", "prompts[0] is null"},
		{"a silence prompt", "playPrompt", `{"prompts":[{"@odata.type":"#microsoft.graph.silencePrompt"}]}`, nil, 400, "8523", "prompts[0].@odata.type"},
		{"no media info", "playPrompt", `{"prompts":[{"@odata.type":"#microsoft.graph.mediaPrompt"}]}`, nil, 400, "8523", "prompts[0].mediaInfo is missing"},
		{"no uri", "playPrompt", `{"prompts":[{"mediaInfo":{"uri":"a"}},{"mediaInfo":{}}]}`, nil, 400, "8523", "prompts[1].mediaInfo.uri"},
		{"loop of a wrong type", "playPrompt", `{"loop":"yes"}`, nil, 400, "8523", "loop is string, must be true or false."},
		{"two prompts of a record", "recordResponse", prompts(2), nil, 400, "8523", "prompts is 2 entries, must be at most 1."},
		{"record too short", "recordResponse", `{"maxRecordDurationInSeconds":0}`, nil, 400, "8523", "maxRecordDurationInSeconds is 0, must be 1 to 120."},
		{"record too long", "recordResponse", `{"maxRecordDurationInSeconds":121}`, nil, 400, "8523", "maxRecordDurationInSeconds is 121"},
		{"silence too long", "recordResponse", `{"initialSilenceTimeoutInSeconds":-2147483648}`, nil, 400, "8523", "initialSilenceTimeoutInSeconds is -2147483648"},
		{"no whole number", "recordResponse", `{"maxSilenceTimeoutInSeconds":1.5}`, nil, 400, "8523", "maxSilenceTimeoutInSeconds is 1.5, must be a whole number."},
		{"more than 32 bits", "recordResponse", `{"maxSilenceTimeoutInSeconds":4294967297}`, nil, 400, "8523", "maxSilenceTimeoutInSeconds"},
		{"no stop tone", "recordResponse", `{"stopTones":["#","11"]}`, nil, 400, "8523", `stopTones[1] is "11"`},
		{"looped record", "recordResponse", `{"loop":true}`, nil, 400, "BadRequest", "RecordAction: Loop not supported."},

		{"unknown action", "answers", `{}`, nil, 404, "ResourceNotFound", "No resource"},
	} {
		r := bot.request("POST", at+"/"+test.path, test.body, test.header...)
		envelope(t, r)
		if r.status != test.status || r.text("error", "code") != test.code || !strings.Contains(r.text("error", "message"), test.says) {
			t.Errorf("%s: got %d, want %d, %s, %q: %s", test.name, r.status, test.status, test.code, test.says, show(r.body))
		}
		if r.header.Get("Content-Type") != "application/json" || test.status == 415 && r.header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s: got header %v", test.name, r.header)
		}
	}
	if s := call.Queue().Snapshot(); s.Running != nil || len(s.Waiting) > 0 {
		t.Errorf("accepted: %+v", s)
	}
	if list := bot.request("GET", at+"/operations", nil); show(list.body) != `{"value":[]}` {
		t.Errorf("operations: %s", show(list.body))
	}
	if n := len(box.wait(t, 1)); n != 1 {
		t.Errorf("told %d, want the state alone", n)
	}
}

// What clients really send is taken: null and absent alike, unknown members, any letter case of
// enum values, members that come twice, stop tones by character and by name, gzip.
func TestWhatClientsReallySendIsTaken(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	path := "/communications/calls/" + call.ID().String()
	for name, send := range map[string]func() reply{
		"nulls": func() reply {
			return bot.post(call, "recordResponse", `{"prompts":null,"bargeInAllowed":null,"playBeep":null,"stopTones":null,
				"maxRecordDurationInSeconds":null,"clientContext":null}`)
		},
		"unknown members": func() reply {
			return bot.post(call, "cancelMediaProcessing", `{"@odata.context":"x","all":true,"more":{"a":[{}]}}`)
		},
		"twice": func() reply {
			return bot.post(call, "cancelMediaProcessing", `{"clientContext":"b","clientContext":"a"}`)
		},
		"any case": func() reply {
			return bot.post(call, "playPrompt", `{"prompts":[{"@odata.type":"#MICROSOFT.GRAPH.mediaprompt","mediaInfo":{"URI":"a"}}]}`)
		},
		"no number sign": func() reply {
			return bot.post(call, "playPrompt", `{"prompts":[{"@odata.type":"microsoft.graph.mediaPrompt","mediaInfo":{"uri":"a"}}]}`)
		},
		"tones": func() reply {
			return bot.post(call, "recordResponse", `{"stopTones":["#","1","*","a","TONE5","Pound"]}`)
		},
		"gzip": func() reply {
			return bot.request("POST", path+"/playPrompt", zipped(playBody), "Content-Encoding", "gzip")
		},
		"charset": func() reply {
			return bot.request("POST", path+"/playPrompt", playBody, "Content-Type", "Application/JSON; charset=utf-8; IEEE754Compatible=false")
		},
		"loop": func() reply { return bot.post(call, "playPrompt", `{"loop":true,`+playBody[1:]) },
		"256 characters": func() reply {
			return bot.post(call, "cancelMediaProcessing", `{"clientContext":"`+strings.Repeat("ä", 256)+`"}`)
		},
	} {
		if r := send(); r.status != 200 {
			t.Errorf("%s: got %d: %s", name, r.status, show(r.body))
		}
	}
	long := strings.Repeat("x", 129)
	if r := bot.request("POST", path+"/keepAlive", nil, "Client-Request-Id", long).must(t, 200); r.header.Get("Client-Request-Id") == long {
		t.Error("a long client-request-id was echoed")
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	path := "/communications/calls/" + call.ID().String()
	as := func(token string) *client {
		c := *bot
		c.token = token
		return &c
	}
	for _, test := range []struct{ token, challenge string }{
		{"", "Bearer"}, {"bad", `Bearer error="invalid_token"`},
	} {
		for _, at := range []string{"/communications/calls", path, path + "/playPrompt", "/nowhere"} {
			r := as(test.token).request("POST", at, `{}`)
			envelope(t, r)
			if r.status != 401 || r.header.Get("WWW-Authenticate") != test.challenge {
				t.Errorf("token %q, %s: got %d, %q", test.token, at, r.status, r.header.Get("WWW-Authenticate"))
			}
		}
	}
	wish := published(t, "call-create.request")
	if r := as("none").request("POST", "/communications/calls", wish); r.status != 403 || r.text("error", "code") != "7504" {
		t.Errorf("without the role: got %d: %s", r.status, show(r.body))
	}
	bot.request("POST", "/communications/calls", wish).must(t, 201)

	// A call of somebody else, one that never was and one that has ended are all the same.
	ended := func() string {
		c := bot.request("POST", "/communications/calls", wish).must(t, 201).text("id")
		bot.request("DELETE", "/communications/calls/"+c, nil).must(t, 204)
		return c
	}()
	for name, r := range map[string]func(method, action string) reply{
		"foreign": func(method, action string) reply { return as("other").request(method, path+action, playBody) },
		"unknown": func(method, action string) reply {
			return bot.request(method, "/communications/calls/"+uuid.NewString()+action, playBody)
		},
		"no id": func(method, action string) reply {
			return bot.request(method, "/communications/calls/7"+action, playBody)
		},
		"odd id": func(method, action string) reply {
			return bot.request(method, "/communications/calls/%7B"+call.ID().String()+"%7D"+action, playBody)
		},
		"ended": func(method, action string) reply {
			return bot.request(method, "/communications/calls/"+ended+action, playBody)
		},
	} {
		for _, action := range []string{
			"GET ", "DELETE ", "POST /playPrompt", "POST /recordResponse", "POST /cancelMediaProcessing",
			"POST /subscribeToTone", "POST /keepAlive", "GET /operations", "GET /operations/" + uuid.NewString(),
		} {
			method, at, _ := strings.Cut(action, " ")
			got := r(method, at)
			envelope(t, got)
			if got.status != 404 || got.text("error", "code") != "8522" || got.text("error", "message") != "Call not found." {
				t.Errorf("%s, %s: got %d: %s", name, action, got.status, show(got.body))
			}
		}
	}
	if s := call.Queue().Snapshot(); s.Running != nil || s.Closed {
		t.Errorf("somebody else got through: %+v", s)
	}
	bot.request("GET", path+"/operations/"+uuid.NewString(), nil).must(t, 404)
	bot.request("GET", path+"/operations/7", nil).must(t, 404)
}

func TestOtherMethodsAreRefusedWithThoseThatAreAllowed(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	path := "/communications/calls/" + call.ID().String()
	for _, test := range []struct{ method, path, allow string }{
		{"GET", "/communications/calls", "POST"},
		{"POST", path, "DELETE, GET, HEAD"},
		{"PATCH", path, "DELETE, GET, HEAD"},
		{"GET", path + "/playPrompt", "POST"},
		{"PUT", path + "/microsoft.graph.cancelMediaProcessing", "POST"},
		{"DELETE", path + "/operations", "GET, HEAD"},
		{"POST", path + "/operations/" + uuid.NewString(), "GET, HEAD"},
		{"PUT", path + "/participants/invite", "DELETE, GET, HEAD, POST"}, // a name, or an id
	} {
		r := bot.request(test.method, test.path, `{}`)
		envelope(t, r)
		if r.status != 405 || r.header.Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d, Allow %q, want %q", test.method, test.path, r.status, r.header.Get("Allow"), test.allow)
		}
	}
	for _, path := range []string{
		"/", "/communications", "/communications/call", "/communications/calls//x", "/communications/calls/../calls",
		path + "/operations/a/b", "/communications/app/calls/x/y/z/w", path + "/operations/microsoft.graph.", path + "/microsoft.graph.", path + "/operations/microsoft.graph...",
	} {
		r := bot.request("GET", path, nil)
		envelope(t, r)
		if r.status != 404 {
			t.Errorf("%s: got %d", path, r.status)
		}
	}
	if r := bot.request("HEAD", path, nil); r.status != 200 {
		t.Errorf("HEAD: got %d", r.status)
	}

	// Without functions for it, calls are neither created nor hung up.
	h, err := graph.New(graph.Platform{Authenticate: authenticate, Deliver: new(inbox).Deliver}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{tb: t, handler: h}
	t.Cleanup(p.stop)
	own := p.attach("bot", "")
	if r := p.direct().request("POST", "/communications/calls", `{}`); r.status != 405 || len(r.header["Allow"]) != 1 || r.header.Get("Allow") != "" {
		t.Errorf("POST: got %d, %q", r.status, r.header["Allow"])
	}
	if r := p.direct().request("DELETE", "/communications/calls/"+own.ID().String(), nil); r.status != 405 || r.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("DELETE: got %d, %q", r.status, r.header["Allow"])
	}
}

func TestACallThatIsNotEstablishedTakesNoMedia(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	for _, state := range []graph.CallState{graph.Incoming, graph.Ringing, graph.Establishing, graph.Redirecting} {
		p.first = graph.State{Call: state}
		bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 201)
		call := p.last()
		for _, action := range []string{"playPrompt", "recordResponse", "cancelMediaProcessing", "subscribeToTone"} {
			if r := bot.post(call, action, playBody); r.status != 409 || r.text("error", "code") != "8501" {
				t.Errorf("%s, %s: got %d: %s", state, action, r.status, show(r.body))
			}
		}
		bot.post(call, "keepAlive", nil).must(t, 200)
		if err := call.SetState(graph.State{Call: graph.Established}); err != nil {
			t.Fatal(err)
		}
		bot.post(call, "playPrompt", playBody).must(t, 200)
	}
}

func TestAFullQueueIsSaid(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot, call := p.direct(), p.attach("bot", "", queue.WithMaxPending(1))
	bot.post(call, "playPrompt", playBody).must(t, 200)
	second := bot.post(call, "playPrompt", playBody).must(t, 200)
	if second.text("status") != "notStarted" {
		t.Errorf("a queued operation is %q", second.text("status"))
	}
	r := bot.post(call, "playPrompt", playBody)
	envelope(t, r)
	if r.status != 429 || r.header.Get("Retry-After") != "1" {
		t.Errorf("got %d, %v", r.status, r.header)
	}
	bot.post(call, "recordResponse", `{"bargeInAllowed":true}`).must(t, 200) // never refused for it
}

// A platform's own errors and panics say nothing on the wire, and the calls go on.
func TestThePlatformsFaultsStayInside(t *testing.T) {
	t.Parallel()
	const secret = "db password is hunter2"
	fault := func() error { return nil }
	h, err := graph.New(graph.Platform{
		Authenticate: func(r *http.Request) (graph.Application, error) {
			if r.Header.Get("X-Panic") != "" {
				panic(secret)
			}
			if r.Header.Get("X-Down") != "" {
				return graph.Application{}, fmt.Errorf("%s: %w", secret, graph.ErrUnavailable)
			}
			if r.Header.Get("X-Nobody") != "" {
				return graph.Application{}, nil
			}
			return authenticate(r)
		},
		CreateCall: func(context.Context, graph.NewCall) (*graph.Call, error) { return nil, fault() },
		HangUp:     func(context.Context, *graph.Call) error { return fault() },
		Deliver:    new(inbox).Deliver,
	}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	attach := &platform{tb: t, handler: h}
	t.Cleanup(attach.stop)
	call, foreign := attach.attach("bot", ""), attach.attach("other", "")
	bot := attach.direct()
	path := "/communications/calls/" + call.ID().String()
	for _, test := range []struct {
		name         string
		fault        func() error
		create, hang int
	}{
		{"an error", func() error { return errors.New(secret) }, 500, 500},
		{"a panic", func() error { panic(secret) }, 500, 500},
		{"no capacity", func() error { return fmt.Errorf("%s: %w", secret, graph.ErrUnavailable) }, 503, 503},
		{"a bad target", func() error {
			return &operation.FieldError{Field: "targets[0]", Value: "nobody", Limit: "somebody"}
		}, 400, 400},
		{"no call, and hung up at last", func() error { return nil }, 500, 204},
	} {
		fault = test.fault
		for _, r := range []struct {
			got  reply
			want int
		}{
			{bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`), test.create},
			{bot.request("DELETE", path, nil), test.hang},
		} {
			if r.got.status != r.want || strings.Contains(show(r.got.body), "hunter2") {
				t.Errorf("%s: got %d, want %d: %s", test.name, r.got.status, r.want, show(r.got.body))
			}
		}
	}
	bot.request("DELETE", path, nil).must(t, 204) // asked for already
	if call.State().Call != graph.Terminating {
		t.Errorf("state: %v", call.State())
	}
	for header, want := range map[string]int{"X-Panic": 500, "X-Down": 503, "X-Nobody": 500} {
		r := bot.request("GET", path, nil, header, "1")
		if r.status != want || strings.Contains(show(r.body), "hunter2") {
			t.Errorf("%s: got %d, want %d: %s", header, r.status, want, show(r.body))
		}
	}
	other, err := graph.New(graph.Platform{
		Authenticate: authenticate, Deliver: new(inbox).Deliver,
		CreateCall: func(context.Context, graph.NewCall) (*graph.Call, error) { return foreign.Call, nil },
	}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	if r := (&platform{tb: t, handler: other}).direct().request("POST", "/communications/calls", `{"callbackUri":"x"}`); r.status != 500 {
		t.Errorf("a call of another handler: got %d", r.status)
	}
}

func TestAWishForACallIsChecked(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	bot := p.direct()
	with := func(members string) string { return `{"callbackUri":"https://127.0.0.1:1/c",` + members + `}` }
	for _, test := range []struct{ name, body, says string }{
		{"no callback", `{}`, "callbackUri is missing"},
		{"no URI", `{"callbackUri":"bot"}`, "absolute https URI"},
		{"plain http", `{"callbackUri":"http://bot.contoso.com/c"}`, "must be https"},
		{"another scheme", `{"callbackUri":"ftp://127.0.0.1/c"}`, "must be https"},
		{"a password", `{"callbackUri":"https://u:p@bot.contoso.com/c"}`, "user information"},
		{"a private address", `{"callbackUri":"https://10.1.2.3/c"}`, "a public address"},
		{"metadata", `{"callbackUri":"https://169.254.169.254/c"}`, "a public address"},
		{"metadata in disguise", `{"callbackUri":"https://[::ffff:a9fe:a9fe]/c"}`, "a public address"},
		{"a long URI", `{"callbackUri":"https://bot.contoso.com/` + strings.Repeat("a", 2048) + `"}`, "2048"},
		{"application-hosted", with(`"mediaConfig":{"@odata.type":"#microsoft.graph.appHostedMediaConfig","blob":"x"}`), "service-hosted"},
		{"other media", with(`"mediaConfig":{"@odata.type":"#microsoft.graph.mediaConfig2"}`), "mediaConfig.@odata.type"},
		{"media of a wrong type", with(`"mediaConfig":[]`), "mediaConfig is array, must be an object."},
		{"media type of a wrong type", with(`"mediaConfig":{"@odata.type":7}`), "mediaConfig.@odata.type"},
		{"a modality", with(`"requestedModalities":["audio","smell"]`), `requestedModalities[1] is "smell"`},
		{"no target", with(`"targets":[{},null]`), "targets[1] is null"},
		{"targets of a wrong type", with(`"targets":{}`), "targets is object, must be an array."},
	} {
		r := bot.request("POST", "/communications/calls", test.body)
		if r.status != 400 || !strings.Contains(r.text("error", "message"), test.says) {
			t.Errorf("%s: got %d, want %q: %s", test.name, r.status, test.says, show(r.body))
		}
	}
	if len(p.calls) > 0 {
		t.Errorf("%d calls were created", len(p.calls))
	}
	r := bot.request("POST", "/communications/calls", with(`"requestedModalities":["Audio"],"subject":"s","ringingTimeoutInSeconds":30`)).must(t, 201)
	if at(r.body, "requestedModalities", 0) != "audio" || at(r.body, "ringingTimeoutInSeconds") != 30.0 || r.text("subject") != "s" ||
		r.text("mediaConfig", "@odata.type") != "#microsoft.graph.serviceHostedMediaConfig" {
		t.Errorf("got %s", show(r.body))
	}
}

func TestAttachAndOptionsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	good := p.attach("bot", "https://127.0.0.1:1/c")
	strange, err := queue.New("strange", new(queuetest.Media))
	if err != nil {
		t.Fatal(err)
	}
	defer strange.Close(nil)
	closed, err := queue.New("closed", new(queuetest.Media), queue.WithObserver(p.handler))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close(nil)
	base := graph.Attachment{Queue: good.Queue(), Tones: good.tones, Application: "a", CallbackURI: "https://127.0.0.1:1/c"}
	for _, test := range []struct {
		name   string
		change func(*graph.Attachment)
		want   string
		is     error
	}{
		{"queue", func(a *graph.Attachment) { a.Queue = nil }, "nil Queue", nil},
		{"tones", func(a *graph.Attachment) { a.Tones = nil }, "nil Tones", nil},
		{"application", func(a *graph.Attachment) { a.Application = "" }, "empty Application", nil},
		{"observer", func(a *graph.Attachment) { a.Queue = strange }, "WithObserver", nil},
		{"callback", func(a *graph.Attachment) { a.CallbackURI = "http://x" }, "callbackUri", nil},
		{"state", func(a *graph.Attachment) { a.State.Call = "asleep" }, `"asleep"`, nil},
		{"terminated", func(a *graph.Attachment) { a.State.Call = graph.Terminated }, `"terminated"`, nil},
		{"audio", func(a *graph.Attachment) { a.State.Audio = "loud" }, `"loud"`, nil},
		{"twice", func(*graph.Attachment) {}, "already attached", graph.ErrAttached},
		{"closed", func(a *graph.Attachment) { a.Queue = closed }, "closed", queue.ErrClosed},
	} {
		a := base
		test.change(&a)
		if _, err := p.handler.Attach(a); err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	if err := good.SetState(graph.State{Call: graph.Terminated}); err == nil {
		t.Error("SetState took terminated")
	}
	if err := good.Detach(graph.ResultInfo{}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(good.Detach(graph.ResultInfo{}), good.SetState(graph.State{Call: graph.Hold})); !errors.Is(err, graph.ErrDetached) {
		t.Errorf("after Detach: %v", err)
	}
	if good.State().Call != graph.Terminated || !good.Queue().Snapshot().Closed {
		t.Errorf("after Detach: %v", good.State())
	}

	for want, opt := range map[string]graph.Option{
		"WithMaxBody(0)": graph.WithMaxBody(0), "WithOutbox(-1)": graph.WithOutbox(-1),
		"WithRetention(-1ns, 0)": graph.WithRetention(-1, 0), "WithMaxRetained(-1, 1)": graph.WithMaxRetained(-1, 1), "WithMaxRetained(1, -1)": graph.WithMaxRetained(1, -1),
		"WithMaxBody(67108865)": graph.WithMaxBody(64<<20 + 1), "WithMaxCalls(-1)": graph.WithMaxCalls(-1), "WithMaxRequests(-1)": graph.WithMaxRequests(-1),
		"WithMaxRequests(1000001)": graph.WithMaxRequests(1_000_001), "WithMaxBytes(-1, 0)": graph.WithMaxBytes(-1, 0), "WithMaxBytes(0, -1)": graph.WithMaxBytes(0, -1),
		"WithLogger: a logger without a handler": graph.WithLogger(slog.New((*slog.TextHandler)(nil))),
		`WithBaseURL("media")`:                   graph.WithBaseURL("media"), `WithBaseURL("http://h/p?q")`: graph.WithBaseURL("http://h/p?q"),
	} {
		if _, err := graph.New(graph.Platform{Authenticate: authenticate}, opt, // right ones do not hide it
			graph.WithMaxBody(1), graph.WithOutbox(1), graph.WithRetention(1, 1), graph.WithMaxRetained(1, 1),
			graph.WithMaxCalls(1), graph.WithMaxRequests(1), graph.WithMaxBytes(1, 1), graph.WithLogger(nil),
			graph.WithBaseURL("http://h")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := graph.New(graph.Platform{}); err == nil || !strings.Contains(err.Error(), "Authenticate") {
		t.Errorf("got %v", err)
	}
}
