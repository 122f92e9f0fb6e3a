package graph_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
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
func (c *callback) notifier(t *testing.T, opts ...graph.NotifierOption) *graph.Notifier {
	t.Helper()
	n, err := graph.NewNotifier(append([]graph.NotifierOption{graph.WithLoopback(), graph.WithDial(c.dial)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.CloseIdleConnections)
	return n
}

func delivery() graph.Delivery {
	return graph.Delivery{
		CallbackURI: "http://localhost/callback", Body: []byte(`{"value":[]}`), Notifications: 1, Since: time.Now(),
		Application: "app",
	}
}

func status(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes))-1]) }
}

// What a callback can do wrong, and what becomes of the notification.
func TestADeliveryIsRepeatedUntilItIsTakenOrFinal(t *testing.T) {
	t.Parallel()
	hang := func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	after := func(code int, value string) func(int, http.ResponseWriter, *http.Request) {
		return func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				w.Header().Set("Retry-After", value)
				w.WriteHeader(code)
			}
		}
	}
	for _, test := range []struct {
		name     string
		answer   func(int, http.ResponseWriter, *http.Request)
		attempts int           // exactly, if positive; else at least
		shortest time.Duration // before the last attempt
		longest  time.Duration // of all
		fails    string
	}{
		{"taken", status(200), 1, 0, 0, ""},
		{"taken with another success", status(204), 1, 0, 0, ""},
		{"500 twice, then 200", status(500, 500, 200), 3, 500*time.Millisecond/2 + time.Second/2, 3 * time.Second, ""},
		{"503", status(503, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"408", status(408, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"429 without a time", status(429, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"429 and 30 s", after(429, "30"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"503 and 7 s", after(503, "7"), 2, 7 * time.Second, 7 * time.Second, ""},
		{"429 and 0 s", after(429, "0"), 2, 250 * time.Millisecond, time.Second, ""},
		{"429 and no sense", after(429, "soon"), 2, 250 * time.Millisecond, time.Second, ""},
		{"429 and a day", after(429, "86400"), 1, 0, 0, "callback answered 429"},
		{"503 and the year 9999", after(503, "Fri, 31 Dec 9999 23:59:59 GMT"), 1, 0, 0, "callback answered 503"},
		{"503 and 2^31 s", after(503, "2147483648"), 1, 0, 0, "callback answered 503"},
		{"503 and 2^63 ns", after(503, "9223372036"), 1, 0, 0, "callback answered 503"},
		{"503 and 2^64 s", after(503, "18446744073709551616"), 1, 0, 0, "callback answered 503"},
		{"503 and a negative time", after(503, "-1"), 2, 250 * time.Millisecond, time.Second, ""},
		{"503 and a date of the past", after(503, "Thu, 01 Jan 1970 00:00:00 GMT"), 2, 250 * time.Millisecond, time.Second, ""},
		{"503 and 119 s, again and again", func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "119")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 2, 119 * time.Second, 119 * time.Second, "callback answered 503"},
		{"400", status(400), 1, 0, 0, "callback answered 400"},
		{"404", status(404), 1, 0, 0, "callback answered 404"},
		{"redirect", func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost/other", http.StatusTemporaryRedirect)
		}, 1, 0, 0, "callback answered 307"},
		{"hangs once", func(n int, _ http.ResponseWriter, r *http.Request) {
			if n == 1 {
				<-r.Context().Done()
			}
		}, 2, 10*time.Second + 250*time.Millisecond, 11 * time.Second, ""},
		{"resets once", func(n int, _ http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
		}, 2, 250 * time.Millisecond, time.Second, ""},
		{"floods", func(_ int, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 4096))
			}
		}, 1, 0, 0, ""},
		{"never ends its body", func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 1, 0, 250 * time.Millisecond, ""},
		{"fails, and never ends its body", func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 1, 0, 250 * time.Millisecond, "callback answered 400"},
		{"always 500", status(500), -8, time.Minute, 2 * time.Minute, "callback answered 500"},
		{"always hangs", hang, -4, time.Minute, 2*time.Minute + 10*time.Second, "context deadline exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCallback(t, test.answer)
				start := time.Now()
				err := c.notifier(t).Deliver(t.Context(), delivery())
				took := time.Since(start)
				if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
					t.Errorf("got %v, want %q", err, test.fails)
				}
				got := c.seen()
				if n := len(got); test.attempts > 0 && n != test.attempts || n < -test.attempts {
					t.Fatalf("%d attempts, want %d", n, test.attempts)
				}
				if last := got[len(got)-1].at.Sub(start); last < test.shortest || took > test.longest {
					t.Errorf("the last attempt came after %v, want %v; it took %v, want at most %v", last, test.shortest, took, test.longest)
				}
				for _, a := range got {
					if a.body != got[0].body {
						t.Errorf("got %q, then %q", got[0].body, a.body)
					}
				}
			})
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // it is midnight here, to the second
		for value, want := range map[string]time.Duration{
			time.Now().Add(time.Minute).UTC().Format(http.TimeFormat):    time.Minute,
			time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat):   0,
			time.Now().Add(25 * time.Hour).UTC().Format(http.TimeFormat): 24 * time.Hour,
			time.Now().AddDate(292, 6, 0).UTC().Format(http.TimeFormat):  24 * time.Hour,
			"Fri, 31 Dec 9999 23:59:59 GMT":                              24 * time.Hour,
			"Mon, 01 Jan 0001 00:00:00 GMT":                              0,
			"0":                                                          0, "1": time.Second, "86399": 24*time.Hour - time.Second, "86401": 24 * time.Hour,
			"2147483648": 24 * time.Hour, "9223372037": 24 * time.Hour, "18446744073709551615": 24 * time.Hour,
			strings.Repeat("9", 10_000): 24 * time.Hour,
			"":                          0, "-1": 0, "+1": 0, "1.5": 0, "1e9": 0, "0x10": 0, "soon": 0,
		} {
			if got := graph.RetryAfter(value); got != want {
				t.Errorf("%.40q: got %v, want %v", value, got, want)
			}
		}
	})
}

