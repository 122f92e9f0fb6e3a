package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Text that is not Unicode is refused wherever it is, with the member that holds it, and never
// replaced: two client contexts that differ would become one.
func TestTextThatIsNotUnicodeIsRefusedWithItsMember(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	for _, test := range []struct{ name, path, body, says string }{
		{"Latin-1", "cancelMediaProcessing", "{\"clientContext\":\"caf\xe9\"}", "clientContext is not valid UTF-8"},
		{"half of a pair", "cancelMediaProcessing", `{"clientContext":"order-\ud83d"}`, `clientContext is text with half a surrogate pair (\ud83d)`},
		{"the other half", "cancelMediaProcessing", `{"clientContext":"\uDE00"}`, `clientContext is text with half a surrogate pair (\uDE00)`},
		{"two first halves", "subscribeToTone", `{"clientContext":"\ud83d\ud83d\ude00"}`, "clientContext is text with half"},
		{"half, then a letter", "playPrompt", `{"clientContext":"\ud83dx"}`, "clientContext is text with half"},
		{"half, then another escape", "playPrompt", `{"clientContext":"\ud83d\n\ude00"}`, "clientContext is text with half"},
		{"half, then a backslash", "playPrompt", `{"clientContext":"\ud83d\\ude00"}`, "clientContext is text with half"},
		{"an encoded surrogate", "playPrompt", "{\"clientContext\":\"\xed\xa0\xbd\"}", "clientContext is not valid UTF-8"},
		{"overlong", "playPrompt", "{\"clientContext\":\"\xc0\x80\"}", "clientContext is not valid UTF-8"},
		{"deep", "playPrompt", "{\"prompts\":[{},{\"mediaInfo\":{\"uri\":\"\xff\"}}]}", "prompts[1].mediaInfo.uri is not valid UTF-8"},
		{"a stop tone", "recordResponse", `{"stopTones":["#","\ud800"]}`, "stopTones[1] is text with half"},
		{"unknown member", "recordResponse", "{\"more\":{\"a\":[[\"\xff\"]]}}", "more.a[0][0] is not valid UTF-8"},
		{"a name", "recordResponse", "{\"caf\xe9\":1}", "the body is an object with a name that is not valid UTF-8"},
		{"a deep name", "recordResponse", `{"more":[{"\udc00":1}]}`, "more[0] is an object with a name that is text with half"},
		{"passed through", "", "{\"callbackUri\":\"x\",\"targets\":[{\"identity\":{\"displayName\":\"Zo\xeb\"}}]}", "targets[0].identity.displayName is not valid UTF-8"},
		{"replaced by a later one", "playPrompt", "{\"clientContext\":\"\xff\",\"clientContext\":\"a\"}", "clientContext is not valid UTF-8"},
	} {
		path := "/communications/calls"
		if test.path != "" {
			path += "/" + call.ID().String() + "/" + test.path
		}
		r := bot.request("POST", path, test.body)
		envelope(t, r)
		if r.status != 400 || r.text("error", "code") != "8523" || !strings.HasPrefix(r.text("error", "message"), test.says) {
			t.Errorf("%s: got %d: %s", test.name, r.status, show(r.body))
		}
	}
	for _, test := range []struct{ body, want string }{
		{`{"clientContext":"\ud83d\ude00"}`, "\U0001f600"},
		{`{"clientContext":"\uD83D\uDE00\uFFFD\u00e9\\ud800\"\/"}`, "\U0001f600\uFFFDé\\ud800\"/"},
		{"{\"clientContext\":\"\U0001f600é\uFFFD\"}", "\U0001f600é\uFFFD"},
		{"\xef\xbb\xbf{\"clientContext\":\"a\"}", "a"},
		{"\xef\xbb\xbf \r\n\t{ \"clientContext\" : \"a\" } \r\n", "a"},
	} {
		if r := bot.post(call, "cancelMediaProcessing", test.body).must(t, 200); r.text("clientContext") != test.want {
			t.Errorf("%s: got %q, want %q", test.body, r.text("clientContext"), test.want)
		}
	}
}

// Endpoints of the platform's own read their bodies as the handler does, and say what is wrong.
func TestEndpointsBesideTheHandlersReadAlike(t *testing.T) {
	t.Parallel()
	var got struct {
		Name string          `json:"name"`
		More json.RawMessage `json:"more"`
	}
	if err := graph.ReadObject([]byte("\xef\xbb\xbf {\"name\":7,\"NAME\":\"\\ud83d\\ude00\",\"more\":[1e400]} "), &got); err != nil || got.Name != "\U0001f600" || string(got.More) != "[1e400]" {
		t.Errorf("got %+v, %v", got, err)
	}
	for body, says := range map[string]string{
		"": "is empty", "[]": "must be a JSON object.", "{} {}": "not a JSON object", `{"name":`: "not a JSON object",
		`{"name":7}`: "name is number, must be a string.", "{\"name\":\"\xe9\"}": "name is not valid UTF-8", `{"x":["\udc00"]}`: "x[0] is text with half",
		strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65): "nested too deeply",
	} {
		if err := graph.ReadObject([]byte(body), &got); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40s: got %v, want %q", body, err, says)
		}
	}
}

