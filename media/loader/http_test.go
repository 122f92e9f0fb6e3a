package loader_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// A prompt that is asked for twice is asked of its server as often as its answers say, in the way
// that they say.
func TestAServerSaysHowItsPromptsAreKept(t *testing.T) {
	t.Parallel()
	const old, changed = 320, 640 // samples
	for name, test := range map[string]struct {
		first    []string // header of the first answer
		second   string   // what is asked by the second time; "-": nothing is asked
		modified bool     // what the server answers to that
		want     int
	}{
		"nothing said":                  {nil, "-", false, old},
		"fresh":                         {[]string{"Cache-Control: max-age=60"}, "-", false, old},
		"fresh, and old":                {[]string{"Cache-Control: max-age=60", "Age: 30"}, "-", false, old},
		"too old":                       {[]string{"Cache-Control: max-age=60", "Age: 60"}, "", true, changed},
		"no-store":                      {[]string{"Cache-Control: no-store", `ETag: "1"`}, "", true, changed},
		"no-cache, nothing to ask by":   {[]string{"Cache-Control: no-cache"}, "", true, changed},
		"no-cache, not modified":        {[]string{"Cache-Control: no-cache", `ETag: "1"`}, `If-None-Match: "1"`, false, old},
		"no-cache, modified":            {[]string{"Cache-Control: no-cache", `ETag: "1"`}, `If-None-Match: "1"`, true, changed},
		"stale, weak ETag":              {[]string{"Cache-Control: max-age=0", `ETag: W/"1"`}, `If-None-Match: W/"1"`, false, old},
		"stale, Last-Modified":          {[]string{"Cache-Control: max-age=0", "Last-Modified: Mon, 04 May 2026 12:00:00 GMT"}, "If-Modified-Since: Mon, 04 May 2026 12:00:00 GMT", false, old},
		"stale, for a reason of Vary":   {[]string{"Cache-Control: max-age=60", "Vary: *", `ETag: "1"`}, "", true, changed},
		"Vary on what is always alike":  {[]string{"Cache-Control: max-age=60", "Vary: User-Agent"}, "-", false, old},
		"a header that can't be parsed": {[]string{`Cache-Control: max-age="60`}, "", true, changed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			var answers int
			url, requests := server(t, func(w http.ResponseWriter, r *http.Request) {
				answers++
				for _, field := range []string{"If-None-Match", "If-Modified-Since"} {
					if v := r.Header.Get(field); v != "" {
						asked = append(asked, field+": "+v)
					}
				}
				for _, field := range test.first {
					name, value, _ := strings.Cut(field, ": ")
					w.Header().Add(name, value)
				}
				switch {
				case answers == 1:
					_, _ = w.Write(wav(old))
				case test.modified:
					_, _ = w.Write(wav(changed))
				default:
					w.WriteHeader(http.StatusNotModified)
				}
			})
			app := newLibrary(t, loader.Options{Loopback: true}).For("app")
			load := func() int {
				s, err := app.Load(t.Context(), operation.Prompt{URI: url, ResourceID: "1"})
				if err != nil {
					t.Fatal(err)
				}
				return len(s)
			}
			_ = load()
			got, want := load(), int32(2)
			if test.second == "-" {
				want = 1
			}
			if n := requests.Load(); got != test.want || n != want {
				t.Errorf("got %d samples after %d requests, want %d after %d", got, n, test.want, want)
			}
			if by := strings.Join(asked, ", "); test.second != "-" && by != test.second {
				t.Errorf("asked by %q, want %q", by, test.second)
			}
		})
	}
}

// Connections are kept for the next prompt, and not one to each of many servers.
func TestConnectionsThatAreKeptAreBounded(t *testing.T) {
	t.Parallel()
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	const servers = loader.MaxIdle + 10
	changes := make(chan int, 10*servers)
	for range servers {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(wav(320))
		}))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				changes <- 1
			case http.StateClosed:
				changes <- -1
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		if _, err := app.Load(t.Context(), operation.Prompt{URI: s.URL}); err != nil {
			t.Fatal(err)
		}
	}
	timer := time.NewTimer(long)
	defer timer.Stop()
	for made, open := 0, 0; made < servers || open > loader.MaxIdle; {
		select {
		case change := <-changes:
			made += max(0, change)
			open += change
		case <-timer.C:
			t.Fatalf("%d of %d connections are open, want at most %d", open, made, loader.MaxIdle)
		}
	}
}

