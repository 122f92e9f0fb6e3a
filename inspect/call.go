package inspect

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Lengths of texts that are kept, in bytes.
const (
	maxID    = 256
	maxText  = 128 // titles and kinds
	maxNote  = 80
	maxCause = 256 // client contexts are at most 256 characters
)

// call is what is kept of a call.
type call struct {
	handler *Handler
	number  uint64 // names it on the page: ids may be anything, and twice the same
	id      string
	wire    uuid.UUID     // guarded by handler.mu
	version atomic.Uint64 // counts its changes

	mu         sync.Mutex   // guards everything below
	queue      *queue.Queue // nil once nothing follows
	began      time.Time
	changed    time.Time
	ended      time.Time // zero while it lives
	why        operation.Reason
	owner      string
	labels     []Label
	tones      *tone.Handler
	operations []*record // in the order of their numbers
	running    *record   // has the media, and lives; or nil
	marks      ring[mark]
	deliveries ring[delivery]

	numbered                         uint64 // records so far
	waiting, completed, failed, keys int
}

// touch notes that the call has changed, for those who watch; c.mu is held. The call's own version
// comes first: whoever sees that of everything sees it too.
func (c *call) touch() {
	c.version.Add(1)
	c.handler.version.Add(1)
}

func (c *call) end() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *call) hasEnded() bool { return !c.end().IsZero() }

// current returns the call's queue, or nil once nothing follows of it.
func (c *call) current() *queue.Queue {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue
}

// forget releases the queue, which keeps the platform's whole call, and reports whether it has:
// once the call has ended, and no media is yet to report late.
func (c *call) forget() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	late := func(r *record) bool { return r.abandoned }
	if c.ended.IsZero() || slices.ContainsFunc(c.operations, late) {
		return false
	}
	c.queue = nil
	return true
}

// ownedBy reports whether the call is the owner's.
func (c *call) ownedBy(owner string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner == owner
}

// describe sets what the platform says of the call.
func (c *call) describe(owner string, labels []Label) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner, c.labels = owner, labels
	c.touch()
}

// label sets one label, and reports whether there was room for it. The slice is made anew: readers
// may hold the old one.
func (c *call) label(name, value string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	labels := slices.Clone(c.labels)
	i := slices.IndexFunc(labels, func(l Label) bool { return l.Name == name })
	switch {
	case i >= 0:
		labels[i].Value = value
	case len(labels) == MaxLabels:
		return false
	default:
		labels = append(labels, Label{name, value})
	}
	c.labels = labels
	c.touch()
	return true
}

// note puts a note on the timeline.
func (c *call) note(text string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark(mark{kind: markNote, at: at, text: clip(text, maxNote), count: 1})
}

// listen has the call's keys put on its timeline, until it ends.
func (c *call) listen(s *tone.Stream) {
	c.mu.Lock()
	old := c.tones
	c.tones = nil
	if c.ended.IsZero() {
		c.tones, _ = s.Handle(tone.All, c.key) // fails for nil functions and empty sets only
	}
	c.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// deafen ends that.
func (c *call) deafen() {
	c.mu.Lock()
	old := c.tones
	c.tones = nil
	c.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// key puts a key that was pressed on the timeline, and forgets which one unless that may be shown.
func (c *call) key(e tone.Event) {
	m := mark{kind: markKey, at: e.Time, count: 1}
	if c.handler.config.keys {
		m.tone = e.Tone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys++
	c.mark(m)
}
