package service_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"ivrqueue/examples/ivr/service"
)

// forward creates a call with these headers, and returns its Location.
func (r *rig) forward(path, host string, headers ...string) string {
	r.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+path, strings.NewReader(createBody(r.callback)))
	if err != nil {
		r.tb.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Authorization", "Bearer bot")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w, err := r.client.Do(req)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusCreated {
		return w.Status
	}
	location := w.Header.Get("Location")
	return location[:strings.LastIndexByte(location, '/')]
}

// Where things are said to be: at the base URL, else where a proxy that is trusted says that the
// client is, else where the request came to.
func TestWhereThingsAreSaidToBe(t *testing.T) {
	t.Parallel()
	here := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}
	trusts := func(o *service.Options) { o.TrustedProxies = here }
	elsewhere := func(o *service.Options) { o.TrustedProxies = here[:1] }
	const calls = "/v1.0/communications/calls"
	for _, test := range []struct {
		name    string
		change  func(*service.Options)
		path    string
		headers []string
		want    string
	}{
		{"nobody says more", trusts, calls, nil, "http://ivr.test"},
		{"a proxy", trusts, calls, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "media.example:444"}, "https://media.example:444"},
		{"its scheme alone", trusts, calls, []string{"X-Forwarded-Proto", "HTTPS"}, "https://ivr.test"},
		{"its host alone", trusts, calls, []string{"X-Forwarded-Host", "[2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"},
		{"the last of several", trusts, calls, []string{"X-Forwarded-Proto", "http, https", "X-Forwarded-Host", "evil.example", "X-Forwarded-Host", "evil.example, media.example"}, "https://media.example"},
		{"as the RFC has it", trusts, calls, []string{"Forwarded", `for=1.2.3.4;proto=http;host=evil.example, For="[::1]" ; Proto=https;Host="media.example:444"`}, "https://media.example:444"},
		{"no scheme", trusts, calls, []string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "media.example"}, "http://media.example"},
		{"no host", trusts, calls, []string{"X-Forwarded-Host", "u:p@media.example/x?y#z"}, "http://ivr.test"},
		{"no host at all", trusts, calls, []string{"X-Forwarded-Host", ":80"}, "http://ivr.test"},
		{"a host with spaces", trusts, calls, []string{"X-Forwarded-Host", "a b"}, "http://ivr.test"},
		{"empty ones", trusts, calls, []string{"X-Forwarded-Host", "", "X-Forwarded-Proto", "", "Forwarded", ""}, "http://ivr.test"},
		{"a proxy that nobody named", elsewhere, calls, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example", "Forwarded", "proto=https;host=evil.example"}, "http://ivr.test"},
		{"the base URL", func(o *service.Options) { o.BaseURL, o.TrustedProxies = "https://media.example/ivr/", here }, calls, []string{"X-Forwarded-Host", "evil.example"}, "https://media.example/ivr"},
		{"the base URL, whose path came with the request", func(o *service.Options) { o.BaseURL = "https://media.example/ivr" }, "/ivr" + calls, nil, "https://media.example/ivr"},
		{"slashes at its end", func(o *service.Options) { o.BaseURL = "https://media.example//" }, calls, nil, "https://media.example"},
		{"one without a path", func(o *service.Options) { o.BaseURL = "http://media.example" }, calls, nil, "http://media.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, test.change)
			if got := r.forward(test.path, "ivr.test", test.headers...); got != test.want+calls {
				t.Errorf("got %q, want %q", got, test.want+calls)
			}
		})
	}
}

// What has come to another node by TLS is forwarded with a URL's scheme, which no client can set: that
// of a request line in absolute form is its own word.
func TestAForwardedRequestKeepsItsScheme(t *testing.T) {
	t.Parallel()
	r := start(t)
	const calls = "/v1.0/communications/calls"
	for uri, want := range map[string]string{
		calls: "https://ivr.test", "https://evil.example" + calls: "http://ivr.test",
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, calls, strings.NewReader(createBody(r.callback)))
		req.Host, req.URL.Scheme, req.RequestURI = "ivr.test", "https", uri
		req.Header.Set("Authorization", "Bearer bot")
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		r.service.ServeHTTP(w, req)
		if got := w.Header().Get("Location"); !strings.HasPrefix(got, want+calls+"/") {
			t.Errorf("%s: got %d, %q, want %s", uri, w.Code, got, want)
		}
	}
}

// The page of the calls is found without its last slash, wherever the service is.
func TestThePageIsFoundWithoutItsSlash(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) { o.BaseURL = "https://media.example/ivr" })
	for _, at := range []string{"/debug/calls", "/ivr/debug/calls"} { // a proxy need not take the path away
		w := httptest.NewRecorder()
		r.service.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, at, nil))
		to, err := url.Parse("https://media.example/ivr/debug/calls")
		if err == nil {
			to, err = to.Parse(w.Header().Get("Location"))
		}
		if want := "https://media.example/ivr" + service.InspectorPath; err != nil || to.String() != want {
			t.Errorf("%s: got %d to %v, %v, want %s", at, w.Code, to, err, want)
		}
	}
}

// A recording is found where the service is.
func TestARecordingIsSaidToBeBelowTheBaseURL(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) {
		o.BaseURL, o.Caller = "https://media.example/ivr", make([]int16, 16000)
	})
	p := r.call()
	p.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	id := p.act("recordResponse", `{"maxRecordDurationInSeconds":1,"playBeep":false}`)
	location, _ := r.ended(id)["recordingLocation"].(string)
	path, ok := strings.CutPrefix(location, "https://media.example/ivr/recordings/")
	if !ok {
		t.Fatalf("got %q", location)
	}
	for _, path := range []string{"/recordings/" + path, "/ivr/recordings/" + path} {
		token, _ := r.ended(id)["recordingAccessToken"].(string)
		if status, _ := r.do("GET", path, token, ""); status != 200 {
			t.Errorf("%s: got %d", path, status)
		}
	}
}

func TestABaseURLIsChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"media.example", "ftp://media.example", "https://", "https:///x", "https://u@media.example", "https://media.example/?x", "https://media.example/#x", "https://media.example/?", "https://media.example/#", "https://a b", "/", "//", "https://media.example//ivr", "https://media.example/ivr//x/", "https://media.example/%2F/x", "https://media.example/a/../b"} {
		o := service.Options{Folder: t.TempDir(), BaseURL: bad}
		if _, err := service.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "BaseURL is "+strconv.Quote(bad)) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// Networks that are named are where callbacks may be, and no others.
func TestCallbacksMayBeInNetworksThatAreNamed(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) {
		o.Dev, o.AllowCallbacks = false, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	r.call()
	r.wait("is established", func(res any) bool { return at(res, "state") == "established" })
	for _, uri := range []string{"http://127.0.0.2/", "http://10.0.0.1/", "https://10.0.0.1/"} {
		if status, body := r.do("POST", "/v1.0/communications/calls", "bot", createBody(uri)); status != 400 {
			t.Errorf("%s: got %d: %s", uri, status, body)
		}
	}
	closed := start(t, func(o *service.Options) { o.Dev = false })
	if status, _ := closed.do("POST", "/v1.0/communications/calls", "bot", createBody(closed.callback)); status != 400 {
		t.Errorf("by default: got %d", status)
	}
}
