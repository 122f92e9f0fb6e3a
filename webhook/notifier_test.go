package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/webhook"
)

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
		{"429 and a day", after(429, "86400"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"503 and the year 9999", after(503, "Fri, 31 Dec 9999 23:59:59 GMT"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"503 and 2^31 s", after(503, "2147483648"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"503 and 2^63 ns", after(503, "9223372036"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"503 and 2^64 s", after(503, "18446744073709551616"), 2, 30 * time.Second, 30 * time.Second, ""},
		{"404 and 7 s", after(404, "7"), 2, 7 * time.Second, 7 * time.Second, ""},
		{"503 and a negative time", after(503, "-1"), 2, 250 * time.Millisecond, time.Second, ""},
		{"503 and a date of the past", after(503, "Thu, 01 Jan 1970 00:00:00 GMT"), 2, 250 * time.Millisecond, time.Second, ""},
		{"503 and 119 s, again and again", func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "119")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 5, 2 * time.Minute, 2 * time.Minute, "callback answered 503"},
		{"400", status(400), 1, 0, 0, "callback answered 400"},
		{"410", status(410), 1, 0, 0, "callback answered 410"},
		{"413", status(413), 1, 0, 0, "callback answered 413"},
		{"415", status(415), 1, 0, 0, "callback answered 415"},
		{"422", status(422), 1, 0, 0, "callback answered 422"},
		{"401", status(401, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"403", status(403, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"404", status(404, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"405", status(405, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"409", status(409, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"418", status(418, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"425", status(425, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"304", status(304, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"303", status(303, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"600", status(600, 202), 2, 250 * time.Millisecond, time.Second, ""},
		{"a moment of each", status(404, 403, 425, 409, 503, 502, 202), 7, 10 * time.Second, time.Minute, ""},
		{"always 404", status(404), -8, time.Minute, 2 * time.Minute, "callback answered 404"},
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
		}, 1, 0, 0, ""},
		{"fails, and never ends its body", func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 1, 0, 0, "callback answered 400"},
		{"redirects, and never ends its body", func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.Header().Set("Location", "/other")
				w.WriteHeader(http.StatusFound)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		}, 2, 0, 0, ""},
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
			if got := webhook.RetryAfter(value); got != want {
				t.Errorf("%.40q: got %v, want %v", value, got, want)
			}
		}
	})
}

// A delivery that has no place in its time is given up as well.
func TestWaitingForAPlaceHasAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		n := c.notifier(t, webhook.WithMaxConnections(4), webhook.WithMaxElapsedTime(30*time.Second), webhook.WithAttemptTimeout(20*time.Second))
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
				select { // not longer than the test, in whose bubble no time passes afterwards
				case <-time.After(100 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		},
		"never answers": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	for name, is := range slow {
		for _, quick := range []struct{ name, application, callback string }{
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
					n := c.notifier(t, webhook.WithMaxConnections(places))
					ctx, cancel := context.WithCancel(t.Context())
					var all sync.WaitGroup
					defer all.Wait()
					defer cancel()
					deliver := func(application, callback string) error {
						d := delivery()
						d.Application, d.CallbackURI = application, callback
						return n.Deliver(ctx, d)
					}
					for range calls {
						all.Go(func() { _ = deliver("bot", "http://127.0.0.1/slow") })
					}
					synctest.Wait()
					for i := range 60 {
						start := time.Now()
						if err := deliver(quick.application, quick.callback); err != nil || time.Since(start) > 0 {
							t.Fatalf("after %d s: %v after %v", i, err, time.Since(start))
						}
						time.Sleep(time.Second)
					}
					equal(t, "notifications", told, 60)
				})
			})
		}
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
		time.AfterFunc(3*time.Second, func() { cancel(errGone) })
		start := time.Now()
		if err := c.notifier(t).Deliver(ctx, delivery()); !errors.Is(err, errGone) || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestTokensComeWithEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, status(500, 200))
		asked := 0
		n := c.notifier(t, webhook.WithTokens(func(_ context.Context, application string) (string, error) {
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
		n := c.notifier(t, webhook.WithMaxConnections(8), webhook.WithMaxElapsedTime(time.Minute))
		var all sync.WaitGroup
		dead := func(i int) webhook.Delivery {
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

// A callback address may hold a secret: no error that ends up in a log names it.
func TestAnErrorDoesNotNameTheCallback(t *testing.T) {
	t.Parallel()
	n, err := webhook.New(webhook.WithLoopback(), webhook.WithMaxElapsedTime(time.Nanosecond), webhook.WithDial(
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

// A callback that always asks for a long wait is given up in its time, with all who wait for it.
func TestACallbackThatPutsOffIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 200
		c := newCallback(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Millisecond) // the time that has passed is added to the time to come
			w.Header().Set("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		n := c.notifier(t)
		var givenUp atomic.Int32
		for range calls {
			go func() {
				if n.Deliver(t.Context(), delivery()) != nil {
					givenUp.Add(1)
				}
			}()
		}
		time.Sleep(webhook.DefaultGiveUp)
		synctest.Wait()
		equal(t, "given up", givenUp.Load(), calls)
	})
}