// However a callback puts us off, a call that has hung up is forgotten soon after its notifications
// were given up, with its goroutine.
func TestACallbackThatPutsOffIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 200
		c := newCallback(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Millisecond) // the time that has passed is added to the time to come
			w.Header().Set("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		p := newPlatform(t, nil, graph.WithNotifier(c.notifier(t)))
		for range calls {
			_ = p.attach("bot", "http://localhost/callback").Detach(graph.ResultInfo{})
		}
		time.Sleep(graph.DefaultGiveUp)
		synctest.Wait()
		if s := p.handler.Stats(); s.Pending != 0 || s.Delivered != 0 || s.GivenUp != 2*calls {
			t.Errorf("got %+v", s)
		}
		equal(t, "applications with something kept", p.handler.Busy(), 0)
		equal(t, "calls observed", p.handler.Observed(), 0)
	})
}

// A delivery that has no place in its time is given up as well.
func TestWaitingForAPlaceHasAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		n := c.notifier(t, graph.WithMaxConnections(4), graph.WithMaxElapsedTime(30*time.Second), graph.WithAttemptTimeout(20*time.Second))
		var all sync.WaitGroup
		start := time.Now()
		errs := make([]error, 30)
		for i := range errs {
			all.Go(func() { errs[i] = n.Deliver(t.Context(), delivery()) })
		}
		all.Wait()
		if took := time.Since(start); took > 50*time.Second {
			t.Errorf("it took %v", took)
		}
		without := 0
		for _, err := range errs {
			if err == nil {
				t.Error("delivered")
			} else if strings.Contains(err.Error(), "no place") {
				without++
			}
		}
		if without == 0 || without == len(errs) {
			t.Errorf("%d of %d had no place", without, len(errs))
		}
	})
}

