package loader_test

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// wav is a WAV file of n silent samples.
func wav(n int) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(16000), uint32(32000), uint16(2), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n))
	b.Write(make([]byte, 2*n))
	return b.Bytes()
}

func newLibrary(t *testing.T, o loader.Options) *loader.Library {
	t.Helper()
	l, err := loader.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l.SetFetchTime(time.Hour) // no test is about that, and a machine may be slow
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// server serves prompts, and counts the requests.
func server(t *testing.T, h http.HandlerFunc) (url string, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

func wantReason(t *testing.T, what string, err error, want operation.Reason, text string) {
	t.Helper()
	var got operation.Reason
	if !errors.As(err, &got) || got != want || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want %v with %q", what, err, want, text)
	}
}

// Whatever a server does, the prompt fails with its reason, and the error names it, without its
// query.
func TestAPromptThatCannotBeFetchedSaysWhy(t *testing.T) {
	t.Parallel()
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write(wav(320))
		case "/text":
			_, _ = w.Write([]byte("no sound at all, just text"))
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round?secret=hunter2", http.StatusFound)
		case "/unasked":
			w.WriteHeader(http.StatusNotModified)
		case "/large":
			_, _ = w.Write(make([]byte, loader.MaxFetch+1))
		case "/endless":
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		case "/reset":
			panic(http.ErrAbortHandler)
		case "/short":
			w.Header().Set("Content-Length", "10000")
			_, _ = w.Write(wav(320))
		default:
			http.NotFound(w, r)
		}
	})
	open := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for path, want := range map[string]struct {
		reason operation.Reason
		text   string
	}{
		"/text":    {operation.BadFormat, "must be a WAV file"},
		"/missing": {operation.NotDownloadable, "answered 404, must be 200"},
		"/nowhere": {operation.NotDownloadable, "answered 302, without a Location that is a URI"},
		"/round":   {operation.NotDownloadable, "more than 5 redirects"},
		"/unasked": {operation.NotDownloadable, "answered 304, must be 200"},
		"/large":   {operation.NotDownloadable, "more than 10485760 bytes"},
		"/endless": {operation.NotDownloadable, "more than 10485760 bytes"},
		"/reset":   {operation.NotDownloadable, "EOF"},
		"/short":   {operation.NotDownloadable, "EOF"},
	} {
		_, err := open.Load(t.Context(), operation.Prompt{URI: url + path + "?secret=hunter2"})
		wantReason(t, path, err, want.reason, want.text)
		if !strings.Contains(err.Error(), url+path) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error must name the prompt, without its query: %v", path, err)
		}
		// The bot's error says no more than it knows: no address, no text of the network's.
		if detail := operation.Detail(err); detail == "" || strings.Contains(detail, "127.0.0.1") || strings.Contains(detail, "EOF") {
			t.Errorf("%s: the bot gets %q", path, detail)
		}
	}
	if s, err := open.Load(t.Context(), operation.Prompt{URI: url + "/good"}); err != nil || len(s) != 320 {
		t.Errorf("good: got %d samples, %v", len(s), err)
	}

	strict := newLibrary(t, loader.Options{}).For("app")
	for uri, want := range map[string]string{
		url + "/good":               "this machine",
		"https://localhost/a.wav":   "this machine",
		"https://[::1]/a.wav":       "this machine",
		"http://example.com/a.wav":  "must be https",
		"https://10.0.0.1/a.wav":    "connecting to 10.0.0.1 is not allowed",
		"https://169.254.169.254/a": "connecting to 169.254.169.254 is not allowed",
		"https:///a.wav":            "no host",
		"https://a..b/a.wav":        "must be with a host name or an IP address",
		"https://a.b:99999/a.wav":   "must be with a port from 1 to 65535",
		"https://a.b:0/a.wav":       "must be with a port from 1 to 65535",
		"https://a.b/a.wav ":        "must be without white space around it",
		" https://a.b/a.wav":        "must be without white space around it",
		"https://a.b/\n":            "must be without white space around it",
		"https://a.b/\x7f":          "no URI",
		"gopher://x/a.wav":          "must be https, file or embedded",
		"a.wav":                     "must be https, file or embedded",
		"file:a.wav":                "no folder of prompts",
		"embedded:a.wav":            "no embedded prompts",
		"%":                         "no URI",
	} {
		_, err := strict.Load(t.Context(), operation.Prompt{URI: uri})
		wantReason(t, uri, err, operation.NotDownloadable, want)
		if detail := operation.Detail(err); detail == "" || strings.Contains(detail, "connecting") || strings.Contains(detail, "10.0") {
			t.Errorf("%s: the bot gets %q", uri, detail)
		}
	}
	_, err := open.Load(t.Context(), operation.Prompt{URI: "https://10.0.0.1/a.wav"})
	wantReason(t, "loopback is not private", err, operation.NotDownloadable, "is not allowed")
	if detail := operation.Detail(err); detail != "not allowed, must be a public address" {
		t.Errorf("a private address: the bot gets %q", detail)
	}
}

