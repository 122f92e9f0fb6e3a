package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"
)

// DeliveryFailure is notifications of a call that were given up.
type DeliveryFailure struct {
	CallID        uuid.UUID
	Application   string
	Notifications int
	Err           error // why
}

// send delivers some notifications of the call, on the outbox's goroutine, and returns when they
// have arrived or were given up. The platform's code may panic in it or exit the goroutine.
func (c *Call) send(notifications []pendingNotification) {
	err := errors.New("graph: Deliver exited its goroutine")
	defer func() {
		if c.failing = err != nil; c.failing {
			c.discard(notifications, err)
			return
		}
		c.handler.delivered.Add(uint64(len(notifications)))
		c.release(costOf(notifications))
	}()
	err = c.deliver(notifications)
}

func (c *Call) deliver(pending []pendingNotification) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("Deliver", v)
			err = fmt.Errorf("graph: Deliver panicked: %v", v)
		}
	}()
	all := notifications{typePrefix + "commsNotifications", make([]notification, len(pending))}
	for i := range pending {
		all.Value[i] = c.render(&pending[i])
	}
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	deliver := c.handler.platform.Deliver
	if deliver == nil {
		deliver = c.handler.config.notifier.Deliver
	}
	return deliver(c.handler.deliveries, Delivery{
		CallID: c.given.ID, Application: c.given.Application, CallbackURI: c.given.CallbackURI,
		Body: body, Notifications: len(pending), Since: pending[0].at, Failing: c.failing,
	})
}

// discard lets go of notifications that were given up; it counts them, and tells the platform.
func (c *Call) discard(notifications []pendingNotification, err error) {
	n := len(notifications)
	if n == 0 {
		return
	}
	c.release(costOf(notifications))
	c.handler.givenUp.Add(uint64(n))
	c.handler.config.logger.Warn("graph: notifications given up", slog.Int("notifications", n),
		slog.Any("error", err), slog.String("call", c.given.ID.String()))
	lost := c.handler.config.lost
	if lost == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.panicked("WithFailureHandler", v)
		}
	}()
	lost(DeliveryFailure{c.given.ID, c.given.Application, n, err})
}

// costOf is how many bytes are reserved for notifications.
func costOf(notifications []pendingNotification) (bytes int64) {
	for i := range notifications {
		bytes += notifications[i].cost
	}
	return bytes
}

func (c *Call) panicked(what string, v any) {
	c.handler.config.logger.Error("graph: callback of the platform panicked",
		slog.String("callback", what), slog.Any("panic", v),
		slog.String("stack", string(debug.Stack())), slog.String("call", c.given.ID.String()))
}
