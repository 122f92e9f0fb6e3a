package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ivrqueue/graph"
)

// serve starts the platform's server, with the handler mounted under a prefix of its own mux, and
// returns a client as a bot author has one.
func (p *platform) serve(prefix, token string) *client {
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", p.handler)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s := httptest.NewServer(mux)
	p.tb.Cleanup(s.Close)
	return &client{tb: p.tb, base: s.URL + prefix + "/v1.0", token: token, do: s.Client().Do}
}

// The request of the page on cancelMediaProcessing, over real sockets: request, answer, and the
// notification of the record that it cancelled, member for member.
func TestTheExchangeOfTheCancelPageIsExact(t *testing.T) {
	t.Parallel()
	var box inbox
	p := newPlatform(t, nil)
	bot := p.serve("", "bot")
	call := p.attach("bot", box.serve(t))
	url := "/communications/calls/" + call.ID().String()

	record := bot.request("POST", url+"/recordResponse", `{"clientContext":"d45324c1-fcb5-430a-902c-f20af696537c"}`).must(t, 200)
	cancel := bot.request("POST", url+"/cancelMediaProcessing", `{"clientContext":"clientContext-value"}`).must(t, 200)

	want := object{
		"@odata.type":   "#microsoft.graph.cancelMediaProcessingOperation",
		"status":        "completed",
		"clientContext": "clientContext-value",
		"id":            cancel.text("id"),
	}
	if show(cancel.body) != show(want) {
		t.Errorf("answer: got %s, want %s", show(cancel.body), show(want))
	}
	if got, want := cancel.header.Get("Location"), bot.base+url+"/operations/"+cancel.text("id"); got != want {
		t.Errorf("Location: got %s, want %s", got, want)
	}
	if got := cancel.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type: got %s", got)
	}

	got := box.wait(t, 2)
	resource := "/communications/calls/" + dashless(call.ID().String()) + "/operations/" + dashless(record.text("id"))
	notification := object{
		"@odata.type": "#microsoft.graph.commsNotification",
		"changeType":  "deleted",
		"resourceUrl": resource,
		"resource":    "/app/calls/" + call.ID().String() + "/operations/" + record.text("id"),
		"resourceData": object{
			"@odata.type":   "#microsoft.graph.recordOperation",
			"@odata.id":     resource,
			"@odata.etag":   at(got[1], "resourceData", "@odata.etag"),
			"id":            record.text("id"),
			"clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
			"status":        "failed",
			"resultInfo": object{
				"@odata.type": "#microsoft.graph.resultInfo", "code": 400, "subcode": 8508,
				"message": "Action failed, the operation was cancelled.",
			},
			"recordingLocation":    "",
			"recordingAccessToken": "",
			"completionReason":     "operationCanceled",
		},
	}
	if show(got[1]) != show(notification) {
		t.Errorf("notification: got %s\nwant %s", show(got[1]), show(notification))
	}
	if tag, _ := at(got[1], "resourceData", "@odata.etag").(string); !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("etag: got %q", tag)
	}
	envelope := parse(t, box.last()) // both may have come in one
	if at(envelope, "@odata.type") != "#microsoft.graph.commsNotifications" || len(members(envelope)) != 2 {
		t.Errorf("envelope: got %s", show(envelope))
	}
}

func dashless(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "")) }

// A platform that mounts the handler under a prefix of its own, with its own authentication, and
// attaches a call that it already has: with the Graph SDKs' habits, everything works.
func TestAHandlerWorksUnderAnyPrefixWithTheHabitsOfTheSDKs(t *testing.T) {
	t.Parallel()
	var box inbox
	p := newPlatform(t, nil)
	bot := p.serve("/media/graph", "bot")
	call := p.attach("bot", box.serve(t))
	root, _ := strings.CutSuffix(bot.base, "/v1.0")
	id := call.ID().String()

	for _, test := range []struct{ name, path, location string }{
		{"v1.0", "/v1.0/communications/calls/" + id + "/playPrompt", "/v1.0"},
		{"beta", "/beta/communications/calls/" + id + "/playPrompt", "/beta"},
		{"no version", "/communications/calls/" + id + "/playPrompt", ""},
		{"qualified", "/v1.0/communications/calls/" + id + "/microsoft.graph.playPrompt", "/v1.0"},
		{"old alias", "/v1.0/app/calls/" + id + "/playPrompt", "/v1.0"},
		{"id as in notifications", "/beta/communications/calls/" + dashless(id) + "/playPrompt", "/beta"},
		{"slash at the end", "/v1.0/communications/calls/" + id + "/playPrompt/", "/v1.0"},
	} {
		bot.base = root
		got := bot.request("POST", test.path, playBody, "Client-Request-Id", "c-1").must(t, 200)
		want := root + test.location + "/communications/calls/" + id + "/operations/" + got.text("id")
		if got.header.Get("Location") != want {
			t.Errorf("%s: Location: got %s, want %s", test.name, got.header.Get("Location"), want)
		}
		if got.header.Get("Client-Request-Id") != "c-1" || got.header.Get("Request-Id") == "" {
			t.Errorf("%s: got header %v", test.name, got.header)
		}
		bot.base = "" // what Location says can be got
		bot.request("GET", want, nil).must(t, 200)
	}
	for _, path := range []string{
		"/v1.0/communications/calls/" + id + "/record", "/v1.0/app/calls/" + id + "/microsoft.graph.recordResponse",
		"/beta/app/calls/" + id + "/microsoft.graph.subscribeToTone", "/communications/calls/" + id + "/microsoft.graph.cancelMediaProcessing",
	} {
		bot.base = root
		bot.request("POST", path, `{"clientContext":null,"unknown":{"deep":[1,2,{"more":null}]}}`).must(t, 200)
	}
	bot.request("POST", "/v1.0/communications/calls/"+id+"/keepAlive", nil).must(t, 200)
}

// Behind http.StripPrefix, and with a base URL of the platform's choice, Location says what the
// client must ask for.
func TestLocationSaysWhereTheClientFindsUs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, base, path, want string
	}{
		{"stripped", "", "/gone/v1.0/communications/calls/", "http://media.example/gone/v1.0"},
		{"given", "https://proxy.example/x/", "/gone/v1.0/communications/calls/", "https://proxy.example/x/v1.0"},
		{"given, with slashes", "https://proxy.example//", "/gone/v1.0/communications/calls/", "https://proxy.example/v1.0"},
		{"given, no version", "https://proxy.example/x", "/gone/app/calls/", "https://proxy.example/x"},
		{"given, beta", "https://proxy.example", "/gone/here/beta/communications/calls/", "https://proxy.example/beta"},
	} {
		var box inbox
		p := newPlatform(t, box.Deliver, graph.WithBaseURL(test.base))
		call := p.attach("bot", "")
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://media.example"+test.path+call.ID().String()+"/playPrompt", strings.NewReader(playBody))
		r.Header.Set("Authorization", "Bearer bot")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		http.StripPrefix("/gone", p.handler).ServeHTTP(w, r)
		want := test.want + "/communications/calls/" + call.ID().String() + "/operations/"
		if got := w.Header().Get("Location"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %d, %q, want %q", test.name, w.Code, got, want)
		}
	}
}
