package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/webhook"
)

// escaped is what may not stand in a request line, and how it goes there. All else stays as it is.
var escaped = []struct{ name, given, sent string }{
	{"a space in the query", "/cb?name=John Smith", "/cb?name=John%20Smith"},
	{"a space in the path", "/my bot/cb", "/my%20bot/cb"},
	{"a letter", "/Zoë?n=Zoë", "/Zo%C3%AB?n=Zo%C3%AB"},
	{"an emoji", "/cb?x=\U0001f600&y", "/cb?x=%F0%9F%98%80&y"},
	{"escaped and not", "/%c3%aB ü%2F?a=%2f ü+%20", "/%c3%aB%20%C3%BC%2F?a=%2f%20%C3%BC+%20"},
	{"quotes and brackets", "/a[0]{x}?f[a]=\"<>\\^`{|}", "/a%5B0%5D%7Bx%7D?f%5Ba%5D=%22%3C%3E%5C%5E%60%7B%7C%7D"},
	{"a percent sign", "/100%?p=50%&q=%zz&r=%4", "/100%25?p=50%25&q=%25zz&r=%254"},
	{"all that may stand there", "/-._~!$&'()*+,;=:@/a//b/?-._~!$&'()*+,;=:@/??", "/-._~!$&'()*+,;=:@/a//b/?-._~!$&'()*+,;=:@/??"},
	{"a fragment", "/cb?x=a#ü b#c", "/cb?x=a"},
	{"an address in the query", "/cb?next=https://a.example/ü", "/cb?next=https://a.example/%C3%BC"},
	{"no path", "?x= y", "/?x=%20y"},
	{"an empty query", "/cb?", "/cb?"},
	{"nothing", "", "/"},
}

// A callback's address goes on the wire with what may not stand there escaped, byte for byte as it
// is otherwise; the call shows it as it was given.
func TestACallbackIsEscapedAndOtherwiseAsItIs(t *testing.T) {
	t.Parallel()
	targets := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.RequestURI
		if strings.HasPrefix(r.RequestURI, "/leads") {
			w.Header()["Location"] = []string{"/elsewhere/Zoë?a b"}
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(s.Close)
	n := newNotifier(t)
	for _, test := range escaped {
		uri := s.URL + test.given
		if err := n.Check(uri); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err := n.Deliver(t.Context(), webhook.Delivery{CallbackURI: uri, Body: []byte("{}")}); err != nil {
			t.Errorf("%s: taken, then lost: %v", test.name, err)
			continue
		}
		if got := <-targets; got != test.sent {
			t.Errorf("%s: got %q, want %q", test.name, got, test.sent)
		}
	}
	if err := n.Deliver(t.Context(), webhook.Delivery{CallbackURI: s.URL + "/leads", Body: []byte("{}")}); err != nil {
		t.Errorf("a redirect: %v", err)
	}
	if first, second := <-targets, <-targets; first != "/leads" || second != "/elsewhere/Zo%C3%AB?a%20b" {
		t.Errorf("a redirect: got %q, %q", first, second)
	}
	box := new(inbox)
	shown := newPlatform(t, box.Deliver).direct().request(http.MethodPost, "/communications/calls", `{"callbackUri":"https://bot.contoso.com/Zoë?a b"}`).must(t, 201)
	equal(t, "shown", []any{shown.text("callbackUri"), at(box.wait(t, 1)[0], "callbackUri")}, []any{"https://bot.contoso.com/Zoë?a b", "https://bot.contoso.com/Zoë?a b"})
}

// The platform gets a prompt's address as it goes on the wire. What is none of HTTP is for the
// platform to understand.
func TestAPromptsAddressIsEscapedAndOtherwiseAsItIs(t *testing.T) {
	t.Parallel()
	tests := [][2]string{
		{"file:my prompt.wav", "file:my prompt.wav"},
		{"embedded:ü.wav", "embedded:ü.wav"},
		{" x ", " x "},
		{"a b", "a b"},
		{"httpx://a b", "httpx://a b"},
		{"HTTPS://CDN.contoso.com./A B", "HTTPS://CDN.contoso.com./A%20B"},
		{"http://bücher.example:8080/ü", "http://bücher.example:8080/%C3%BC"},
		{"https://u:p@cdn.contoso.com/ü", "https://u:p@cdn.contoso.com/%C3%BC"},
		{"https://cdn.contoso.com#ü", "https://cdn.contoso.com#%C3%BC"},
	}
	for _, test := range escaped {
		sent := test.sent
		switch test.name {
		case "a fragment":
			sent += "#%C3%BC%20b%23c"
		case "no path", "nothing":
			sent = strings.TrimPrefix(sent, "/")
		}
		tests = append(tests, [2]string{"https://cdn.contoso.com" + test.given, "https://cdn.contoso.com" + sent})
	}
	for _, test := range tests {
		for _, action := range []string{"playPrompt", "recordResponse"} {
			bot, call, _ := bench(t)
			bot.post(call, action, object{"prompts": []any{object{"mediaInfo": object{"uri": test[0]}}}}).must(t, 200)
			var prompts []operation.Prompt
			switch req := call.waitStarted(t).Request().(type) {
			case *operation.PlayPrompt:
				prompts = req.Prompts
			case *operation.RecordResponse:
				prompts = req.Prompts
			}
			if len(prompts) != 1 || prompts[0].URI != test[1] {
				t.Errorf("%q: got %q, want %q", test[0], prompts, test[1])
			}
		}
	}
}

// An address to which nothing can ever be sent is refused when it is given, as callback and as
// prompt, and by name as the platform's own.
func TestAnAddressThatCanNeverWorkIsRefused(t *testing.T) {
	t.Parallel()
	n := newNotifier(t)
	bot, call, _ := bench(t)
	for uri, must := range map[string]string{
		"https://bot.contoso.com/c\x20": "white space", "https://bot.contoso.com/a\nb": "absolute",
		"https://bot.contoso.com:65536/c": "port", "https://127.1/": "host",
		"https://" + strings.Repeat("a", 64) + ".com/": "host", "https:///c": "absolute",
	} {
		if err := n.Check(uri); err == nil || !strings.Contains(err.Error(), must) || !strings.Contains(err.Error(), "callbackUri is ") {
			t.Errorf("callback %q: got %v, want %q", uri, err, must)
		}
		r := bot.post(call, "playPrompt", object{"prompts": []any{object{"mediaInfo": object{"uri": uri}}}})
		if r.status != 400 || !strings.HasPrefix(r.text("error", "message"), "prompts[0].mediaInfo.uri is ") || !strings.Contains(r.text("error", "message"), must) {
			t.Errorf("prompt %q: got %d: %s", uri, r.status, show(r.body))
		}
	}
	for _, base := range []string{"https://media..example", "https://media.example:0", "http://media.example:70000/x", "https://media.example//x", "https://media.example/x?", "https://media.example/x#", "https://media.example/a/../b"} {
		if _, err := graph.New(graph.Platform{Authenticate: authenticate}, graph.WithBaseURL(base)); err == nil || !strings.Contains(err.Error(), "WithBaseURL") {
			t.Errorf("base %q: got %v", base, err)
		}
	}
}