// What a server says with 304 holds from then on; if that is about something else, the prompt is
// fetched anew.
func TestAnAnswerThatNothingHasChangedIsRemembered(t *testing.T) {
	t.Parallel()
	const n = 320
	for tag, want := range map[string]int32{`"1"`: 2, `W/"1"`: 2, "": 2, `"2"`: 3} {
		var answers int
		url, requests := server(t, func(w http.ResponseWriter, r *http.Request) {
			answers++
			switch {
			case answers == 1:
				w.Header().Set("ETag", `"1"`)
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Age", "60")
				_, _ = w.Write(wav(n))
			case r.Header.Get("If-None-Match") != "":
				if tag != "" {
					w.Header().Set("ETag", tag)
				}
				w.WriteHeader(http.StatusNotModified)
			default:
				w.Header().Set("Cache-Control", "max-age=60")
				_, _ = w.Write(wav(2 * n))
			}
		})
		app := newLibrary(t, loader.Options{Loopback: true}).For("app")
		var last []int16
		for range 4 {
			var err error
			last, err = app.Load(t.Context(), operation.Prompt{URI: url, ResourceID: "1"})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := requests.Load(); got != want || (want == 2) != (len(last) == n) {
			t.Errorf("ETag %s: %d samples after %d requests, want %d", tag, len(last), got, want)
		}
	}
}

// Who waits for a fetch that others began gets what may be kept, and else his own.
func TestWhatMayNotBeKeptIsNotShared(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int32{"no-store": 5, "no-cache": 1, "max-age=60": 1} {
		goOn, begun := make(chan struct{}), make(chan struct{}, 10)
		url, requests := server(t, func(w http.ResponseWriter, _ *http.Request) {
			begun <- struct{}{}
			<-goOn
			w.Header().Set("Cache-Control", header)
			_, _ = w.Write(wav(320))
		})
		app := newLibrary(t, loader.Options{Loopback: true}).For("app")
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				_, err := app.Load(t.Context(), operation.Prompt{URI: url, ResourceID: "1"})
				if err != nil {
					t.Error(err)
				}
			})
		}
		<-begun
		for app.Waiting("1", url) < 5 {
			time.Sleep(time.Millisecond)
		}
		close(goOn)
		all.Wait()
		if got := requests.Load(); got != want {
			t.Errorf("%s: %d requests, want %d", header, got, want)
		}
	}
}

// Redirects are followed a few times, of every kind, and without revealing one host to another; each
// address is looked at as the first one is.
func TestRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	var revealed []string
	var mu sync.Mutex
	base, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		revealed = append(revealed, r.Header.Get("Referer")+r.Header.Get("Authorization"))
		mu.Unlock()
		status, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		to := r.URL.Query().Get("to")
		if left, err := strconv.Atoi(to); err == nil && left > 0 {
			to = "?to=" + strconv.Itoa(left-1)
		}
		if to == "" || to == "0" {
			_, _ = w.Write(wav(320))
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	})
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	load := func(path string) error {
		_, err := app.Load(t.Context(), operation.Prompt{URI: base + path})
		return err
	}
	for _, status := range []string{"/301", "/302", "/303", "/307", "/308"} {
		for _, to := range []string{"/x", "x", base + "/x", "//" + strings.TrimPrefix(base, "http://") + "/x", "5"} {
			if err := load(status + "?to=" + url.QueryEscape(to)); err != nil {
				t.Errorf("%s to %s: %v", status, to, err)
			}
		}
	}
	for to, want := range map[string]string{
		"6":                                     "more than 5 redirects",
		"https://10.0.0.1/?key=s3cret":          "redirected to 10.0.0.1: ",
		"https://169.254.169.254/s3cret/latest": "is not allowed",
		"http://example.com/s3cret":             "redirected to example.com: http, must be https",
		"file:///etc/s3cret":                    `scheme "file", must be https`,
		"embedded:s3cret":                       `scheme "embedded", must be https`,
		"https:///s3cret":                       "no host",
		"http://[::1/s3cret":                    "without a Location that is a URI",
		"https://example.com:99999/s3cret":      "with a port from 1 to 65535",
		"https://user:s3cret@[::]/":             "is not allowed",
	} {
		err := load("/302?to=" + url.QueryEscape(to))
		wantReason(t, to, err, operation.NotDownloadable, want)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("it reveals a secret: %v", err)
		}
		if detail := operation.Detail(err); detail == "" || strings.Contains(detail, "redirected to") {
			t.Errorf("%s: the bot gets %q", to, detail)
		}
	}
	for _, s := range revealed {
		if s != "" {
			t.Errorf("a host got %q", s)
		}
	}
	_, err := newLibrary(t, loader.Options{}).For("app").Load(t.Context(), operation.Prompt{URI: base})
	wantReason(t, "loopback", err, operation.NotDownloadable, "this machine")
}

