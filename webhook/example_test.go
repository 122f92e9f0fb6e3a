package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/webhook"
)

// A bot that is just starting loses nothing: the notification is posted again, with the same bytes and
// the same id.
func Example() {
	attempts := 0
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		attempts++
		fmt.Println("attempt", r.Header.Get(webhook.HeaderAttempt))
		if attempts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer bot.Close()

	n, err := webhook.New(webhook.WithLoopback(), webhook.WithBackoff(time.Millisecond, time.Second))
	if err != nil {
		panic(err)
	}
	defer n.CloseIdleConnections()
	err = n.Deliver(context.Background(), webhook.Delivery{
		ID: uuid.New(), CallID: uuid.New(), Application: "bot", CallbackURI: bot.URL,
		Body: []byte(`{"value":[]}`), Notifications: 1, Since: time.Now(),
	})
	fmt.Println("delivered:", err == nil)
	// Output:
	// attempt 1
	// attempt 2
	// delivered: true
}
