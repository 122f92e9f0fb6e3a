package loader_test

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ivrqueue/internal/bounds"
	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// Whatever the URI, what it leads to is in the program, in the folder, or at a host that is not this
// machine; an error says the reason; and to find out is bounded in memory and time.
func FuzzPromptURI(f *testing.F) {
	const inside, embedded, outside = 3, 5, 7 // samples
	above := f.TempDir()
	folder := filepath.Join(above, "prompts")
	if err := os.Mkdir(folder, 0o700); err != nil {
		f.Fatal(err)
	}
	for path, n := range map[string]int{
		filepath.Join(folder, "a.wav"): inside, filepath.Join(above, "b.wav"): outside,
	} {
		if err := os.WriteFile(path, wav(n), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.Symlink("../b.wav", filepath.Join(folder, "link.wav")); err != nil {
		f.Fatal(err)
	}
	library, err := loader.New(loader.Options{
		Embedded: fstest.MapFS{"e.wav": {Data: wav(embedded)}}, Folder: folder,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = library.Close() })
	app := library.For("app")
	for _, uri := range []string{
		"file:a.wav", "file:link.wav", "file:../b.wav", "file:%2e%2e/b.wav", "file://" + folder + "/a.wav",
		"file://" + folder + "/../b.wav", "file:///etc/passwd", "file://host/a.wav", "file:a.wav%00",
		"embedded:e.wav", "embedded:../e.wav", "https://example.com/a.wav", "http://example.com/",
		"https://127.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://localhost", "https://user:secret@host/?q#f",
		"%", "", ":", "file:", "FILE:a.wav", "https:", "https://[::1%25lo]/",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if u, err := url.Parse(uri); err == nil && strings.HasPrefix(strings.ToLower(u.Scheme), "http") {
			ip, err := netip.ParseAddr(u.Hostname())
			if library.Check(u) == nil && (u.Hostname() == "" || strings.EqualFold(u.Scheme, "http") ||
				strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback()) {
				t.Errorf("it may be fetched")
			}
			return // the network is not for here
		}
		var samples []int16
		var err error
		got, took := bounds.Measure(func() {
			samples, err = app.Load(t.Context(), operation.Prompt{URI: uri})
		})
		if got > uint64(64<<10+100*len(uri)) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for a URI of %d", got, took, len(uri))
		}
		var reason operation.Reason
		switch {
		case err == nil && len(samples) != inside && len(samples) != embedded:
			t.Errorf("got %d samples", len(samples))
		case err != nil && !errors.As(err, &reason):
			t.Errorf("an error without a reason: %v", err)
		case err != nil && len(err.Error()) > 2000:
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

// Whatever a server says, it is fresh for no longer than the longest that can be said, and the time
// and memory that it takes to find out is bounded by what was said.
func FuzzFreshness(f *testing.F) {
	f.Add("max-age=60, no-cache=\"a, b\"", "Mon, 04 May 2026 12:00:00 GMT", "10", "Accept, *")
	f.Add("max-age=\"", "0", "-1", "")
	f.Add("no-store=,=,,private=x", "", "99999999999999999999", ",")
	f.Fuzz(func(t *testing.T, control, date, age, vary string) {
		now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
		h := http.Header{
			"Cache-Control": {control, control}, "Age": {age}, "Vary": {vary},
			"Date": {date}, "Expires": {date}, "Last-Modified": {date},
		}
		size := len(control) + len(date) + len(age) + len(vary)
		got, took := bounds.Measure(func() {
			for _, status := range []int{200, 301, 302} {
				if _, left := loader.FreshnessOf(status, h, now, now); left > (1<<31)*time.Second {
					t.Errorf("fresh for %v", left)
				}
			}
		})
		if got > uint64(64<<10+1000*size) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for %d", got, took, size)
		}
	})
}
