package demo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"ivrqueue/examples/ivr/picture"
	"ivrqueue/examples/ivr/terminal"
)

// Shown is a bot that nobody has started, for what it prints and draws.
type Shown struct {
	bot    *bot
	out    bytes.Buffer
	status int
	body   string
}

// NewShown returns a bot whose service answers with a status and a body.
func NewShown(p terminal.Palette, bodies bool, status int, body string) *Shown {
	s := &Shown{status: status, body: body}
	answers := roundTripper(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "http://service/\x1b[31m")
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.body)
		return w.Result(), nil
	})
	s.bot = &bot{
		timeline: &timeline{start: time.Now(), w: &s.out, palette: p, bodies: bodies}, story: new(story),
		base: "http://service", client: &http.Client{Transport: answers}, more: make(chan struct{}),
	}
	return s
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Answer is what the service answers from now on.
func (s *Shown) Answer(status int, body string) { s.status, s.body = status, body }

// Request makes a request.
func (s *Shown) Request(method, path, body string) error {
	_, err := s.bot.request(context.Background(), method, path, body, http.StatusOK)
	return err
}

// Notify notifies the bot, and returns its answer's status.
func (s *Shown) Notify(body string) int {
	w := httptest.NewRecorder()
	s.bot.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/callback", strings.NewReader(body)))
	return w.Code
}

// Record keeps what comes in full.
func (s *Shown) Record() { s.bot.timeline.record(true) }

// Printed returns what was printed.
func (s *Shown) Printed() string { return s.out.String() }

// Kept returns what was kept in full.
func (s *Shown) Kept() string { return s.bot.timeline.exchanges() }

// Drawn returns what is drawn, of a call that began at an instant.
func (s *Shown) Drawn(first time.Time) (c picture.Call) {
	s.bot.story.draw(&c, first)
	return c
}

// Show waits until somebody looks at the page of a service that answers nothing; it returns what was
// printed.
func Show(ctx context.Context, browse func(url string, service http.Handler) error) string {
	w := &watched{
		service: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), opened: make(chan struct{}),
	}
	var out bytes.Buffer
	t := &timeline{w: &out}
	w.show(ctx, "http://127.0.0.1:1", func(url string) error { return browse(url, w) }, t)
	t.mu.Lock()
	defer t.mu.Unlock()
	return out.String()
}