// A body is UTF-8, whatever else its content type says.
func TestOtherCharsetsAreNotSupported(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	path := "/communications/calls/" + call.ID().String() + "/cancelMediaProcessing"
	for kind, want := range map[string]int{
		"application/json; charset=iso-8859-1": 415, "application/json; charset=Windows-1252": 415, `application/json;charset="utf-16"`: 415,
		"application/json; charset=us-ascii": 415, "application/json; CHARSET=UTF-7": 415,
		"application/json; charset=utf-8": 200, "application/json; charset=UTF-8": 200, `application/json; charset="Utf-8"`: 200,
		"application/json; charset=utf8": 200, "application/json; charset=": 415, "application/json": 200,
	} {
		r := bot.request("POST", path, `{}`, "Content-Type", kind)
		if r.status != want || want == 415 && r.text("error", "code") != "UnsupportedMediaType" {
			t.Errorf("%s: got %d, want %d: %s", kind, r.status, want, show(r.body))
		}
	}
	for name, body := range map[string]string{
		"UTF-16": "\xff\xfe{\x00}\x00", "UTF-16, no mark": "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00",
		"a mark of UTF-16": "\xfe\xff\x00{\x00}", "two marks": "\xef\xbb\xbf\xef\xbb\xbf{}", "a mark alone": "\xef\xbb\xbf",
	} {
		if r := bot.request("POST", path, []byte(body)); r.status != 400 {
			t.Errorf("%s: got %d: %s", name, r.status, show(r.body))
		}
	}
}

// A Client-Request-Id that no JSON text can hold is not echoed: header and body would differ.
func TestAClientRequestIDThatIsNoTextIsNotEchoed(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	path := "/communications/calls/" + call.ID().String() + "/cancelMediaProcessing"
	for _, id := range []string{"caf\xe9", "a\x7fb", "é", "a\tb"} {
		if r := bot.request("POST", path, `no`, "Client-Request-Id", id).must(t, 400); r.header.Get("Client-Request-Id") == id {
			t.Errorf("%q is echoed", id)
		} else {
			envelope(t, r)
		}
	}
}

// Of members that come twice the last one counts, whole: nothing of an earlier one is left.
func TestOfMembersThatComeTwiceTheLastOneCountsWhole(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	r := bot.post(call, "cancelMediaProcessing", `{"clientContext":"a","clientContext":null}`).must(t, 200)
	if at(r.body, "clientContext") != nil {
		t.Errorf("got %s", show(r.body))
	}
	r = bot.post(call, "cancelMediaProcessing", `{"clientContext":{"a":[1,{"clientContext":2}]},"x":1,"CLIENTCONTEXT":7,"\u0063lientContext":"b"}`).must(t, 200)
	if r.text("clientContext") != "b" {
		t.Errorf("got %s", show(r.body))
	}
	bot.post(call, "playPrompt", `{"loop":true,"prompts":[{"mediaInfo":{"uri":"a","resourceId":"1"}},{"mediaInfo":{"uri":"b"}}],"loop":null,
		"Prompts":[{"mediaInfo":{"uri":"x","resourceId":"2","uri":"c"},"mediaInfo":{"uri":"d"}}]}`).must(t, 200)
	req := call.waitStarted(t).Request().(*operation.PlayPrompt)
	if req.Loop || len(req.Prompts) != 1 || req.Prompts[0] != (operation.Prompt{URI: "d"}) {
		t.Errorf("got %+v", req)
	}
	refused := bot.post(call, "playPrompt", `{"prompts":[{"mediaInfo":{"uri":"a"}}],"prompts":{"a":1}}`).must(t, 400)
	if refused.text("error", "message") != "prompts is object, must be an array." {
		t.Errorf("got %s", show(refused.body))
	}
	var got graph.Resource
	p := newPlatform(t, new(inbox).Deliver)
	p.media = func(n graph.NewCall) queue.Media { got = n.Resource; return new(queuetest.Media) }
	p.direct().request(http.MethodPost, "/communications/calls", `{"callbackUri":"x","targets":[{"a":{"b":1,"c":2,"b":{"d":3}}}],
		"mediaConfig":{"@odata.type":"#microsoft.graph.appHostedMediaConfig","@OData.Type":"#microsoft.graph.serviceHostedMediaConfig","t":1}}`).must(t, 201)
	if want := `"a":{"b":{"d":3},"c":2}`; show(parse(t, got.Targets)) == "" || !strings.Contains(show(parse(t, got.Targets)), want) {
		t.Errorf("got %s, want %s", got.Targets, want)
	}
	if strings.Count(string(got.MediaConfig), "HostedMediaConfig") != 1 {
		t.Errorf("got %s", got.MediaConfig)
	}
	hosted := p.direct().request(http.MethodPost, "/communications/calls", `{"callbackUri":"x","mediaConfig":{"@OData.Type":"#microsoft.graph.appHostedMediaConfig"}}`)
	if hosted.status != 400 {
		t.Errorf("application-hosted media in another letter case: got %d: %s", hosted.status, show(hosted.body))
	}
}
