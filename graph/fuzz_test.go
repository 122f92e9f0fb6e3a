package graph_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/internal/bounds"
	"ivrqueue/queue"
)

// frugal runs f on something that somebody else has sent, and checks that it costs no more than in
// proportion: memory that is asked for, kept or not, and, generously, processor time.
func frugal(t *testing.T, sent, perByte int, f func()) {
	t.Helper()
	got, took := bounds.Measure(f)
	if most := uint64(1<<20 + perByte*sent); got > most {
		t.Errorf("%d bytes are allocated for %d, want at most %d", got, sent, most)
	}
	if most := 5*time.Second + time.Duration(sent)*time.Microsecond; took > most {
		t.Errorf("%v for %d bytes, want at most %v", took, sent, most)
	}
}

// fuzz sends bodies to an action, plain and as gzip, and checks what must hold whatever they are:
// no panic, no 500, an envelope for every error, an operation exactly if it is said to be one, and
// memory and time in proportion to what was sent.
func fuzz(f *testing.F, action string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.request.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
		f.Add(zipped(string(body)), true)
	}
	for _, s := range []string{
		"", "null", "{}", `{"prompts":[null]}`, `{"prompts":[{"mediaInfo":{"uri":"x"}}],"loop":true}`, `{"stopTones":["!"]}`,
		`{"callbackUri":"https://[::1]/"}`, `{"callbackUri":"https://x/","mediaConfig":{"@odata.type":null}}`, `{"targets":[{"a":1e999}]}`,
		`{"targets":[` + strings.Repeat(`{},`, 5000) + `{}]}`, `{"requestedModalities":[` + strings.Repeat(`"audio",`, 5000) + `1]}`,
		`{"targets":[` + strings.Repeat(`{"a":1},`, 2000) + `{}]}`, `{"mediaConfig":{` + strings.Repeat(`"":{"a":{}},`, 1000) + `"b":1}}`,
		`{"prompts":[` + strings.Repeat(`{"mediaInfo":{}},`, 2000) + `0]}`, `{"prompts":[{"mediaInfo":{"uri":"` + strings.Repeat("x", 100_000) + `"}}]}`,
		`{"stopTones":[` + strings.Repeat(`"tone1",`, 4000) + `"#"]}`, `{"clientContext":` + strings.Repeat("1", 100_000) + `}`,
		`{"mediaConfig":{"` + strings.Repeat(`\u003c`, 10_000) + `":"<<<<"}}`, strings.Repeat(`{"a":`, 64) + "1e999" + strings.Repeat("}", 64),
		`{"prompts":[{},{"mediaInfo":{"uri":7}}]}`, `{"PROMPTS":[[]],"prompts":{}}`, strings.Repeat(" ", 100_000) + "{}",
		strings.Repeat("[", 100), "{\"clientContext\":\"\xff\"}", `{"clientContext":"\ud800"}`, `{"maxRecordDurationInSeconds":1e1}`,
	} {
		f.Add([]byte(s), false)
		f.Add(zipped(s), true)
	}
	f.Add(bytes.Repeat(zipped(""), 1000), true) // members without end, and without content
	f.Add(zipped(`{"targets":[`+strings.Repeat(`{},`, 349_000)+`{}]}`), true)
	f.Fuzz(func(t *testing.T, body []byte, gzip bool) {
		p := newPlatform(t, new(inbox).Deliver)
		bot, call := p.direct(), p.attach("bot", "https://bot.contoso.com/", queue.WithMaxPending(1))
		path, want := "/communications/calls/"+call.ID().String()+"/"+action, http.StatusOK
		if action == "" {
			path, want = "/communications/calls", http.StatusCreated
		}
		var header []string
		if gzip {
			header = []string{"Content-Encoding", "gzip"}
		}
		perByte := 16
		if gzip {
			perByte *= graph.MaxInflation
		}
		var r reply
		frugal(t, len(body), perByte, func() { r = bot.request(http.MethodPost, path, body, header...) })
		switch r.status {
		case want:
			if _, err := uuid.Parse(r.text("id")); err != nil || !strings.HasSuffix(r.header.Get("Location"), r.text("id")) {
				t.Errorf("no resource: %s, %v", show(r.body), r.header)
			}
		case 400, 413:
			envelope(t, r)
			if s := call.Queue().Snapshot(); s.Running != nil || len(p.calls) > 1 || len(list(t, bot, call)) > 0 {
				t.Errorf("half accepted: %+v", s)
			}
		default:
			t.Errorf("got %d: %s", r.status, show(r.body))
		}
	})
}

func FuzzPlayPrompt(f *testing.F)            { fuzz(f, "playPrompt") }
func FuzzRecordResponse(f *testing.F)        { fuzz(f, "recordResponse") }
func FuzzCancelMediaProcessing(f *testing.F) { fuzz(f, "cancelMediaProcessing") }
func FuzzSubscribeToTone(f *testing.F)       { fuzz(f, "subscribeToTone") }
func FuzzCreateCall(f *testing.F)            { fuzz(f, "") }

