package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// tokenInbox is a callback that keeps the tokens that come.
type tokenInbox struct {
	mu     sync.Mutex
	tokens []string
	got    chan struct{}
}

func (b *tokenInbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = append(b.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	b.got <- struct{}{}
}

func (b *tokenInbox) next(tb testing.TB) string {
	tb.Helper()
	select {
	case <-b.got:
	case <-time.After(time.Minute):
		tb.Fatal("no notification")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tokens[len(b.tokens)-1]
}

func newTokenInbox(tb testing.TB) (*tokenInbox, string) {
	tb.Helper()
	b := &tokenInbox{got: make(chan struct{}, 100)}
	s := httptest.NewServer(b)
	tb.Cleanup(s.Close)
	return b, s.URL
}

// newTokenInboxes makes some, one for each call: what is late of one is not taken for another's.
func newTokenInboxes(tb testing.TB, n int) (boxes []*tokenInbox, callbacks []string) {
	tb.Helper()
	for range n {
		box, callback := newTokenInbox(tb)
		boxes, callbacks = append(boxes, box), append(callbacks, callback)
	}
	return boxes, callbacks
}

// A bot checks the tokens of the development issuer as it would check those of any issuer of OpenID
// Connect: by its configuration, for itself as the audience.
func TestNotificationsComeWithTokensOfTheDevelopmentIssuer(t *testing.T) {
	t.Parallel()
	boxes, callbacks := newTokenInboxes(t, 2)
	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	r := start(t, func(o *service.Options) { o.Address = front.URL })
	mux.Handle("/", r.service)
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), front.Client()), front.URL+service.IssuerPath)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"bot", "other"} {
		box, callback := boxes[i], callbacks[i]
		r.must(201, "POST", "/v1.0/communications/calls", name, createBody(callback))
		raw := box.next(t)
		audience := service.Application(name).ID
		token, err := provider.Verifier(&oidc.Config{ClientID: audience}).Verify(oidc.ClientContext(t.Context(), front.Client()), raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var claims struct{ TID, JTI string }
		if err := token.Claims(&claims); err != nil || claims.TID != service.DevTenant || claims.JTI == "" {
			t.Errorf("got %+v, %v", claims, err)
		}
		if left := time.Until(token.Expiry); left < 50*time.Minute || left > time.Hour {
			t.Errorf("it is good for %v", left)
		}
		if _, err := provider.Verifier(&oidc.Config{ClientID: "another"}).Verify(oidc.ClientContext(t.Context(), front.Client()), raw); err == nil {
			t.Error("it is good for another application")
		}
		if status, _ := r.do("GET", "/v1.0/communications/calls/"+strings.Repeat("0", 32), raw, ""); status != 401 {
			t.Errorf("as a token for the service it is answered with %d", status)
		}
	}
}

// Without an address, or without Dev, there is no such issuer, and no token.
func TestThereIsADevelopmentIssuerInDevelopmentAlone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*service.Options){
		"no address": func(*service.Options) {},
		"no Dev": func(o *service.Options) {
			o.Dev, o.Address, o.Notifier = false, "http://127.0.0.1", append(o.Notifier, webhook.WithLoopback())
		},
	} {
		box, callback := newTokenInbox(t)
		r := start(t, change)
		r.must(201, "POST", "/v1.0/communications/calls", "bot", createBody(callback))
		if got := box.next(t); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
		if status, _ := r.do("GET", service.IssuerPath+"/keys", "", ""); status == 200 {
			t.Errorf("%s: there are keys", name)
		}
	}
}

// The development issuer makes a token anew before the old one ends.
func TestTokensOfTheDevelopmentIssuerAreKeptWhileTheyAreGood(t *testing.T) {
	t.Parallel()
	token := service.NewIssuer(t, "http://127.0.0.1")
	synctest.Test(t, func(t *testing.T) {
		first := token(t, "a")
		if token(t, "a") != first || token(t, "b") == first {
			t.Error("not kept, or mixed up")
		}
		time.Sleep(50*time.Minute - 1)
		if token(t, "a") != first {
			t.Error("not kept")
		}
		time.Sleep(time.Nanosecond)
		if token(t, "a") == first {
			t.Error("kept too long")
		}
	})
}

// endpoint is a token endpoint.
type endpoint struct {
	answer func(n int, w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	asked []string // clients, secrets and scopes
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	e.mu.Lock()
	e.asked = append(e.asked, fmt.Sprint(id, " ", secret, " ", r.FormValue("grant_type"), " ", r.FormValue("scope")))
	n := len(e.asked)
	e.mu.Unlock()
	e.answer(n, w, r)
}

func (e *endpoint) seen() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

func (e *endpoint) serve(t *testing.T) service.ClientCredentials {
	t.Helper()
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return service.ClientCredentials{TokenURL: s.URL, ClientID: "ivr", Secret: "hunter2", Scope: "{application}/.default"}
}

func granted(token string, seconds int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object{"access_token": fmt.Sprint(token, n), "token_type": "Bearer", "expires_in": seconds})
	}
}

