package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/webhook"
)

// Every attempt is reported when it is over, and each delivery has exactly one that is the last.
func TestAttemptsAreReported(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for _, test := range []struct {
		name     string
		answer   func(int, http.ResponseWriter, *http.Request)
		cancel   time.Duration // of the context; 0: never
		uri      string        // of the callback; "": a good one
		statuses []int         // of the attempts that are reported
		numbers  []int
		fails    bool
	}{
		{"taken at once", status(202), 0, "", []int{202}, []int{1}, false},
		{"taken in the end", status(500, 503, 200), 0, "", []int{500, 503, 200}, []int{1, 2, 3}, false},
		{"never wanted", status(500, 410), 0, "", []int{500, 410}, []int{1, 2}, true},
		{"given up in a wait", status(500), 10 * time.Millisecond, "", []int{500, 500}, []int{1, 1}, true},
		{
			"no answer", func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			second, "",
			[]int{0},
			[]int{1},
			true,
		},
		{"no address", status(200), 0, "ftp://localhost/", []int{0}, []int{0}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []webhook.Attempt
				n := newCallback(t, test.answer).notifier(t,
					webhook.WithAttemptHandler(func(a webhook.Attempt) { got = append(got, a) }))
				d := delivery()
				d.ID, d.CallID, d.Value = uuid.New(), uuid.New(), "mine"
				if test.uri != "" {
					d.CallbackURI = test.uri
				}
				ctx := t.Context()
				if test.cancel > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.cancel)
					defer cancel()
				}
				err := n.Deliver(ctx, d)
				equal(t, "failed", err != nil, test.fails)
				equal(t, "attempts", len(got), len(test.statuses))
				for i, a := range got {
					last := i == len(got)-1
					equal(t, "number", a.Number, test.numbers[i])
					equal(t, "status", a.Status, test.statuses[i])
					equal(t, "last", a.Last, last)
					equal(t, "there is a wait", a.Wait > 0, !last)
					equal(t, "there is an error", a.Err != nil, !last || test.fails)
					equal(t, "ids", a.DeliveryID == d.ID && a.CallID == d.CallID, true)
					equal(t, "what it is of", a.Application == "app" && a.Notifications == 1 && a.Value == "mine", true)
				}
			})
		})
	}
}

// late is a context that has ended when it says so; whoever derives from it does not know yet.
type late struct {
	context.Context

	ended atomic.Bool
}

func (l *late) Err() error {
	if l.ended.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

// A delivery whose context ends in an attempt is given up with that, and not said to be repeated.
func TestTheEndOfItsContextIsTheEndOfTheAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := &late{Context: t.Context()}
		var got []webhook.Attempt
		n := newCallback(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			ctx.ended.Store(true)
			w.WriteHeader(http.StatusServiceUnavailable)
		}).notifier(t, webhook.WithAttemptHandler(func(a webhook.Attempt) { got = append(got, a) }))
		if err := n.Deliver(ctx, delivery()); err == nil || len(got) != 1 || !got[0].Last || got[0].Number != 1 {
			t.Errorf("%v, and these attempts: %+v", err, got)
		}
	})
}

// What the function of tokens does wrong counts as an error of the network: the delivery goes on, and
// nothing waits for it longer than for an attempt.
func TestAFunctionOfTokensMayPanicExitOrBlock(t *testing.T) {
	t.Parallel()
	for want, wrong := range map[string]func(until chan struct{}){
		"panicked: oh":      func(chan struct{}) { panic("oh") },
		"exited":            func(chan struct{}) { runtime.Goexit() },
		"deadline exceeded": func(until chan struct{}) { <-until },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				until := make(chan struct{})
				defer close(until)
				var asked atomic.Int32
				var got []webhook.Attempt
				n := newCallback(t, status(202)).notifier(t,
					webhook.WithTokens(func(context.Context, string) (string, error) {
						if asked.Add(1) == 1 {
							wrong(until)
						}
						return "token", nil
					}),
					webhook.WithAttemptHandler(func(a webhook.Attempt) { got = append(got, a) }))
				began := time.Now()
				equal(t, "failed", n.Deliver(t.Context(), delivery()), nil)
				if took := time.Since(began); took > webhook.DefaultAttempt+webhook.DefaultBackoff*2 {
					t.Errorf("it took %v", took)
				}
				if len(got) != 2 || !strings.Contains(fmt.Sprint(got[0].Err), want) || got[0].Last || !got[1].Last {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// What a handler does wrong is its own affair: the delivery was taken.
func TestAnAttemptHandlerMayPanicOrExit(t *testing.T) { //nolint:paralleltest // it sets the default logger
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	for name, f := range map[string]func(webhook.Attempt){
		"panics": func(webhook.Attempt) { panic("oh") },
		"exits":  func(webhook.Attempt) { runtime.Goexit() },
		"is nil": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			logged.Reset()
			n := newCallback(t, status(500, 200)).notifier(t, webhook.WithAttemptHandler(f))
			if err := n.Deliver(t.Context(), delivery()); err != nil {
				t.Errorf("it %s: %v", name, err)
			}
			if warned := bytes.Count(logged.Bytes(), []byte("attempt handler")); warned != 2 && f != nil {
				t.Errorf("it %s: warned %d times, want 2", name, warned)
			}
		})
	}
}