// The bot's error says why a file can't be had, as far as that is its business: no path, no text of the
// system's.
func TestAPromptThatIsNoFileSaysWhy(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(folder, "outside")); err != nil {
		t.Fatal(err)
	}
	broken := fstest.MapFS{"a.wav": {Mode: fs.ModeDir}}
	files := newLibrary(t, loader.Options{Folder: folder, Embedded: broken}).For("app")
	for uri, want := range map[string]string{
		"file:missing":     "there is no such file",
		"file:folder":      "can't be read",
		"file:outside":     "can't be read",
		"file:../outside":  "no name of a file",
		"embedded:/x":      "there is no such file",
		"embedded:missing": "there is no such file",
		"embedded:a.wav":   "not a regular file",
	} {
		_, err := files.Load(t.Context(), operation.Prompt{URI: uri})
		if detail := operation.Detail(err); detail != want || !errors.Is(err, operation.NotDownloadable) {
			t.Errorf("%s: the bot gets %q of %v, want %q", uri, detail, err, want)
		}
	}
}

func TestAFetchEndsWithItsOperation(t *testing.T) {
	t.Parallel()
	url, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	open := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for _, id := range []string{"", "kept"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(operation.Cancelled) })
		_, err := open.Load(ctx, operation.Prompt{URI: url, ResourceID: id})
		if !errors.Is(err, operation.Cancelled) && !errors.Is(err, operation.NotDownloadable) {
			t.Errorf("got %v", err)
		}
	}
}

// A prompt is fetched once for its resourceId, also if many want it at once; a failure is not kept,
// and another application has its own.
func TestAPromptIsFetchedOnceForItsResourceID(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	var broken atomic.Bool
	url, requests := server(t, func(w http.ResponseWriter, r *http.Request) {
		<-gate
		if broken.Load() {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(wav(320))
	})
	library := newLibrary(t, loader.Options{Loopback: true})
	load := func(app, id string) error {
		_, err := library.For(app).Load(t.Context(), operation.Prompt{URI: url, ResourceID: id})
		return err
	}
	broken.Store(true)
	close(gate)
	for range 2 {
		if load("app", "1") == nil {
			t.Error("no error")
		}
	}
	broken.Store(false)
	if got := requests.Swap(0); got != 2 {
		t.Errorf("%d requests for failures, want 2", got)
	}
	gate = make(chan struct{})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := load("app", "1"); err != nil {
				t.Error(err)
			}
		})
	}
	close(gate)
	all.Wait()
	if got := requests.Swap(0); got != 1 {
		t.Errorf("%d requests for one resourceId, want 1", got)
	}
	for range 2 {
		for _, app := range []string{"app", "other"} {
			if err := load(app, "1"); err != nil {
				t.Error(err)
			}
		}
	}
	if got := requests.Swap(0); got != 1 {
		t.Errorf("%d requests for another application, want 1", got)
	}
	for range 2 {
		if err := load("app", ""); err != nil {
			t.Error(err)
		}
	}
	if got := requests.Load(); got != 2 {
		t.Errorf("%d requests without a resourceId, want 2", got)
	}
}

// What is kept is bounded: the prompts that were not asked for longest go.
func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	const samples = 5_000_000 // 10 MB
	file := wav(samples)
	url, requests := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) })
	library := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "7", "1"} {
		if _, err := library.Load(t.Context(), operation.Prompt{URI: url, ResourceID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if got := requests.Load(); got != 8 {
		t.Errorf("%d requests, want 8: six fit into %d bytes", got, loader.MaxCache)
	}
}

func TestEmbeddedPromptsAreFound(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, loader.Options{Embedded: fstest.MapFS{"a.wav": {Data: wav(1)}, "d/b.wav": {Data: wav(1)}}}).For("app")
	if s, err := l.Load(t.Context(), operation.Prompt{URI: "embedded:a.wav"}); err != nil || len(s) != 1 {
		t.Errorf("got %d samples, %v", len(s), err)
	}
	for _, uri := range []string{"embedded:b.wav", "embedded:d", "embedded:../a.wav", "embedded:", "embedded:///a.wav"} {
		_, err := l.Load(t.Context(), operation.Prompt{URI: uri})
		wantReason(t, uri, err, operation.NotDownloadable, "")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.Load(ctx, operation.Prompt{URI: "embedded:a.wav"})
	wantReason(t, "cancelled", err, operation.NotDownloadable, "context canceled")
}

// unreadable is a file system that shows a file, and fails where that is to be read.
type unreadable struct {
	fs.FS

	opens *atomic.Int32
	fail  func()
}

func (u unreadable) Open(name string) (fs.File, error) {
	if u.opens.Add(1)%2 == 0 {
		u.fail()
	}
	return u.FS.Open(name)
}

// A prompt is read for all who want it, on a goroutine of its own: what happens there is no end of
// the program, nobody waits for it for ever, and it is no end of the prompt.
func TestAFileSystemThatPanicsOrExitsIsAnError(t *testing.T) {
	t.Parallel()
	for want, fail := range map[string]func(){
		"panicked: broken": func() { panic("broken") }, "exited the goroutine": runtime.Goexit,
	} {
		files := fstest.MapFS{"a.wav": {Data: wav(1)}}
		l := newLibrary(t, loader.Options{Embedded: unreadable{files, new(atomic.Int32), fail}}).For("app")
		for range 2 {
			_, err := l.Load(within(t, long), operation.Prompt{URI: "embedded:a.wav"})
			wantReason(t, "embedded:a.wav", err, operation.NotDownloadable, want)
			if detail := operation.Detail(err); detail != "can't be read" {
				t.Errorf("the bot gets %q", detail)
			}
		}
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]loader.Options{
		"Held is -1":                     {Held: -1},
		"Embedded is a nil fstest.MapFS": {Embedded: fstest.MapFS(nil)},
		"Embedded is a nil *embed.FS":    {Embedded: (*embed.FS)(nil)},
	} {
		if l, err := loader.New(o); l != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
