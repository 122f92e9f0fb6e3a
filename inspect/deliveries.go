package inspect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ivrqueue/webhook"
)

// maxAttempts is how many attempts of a delivery are kept, the first one and the last ones.
const maxAttempts = 8

// delivery is notifications on their way.
type delivery struct {
	id            uuid.UUID
	version       uint64 // of its last change
	notifications int
	attempts      []attempt
	count         int       // attempts, those that are not kept too
	next          time.Time // when the next one is to begin; zero if none is
	state         deliveryState
}

// deliveryState says how a delivery goes.
type deliveryState uint8

const (
	deliveryRepeated deliveryState = iota + 1 // it was not taken yet
	deliveryTaken
	deliveryGivenUp
)

var deliveryStateNames = [...]string{
	deliveryRepeated: "repeated", deliveryTaken: "taken", deliveryGivenUp: "givenUp",
}

// attempt is one request.
type attempt struct {
	began time.Time
	took  time.Duration
	taken bool
	what  string // came of it
}

// Attempt puts an attempt to deliver notifications on the timeline of its call. Hand it to the
// Notifier: webhook.WithAttemptHandler(handler.Attempt). A platform that delivers in its own way
// may call it itself. It does not wait.
func (h *Handler) Attempt(a webhook.Attempt) {
	h.mu.RLock()
	c := h.wire[a.CallID]
	h.mu.RUnlock()
	if c == nil {
		return
	}
	what := outcome(&a) // code of others: without a lock
	c.mu.Lock()
	defer c.mu.Unlock()
	end := a.Began.Add(a.Took)
	if a.Number == 0 {
		end = time.Now()
	}
	c.change(end)
	d := c.delivery(&a)
	d.version, d.next = c.version.Load(), time.Time{}
	switch {
	case !a.Last:
		d.state, d.next = deliveryRepeated, end.Add(a.Wait)
	case a.Err == nil:
		d.state = deliveryTaken
	default:
		d.state = deliveryGivenUp
	}
	if a.Number <= d.count {
		return // recorded before: it was given up while it waited, or never had a place
	}
	d.count = a.Number
	if len(d.attempts) == maxAttempts {
		d.attempts = append(d.attempts[:1], d.attempts[2:]...)
	}
	d.attempts = append(d.attempts, attempt{a.Began, a.Took, a.Err == nil, what})
}

// delivery returns the delivery of an attempt; c.mu is held.
func (c *call) delivery(a *webhook.Attempt) *delivery {
	for n := c.deliveries.last; n > 0 && n >= c.deliveries.first(); n-- {
		if d := c.deliveries.at(n); d.id == a.DeliveryID {
			return d
		}
	}
	c.deliveries.add(
		delivery{id: a.DeliveryID, notifications: a.Notifications}, c.handler.config.operations)
	return c.deliveries.at(c.deliveries.last)
}

// outcome says what came of an attempt, without the text of its error: a client that could read it
// would learn from it what there is in networks that only the service can reach.
func outcome(a *webhook.Attempt) (what string) {
	defer func() {
		if recover() != nil {
			what = "failed"
		}
	}()
	switch {
	case a.Status != 0:
		return fmt.Sprintf("answered %d", a.Status)
	case errors.Is(a.Err, context.DeadlineExceeded):
		return "no answer in time"
	default:
		return "no answer"
	}
}