// 40 calls of a bot that is slow, in some way, wait for 8 places; another bot's notifications come as
// if they were alone, on another host or on the same one.
func TestASlowBotDelaysItselfAlone(t *testing.T) {
	t.Parallel()
	slow := map[string]func(w http.ResponseWriter, r *http.Request){
		"answers late": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(9 * time.Second):
			case <-r.Context().Done():
			}
		},
		"never ends its body": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		},
		"never answers": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	for name, is := range slow {
		for _, quick := range []struct{ name, token, callback string }{
			{"another", "other", "http://127.0.0.2/quick"},
			{"another on the same host", "other", "http://127.0.0.1/quick"},
		} {
			t.Run(name+", "+quick.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					const calls, places = 40, 8
					var mu sync.Mutex
					told := 0
					c := newCallback(t, func(_ int, w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/slow" {
							is(w, r)
							return
						}
						mu.Lock()
						defer mu.Unlock()
						told++
					})
					p := newPlatform(t, nil, graph.WithNotifier(c.notifier(t, graph.WithMaxConnections(places))))
					for range calls {
						p.attach("bot", "http://127.0.0.1/slow")
					}
					synctest.Wait()
					call := p.attach(quick.token, quick.callback)
					for i := range 60 {
						synctest.Wait() // no time passes
						mu.Lock()
						got := told
						mu.Unlock()
						if got != i+1 {
							t.Fatalf("after %d s %d notifications have come, want %d", i, got, i+1)
						}
						_ = call.SetState(graph.State{Call: []graph.CallState{graph.Hold, graph.Established}[i%2]})
						synctest.Wait()
						time.Sleep(time.Second)
					}
				})
			})
		}
	}
}

// A slow host leaves places for others, whoever its applications are, and so do slow applications
// whatever their hosts are.
func TestPlacesAreLeftForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := graph.NewPlaces(100)
		got := func(application, host string) (n int) {
			for {
				ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
				err := p.Enter(ctx, application, host)
				cancel()
				if err != nil {
					return n
				}
				n++
			}
		}
		equal(t, "of an application", got("a", "x"), 50)
		equal(t, "of another on the same host", got("b", "x"), 25)
		equal(t, "of a third on the same host", got("c", "x"), 0)
		equal(t, "of a third", got("c", "y"), 13)
		equal(t, "of a fourth", got("d", "y"), 6)
		for range 50 {
			p.Leave("a", "x")
		}
		for range 25 {
			p.Leave("b", "x")
		}
		for range 13 {
			p.Leave("c", "y")
		}
		for range 6 {
			p.Leave("d", "y")
		}
		equal(t, "left", p.String(), "100 free, 0 applications, 0 hosts, 0 waiting")
	})
}

// Who waits comes in as soon as there is a place for it; of several the first that came. Whoever stops
// waiting leaves nothing.
func TestPlacesAreGivenInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := graph.NewPlaces(4)
		enter := func(application string) {
			if err := p.Enter(t.Context(), application, application); err != nil {
				t.Error(err)
			}
		}
		for _, application := range []string{"a", "a", "b", "c"} {
			enter(application)
		}
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, application := range []string{"a", "d", "b", "e"} {
			all.Go(func() {
				enter(application)
				mu.Lock()
				order = append(order, application)
				mu.Unlock()
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Enter(ctx, "f", "f"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		for _, application := range []string{"a", "c", "b", "d", "e", "a", "b", "a"} {
			p.Leave(application, application)
			synctest.Wait()
		}
		all.Wait()
		equal(t, "order", order, []string{"d", "e", "b", "a"})
		equal(t, "left", p.String(), "4 free, 0 applications, 0 hosts, 0 waiting")
	})
}

// Whoever loses patience at the moment when it gets a place gives the place back.
func TestAPlaceThatComesTooLateIsGivenBack(t *testing.T) {
	t.Parallel()
	late := 0
	for range 100 {
		p := graph.NewPlaces(1)
		if err := p.Enter(t.Context(), "a", "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Enter(lateContext{ctx, func() { p.Leave("a", "a") }}, "b", "b"); err != nil {
			late++
		} else {
			p.Leave("b", "b")
		}
		equal(t, "left", p.String(), "1 free, 0 applications, 0 hosts, 0 waiting")
	}
	if late == 0 || late == 100 {
		t.Errorf("%d of 100 were late", late)
	}
}

// lateContext has ended, and does something when it is asked for that.
type lateContext struct {
	context.Context

	asked func()
}

func (c lateContext) Done() <-chan struct{} {
	c.asked()
	return c.Context.Done()
}

// Many wait, come, go, and lose patience: there are never more than there are places, and all places
// are free in the end.
func TestPlacesAddUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			n := 1 + random.IntN(8)
			p := graph.NewPlaces(n)
			var in, patient atomic.Int32
			var all sync.WaitGroup
			for range 200 {
				application, host := fmt.Sprint("a", random.IntN(4)), fmt.Sprint("h", random.IntN(3))
				begin, stay := time.Duration(random.IntN(1000)), time.Duration(random.IntN(100))
				patience := time.Hour
				if random.IntN(3) == 0 {
					patience = time.Duration(random.IntN(200))
				}
				all.Go(func() {
					time.Sleep(begin)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					if p.Enter(ctx, application, host) != nil {
						if patience == time.Hour {
							patient.Add(1)
						}
						return
					}
					if in.Add(1) > int32(n) {
						t.Errorf("seed %d: too many", seed)
					}
					time.Sleep(stay)
					in.Add(-1)
					p.Leave(application, host)
				})
			}
			all.Wait()
			if got, want := p.String(), fmt.Sprintf("%d free, 0 applications, 0 hosts, 0 waiting", n); got != want || patient.Load() > 0 {
				t.Errorf("seed %d: got %s, want %s; %d waited for an hour", seed, got, want, patient.Load())
			}
		})
	}
}

