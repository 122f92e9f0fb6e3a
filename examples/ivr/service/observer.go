package service

import (
	"log/slog"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Observe logs what happens in the call's queue, and has the prompts loaded of the operation that
// is next in line, so that it begins without a gap.
func (c *call) Observe(e queue.Event) {
	switch e.Kind {
	case queue.Closed:
		c.media.Prefetch(nil)
		c.log.Debug("queue closed")
		c.over()
		return
	case queue.Ended:
		attrs := []any{operationAttr(e.Operation), slog.String("result", e.Result.Reason.String())}
		if e.Result.Err != nil {
			attrs = append(attrs, slog.Any("error", e.Result.Err))
		}
		c.log.Info("operation ended", attrs...)
	case queue.Accepted, queue.Started, queue.Released:
		c.log.Debug("operation", operationAttr(e.Operation), slog.String("is", e.Kind.String()))
	}
	c.prefetch()
}

// prefetch looks at the queue only if the one whose prompts were loaded is not in line any more.
func (c *call) prefetch() {
	if c.ahead != nil && c.ahead.Status() == operation.NotStarted {
		return
	}
	c.ahead = nil
	if waiting := c.queue.Snapshot().Waiting; len(waiting) > 0 {
		c.ahead = waiting[0]
	}
	c.media.Prefetch(c.ahead)
}

func operationAttr(op *operation.Operation) slog.Attr {
	return slog.Group("operation",
		slog.String("id", op.ID().String()), slog.String("kind", string(op.Kind())))
}
