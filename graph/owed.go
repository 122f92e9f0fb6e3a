package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/webhook"
)

// Owed is what a call owes to its application at one instant: what another process must know to
// deliver the end of it when this one is gone. It is complete in itself, and can be kept as JSON.
type Owed struct {
	CallID      uuid.UUID       `json:"call,omitzero"`
	Application string          `json:"application"`
	CallbackURI string          `json:"callback"`
	State       State           `json:"state,omitzero"`
	Direction   string          `json:"direction,omitempty"`
	GUIDs       bool            `json:"guids,omitempty"`      // see [WithGUIDs]
	Version     uint64          `json:"version"`              // of the call, with its posts
	Operations  []OwedOperation `json:"operations,omitempty"` // live, in the order of acceptance
	Posts       []OwedPost      `json:"posts,omitempty"`      // that have not arrived, in order
	Ended       bool            `json:"ended,omitempty"`      // the last post has the call's end

	Revision uint64 `json:"-"` // for [Call.Kept]
	Over     bool   `json:"-"` // nothing is owed any more, or ever will be
}

// OwedOperation is a live operation: one of whose end the application is to be notified.
type OwedOperation struct {
	ID            uuid.UUID      `json:"id"`
	Kind          operation.Kind `json:"kind"`
	Type          string         `json:"type,omitempty"` // see [KindSpec]; empty: that of the kind
	ClientContext string         `json:"context,omitempty"`
}

// OwedPost is a body that has not arrived, as far as is known.
type OwedPost struct {
	ID            uuid.UUID `json:"id"` // see [webhook.Delivery]
	Notifications int       `json:"notifications"`
	Body          []byte    `json:"body,omitempty"`
}

// Owes returns what the call owes. Of the notifications in line behind the one that is on its way
// it has the first [MaxOwed] bytes: operations whose end is further behind are shown as live, and
// states and tones there are left out. Only a call of a handler with a [Ledger] knows its
// operations and posts.
func (c *Call) Owes() Owed {
	c.mu.Lock()
	o := Owed{
		CallID: c.given.ID, Application: c.given.Application, CallbackURI: c.given.CallbackURI,
		State: c.state, Direction: c.given.Resource.Direction, GUIDs: c.handler.config.guids,
	}
	if c.incoming.callback != "" {
		o.CallbackURI = c.incoming.callback
	}
	if c.result != nil {
		o.State = State{Call: Terminated}
	}
	d := c.debt
	if d == nil {
		c.mu.Unlock()
		return o
	}
	c.out.mu.Lock()
	o.Revision, o.Over, o.Version = d.revision, d.over, c.out.version
	live := slices.Clone(d.live)
	if d.post != nil {
		o.Posts, o.Ended = append(o.Posts, *d.post), d.ends
	}
	line := slices.Concat(d.taken, c.out.waiting)
	for i := range line {
		if n := &line[i]; n.awaits != nil { // the media may have something to add
			change := *n.change
			n.change = &change
		}
	}
	c.out.mu.Unlock()
	c.mu.Unlock()

	o.addLine(c, line)
	for _, op := range live {
		o.Operations = append(o.Operations, c.handler.kinds.owed(op))
	}
	return o
}

// addLine adds notifications in line: as posts, as they would be sent, as many as fit.
func (o *Owed) addLine(c *Call, line []pendingNotification) {
	bytes := 0
	for first := 0; first < len(line); {
		var texts [][]byte
		for _, n := range line[first:min(first+batch, len(line))] {
			text, err := c.text(&n)
			if bytes += len(text); err != nil || bytes > MaxOwed {
				break
			}
			texts = append(texts, text)
			o.Ended = n.result != nil
		}
		if len(texts) == 0 {
			for _, n := range line[first:] {
				if n.owed.shown.Kind != "" {
					o.Operations = append(o.Operations, n.owed.shown)
				}
			}
			return
		}
		last := first + len(texts)
		o.Posts = append(o.Posts, OwedPost{
			ID:            o.name("%d-%d", line[first].owed.number, line[last-1].owed.number),
			Notifications: len(texts), Body: bodyOf(texts),
		})
		first = last
	}
}