// Backlog of a bot that is gone: each batch has one attempt at least, and none lives on past its
// time.
func TestOldNotificationsGetOneAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, status(500))
		d := delivery()
		time.Sleep(time.Hour)
		if err := c.notifier(t).Deliver(t.Context(), d); err == nil || len(c.seen()) != 1 {
			t.Errorf("got %v after %d attempts", err, len(c.seen()))
		}
	})
}

func TestTheEndOfItsContextGivesADeliveryUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, status(500))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(graph.ErrShutDown) })
		start := time.Now()
		if err := c.notifier(t).Deliver(ctx, delivery()); !errors.Is(err, graph.ErrShutDown) || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestTokensComeWithEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, status(500, 200))
		asked := 0
		n := c.notifier(t, graph.WithTokens(func(_ context.Context, application string) (string, error) {
			if asked++; asked == 2 {
				return "", errors.New("the token service is down")
			}
			return fmt.Sprint(application, "-", asked), nil
		}))
		if err := n.Deliver(t.Context(), delivery()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range c.seen() {
			got = append(got, a.authorization)
		}
		equal(t, "tokens", got, []string{"Bearer app-1", "Bearer app-3"})
	})
}

// Requests under way are bounded, and those to callbacks that have failed before take a quarter of
// the places at most: with all others taken by the dead, the living still get through.
func TestConnectionsAreBoundedAndTheDeadTakeAQuarter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var under, most atomic.Int32
		c := newCallback(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
			for n := under.Add(1); ; {
				if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			defer under.Add(-1)
			if r.URL.Path == "/dead" {
				<-r.Context().Done()
			}
		})
		n := c.notifier(t, graph.WithMaxConnections(8), graph.WithMaxElapsedTime(time.Minute))
		var all sync.WaitGroup
		dead := func(i int) graph.Delivery {
			d := delivery()
			d.Application, d.CallbackURI = fmt.Sprint("dead-", i), fmt.Sprintf("http://127.0.0.%d/dead", 2+i)
			return d
		}
		for i := range 40 {
			d := dead(i)
			d.Failing = true
			all.Go(func() { _ = n.Deliver(t.Context(), d) })
		}
		synctest.Wait()
		equal(t, "the dead under way", under.Load(), 2)
		for range 100 {
			start := time.Now()
			if err := n.Deliver(t.Context(), delivery()); err != nil || time.Since(start) > 0 {
				t.Fatalf("a living callback: %v after %v", err, time.Since(start))
			}
		}
		for i := range 40 {
			d := dead(i)
			all.Go(func() { _ = n.Deliver(t.Context(), d) })
		}
		synctest.Wait()
		equal(t, "the most under way", most.Load(), 8)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := n.Deliver(ctx, delivery()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a place: %v", err)
		}
		for range 120 { // attempts time out, others take their places
			time.Sleep(time.Second)
			synctest.Wait() // the server has noticed
			if n := under.Load(); n > 8 {
				t.Fatalf("%d under way", n)
			}
		}
		all.Wait()
	})
}

