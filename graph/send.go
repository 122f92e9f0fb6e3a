package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"
)

// Loss is notifications of a call that were given up.
type Loss struct {
	Call          uuid.UUID
	Application   string
	Notifications int
	Err           error // why
}

// send delivers some notices of the call, on the outbox's goroutine, and returns when they have
// arrived or were given up. The platform's code may panic in it or exit the goroutine.
func (c *Call) send(notices []notice) {
	err := errors.New("graph: Deliver exited its goroutine")
	defer func() {
		if c.failing = err != nil; c.failing {
			c.discard(notices, err)
			return
		}
		c.handler.delivered.Add(uint64(len(notices)))
		c.release(costOf(notices))
	}()
	err = c.deliver(notices)
}

func (c *Call) deliver(notices []notice) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked("Deliver", v)
			err = fmt.Errorf("graph: Deliver panicked: %v", v)
		}
	}()
	all := notifications{typePrefix + "commsNotifications", make([]notification, len(notices))}
	for i := range notices {
		all.Value[i] = c.render(&notices[i])
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
		Call: c.given.ID, Application: c.given.Application, CallbackURI: c.given.CallbackURI,
		Body: body, Notifications: len(notices), Since: notices[0].at, Failing: c.failing,
	})
}

// discard lets go of notifications that were given up; it counts them, and tells the platform.
func (c *Call) discard(notices []notice, err error) {
	n := len(notices)
	if n == 0 {
		return
	}
	c.release(costOf(notices))
	c.handler.givenUp.Add(uint64(n))
	c.handler.config.logger.Warn("graph: notifications given up", slog.Int("notifications", n),
		slog.Any("error", err), slog.String("call", c.given.ID.String()))
	lost := c.handler.config.lost
	if lost == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.panicked("WithLost", v)
		}
	}()
	lost(Loss{c.given.ID, c.given.Application, n, err})
}

// costOf is how many bytes are reserved for notices.
func costOf(notices []notice) (bytes int64) {
	for i := range notices {
		bytes += notices[i].cost
	}
	return bytes
}

func (c *Call) panicked(what string, v any) {
	c.handler.config.logger.Error("graph: callback of the platform panicked",
		slog.String("callback", what), slog.Any("panic", v),
		slog.String("stack", string(debug.Stack())), slog.String("call", c.given.ID.String()))
}