// name makes an id that belongs to the call.
func (o *Owed) name(format string, args ...any) uuid.UUID {
	return uuid.NewSHA1(o.CallID, fmt.Appendf(nil, format, args...))
}

// owed is what is kept of a live operation.
func (s *kinds) owed(op *operation.Operation) OwedOperation {
	kind := kindOf(op)
	o := OwedOperation{ID: op.ID(), Kind: kind, ClientContext: op.ClientContext()}
	if t := s.typeOf(kind); t != typeOf(kind) {
		o.Type = t
	}
	return o
}

// text writes a notification of a call with a ledger out: once, so that what is kept of it is what
// is sent of it.
func (c *Call) text(n *pendingNotification) ([]byte, error) {
	c.out.mu.Lock()
	text := n.owed.text
	c.out.mu.Unlock()
	if text != nil {
		return text, nil
	}
	text, err := json.Marshal(c.render(n))
	if err != nil || n.awaits != nil {
		return text, err
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if n.owed.text == nil {
		n.owed.text = text
	}
	return n.owed.text, nil
}

// body writes notifications out as they are sent.
func (c *Call) body(pending []pendingNotification) ([]byte, error) {
	if c.debt == nil {
		all := notifications{typePrefix + "commsNotifications", make([]notification, len(pending))}
		for i := range pending {
			all.Value[i] = c.render(&pending[i])
		}
		return json.Marshal(all)
	}
	texts := make([][]byte, len(pending))
	for i := range pending {
		var err error
		if texts[i], err = c.text(&pending[i]); err != nil {
			return nil, err
		}
	}
	return bodyOf(texts), nil
}

// bodyOf puts notifications into the envelope of a batch.
func bodyOf(texts [][]byte) []byte {
	body := []byte(`{"@odata.type":"` + typePrefix + `commsNotifications","value":[`)
	body = append(body, bytes.Join(texts, []byte{','})...)
	return append(body, "]}"...)
}

// Deliveries are what is left to deliver when the process that had the call is gone: the posts as
// they are, then each live operation as failed with 500/9999, then the call as terminated with
// the same. They depend on what is owed alone: whoever delivers them sends the same bytes, under
// the same ids. They are to be delivered one after the other.
func (o *Owed) Deliveries() []webhook.Delivery {
	if o.Over {
		return nil
	}
	now := time.Now()
	delivery := func(id uuid.UUID, body []byte, notifications int) webhook.Delivery {
		return webhook.Delivery{
			ID: id, CallID: o.CallID, Application: o.Application, CallbackURI: o.CallbackURI,
			Body: body, Notifications: notifications, Since: now,
		}
	}
	all := make([]webhook.Delivery, 0, len(o.Posts)+1)
	for _, p := range o.Posts {
		all = append(all, delivery(p.ID, p.Body, p.Notifications))
	}
	ends := o.ends()
	for i := 0; i < len(ends); i += batch {
		texts := ends[i:min(i+batch, len(ends))]
		all = append(all, delivery(o.name("end %d", i), bodyOf(texts), len(texts)))
	}
	return all
}

// ends writes out the ends of what lives.
func (o *Owed) ends() [][]byte {
	var texts [][]byte
	write := func(n notification) {
		text, _ := json.Marshal(n) // of strings and numbers alone
		texts = append(texts, text)
	}
	for i := range o.Operations {
		write(o.operationEnd(&o.Operations[i]))
	}
	if !o.Ended {
		why := operation.Unspecified
		write(endOfCall(o.CallID, o.Direction, o.CallbackURI, o.Version+1,
			&ResultInfo{why.Code(), why.Subcode(), why.Message()}))
	}
	return texts
}

// operationEnd shows the end of an operation of which no more is known than that it was live.
func (o *Owed) operationEnd(live *OwedOperation) notification {
	c := new(operation.Control)
	c.Init(operation.Spec{
		ID: live.ID, Request: instant(live.Kind), ClientContext: live.ClientContext,
	})
	_ = c.End(&operation.Result{Reason: operation.Unspecified}, time.Time{}) // it is new
	url := operationURL(o.CallID, live.ID, o.GUIDs)
	change := new(kinds).ended(url, c.Operation(), operation.Recording{}, nil)
	if live.Type != "" {
		change.Type = live.Type
	}
	return endOfOperation(o.CallID, change)
}