func TestCallbackAddressesAreChecked(t *testing.T) {
	t.Parallel()
	strict, err := graph.NewNotifier()
	if err != nil {
		t.Fatal(err)
	}
	open := newNotifier(t, graph.WithAddresses(graph.Addresses{Also: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}), graph.WithLoopback())
	for _, test := range []struct {
		uri          string
		strict, open bool
	}{
		{"https://bot.contoso.com/c?x=y", true, true},
		{"https://203.0.113.7/c", false, false},
		{"https://8.8.8.8/c", true, true},
		{"https://[2606:4700::1111]:8443/c", true, true},
		{"https://10.0.0.1/", false, true},
		{"https://192.168.1.1/", false, false},
		{"https://172.31.0.1/", false, false},
		{"https://100.100.100.200/", false, false},
		{"https://169.254.169.254/", false, false},
		{"https://168.63.129.16/", false, false},
		{"https://0.0.0.0/", false, false},
		{"https://255.255.255.255/", false, false},
		{"https://224.0.0.1/", false, false},
		{"https://[fd00:ec2::254]/", false, false},
		{"https://[fe80::1%25eth0]/", false, false},
		{"https://[::]/", false, false},
		{"https://[64:ff9b::a00:1]/", false, false},
		{"https://[2002:a00:1::]/", false, false},
		{"https://[::ffff:192.168.0.1]/", false, false},
		{"https://127.0.0.1/", false, true},
		{"http://127.0.0.1:9/", false, true},
		{"http://[::1]/", false, true},
		{"http://localhost/", false, true},
		{"https://localhost/", false, true},
		{"http://bot.contoso.com/", false, false},
		{"http://8.8.8.8/", false, false},
		{"", false, false},
		{"/c", false, false},
		{"https:///c", false, false},
		{"https://:443/c", false, false},
		{"bot.contoso.com", false, false},
		{"ftp://8.8.8.8/", false, false},
		{"https://u@8.8.8.8/", false, false},
		{"https://a b/", false, false},
	} {
		for name, n := range map[string]*graph.Notifier{"strict": strict, "open": open} {
			want := map[string]bool{"strict": test.strict, "open": test.open}[name]
			err := n.Check(test.uri)
			var field *operation.FieldError
			if (err == nil) != want || err != nil && (!errors.As(err, &field) || field.Field != "callbackUri") {
				t.Errorf("%s: %q: got %v", name, test.uri, err)
			}
			if err != nil && n.Deliver(t.Context(), graph.Delivery{CallbackURI: test.uri}) == nil {
				t.Errorf("%s: %q was delivered", name, test.uri)
			}
		}
	}
	for _, bad := range []string{"", "x", "localhost:80", "[fe80::1%eth0]:80"} {
		if err := (graph.Addresses{}).Control("tcp", bad, nil); err == nil {
			t.Errorf("Control took %q", bad)
		}
	}
}

