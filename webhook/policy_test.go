package webhook_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/egress"
	"ivrqueue/webhook"
)

func TestAPolicyCanBeReadAndSet(t *testing.T) {
	t.Parallel()
	policy := func(opts ...webhook.Option) webhook.Policy {
		n, err := webhook.New(opts...)
		if err != nil {
			t.Fatal(err)
		}
		return n.Policy()
	}
	equal(t, "by default", policy(), webhook.Policy{
		AttemptTimeout: 10 * time.Second, MaxElapsedTime: 2 * time.Minute, Backoff: 500 * time.Millisecond,
		MaxBackoff: 15 * time.Second, MaxRetryAfter: 30 * time.Second, MaxRedirects: 3,
		Final: []int{400, 410, 413, 415, 422},
	})
	equal(t, "as set", policy(webhook.WithAttemptTimeout(1), webhook.WithMaxElapsedTime(2), webhook.WithBackoff(3, 4),
		webhook.WithMaxRetryAfter(5), webhook.WithMaxRedirects(0), webhook.WithFinal(300, 599)), webhook.Policy{
		AttemptTimeout: 1, MaxElapsedTime: 2, Backoff: 3, MaxBackoff: 4, MaxRetryAfter: 5, Final: []int{300, 599},
	})
	equal(t, "a quarter of another time", policy(webhook.WithMaxElapsedTime(time.Hour)).MaxRetryAfter, 15*time.Minute)
	equal(t, "a quarter of next to nothing", policy(webhook.WithMaxElapsedTime(1)).MaxRetryAfter, time.Nanosecond)
	n := newStrict(t)
	n.Policy().Final[0] = 404
	equal(t, "changed by who reads it", n.Policy().Final[0], 400)
	given := []int{404}
	option := webhook.WithFinal(given...)
	given[0] = 405
	equal(t, "changed by who gave it", policy(option).Final[0], 404)

	for _, test := range []struct {
		option webhook.Option
		says   string
	}{
		{webhook.WithAttemptTimeout(0), "WithAttemptTimeout(0s)"},
		{webhook.WithAttemptTimeout(24*time.Hour + 1), "WithAttemptTimeout("},
		{webhook.WithMaxElapsedTime(0), "WithMaxElapsedTime(0s)"},
		{webhook.WithBackoff(2, 1), "WithBackoff(2ns, 1ns)"},
		{webhook.WithMaxRetryAfter(-1), "WithMaxRetryAfter(-1ns)"},
		{webhook.WithMaxRetryAfter(24*time.Hour + 1), "WithMaxRetryAfter("},
		{webhook.WithMaxRedirects(-1), "WithMaxRedirects(-1)"},
		{webhook.WithMaxRedirects(21), "WithMaxRedirects(21)"},
		{webhook.WithFinal(404, 299), "WithFinal(299)"},
		{webhook.WithFinal(600), "WithFinal(600)"},
	} {
		if _, err := webhook.New(test.option, webhook.WithAttemptTimeout(1), webhook.WithMaxElapsedTime(1),
			webhook.WithBackoff(1, 1), webhook.WithMaxRetryAfter(1), webhook.WithMaxRedirects(1),
			webhook.WithFinal()); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("got %v, want %s", err, test.says)
		}
	}
}

func TestThePolicyDecidesWhatIsRepeated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		options  []webhook.Option
		answers  []int
		attempts int
		took     time.Duration
		taken    bool
	}{
		{"nothing is final", []webhook.Option{webhook.WithFinal()}, []int{400, 410, 422, 200}, 4, 90 * time.Second, true},
		{"another is final", []webhook.Option{webhook.WithFinal(404)}, []int{400, 404, 200}, 2, 30 * time.Second, false},
		{"what is final is so with a Retry-After", nil, []int{400, 200}, 1, 0, false},
		{"waits are bounded", []webhook.Option{webhook.WithMaxRetryAfter(time.Second)}, []int{503, 404, 200}, 3, 2 * time.Second, true},
		{"also by a short time in all", []webhook.Option{webhook.WithMaxElapsedTime(8 * time.Second)}, []int{503, 404, 200}, 3, 4 * time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCallback(t, func(n int, w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "3600")
					w.WriteHeader(test.answers[n-1])
				})
				start := time.Now()
				err := c.notifier(t, test.options...).Deliver(t.Context(), delivery())
				if (err == nil) != test.taken {
					t.Errorf("got %v", err)
				}
				equal(t, "attempts", len(c.seen()), test.attempts)
				equal(t, "time", time.Since(start), test.took)
			})
		})
	}
}

