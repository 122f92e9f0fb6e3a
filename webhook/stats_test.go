package webhook_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"ivrqueue/webhook"
)

// A Notifier counts its attempts, and of them those that repeat.
func TestANotifierCountsItsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCallback(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n <= 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		n := c.notifier(t)
		for range 2 {
			if err := n.Deliver(t.Context(), delivery()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := n.Stats(), (webhook.Stats{Attempts: 4, Retries: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
