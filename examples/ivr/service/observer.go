package service

import (
	"log/slog"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Observe logs what happens in the call's queue; the ends of operations, package queuelog does.
func (c *call) Observe(e queue.Event) {
	switch e.Kind {
	case queue.Closed:
		c.over()
		c.log.Debug("queue closed")
	case queue.Accepted, queue.Started, queue.Ended, queue.Released, queue.Late:
		c.log.Debug("operation", operationAttr(e.Operation), slog.String("is", e.Kind.String()))
	}
}

func operationAttr(op *operation.Operation) slog.Attr {
	return slog.Group("operation",
		slog.String("id", op.ID().String()), slog.String("kind", string(op.Kind())))
}
