package demo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/media"
)

// look gets a page as a browser does, and returns its status.
func look(ctx context.Context, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer w.Body.Close()
	_, err = io.Copy(io.Discard, w.Body)
	return w.StatusCode, err
}

// screen is where a run prints; it says when a text is there.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	want string
	seen chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.text.String(), s.want)
	s.text.Write(p)
	if !before && strings.Contains(s.text.String(), s.want) {
		close(s.seen)
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// The page is there from before the call until the run is interrupted, which is no failure.
func TestTheCallIsShownInABrowser(t *testing.T) {
	t.Parallel()
	prompt := filepath.Join(t.TempDir(), "a b.wav")
	if err := media.WriteWAV(prompt, make([]int16, 1600)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &screen{want: "The page stays until you press Ctrl-C.", seen: make(chan struct{})}
	pages := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		done <- demo.Run(ctx, demo.Options{
			Embedded: os.DirFS("../prompts"), Prompts: []string{prompt}, Caller: make([]int16, 1600),
			Folder: t.TempDir(), Most: time.Minute,
			Browse: func(url string) error {
				pages <- url
				status, err := look(ctx, url)
				if status != http.StatusOK {
					t.Errorf("the page: got %d, %v", status, err)
				}
				return err
			},
		}, s)
	}()
	page := <-pages
	select {
	case <-s.seen:
	case err := <-done:
		t.Fatalf("%v\n%s", err, s)
	}
	if status, err := look(t.Context(), page); status != http.StatusOK {
		t.Errorf("the page after the call: got %d, %v", status, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after the interrupt: %v", err)
	}
	if text := s.String(); !strings.Contains(text, "/debug/calls/ (any user, the password is demo)") || !strings.Contains(text, "a b.wav") {
		t.Errorf("got %s", text)
	}
}

// The call begins when somebody looks at the page, or when nobody does for long.
func TestTheCallWaitsForTheBrowser(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		browse  func(url string, s http.Handler) error
		took    time.Duration
		printed string
	}{
		{"it is opened", func(url string, s http.Handler) error {
			time.Sleep(time.Second)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			r.SetBasicAuth("demo", "demo")
			s.ServeHTTP(httptest.NewRecorder(), r)
			s.ServeHTTP(httptest.NewRecorder(), r)
			return nil
		}, time.Second, ""},
		{"another page", func(_ string, s http.Handler) error {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1.0", nil)
			r.SetBasicAuth("demo", "demo")
			s.ServeHTTP(httptest.NewRecorder(), r)
			return nil
		}, 15 * time.Second, ""},
		{"no browser", func(string, http.Handler) error {
			return errors.New("\x1b[2J")
		}, 15 * time.Second, `No browser could be opened: \u001b[2J.`},
		{"a browser that blocks", func(string, http.Handler) error {
			time.Sleep(time.Hour)
			return nil
		}, 15 * time.Second, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			printed := demo.Show(t.Context(), test.browse)
			if took := time.Since(began); took != test.took || !strings.Contains(printed, test.printed) {
				t.Errorf("%s: after %v, %q; want %v, %q", test.name, took, printed, test.took, test.printed)
			}
			time.Sleep(2 * time.Hour) // until the browser is closed
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		demo.Show(ctx, func(string, http.Handler) error { return nil })
		if took := time.Since(began); took != time.Second {
			t.Errorf("interrupted: after %v", took)
		}
	})
}