// Callbacks that failed together are not asked again together.
func TestWaitsDoubleAndAreSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		var waits [2][]time.Duration
		for i := range waits {
			n := c.notifier(t, webhook.WithBackoff(time.Second, 8*time.Second), webhook.WithAttemptHandler(func(a webhook.Attempt) {
				if !a.Last {
					waits[i] = append(waits[i], a.Wait)
				}
			}))
			if err := n.Deliver(t.Context(), delivery()); err == nil {
				t.Error("it was taken")
			}
			for j, wait := range waits[i] {
				if mean := min(time.Second<<j, 8*time.Second); wait < mean/2 || wait > mean*3/2 {
					t.Errorf("wait %d is %v, want %v give or take a half", j, wait, mean)
				}
			}
		}
		if len(waits[0]) < 5 || slices.Equal(waits[0][:5], waits[1][:5]) {
			t.Errorf("waits %v and %v, want five at least, and not the same", waits[0], waits[1])
		}
	})
}

// A receiver can tell the attempts of a delivery from another delivery.
func TestAttemptsOfADeliveryAreNumbered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var ids, attempts []string
		c := newCallback(t, func(n int, w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			ids, attempts = append(ids, r.Header.Get("webhook-id")), append(attempts, r.Header.Get("webhook-attempt"))
			switch {
			case n == 2: // its answer is lost
				panic(http.ErrAbortHandler)
			case n == 3: // two requests of one attempt
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			case n < 6:
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		notifier := c.notifier(t)
		for range 2 {
			if err := notifier.Deliver(t.Context(), delivery()); err != nil {
				t.Error(err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		equal(t, "attempts", attempts, []string{"1", "2", "3", "3", "4", "5", "1"})
		for i, id := range ids {
			if u, err := uuid.Parse(id); err != nil || u == uuid.Nil || u.String() != id || (id == ids[0]) != (i < 6) {
				t.Errorf("request %d has id %q, the first one %q", i, id, ids[0])
			}
		}
	})
}

// An id that is given is kept.
func TestADeliveryKeepsItsID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got string
		c := newCallback(t, func(_ int, _ http.ResponseWriter, r *http.Request) { got = r.Header.Get(webhook.HeaderID) })
		d := delivery()
		d.ID = uuid.New()
		if err := c.notifier(t).Deliver(t.Context(), d); err != nil || got != d.ID.String() {
			t.Errorf("got %v, %q, want %v", err, got, d.ID)
		}
	})
}

