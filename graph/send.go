package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/google/uuid"

	"ivrqueue/webhook"
)

// DeliveryFailure is notifications of a call that were given up.
type DeliveryFailure struct {
	CallID        uuid.UUID
	Application   string
	Notifications int
	Err           error // why
	Value         any   // of the call's attachment
}

var errDeliverExited = errors.New("graph: Deliver exited its goroutine")

// Deliver delivers a batch that is no call's of this handler, such as one of [Owed.Deliveries], as
// it delivers those of its calls: by [Platform.Deliver] or the [webhook.Notifier], with the body as
// it is. It returns when it has arrived, or was given up, which is an error, and goes to
// [WithFailureHandler]'s function; when ctx ends, or a [Handler.Shutdown] drops what is left, it
// is given up. The handler's [Stats] count it.
func (h *Handler) Deliver(ctx context.Context, d webhook.Delivery) error {
	if ctx == nil {
		return errors.New("graph: Deliver: nil context")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(h.deliveries, func() { //nolint:contextcheck // the handler's end
		cancel(context.Cause(h.deliveries))
	})
	defer stop()
	err := errDeliverExited
	done := make(chan struct{})
	go func() { // which the platform's code may exit
		defer close(done)
		err = h.guard("Deliver", d.CallID, func() error { return h.deliverer()(ctx, d) })
	}()
	<-done
	d.Notifications = max(d.Notifications, 0)
	if err != nil {
		h.giveUp(DeliveryFailure{d.CallID, d.Application, d.Notifications, err, d.Value})
		return err
	}
	h.delivered.Add(uint64(d.Notifications)) //nolint:gosec // not negative
	return nil
}

// giveUp counts notifications that were given up, and reports them to the platform.
func (h *Handler) giveUp(f DeliveryFailure) {
	h.givenUp.Add(uint64(f.Notifications)) //nolint:gosec // not negative
	h.config.logger.Warn("graph: notifications given up",
		slog.Int("notifications", f.Notifications), slog.Any("error", f.Err),
		slog.String("call", f.CallID.String()))
	if lost := h.config.lost; lost != nil {
		_ = h.guard("WithFailureHandler", f.CallID, func() error { // a panic is logged
			lost(f)
			return nil
		})
	}
}

// guard calls a function of the platform's that has to do with a call. If it panics, that is
// logged, and an error.
func (h *Handler) guard(what string, call uuid.UUID, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			h.config.logger.Error("graph: callback of the platform panicked",
				slog.String("callback", what), slog.Any("panic", v),
				slog.String("stack", string(debug.Stack())), slog.String("call", call.String()))
			err = fmt.Errorf("graph: %s panicked: %v", what, v)
		}
	}()
	return f()
}

// send delivers some notifications of the call, on the outbox's goroutine, and returns when they
// have arrived or were given up. The platform's code may panic in it or exit the goroutine.
func (c *Call) send(notifications []pendingNotification) {
	err := errDeliverExited
	defer func() {
		if c.failing = err != nil; c.failing {
			c.discard(notifications, err)
			return
		}
		c.handler.delivered.Add(uint64(len(notifications)))
		c.counts.delivered.Add(uint64(len(notifications)))
		c.release(costOf(notifications))
	}()
	err = c.handler.guard("Deliver", c.given.ID, func() error { return c.deliver(notifications) })
}

func (c *Call) deliver(pending []pendingNotification) error {
	body, err := c.body(pending)
	if err != nil {
		return err
	}
	d := webhook.Delivery{
		ID: uuid.New(), CallID: c.given.ID, Application: c.given.Application,
		CallbackURI: c.callback(),
		Body:        body, Notifications: len(pending), Since: pending[0].at, Failing: c.failing,
		Value: c.given.Value,
	}
	c.debt.begin(c.handler.deliveries, &d, pending[len(pending)-1].result != nil)
	return c.handler.deliverer()(c.handler.deliveries, d)
}

// discard drops notifications that were given up.
func (c *Call) discard(notifications []pendingNotification, err error) {
	n := len(notifications)
	if n == 0 {
		return
	}
	c.release(costOf(notifications))
	c.counts.givenUp.Add(uint64(n))
	c.handler.giveUp(DeliveryFailure{c.given.ID, c.given.Application, n, err, c.given.Value})
}

// costOf is how many bytes are reserved for notifications.
func costOf(notifications []pendingNotification) (bytes int64) {
	for i := range notifications {
		bytes += notifications[i].cost
	}
	return bytes
}
