package webhook

import (
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Attempt is one request of a delivery, as [WithAttemptHandler]'s function gets it.
type Attempt struct {
	DeliveryID    uuid.UUID // the same for all attempts of a delivery; see [HeaderID]
	CallID        uuid.UUID
	Application   string
	Notifications int // in the delivery
	Value         any // of the delivery

	Number int           // 1 for the first, as in [HeaderAttempt]; 0 if there never was a place
	Began  time.Time     // when it had a place
	Took   time.Duration // from then to the head of the answer, or to the error
	Status int           // of the answer; 0 if there was none
	Err    error         // why it was not taken; nil: it was

	// Last says that no other attempt follows: the delivery was taken, or given up. Otherwise the
	// next one begins in Wait, if there is a place for it then.
	Last bool
	Wait time.Duration
}

// report gives the handler an attempt, if there is a handler.
func (n *Notifier) report(a Attempt) {
	handler := n.config.attempts
	if handler == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		returned := false
		defer close(done)
		defer func() {
			if v := recover(); !returned {
				slog.Default().Warn("webhook: attempt handler panicked or exited its goroutine",
					slog.Any("panic", v), slog.String("call", a.CallID.String()))
			}
		}()
		handler(a)
		returned = true
	}()
	<-done
}