func TestNotificationsComeWithTokensOfClientCredentials(t *testing.T) {
	t.Parallel()
	boxes, callbacks := newTokenInboxes(t, 3)
	e := &endpoint{answer: granted("t", 3600)}
	given := e.serve(t)
	r := start(t, func(o *service.Options) { o.CallbackTokens, o.Address = &given, "http://127.0.0.1" })
	for i, want := range []string{"t1", "t1", "t2"} {
		box, callback := boxes[i], callbacks[i]
		r.must(201, "POST", "/v1.0/communications/calls", []string{"bot", "bot", "other"}[i], createBody(callback))
		if got := box.next(t); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	bot := "ivr hunter2 client_credentials " + service.Application("bot").ID + "/.default"
	if got := e.seen(); len(got) != 2 || got[0] != bot {
		t.Errorf("got %q", got)
	}
}

// What a token endpoint can do wrong, and what is said of it.
func TestATokenThatCannotBeHadSaysWhy(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.FormValue("client_secret") != "" || r.Header.Get("Authorization") != "" {
			t.Error("the secret went elsewhere")
		}
	}))
	t.Cleanup(other.Close)
	for _, test := range []struct {
		name   string
		answer func(int, http.ResponseWriter, *http.Request)
		says   string
	}{
		{"refuses", func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"hunter2 is wrong"}`))
		}, `401 "invalid_client"`},
		{"is away", func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
		{"has no token", granted("", 0), "token"},
		{"talks nonsense", func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hunter2")) }, "token"},
		{"sends us elsewhere", func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, "307"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &endpoint{answer: func(n int, w http.ResponseWriter, r *http.Request) {
				if test.name == "has no token" {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(`{}`))
					return
				}
				test.answer(n, w, r)
			}}
			c := service.NewCredentials(t, e.serve(t), nil)
			asked := time.Now()
			_, err := c(t.Context(), "a")
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.says)
			}
			before := len(e.seen())
			_, again := c(t.Context(), "a")
			if at := time.Since(asked); again == nil || len(e.seen()) != before && at < service.TokenPause {
				t.Errorf("asked again after %v: %v", at, again)
			}
		})
	}
}

// A hundred who need a token share one question; who does not want to wait does not.
func TestAQuestionForATokenIsShared(t *testing.T) {
	t.Parallel()
	answers := make(chan struct{})
	e := &endpoint{}
	e.answer = func(n int, w http.ResponseWriter, r *http.Request) {
		<-answers
		granted("t", 3600)(n, w, r)
	}
	c := service.NewCredentials(t, e.serve(t), nil)
	impatient, cancel := context.WithCancelCause(t.Context())
	cancel(graph.ErrShutDown)
	if _, err := c(impatient, "a"); err == nil || !strings.Contains(err.Error(), "shut down") {
		t.Errorf("got %v", err)
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if got, err := c(t.Context(), "a"); err != nil || got != "t1" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	close(answers)
	all.Wait()
	if n := len(e.seen()); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// inMemory is a transport to a handler.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

// A token is asked for anew when it ends, and in a while if nobody says when that is.
func TestTokensAreAskedForAnew(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int]time.Duration{3600: time.Hour - 10*time.Second, 0: 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{answer: granted("t", seconds)}
			given := service.ClientCredentials{TokenURL: "https://login.example/token", ClientID: "ivr", Secret: "s"}
			token := service.NewCredentials(t, given, inMemory{e})
			for _, wait := range []time.Duration{0, want - time.Second, 2 * time.Second} {
				time.Sleep(wait)
				if _, err := token(t.Context(), "a"); err != nil {
					t.Fatal(err)
				}
				if n := len(e.seen()); n != 1 && wait != 2*time.Second || n != 2 && wait == 2*time.Second {
					t.Errorf("of %d s: after %v more it was asked for %d times", seconds, wait, n)
				}
			}
		})
	}
}

func TestClientCredentialsAreChecked(t *testing.T) {
	t.Parallel()
	good := service.ClientCredentials{TokenURL: "https://login.example/token", ClientID: "ivr", Secret: "s"}
	for want, change := range map[string]func(*service.ClientCredentials){
		"TokenURL": func(c *service.ClientCredentials) { c.TokenURL = "login.example" },
		"ClientID": func(c *service.ClientCredentials) { c.ClientID = "" },
		"Secret":   func(c *service.ClientCredentials) { c.Secret = "" },
	} {
		given := good
		change(&given)
		_, err := service.New(t.Context(), service.Options{Folder: t.TempDir(), CallbackTokens: &given})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
