package inspect

import (
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Observe makes the handler a queue.Observer: one of each queue's, given to it once. It waits for
// nobody but, for an instant, those who look at the same call.
func (h *Handler) Observe(e queue.Event) {
	c := h.find(e.Queue)
	if c == nil {
		if e.Kind != queue.Accepted {
			return // of a call that has gone, or that there was no room for
		}
		if c = h.adopt(e.Queue, e.Time); c == nil {
			h.overlook(e)
			return
		}
	}
	switch e.Kind {
	case queue.Accepted:
		c.accept(e)
	case queue.Started:
		c.start(e)
	case queue.Ended:
		c.finish(e)
	case queue.Released:
		c.release(e)
	case queue.Late:
		c.release(e)
		h.forget(c, e.Queue)
	case queue.Closed:
		c.close(e)
		c.deafen()
		h.finish(c)
		h.forget(c, e.Queue)
	}
}

// overlook counts a call that there is no room for, once.
func (h *Handler) overlook(e queue.Event) {
	if e.Seq == 1 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.unrecorded++
	}
}

// accept notes that an operation waits. When those that wait fill all there is, it is counted and
// not kept; it gets its record when it starts or ends.
func (c *call) accept(e queue.Event) {
	c.ensure(e.Operation, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	c.change(e.Time)
	if r := c.known(e.Operation, false); r != nil {
		r.version = c.version.Load()
	}
}

// start notes that an operation has the media.
func (c *call) start(e queue.Event) {
	c.ensure(e.Operation, true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waitsLess()
	c.change(e.Time)
	r := c.known(e.Operation, false)
	r.op, r.started, r.version = e.Operation, e.Time, c.version.Load()
	c.running = r
}

// waitsLess counts an operation that waits no more; c.mu is held. It need not have been counted: a
// call that there was no room for at first has operations whose acceptance was not seen.
func (c *call) waitsLess() { c.waiting = max(0, c.waiting-1) }

// finish notes how an operation ended.
func (c *call) finish(e queue.Event) {
	c.ensure(e.Operation, true)
	result := e.Result()
	detail := ""
	if result.Err != nil {
		detail = clip(operation.Detail(result.Err), maxText) // code of others: without a lock
	}
	by, known := e.Cause()
	by = c.shown(by)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(e.Time)
	r := c.known(e.Operation, false)
	if r.started.IsZero() {
		c.waitsLess()
	}
	if c.running == r {
		c.running = nil
	}
	if result.Reason.Status() == operation.Completed {
		c.completed++
	} else {
		c.failed++
	}
	r.op = nil
	r.ended, r.reason, r.detail, r.by = e.Time, result.Reason, detail, by
	r.position, r.recorded = result.Position, result.Recording.Duration
	r.index, r.offset = e.Operation.Place()
	r.prompt = promptName(e.Operation.Request(), r.index)
	if known || result.Reason == operation.Cancelled || result.Reason == operation.BargedIn {
		c.cancelled(e.Time, result.Reason, by)
	}
	r.version = c.version.Load()
}

// release notes what the media of an operation that was preempted has reported.
func (c *call) release(e queue.Event) {
	result := e.Result()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.known(e.Operation, true)
	if r == nil {
		return
	}
	c.change(e.Time)
	r.released, r.abandoned = e.Time, result.Reason == operation.Abandoned && e.Kind == queue.Released
	r.recorded = max(r.recorded, result.Recording.Duration)
	r.position = max(r.position, result.Position)
	r.version = c.version.Load()
}

// close notes the end of the call.
func (c *call) close(e queue.Event) {
	result := e.Result()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(e.Time)
	c.ended, c.why = e.Time, result.Reason
}

// shown is of a cause what may be shown, and no more than is kept.
func (c *call) shown(by operation.Cause) operation.Cause {
	by.Kind = operation.Kind(clip(string(by.Kind), maxText))
	by.ClientContext = clip(by.ClientContext, maxCause)
	if by.Tone != 0 && by.Kind == "" {
		by.Kind = causeKey
	}
	if !c.handler.config.keys {
		by.Tone = 0
	}
	return by
}

// causeKey is the kind of a cause that is a key, whichever it was.
const causeKey operation.Kind = "key"
