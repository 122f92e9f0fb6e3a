package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/webhook"
)

// A delivery that may not be sent any more is not, even if its connection took its time.
func TestWhatMayNotBeSentIsNotSent(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer s.Close()
	gone := errors.New("gone")
	for asked, want := range map[int32]int32{1: 0, 2: 0, 3: 1, 4: 1, 5: 2} { // twice for each attempt
		arrived.Store(0)
		var n atomic.Int32
		notifier := newStrict(t, webhook.WithLoopback(), webhook.WithBackoff(5*time.Millisecond, 50*time.Millisecond), webhook.WithPermit(func(*webhook.Delivery) error {
			if n.Add(1) >= asked {
				return gone
			}
			return nil
		}))
		err := notifier.Deliver(t.Context(), webhook.Delivery{CallbackURI: s.URL, Body: []byte("{}"), Since: time.Now()})
		if !errors.Is(err, gone) {
			t.Errorf("asked %d times: got %v, want that it may not be sent", asked, err)
		}
		if got := arrived.Load(); got != want {
			t.Errorf("asked %d times: %d arrived, want %d", asked, got, want)
		}
		notifier.CloseIdleConnections()
	}
	notifier := newStrict(t, webhook.WithLoopback(), webhook.WithBackoff(5*time.Millisecond, 50*time.Millisecond), webhook.WithPermit(func(*webhook.Delivery) error { panic("no") }))
	if err := notifier.Deliver(t.Context(), webhook.Delivery{CallbackURI: s.URL, Since: time.Now()}); err == nil || !strings.Contains(err.Error(), "WithPermit panicked: no") {
		t.Errorf("got %v", err)
	}
}
