package inspect_test

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/http/httptest"

	"ivrqueue/inspect"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// A platform mounts the page behind a guard of its own, and gives the handler to the queues of its
// calls.
func Example() {
	calls, err := inspect.New()
	if err != nil {
		panic(err)
	}
	defer calls.Close()
	mux := http.NewServeMux()
	mux.Handle("/debug/calls/", guard("secret", calls))

	// Of each call:
	player := queue.Blocking(func(ctx context.Context, _ queue.Active) (operation.Result, error) {
		<-ctx.Done()
		return operation.Result{}, nil
	})
	q, err := queue.New("call-1", player, queue.WithObserver(calls))
	if err != nil {
		panic(err)
	}
	_, err = calls.Attach(inspect.Attachment{
		Queue: q, Tones: new(tone.Stream),
		Labels: []inspect.Label{{Name: "SIP Call-ID", Value: "f81d4fae@sbc.example"}},
	})
	if err != nil {
		panic(err)
	}
	// Of the notifications, if package graph sends them:
	if _, err := webhook.New(webhook.WithAttemptHandler(calls.Attempt)); err != nil {
		panic(err)
	}

	for _, password := range []string{"", "secret"} {
		r := httptest.NewRequestWithContext(context.Background(), "GET", "/debug/calls/", nil)
		r.SetBasicAuth("", password)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	q.Close(nil)
	<-q.Done()
	// Output:
	// 401 text/plain; charset=utf-8
	// 200 text/html; charset=utf-8
}

// guard lets those in who know the password. Browsers ask for it, and send it with the streams too.
func guard(password string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(given), []byte(password)) == 0 {
			w.Header().Set("WWW-Authenticate", `Basic realm="calls"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}
