package inspect

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/queue"
)

// Handler remembers what has happened lately in the calls of a platform, and shows it. New makes
// it, Close ends it. It must not be copied, and is safe for concurrent use.
//
// It is an observer of the queues of its calls, which it tells apart by themselves, and an
// http.Handler. One serves all calls of a platform.
type Handler struct {
	config  config
	page    page
	version atomic.Uint64 // counts the changes of all calls
	done    chan struct{} // closed by Close

	mu         sync.RWMutex           // guards everything below
	calls      map[*queue.Queue]*call // those of which something may follow
	numbers    map[uint64]*call
	wire       map[uuid.UUID]*call // those with an id on the wire
	live       int
	ended      []*call // in the order of their ends
	begun      uint64  // calls so far
	unrecorded uint64  // calls that there was no room for
	removed    uint64  // calls so far that are not shown any more
	timer      *time.Timer
	streams    int
	closed     bool
}

// New makes a handler. Its errors name the option that is wrong.
func New(opts ...Option) (*Handler, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	return &Handler{
		config: c, page: newPage(), done: make(chan struct{}),
		calls: make(map[*queue.Queue]*call), numbers: make(map[uint64]*call),
		wire: make(map[uuid.UUID]*call),
	}, nil
}

// String says how many live calls are shown, for logs: what is given to package fmt would be read
// without the lock otherwise.
func (h *Handler) String() string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return fmt.Sprintf("inspector, %d live calls", h.live)
}

// Close ends what is being watched and forgets all calls; from then on nothing is recorded, and
// requests are answered with 503. It does not wait. To close it again does nothing.
func (h *Handler) Close() {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	close(h.done)
	if h.timer != nil {
		h.timer.Stop()
	}
	calls := h.numbers
	h.calls, h.numbers, h.wire, h.ended, h.live = nil, nil, nil, nil, 0
	h.mu.Unlock()
	for _, c := range calls {
		c.deafen()
	}
}

// find returns the call with this queue, or nil.
func (h *Handler) find(q *queue.Queue) *call {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.calls[q]
}

// hasRoom reports whether another call can be recorded.
func (h *Handler) hasRoom() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return !h.closed && h.live < h.config.maxCalls
}

// adopt returns the call with this queue, which is recorded from now on if it was not. It is nil
// if there is no room.
func (h *Handler) adopt(q *queue.Queue, at time.Time) *call {
	if !h.hasRoom() { // without the writer's lock: such a call comes here again and again
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.calls[q]; c != nil {
		return c
	}
	if h.closed || h.live >= h.config.maxCalls {
		return nil
	}
	h.live++
	h.begun++
	c := &call{handler: h, queue: q, number: h.begun, id: clip(q.CallID(), maxID), began: at}
	c.changed = at
	c.touch()
	h.calls[q], h.numbers[c.number] = c, c
	if id, err := uuid.Parse(q.CallID()); err == nil {
		h.name(c, id)
	}
	return c
}

// name gives the call its id on the wire; h.mu is held.
func (h *Handler) name(c *call, id uuid.UUID) {
	if h.wire[c.wire] == c {
		delete(h.wire, c.wire)
	}
	c.wire = id
	h.wire[id] = c
}

// finish moves a call that has ended to those that stay for a while.
func (h *Handler) finish(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.numbers[c.number] != c {
		return
	}
	h.live--
	h.ended = append(h.ended, c)
	h.expire()
}

// forget releases the queue of a call of which nothing follows.
func (h *Handler) forget(c *call, q *queue.Queue) {
	if c.forget() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.calls, q)
	}
}

// expire removes the ended calls that are too many, or too old, and comes again when the next one
// is; h.mu is held.
func (h *Handler) expire() {
	now := time.Now()
	over := max(len(h.ended)-h.config.keep, 0)
	for over < len(h.ended) && now.Sub(h.ended[over].end()) >= h.config.keepFor {
		over++
	}
	for i, c := range h.ended[:over] {
		h.remove(c)
		h.ended[i] = nil
	}
	if h.ended = h.ended[over:]; len(h.ended) == 0 {
		h.ended = nil
		return
	}
	next := h.config.keepFor - now.Sub(h.ended[0].end())
	if h.timer != nil {
		h.timer.Reset(next)
		return
	}
	h.timer = time.AfterFunc(next, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.closed {
			h.expire()
		}
	})
}

// remove forgets a call; h.mu is held.
func (h *Handler) remove(c *call) {
	delete(h.numbers, c.number)
	if q := c.current(); q != nil {
		delete(h.calls, q)
	}
	if h.wire[c.wire] == c {
		delete(h.wire, c.wire)
	}
	h.removed++
}