// FuzzRetryAfter reads what a callback says of when it wants to be asked again.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{
		"", "0", "1", "30", "2147483648", "9223372036", "18446744073709551616", "-1", "1.5", "soon",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		strings.Repeat("9", 16<<10), "Fri, 31 Dec 99999 23:59:59 GMT",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		frugal(t, len(s), 16, func() {
			if d := graph.RetryAfter(s); d < 0 || d > 24*time.Hour {
				t.Errorf("%q: got %v", s, d)
			}
		})
	})
}

// FuzzAddress asks whether addresses may be connected to.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1", "8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:10.0.0.1", "4000::1", "200::1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001::1",
		"3fff::1", "5f00::1", "fe80::1%eth0", "2a00::5efe:7f00:1", "2606:4700::1111", "::", "255.255.255.255", "0x7f.1", "2130706433", "127.1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		frugal(t, len(s), 16, func() {
			ip, err := netip.ParseAddr(s)
			if err != nil {
				if (graph.Addresses{}).Control("tcp", s+":443", nil) == nil {
					t.Errorf("%q is no address, and may be connected to", s)
				}
				return
			}
			allowed := graph.Addresses{}.Allow(ip)
			plain := ip.Unmap().WithZone("")
			if allowed && (!plain.IsGlobalUnicast() || plain.IsPrivate() || plain.Is6() && plain.As16()[0]>>5 != 1) {
				t.Errorf("%q is allowed", s)
			}
			if allowed != (graph.Addresses{}).Allow(plain) {
				t.Errorf("%q and %v differ", s, plain)
			}
			if at := netip.AddrPortFrom(ip, 443).String(); allowed != ((graph.Addresses{}).Control("tcp", at, nil) == nil) {
				t.Errorf("%s may be connected to: %v", at, !allowed)
			}
		})
	})
}

// FuzzCallback checks callback addresses, and delivers to those that pass, on a network where nobody
// is: none reaches an address that is not allowed.
func FuzzCallback(f *testing.F) {
	for _, s := range []string{
		"https://bot.contoso.com/c?x=y", "https://10.0.0.1/", "https://[::ffff:0:127.0.0.1]/", "https://u:p@bot.contoso.com/", "http://localhost/",
		"https://localhost./", "https://2130706433/", "https://0x7f.1/", "https://[fe80::1%25eth0]/", "https://bot.contoso.com:99999/",
		"https://bot\u3002contoso.com/", "HTTPS://BOT.CONTOSO.COM/", "https://", "//x", strings.Repeat("https://a", 1000), "https://a/%zz", "https://a b/",
		"https://127.0.0.1\\@bot.contoso.com/", "https://bot.contoso.com/\r\nHost: other",
	} {
		f.Add(s)
	}
	n, err := graph.NewNotifier(graph.WithMaxElapsedTime(1), graph.WithDial(func(_ context.Context, _, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if ip, bad := netip.ParseAddr(host); bad == nil && !(graph.Addresses{}).Allow(ip) {
			err = errReached
		}
		return nil, cmp.Or(err, errNobody)
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		frugal(t, len(s), 64, func() {
			err := n.Check(s)
			u, bad := url.Parse(s)
			if err == nil && (bad != nil || u.Scheme != "https" || u.User != nil || u.Hostname() == "" || len(s) > graph.MaxURI) {
				t.Errorf("%q is taken", s)
			}
			if err := n.Deliver(t.Context(), graph.Delivery{CallbackURI: s}); err == nil || errors.Is(err, errReached) {
				t.Errorf("%q: got %v", s, err)
			}
			if err != nil && len(err.Error()) > 1500 {
				t.Errorf("%q: an error of %d bytes", s, len(err.Error()))
			}
		})
	})
}

var (
	errReached = errors.New("an address that is not allowed")
	errNobody  = errors.New("nobody is here")
)

// FuzzPath asks for anything anywhere.
func FuzzPath(f *testing.F) {
	p := newPlatform(f, func(context.Context, graph.Delivery) error { return nil })
	bot, call := p.direct(), p.attach("bot", "")
	for _, s := range []string{
		"/communications/calls", "/app/calls/%s", "/beta/communications/calls/%s/operations/%s", "/communications/calls/%s/microsoft.graph.",
		"//communications//calls", strings.Repeat("/", 100_000), strings.Repeat("/app/calls", 10_000), "/communications/calls/" + strings.Repeat("x", 100_000),
		"/communications/calls/%2e%2e/x", "/communications/calls/%s/operations/%s/..",
	} {
		f.Add("GET", strings.ReplaceAll(s, "%s", call.ID().String()))
		f.Add("POST", strings.ReplaceAll(s, "%s", call.ID().String()))
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://media.example/", nil)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.Path = path
		r.Header.Set("Authorization", "Bearer bot")
		var w *http.Response
		frugal(t, len(path)+len(method), 16, func() { w, err = bot.do(r) }) //nolint:bodyclose // it is, below
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		if w.StatusCode >= 500 || w.StatusCode/100 == 3 {
			t.Errorf("%s %q: got %d", method, path, w.StatusCode)
		}
	})
}
