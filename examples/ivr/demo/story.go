package demo

import (
	"sync"
	"time"

	"ivrqueue/examples/ivr/picture"
)

// story is what the bot knows of the call, to be drawn. It is safe for concurrent use.
//
// A bot gets no notification when an operation starts. It needs none: operations run one at a time,
// in the order in which they were accepted, so one starts when the one before it has ended.
type story struct {
	mu         sync.Mutex // guards the block below
	operations []known
	cancels    []instant
	keys       []instant
}

// known is an operation as far as the bot knows.
type known struct {
	id, name, what string
	accepted       time.Time
	ended          time.Time // zero before that
	result         string
	failed         bool
}

type instant struct {
	at   time.Time
	text string
}

// accepted is called with an operation that the service has accepted.
func (s *story) accepted(id, action string, r request, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.BargeIn && len(s.operations) > 0 && s.operations[len(s.operations)-1].ended.IsZero() {
		s.cancels = append(s.cancels, instant{at, "barge-in"})
	}
	what := action
	if asks := r.asks(); asks != "" {
		what += " " + asks
	}
	s.operations = append(s.operations, known{id: id, name: r.ClientContext, what: what, accepted: at})
}

// notified is called with what the bot is notified of.
func (s *story) notified(r resource, at time.Time) {
	if r.Status != "completed" && r.Status != "failed" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.operations {
		if o := &s.operations[i]; o.id == r.ID {
			o.ended, o.result, o.failed = at, r.result(), r.Status == "failed"
		}
	}
}

func (s *story) cancelled(what string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels = append(s.cancels, instant{at, what})
}

func (s *story) pressed(key string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, instant{at, key})
}

// draw fills a picture in, of a call whose first sample was heard at an instant.
func (s *story) draw(c *picture.Call, first time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Cancels, c.Keys = marks(s.cancels, first), marks(s.keys, first)
	var free time.Duration // when the one before has ended
	for _, o := range s.operations {
		const never = 1<<63 - 1
		op := picture.Operation{
			Name: o.name, What: o.what, Accepted: o.accepted.Sub(first), Ended: never,
			Result: o.result, Failed: o.failed,
		}
		if !o.ended.IsZero() {
			op.Ended = o.ended.Sub(first)
		}
		if o.failed { // by a cancel, which ends it at once; the notification comes a moment later
			for _, m := range c.Cancels {
				if m.At > op.Accepted && m.At < op.Ended {
					op.Ended = m.At
				}
			}
		}
		op.Started = min(max(op.Accepted, free), op.Ended)
		free = max(free, op.Ended)
		c.Operations = append(c.Operations, op)
	}
}

func marks(instants []instant, first time.Time) (all []picture.Mark) {
	for _, i := range instants {
		all = append(all, picture.Mark{At: i.at.Sub(first), Text: i.text})
	}
	return all
}
