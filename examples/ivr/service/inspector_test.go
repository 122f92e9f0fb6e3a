package service_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
)

// page is a browser that shows the calls of a token's application.
type page struct {
	r     *rig
	token string
}

func (p page) get(ctx context.Context, query string) *http.Response {
	p.r.tb.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.r.url+service.InspectorPath+query, nil)
	if err != nil {
		p.r.tb.Fatal(err)
	}
	if p.token != "" {
		req.SetBasicAuth("anybody", p.token)
	}
	answer, err := p.r.client.Do(req)
	if err != nil {
		p.r.tb.Fatal(err)
	}
	return answer
}

// follow reads a stream until its events are enough, and returns all that it has read.
func (p page) follow(query string, enough func(event object) bool) (text string) {
	p.r.tb.Helper()
	ctx, cancel := context.WithTimeout(p.r.tb.Context(), time.Minute)
	defer cancel()
	answer := p.get(ctx, query)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text += lines.Text() + "\n"
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		var event object
		if ok && json.Unmarshal([]byte(data), &event) == nil && enough(event) {
			return text
		}
	}
	p.r.tb.Fatalf("%s: status %d, and then %v", query, answer.StatusCode, lines.Err())
	return ""
}

// The author of a bot sees the bot's calls in a browser, live, and no others.
func TestABotsAuthorSeesItsCalls(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.file("a.wav", sine(400, 2*time.Second))
	p := r.call()
	p.act("subscribeToTone", `{}`)
	first := p.play("file:a.wav", true)
	p.play("file:a.wav", false)
	p.press("7")
	p.act("cancelMediaProcessing", `{"clientContext":"enough"}`)
	r.wantEnd(first, 400, 8508)

	author := page{r, "bot"}
	author.follow("events", func(e object) bool {
		calls, _ := e["calls"].([]any)
		return len(calls) == 1 && at(calls[0], "id") == p.id && at(calls[0], "labels") != nil
	})
	seen := map[string]bool{}
	keep := func(list any, name func(any) any) {
		items, _ := list.([]any)
		for _, item := range items {
			text, _ := name(item).(string)
			seen[text] = true
		}
	}
	wants := []string{"established", "key", "cancel", "cancelled", "taken", "a.wav"}
	author.follow("events?call=1", func(e object) bool {
		keep(e["marks"], func(m any) any { return at(m, "kind") })
		keep(e["marks"], func(m any) any { return at(m, "text") })
		keep(e["operations"], func(o any) any { return at(o, "title") })
		keep(e["operations"], func(o any) any { return at(o, "result", "reason") })
		keep(e["deliveries"], func(d any) any { return at(d, "state") })
		for _, want := range wants {
			if !seen[want] {
				return false
			}
		}
		return true
	})
	for token, want := range map[string]int{"bot": 200, "other": 404, "": 401, "wrong": 401} {
		ctx, cancel := context.WithCancel(t.Context())
		answer := page{r, token}.get(ctx, "events?call=1")
		if answer.StatusCode != want {
			t.Errorf("token %q: got %d, want %d", token, answer.StatusCode, want)
		}
		if asks := strings.Join(answer.Header.Values("WWW-Authenticate"), ","); want == 401 && !strings.Contains(asks, "Basic") {
			t.Errorf("a browser would not ask for the token: %q", asks)
		}
		cancel()
		_ = answer.Body.Close()
	}
	page{r, "other"}.follow("events", func(e object) bool {
		if e["calls"] != nil {
			t.Errorf("another application sees %v", e["calls"])
		}
		return true
	})
	p.must(204, "DELETE", "/dev/calls/"+p.id, "bot", "")
	author.follow("events?call=1", func(e object) bool { return at(e, "call", "why") == "callEnded" })

	closed := start(t, func(o *service.Options) { o.Dev = false })
	if status, _ := closed.do("GET", service.InspectorPath, "bot", ""); status != 404 {
		t.Errorf("without Dev: got %d", status)
	}
}
