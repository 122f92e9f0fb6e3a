package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"ivrqueue/webhook"
)

// attempt is one request that a callback got.
type attempt struct {
	at            time.Time
	body          string
	authorization string
}

// callback is a bot's server on a network in memory, so that a test of hours takes no time.
type callback struct {
	answer func(n int, w http.ResponseWriter, r *http.Request)

	mu       sync.Mutex
	attempts []attempt
	conns    chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newCallback(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *callback {
	t.Helper()
	c := &callback{answer: answer, conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: c, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(c)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return c
}

func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	c.attempts = append(c.attempts, attempt{time.Now(), string(body), r.Header.Get("Authorization")})
	n := len(c.attempts)
	c.mu.Unlock()
	c.answer(n, w, r)
}

// seen returns the attempts so far.
func (c *callback) seen() []attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.attempts)
}

func (c *callback) Accept() (net.Conn, error) {
	select {
	case conn := <-c.conns:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *callback) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}
func (c *callback) Addr() net.Addr { return &net.TCPAddr{} }

func (c *callback) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case c.conns <- theirs:
		return ours, nil
	case <-c.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// notifier returns one on the network in memory.
func (c *callback) notifier(t *testing.T, opts ...webhook.Option) *webhook.Notifier {
	t.Helper()
	n, err := webhook.New(append([]webhook.Option{webhook.WithLoopback(), webhook.WithDial(c.dial)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.CloseIdleConnections)
	return n
}

func delivery() webhook.Delivery {
	return webhook.Delivery{
		CallbackURI: "http://localhost/callback", Body: []byte(`{"value":[]}`), Notifications: 1, Since: time.Now(),
		Application: "app",
	}
}

func status(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes))-1]) }
}

var errGone = errors.New("gone")

func equal(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		tb.Errorf("%s: got %s, want %s", what, g, w)
	}
}
