package main

import (
	"slices"
	"time"

	"ivrqueue/examples/ivr/picture"
	"ivrqueue/media"
	"ivrqueue/operation"
)

// mark is a key or a cancel.
type mark struct {
	at   time.Time
	text string
	key  bool
}

// draw returns a picture of the call, until an instant.
func (w *witness) draw(title string, phone *media.Phone, until time.Time) picture.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := picture.Call{Title: title}
	c.Heard, c.Said = phone.Until(until)
	first := until.Add(-media.Duration(len(c.Heard)))
	ended := slices.SortedStableFunc(slices.Values(w.ended), func(a, b *operation.Operation) int {
		return a.Times().Accepted.Compare(b.Times().Accepted)
	})
	for _, op := range ended {
		r, _ := op.Result()
		times := op.Times()
		drawn := picture.Operation{
			Name: op.ClientContext(), What: describe(op.Request()),
			Accepted: times.Accepted.Sub(first), Ended: times.Ended.Sub(first),
			Result: spell(r.Reason), Failed: r.Reason.Status() == operation.Failed,
		}
		drawn.Started = drawn.Ended
		if !times.Started.IsZero() {
			drawn.Started = times.Started.Sub(first)
		}
		c.Operations = append(c.Operations, drawn)
	}
	for _, m := range w.marks {
		to := &c.Cancels
		if m.key {
			to = &c.Keys
		}
		*to = append(*to, picture.Mark{At: m.at.Sub(first), Text: m.text})
	}
	return c
}
