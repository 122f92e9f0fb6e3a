package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/tone"
)

// A bot finds its call in every notification of it by the id of the answer that created it: as it
// is, without another letter case or dashes to think of.
func TestABotFindsItsCallByTheIDThatItGot(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	p.first = graph.State{Call: graph.Establishing}
	bot := p.direct()
	made := bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"https://bot.contoso.com/c?call=7"}`).must(t, 201)
	id := made.text("id")
	call := p.last()
	_ = call.SetState(graph.State{Call: graph.Established})
	bot.post(call, "subscribeToTone", `{}`).must(t, 200)
	_, _ = call.tones.Publish(tone.Tone1)
	box.wait(t, 3)
	bot.request(http.MethodDelete, "/communications/calls/"+id, nil).must(t, 204)
	for i, n := range box.wait(t, 5) {
		url := "/communications/calls/" + id
		got := []any{
			at(n, "resourceUrl"), at(n, "resourceData", "@odata.id"), at(n, "resource"), at(n, "resourceData", "id"),
			at(n, "callbackUri"), at(n, "resourceData", "direction"),
		}
		equal(t, fmt.Sprint("notification ", i), got, []any{url, url, "/app/calls/" + id, id, "https://bot.contoso.com/c?call=7", "outgoing"})
	}
}

// The ids in an operation's resourceUrl are as its page shows them, or GUIDs if that is asked for.
func TestIDsOfOperationsAreAsThePageHasThemOrGUIDs(t *testing.T) {
	t.Parallel()
	for name, guids := range map[string]bool{"page": false, "GUIDs": true} {
		box := new(inbox)
		var opts []graph.Option
		if guids {
			opts = append(opts, graph.WithGUIDs())
		}
		p := newPlatform(t, box.Deliver, opts...)
		bot, call := p.direct(), p.attach("bot", "https://bot.contoso.com/c")
		op := bot.post(call, "playPrompt", playBody).must(t, 200).text("id")
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		n := box.wait(t, 2)[1]
		resource := call.ID().String() + "/operations/" + op
		url := "/communications/calls/" + resource
		if !guids {
			url = "/communications/calls/" + dashless(call.ID().String()) + "/operations/" + dashless(op)
		}
		got := []any{at(n, "resourceUrl"), at(n, "resourceData", "@odata.id"), at(n, "resource"), at(n, "resourceData", "id")}
		equal(t, name, got, []any{url, url, "/app/calls/" + resource, op})
		if _, ok := n["callbackUri"]; ok {
			t.Errorf("%s: an operation's notification has a callbackUri", name)
		}
		// Either form, and the resource, can be read back.
		for _, path := range []string{url, "/app/calls/" + resource, strings.ToLower(url)} {
			if r := bot.request(http.MethodGet, path, nil).must(t, 200); r.text("id") != op {
				t.Errorf("%s: got %s", path, show(r.body))
			}
		}
	}
}
