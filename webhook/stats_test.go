package webhook_test

import (
	"fmt"
	"net/http"
	"sync"
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
		var all sync.WaitGroup
		all.Go(func() {
			for range 20 {
				_ = fmt.Sprintf("%v %+v", n, n) // nor is it read by reflection meanwhile
			}
		})
		for range 2 {
			if err := n.Deliver(t.Context(), delivery()); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := n.Stats(), (webhook.Stats{Attempts: 4, Retries: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		all.Wait()
		if got := fmt.Sprint(n); got != "webhook notifier, 4 attempts" {
			t.Error(got)
		}
	})
}