// What may not stand in a request line is escaped in an address, the rest of it stays as it is: in
// that of a prompt, and in where a redirect leads.
func TestAnAddressIsEscapedAndOtherwiseAsItIs(t *testing.T) {
	t.Parallel()
	const escaped = "/Zo%C3%AB%20%2f?name=John%20Smith&x=%2F&y=50%25"
	asked := make(chan string, 2)
	base, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.RequestURI
		if r.RequestURI == "/leads" {
			w.Header()["Location"] = []string{"/Zoë %2f?name=John Smith&x=%2F&y=50%"}
			w.WriteHeader(http.StatusFound)
			return
		}
		_, _ = w.Write(wav(320))
	})
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for given, want := range map[string][]string{
		"/Zoë %2f?name=John Smith&x=%2F&y=50%": {escaped},
		escaped:                                {escaped},
		"/leads":                               {"/leads", escaped},
	} {
		for _, id := range []string{"", "1"} {
			_, err := app.Load(t.Context(), operation.Prompt{URI: base + given, ResourceID: id})
			if err != nil {
				t.Errorf("%s: %v", given, err)
				continue
			}
			for _, target := range want {
				if got := <-asked; got != target {
					t.Errorf("%s: asked for %s, want %s", given, got, target)
				}
			}
		}
	}
}

// A prompt that a redirect leads to is fresh for as long as both answers are.
func TestARedirectIsAskedAgain(t *testing.T) {
	t.Parallel()
	for how, want := range map[string][]string{
		"":           {"/", "/a", "/", "/b"}, // it leads elsewhere now
		"max-age=60": {"/", "/a"},
		"no-store":   {"/", "/a", "/", "/b"},
		"same":       {"/", "/a", "/", "/a " + `"1"`}, // what it leads to is asked for whether it has changed
	} {
		var got []string
		var mu sync.Mutex
		base, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("If-None-Match")))
			switch {
			case r.URL.Path == "/" && (len(got) == 1 || how == "same"):
				w.Header().Set("Cache-Control", strings.TrimPrefix(how, "same"))
				http.Redirect(w, r, "/a", http.StatusFound)
			case r.URL.Path == "/":
				http.Redirect(w, r, "/b", http.StatusFound)
			case r.Header.Get("If-None-Match") != "":
				w.WriteHeader(http.StatusNotModified)
			default:
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("ETag", `"1"`)
				_, _ = w.Write(wav(320))
			}
		})
		app := newLibrary(t, loader.Options{Loopback: true}).For("app")
		for range 2 {
			if _, err := app.Load(t.Context(), operation.Prompt{URI: base + "/", ResourceID: "1"}); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := strings.Join(got, " "), strings.Join(want, " "); a != b {
			t.Errorf("%q: asked for %s, want %s", how, a, b)
		}
	}
}

// Redirects all count in the time that a prompt has.
func TestARedirectEndsWithItsOperation(t *testing.T) {
	t.Parallel()
	base, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/slow", http.StatusFound)
			return
		}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(operation.Cancelled) })
	_, err := newLibrary(t, loader.Options{Loopback: true}).For("app").Load(ctx, operation.Prompt{URI: base + "/"})
	wantReason(t, "cancelled", err, operation.NotDownloadable, "cancelled")
}
