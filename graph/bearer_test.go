package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ivrqueue/graph"
)

// A bearer token is read as RFC 6750 and RFC 9110 have it.
func TestABearerTokenIsReadAsTheRFCHasIt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 10_000)
	for _, test := range []struct {
		header []string
		token  string
	}{
		{[]string{"Bearer a"}, "a"},
		{[]string{"Bearer  a"}, "a"},
		{[]string{"Bearer      aA0-._~+/=="}, "aA0-._~+/=="},
		{[]string{"bearer a"}, "a"},
		{[]string{"BEARER a"}, "a"},
		{[]string{"  Bearer a \t"}, "a"},
		{[]string{"Bearer " + long}, long},
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"Bearer"}, ""},
		{[]string{"Bearer "}, ""},
		{[]string{"Bearer   "}, ""},
		{[]string{"Bearera"}, ""},
		{[]string{"Bearer\ta"}, ""},
		{[]string{"Bearer a b"}, ""},
		{[]string{"Bearer a, Bearer b"}, ""},
		{[]string{`Bearer "a"`}, ""},
		{[]string{"Bearer ==="}, ""},
		{[]string{"Bearer a=b"}, ""},
		{[]string{"Bearer é"}, ""},
		{[]string{"Bearer a\xff"}, ""},
		{[]string{"Basic a"}, ""},
		{[]string{"a"}, ""},
		{[]string{"Bearer a", "Bearer a"}, ""},
		{[]string{"Basic a", "Bearer a"}, ""},
	} {
		r := &http.Request{Header: http.Header{"Authorization": test.header}}
		token, ok := graph.BearerToken(r)
		if ok != (test.token != "") || ok && token != test.token {
			t.Errorf("%.40q: got %.40q, %v, want %.40q", test.header, token, ok, test.token)
		}
	}
}

// Who comes without a bearer token gets the scheme, and no more.
func TestAChallengeSaysAnErrorToWhoHadAToken(t *testing.T) {
	t.Parallel()
	bot, _, _ := bench(t)
	for header, want := range map[string]string{
		"Basic Zm9vOmJhcg==": "Bearer", "bad": "Bearer", "Bearer bad": `Bearer error="invalid_token"`, "bearer": `Bearer error="invalid_token"`,
		"Bearer  bad": `Bearer error="invalid_token"`, "Bearer bad bad": `Bearer error="invalid_token"`,
	} {
		r := bot.request(http.MethodGet, "/communications/calls/7", nil, "Authorization", header).must(t, 401)
		envelope(t, r)
		if r.header.Get("WWW-Authenticate") != want {
			t.Errorf("%q: got %q, want %q", header, r.header.Get("WWW-Authenticate"), want)
		}
	}
}

// A platform's own endpoints can answer with errors in the form of the handler's.
func TestAPlatformsOwnErrorsHaveTheSameForm(t *testing.T) {
	t.Parallel()
	c := &client{tb: t, base: "http://media.example", do: func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "1")
		graph.WriteError(w, r, http.StatusTooManyRequests, "busy", "Come again.")
		return w.Result(), nil
	}}
	r := c.request(http.MethodGet, "/dev", nil, "Client-Request-Id", "c-7").must(t, 429)
	envelope(t, r)
	if r.text("error", "code") != "busy" || r.text("error", "message") != "Come again." || r.header.Get("Retry-After") != "1" ||
		r.header.Get("Client-Request-Id") != "c-7" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %v: %s", r.header, show(r.body))
	}
}