// Where redirects lead: always a POST of the same bytes, and nowhere that a callback may not be.
func TestRedirectsAreFollowedWithinThePolicy(t *testing.T) {
	t.Parallel()
	const refused = "leads to no address that is allowed"
	for _, test := range []struct {
		name    string
		status  int
		to      string
		options []webhook.Option
		asked   []string // in the first attempt: hosts, paths and tokens
		fails   string   // it and all others
	}{
		{"301", 301, "/other", nil, []string{"localhost/callback token", "localhost/other token"}, ""},
		{"302", 302, "/other", nil, []string{"localhost/callback token", "localhost/other token"}, ""},
		{"307", 307, "other?x=y", nil, []string{"localhost/callback token", "localhost/other token"}, ""},
		{"308", 308, "http://localhost/other", nil, []string{"localhost/callback token", "localhost/other token"}, ""},
		{"to another host, without the token", 307, "http://127.0.0.2/other", nil, []string{"localhost/callback token", "127.0.0.2/other"}, ""},
		{"to another port, without the token", 307, "http://localhost:81/other", nil, []string{"localhost/callback token", "localhost:81/other"}, ""},
		{"303 is the answer of what was done", 303, "/other", nil, []string{"localhost/callback token"}, "answered 303"},
		{"300", 300, "/other", nil, []string{"localhost/callback token"}, "answered 300"},
		{"as often as may be", 307, "/3", nil, []string{"localhost/callback token", "localhost/3 token", "localhost/2 token", "localhost/1 token"}, ""},
		{"once too often", 307, "/4", nil, []string{"localhost/callback token", "localhost/4 token", "localhost/3 token", "localhost/2 token"}, "answered 307"},
		{"in circles", 308, "/callback", nil, []string{"localhost/callback token", "localhost/callback token", "localhost/callback token", "localhost/callback token"}, "answered 308"},
		{"none may be followed", 307, "/other", []webhook.Option{webhook.WithMaxRedirects(0)}, []string{"localhost/callback token"}, "answered 307"},
		{"a redirect that is final", 307, "/4", []webhook.Option{webhook.WithFinal(307)}, []string{"localhost/callback token"}, "answered 307"},
		{"to the metadata of a cloud", 307, "http://169.254.169.254/hunter2", nil, []string{"localhost/callback token"}, refused},
		{"to a machine inside", 307, "https://10.0.0.1/hunter2", nil, []string{"localhost/callback token"}, refused},
		{"to plain http outside", 307, "http://bot.contoso.com/hunter2", nil, []string{"localhost/callback token"}, refused},
		{"to another scheme", 307, "file:///etc/hunter2", nil, []string{"localhost/callback token"}, refused},
		{"with a password", 307, "http://u:hunter2@localhost/", nil, []string{"localhost/callback token"}, refused},
		{"to nowhere", 307, "", nil, []string{"localhost/callback token", "localhost/callback token", "localhost/callback token", "localhost/callback token"}, "answered 307"},
		{"to no address", 307, "http://[::1/hunter2", nil, []string{"localhost/callback token"}, refused},
		{"to a very long one", 307, "/hunter2" + strings.Repeat("x", webhook.MaxURI), nil, []string{"localhost/callback token"}, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var asked []string
				c := newCallback(t, func(_ int, w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					if r.Header.Get(webhook.HeaderAttempt) == "1" {
						asked = append(asked, strings.TrimSpace(r.Host+r.URL.Path+" "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
					}
					if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
						t.Errorf("got a %s of %s", r.Method, r.Header.Get("Content-Type"))
					}
					var more int
					switch n, _ := fmt.Sscanf(r.URL.Path, "/%d", &more); {
					case r.URL.Path == "/callback":
						w.Header().Set("Location", test.to)
						w.WriteHeader(test.status)
					case n == 1 && more > 1:
						http.Redirect(w, r, fmt.Sprint("/", more-1), http.StatusTemporaryRedirect)
					}
				})
				n := c.notifier(t, append(test.options, webhook.WithMaxElapsedTime(5*time.Second),
					webhook.WithTokens(func(context.Context, string) (string, error) { return "token", nil }))...)
				err := n.Deliver(t.Context(), delivery())
				if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
					t.Errorf("got %v, want %q", err, test.fails)
				}
				if err != nil && strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error names the address: %v", err)
				}
				equal(t, "asked", asked, test.asked)
				for _, a := range c.seen() {
					equal(t, "body", a.body, string(delivery().Body))
				}
			})
		})
	}
}

// A redirect to a name that resolves to a refused address is caught when it is connected to.
func TestARedirectToANameInsideIsNotConnectedTo(t *testing.T) {
	t.Parallel()
	listen := func(host string, h http.HandlerFunc) string {
		s := httptest.NewUnstartedServer(h)
		s.Listener.Close()
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		s.Listener = l
		s.StartTLS()
		t.Cleanup(s.Close)
		return l.Addr().String()
	}
	var reached []string
	inside := listen("127.0.0.1", func(http.ResponseWriter, *http.Request) { reached = append(reached, "inside") })
	_, port, _ := net.SplitHostPort(inside)
	outside := listen("127.0.0.2", func(w http.ResponseWriter, _ *http.Request) {
		reached = append(reached, "outside")
		w.Header().Set("Location", "https://bot.contoso.com:"+port+"/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	n := newStrict(t, webhook.WithResolver(everythingIsHere(t)), webhook.WithMaxElapsedTime(time.Millisecond),
		webhook.WithAddresses(egress.Addresses{Also: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}),
		webhook.WithTLS(&tls.Config{InsecureSkipVerify: true})) //nolint:gosec // of a test's own servers
	d := delivery()
	d.CallbackURI = "https://" + outside
	if err := n.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "is not allowed") {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(reached, []string{"outside"}) {
		t.Errorf("reached %q", reached)
	}
}

func TestOptionsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]webhook.Option{
		"WithAttemptTimeout(0s)": webhook.WithAttemptTimeout(0), "WithMaxElapsedTime(-1ns)": webhook.WithMaxElapsedTime(-1), "WithBackoff(2s, 1s)": webhook.WithBackoff(2e9, 1e9),
		"WithAttemptTimeout(25h0m0s)": webhook.WithAttemptTimeout(25 * time.Hour), "WithMaxElapsedTime(25h0m0s)": webhook.WithMaxElapsedTime(25 * time.Hour), "WithBackoff(1s, 25h0m0s)": webhook.WithBackoff(1e9, 25*time.Hour),
		"WithMaxConnections(3)": webhook.WithMaxConnections(3),
	} {
		if _, err := webhook.New(opt, webhook.WithMaxConnections(4)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
