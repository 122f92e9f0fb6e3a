package ari_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/adapters/ari"
)

func TestWhatIsWrongInAConfigIsNamed(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(c *ari.Config){
		"URL is":                          func(c *ari.Config) { c.URL = "" },
		"URL cannot be parsed":            func(c *ari.Config) { c.URL = "http://bot:s3cret@[" },
		"URL has a user":                  func(c *ari.Config) { c.URL = "http://bot:s3cret@localhost/ari" },
		`URL is "ws://localhost/ari"`:     func(c *ari.Config) { c.URL = "ws://localhost/ari" },
		`URL is "http://localhost/?a=b"`:  func(c *ari.Config) { c.URL = "http://localhost/?a=b" },
		`App is ""`:                       func(c *ari.Config) { c.App = "" },
		`App is "a,b"`:                    func(c *ari.Config) { c.App = "a,b" },
		`User is ""`:                      func(c *ari.Config) { c.User = "" },
		`User is "a:b"`:                   func(c *ari.Config) { c.User = "a:b" },
		"RequestTimeout is -1ns, must be": func(c *ari.Config) { c.RequestTimeout = -1 },
		"MaxOutage is -1ns, must be":      func(c *ari.Config) { c.MaxOutage = -1 },
		"CheckInterval is -1ns, must be":  func(c *ari.Config) { c.CheckInterval = -1 },
	} {
		c := ari.Config{URL: "http://localhost/ari", App: "ivr", User: user, Password: password}
		spoil(&c)
		_, err := ari.Connect(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWhoIsRefusedIsToldWhy(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, test := range []struct {
		name, want string
		refusal    int
		spoil      func(c *ari.Config)
	}{
		{"password", "401: wrong user or password", 0, func(c *ari.Config) { c.Password = "x" }},
		{"user", "401: wrong user or password", 0, func(c *ari.Config) { c.User = "x" }},
		{"path", "refused: 404 Not Found", 0, func(c *ari.Config) { c.URL = s.URL + "/elsewhere" }},
		{"answer", "refused: 503", http.StatusServiceUnavailable, func(*ari.Config) {}},
		{"redirect", "refused: 302", http.StatusFound, func(*ari.Config) {}},
		{"no websocket", "refused: 200", http.StatusOK, func(*ari.Config) {}},
	} {
		s.refuse(test.refusal)
		c := configFor(s, ari.Config{RequestTimeout: time.Minute})
		test.spoil(&c)
		_, err := ari.Connect(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), test.want) ||
			strings.Contains(err.Error(), password) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

func TestWithoutAServerThereIsNoClient(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.Close()
	if _, err := ari.Connect(t.Context(), configFor(s, ari.Config{})); err == nil {
		t.Error("connected to a server that is closed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ari.Connect(ctx, configFor(newStandIn(t), ari.Config{})); err == nil {
		t.Error("connected with a context that has ended")
	}
}

// A server that accepts connections and says nothing, or that is no ARI at all.
func TestAServerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	mute, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Sec-WebSocket-Accept", "no answer to the key")
		w.WriteHeader(http.StatusSwitchingProtocols)
	}))
	t.Cleanup(other.Close)
	for name, url := range map[string]string{
		"mute": "http://" + mute.Addr().String(), "no answer to the key": other.URL,
	} {
		_, err := ari.Connect(t.Context(), ari.Config{
			URL: url, App: "ivr", User: user, Password: password, RequestTimeout: 5 * shortly,
		})
		if err == nil {
			t.Errorf("%s: connected", name)
		}
	}
}