// A name that resolves to a refused address passes the check of the URI, and is caught when it is
// connected to.
func TestANameThatResolvesToARefusedAddressIsNotConnectedTo(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	defer s.Close()
	n, err := graph.NewNotifier(graph.WithMaxElapsedTime(time.Millisecond), graph.WithResolver(everythingIsHere(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	d := delivery()
	d.CallbackURI = "https://bot.contoso.com:" + port + "/callback"
	if err := n.Check(d.CallbackURI); err != nil {
		t.Fatal(err)
	}
	err = n.Deliver(t.Context(), d)
	if err == nil || !strings.Contains(err.Error(), "is not allowed") {
		t.Errorf("got %v", err)
	}
	select {
	case <-reached:
		t.Error("it was reached")
	default:
	}
}

// everythingIsHere resolves every name to 127.0.0.1.
func everythingIsHere(t *testing.T) *net.Resolver {
	t.Helper()
	dns, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := dns.ReadFrom(query)
			if err != nil {
				return
			}
			end := 12 // of the question: a name, its type, its class
			for end < n && query[end] != 0 {
				end += 1 + int(query[end])
			}
			end += 5
			answer := slices.Clone(query[:end])
			answer[2], answer[3] = 0x84, 0 // an answer, authoritative
			answer[7], answer[11] = 0, 0   // with no records
			if query[end-3] == 1 {         // type A
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
			}
			_, _ = dns.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}
}

// Half of 200 calls have callbacks that are dead, each in its own way. The others are told
// everything, in order, while the dead ones are still being tried, and those take up bounded memory.
func TestDeadCallbacksDelayNobodyElse(t *testing.T) {
	t.Parallel()
	const calls, plays, outbox, pending = 200, 20, 32, 8
	hang := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case "/reset":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(dead.Close)
	t.Cleanup(func() { close(hang) })
	dead.Config.ErrorLog = nil
	nobody := httptest.NewServer(nil)
	nobody.Close()
	boxes := make([]inbox, calls)
	living := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		boxes[n].ServeHTTP(w, r)
	}))
	t.Cleanup(living.Close)

	p := newPlatform(t, nil, graph.WithNotifier(newNotifier(t, graph.WithMaxElapsedTime(time.Hour), graph.WithAttemptTimeout(time.Hour))), graph.WithOutbox(outbox))
	bot := p.direct()
	phones := make([]*phone, calls)
	for i := range phones {
		uri := fmt.Sprintf("%s/%d", living.URL, i)
		if i%2 == 1 {
			uri = []string{dead.URL + "/hang", dead.URL + "/reset", nobody.URL}[i/2%3]
		}
		phones[i] = p.attach("bot", uri, queue.WithMaxPending(pending))
	}
	ids := make([][]string, calls)
	for range plays / 2 {
		for i, c := range phones {
			for range 2 {
				ids[i] = append(ids[i], bot.post(c, "playPrompt", playBody).must(t, 200).text("id"))
			}
			bot.post(c, "cancelMediaProcessing", `{}`).must(t, 200)
		}
	}
	for i := 0; i < calls; i += 2 {
		var got []string
		for _, n := range boxes[i].wait(t, 1+plays)[1:] {
			id, _ := at(n, "resourceData", "id").(string)
			got = append(got, id)
		}
		if !slices.Equal(got, ids[i]) {
			t.Fatalf("call %d: got %q, want %q", i, got, ids[i])
		}
	}
	if s := p.handler.Stats(); s.GivenUp != 0 || s.Pending < calls/2 {
		t.Errorf("the dead are not dying: %+v", s)
	}

	// Memory is bounded: each of the dead is refused when its outbox is full, and the queue holds
	// as much as it may for an observer that lags.
	for i := 1; i < calls; i += 2 {
		accepted, refused := plays, false
		for !refused && accepted <= 1+outbox+1+5*pending {
			switch r := bot.post(phones[i], "playPrompt", playBody); r.status {
			case http.StatusOK:
				accepted++
				phones[i].Queue().CancelAll()
			case http.StatusTooManyRequests:
				refused = true
			default:
				t.Fatalf("got %d: %s", r.status, show(r.body))
			}
		}
		if !refused {
			t.Fatalf("call %d: %d operations accepted that nobody is told of", i, accepted)
		}
	}
}

// A cancel storm on many calls, again and again: each operation's end is told once.
func TestCancelStorms(t *testing.T) {
	t.Parallel()
	const rounds, calls = 1000, 8
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	phones := make([]*phone, calls)
	for i := range phones {
		phones[i] = p.attach("bot", "")
	}
	var (
		mu       sync.Mutex
		accepted = map[string]bool{}
		all      sync.WaitGroup
	)
	for i, c := range phones {
		action := []string{"playPrompt", "recordResponse"}[i%2]
		all.Go(func() {
			for range rounds {
				id := bot.post(c, action, playBody).must(t, 200).text("id")
				mu.Lock()
				accepted[id] = true
				mu.Unlock()
			}
		})
		all.Go(func() {
			for range rounds {
				bot.post(c, "cancelMediaProcessing", `{}`).must(t, 200)
			}
		})
	}
	all.Wait()
	for _, c := range phones {
		_ = c.Detach(graph.ResultInfo{})
	}
	if err := p.handler.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := ends(box.all())
	for id, n := range told {
		if n != 1 || !accepted[id] {
			t.Fatalf("operation %s: told %d times, accepted %v", id, n, accepted[id])
		}
	}
	equal(t, "operations told", len(told), rounds*calls)
	equal(t, "accepted", len(accepted), rounds*calls)
}

// A callback address may hold a secret: no error that ends up in a log names it.
func TestAnErrorDoesNotNameTheCallback(t *testing.T) {
	t.Parallel()
	n, err := graph.NewNotifier(graph.WithLoopback(), graph.WithMaxElapsedTime(time.Nanosecond), graph.WithDial(
		func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }))
	if err != nil {
		t.Fatal(err)
	}
	d := delivery()
	d.CallbackURI += "?secret=hunter2"
	if err := n.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
