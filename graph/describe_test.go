package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// What the bot says of its call comes back as it said it, in the answer and when the call is read,
// and reaches the platform.
func TestWhatABotSaysOfItsCallComesBack(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	var wish graph.NewCall
	p.media = func(n graph.NewCall) queue.Media { wish = n; return new(queuetest.Media) }
	bot := p.direct()
	for _, test := range []struct {
		name, members string
		path          []any
		want          string
	}{
		{
			"source", `"source":{"identity":{"applicationInstance":{"id":"i"}},"region":"emea"}`,
			[]any{"source"},
			`{"countryCode":null,"endpointType":null,"identity":{"applicationInstance":{"id":"i"}},"languageId":null,"region":"emea"}`,
		},
		{
			"source in another letter case", `"SOURCE":{"Identity":{"phone":{"id":"+1"}},"REGION":"emea"}`,
			[]any{"source"},
			`{"Identity":{"phone":{"id":"+1"}},"REGION":"emea","countryCode":null,"endpointType":null,"languageId":null}`,
		},
		{"source without identity", `"source":{"identity":null}`, []any{"source", "identity", "application", "displayName"}, `"Calling Bot"`},
		{"no source", `"source":null`, []any{"source", "identity", "application", "id"}, `"2891555a-92ff-42e6-80fa-6e1300c6b5c6"`},
		{"chat", `"chatInfo":{"threadId":"19:x","more":[1]}`, []any{"chatInfo"}, `{"more":[1],"replyChainMessageId":null,"threadId":"19:x"}`},
		{"no chat", `"chatInfo":null`, []any{"chatInfo"}, `null`},
		{"meeting", `"meetingInfo":{"joinMeetingId":"1","passcode":null}`, []any{"meetingInfo"}, `{"joinMeetingId":"1","passcode":null}`},
		{"tenant", `"tenantId":"t"`, []any{"tenantId"}, `"t"`},
		{
			"targets", `"targets":[{},{"endpointType":"voicemail"}]`,
			[]any{"targets"},
			`[{"endpointType":null,"replacesCallId":null},{"endpointType":"voicemail","replacesCallId":null}]`,
		},
		{"no targets", `"targets":null`, []any{"targets"}, `[]`},
		{"targets left out", `"subject":"s"`, []any{"targets"}, `[]`},
		{"empty targets", `"targets":[]`, []any{"targets"}, `[]`},
	} {
		made := bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x",`+test.members+`}`).must(t, 201)
		if got := show(at(made.body, test.path...)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		if read := bot.request(http.MethodGet, "/communications/calls/"+made.text("id"), nil); show(read.body) != show(made.body) {
			t.Errorf("%s: read back %s, want %s", test.name, show(read.body), show(made.body))
		}
	}
	bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x","tenantId":"t","chatInfo":{},"meetingInfo":{"a":1}}`).must(t, 201)
	equal(t, "for the platform", []string{wish.Resource.TenantID, string(wish.Resource.ChatInfo), string(wish.Resource.MeetingInfo), string(wish.Resource.Targets)},
		[]string{"t", `{"replyChainMessageId":null}`, `{"a":1}`, `[]`})
	for _, test := range []struct{ members, says string }{
		{`"source":[]`, "source is array, must be an object."},
		{`"chatInfo":"x"`, "chatInfo is string, must be an object."},
		{`"meetingInfo":7`, "meetingInfo is number, must be an object."},
		{`"tenantId":{}`, "tenantId is object, must be a string."},
		{`"tenantId":"` + strings.Repeat("x", 129) + `"`, "tenantId is 129 bytes, must be at most 128."},
		{
			`"source":{"x":"` + strings.Repeat("x", 6000) + `"},"chatInfo":{"x":"` + strings.Repeat("x", 6000) + `"},"meetingInfo":{"x":"` + strings.Repeat("x", 6000) + `"}`,
			"source, targets, mediaConfig, chatInfo and meetingInfo is 18",
		},
	} {
		r := bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x",`+test.members+`}`).must(t, 400)
		if !strings.HasPrefix(r.text("error", "message"), test.says) {
			t.Errorf("%.80s: got %s", test.members, show(r.body))
		}
	}
}

// A call that the platform attaches shows empty collections as such, and what is no JSON is refused
// at once: it would spoil every answer that shows the call.
func TestAnAttachedCallShowsWhatThePlatformSays(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	call := p.attach("bot", "")
	got := p.direct().request(http.MethodGet, "/communications/calls/"+call.ID().String(), nil).must(t, 200)
	for member, want := range map[string]string{"targets": "[]", "requestedModalities": "[]", "direction": "null", "source": "null", "mediaConfig": "null", "chatInfo": "null", "meetingInfo": "null"} {
		if is := show(at(got.body, member)); is != want {
			t.Errorf("%s: got %s, want %s", member, is, want)
		}
	}
	for name, set := range map[string]func(*graph.Resource){
		"Source":                 func(r *graph.Resource) { r.Source = json.RawMessage(`{`) },
		"Targets":                func(r *graph.Resource) { r.Targets = json.RawMessage(`[],`) },
		"MediaConfig":            func(r *graph.Resource) { r.MediaConfig = json.RawMessage(` `) },
		"ChatInfo":               func(r *graph.Resource) { r.ChatInfo = json.RawMessage("[\"\xff\"]") },
		"Direction":              func(r *graph.Resource) { r.Direction = "Outgoing" },
		"RequestedModalities[1]": func(r *graph.Resource) { r.RequestedModalities = []string{"audio", "smell"} },
		"MeetingInfo":            func(r *graph.Resource) { r.MeetingInfo = json.RawMessage("\"\n\"") },
	} {
		q, err := queue.New("call", new(queuetest.Media), queue.WithObserver(p.handler), queue.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close(nil)
		a := graph.Attachment{Queue: q, Tones: new(tone.Stream), Application: "a"}
		set(&a.Resource)
		if _, err := p.handler.Attach(a); err == nil || !strings.Contains(err.Error(), "resource: "+name+" is ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
