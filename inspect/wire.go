package inspect

import (
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// What goes to the page. Times are milliseconds: those of a list since 1970, those of a call since
// it began.

// callsMessage is calls that have changed; all of them, if it is the first.
type callsMessage struct {
	Now   int64     `json:"now"`
	All   bool      `json:"all,omitempty"` // forget what was sent before
	Calls []summary `json:"calls,omitempty"`
	Gone  []uint64  `json:"gone,omitempty"`

	Unrecorded uint64 `json:"unrecorded,omitempty"`
}

// summary is a call in a list.
type summary struct {
	Number    uint64      `json:"n"`
	ID        string      `json:"id"`
	Labels    [][2]string `json:"labels,omitempty"`
	Began     int64       `json:"began"`
	Changed   int64       `json:"changed"`
	Ended     int64       `json:"ended,omitempty"`
	Why       string      `json:"why,omitempty"`
	Kind      string      `json:"kind,omitempty"` // of what runs
	Title     string      `json:"title,omitempty"`
	Since     int64       `json:"since,omitempty"`
	Waiting   int         `json:"waiting"`
	Completed int         `json:"completed"`
	Failed    int         `json:"failed"`
	Keys      int         `json:"keys"`
}

// callMessage is what has changed in a call; everything, if it is the first.
type callMessage struct {
	Now        float64        `json:"now"`
	Call       *summary       `json:"call"`
	Paused     bool           `json:"paused,omitempty"`
	First      uint64         `json:"firstMark"` // marks and deliveries before these are gone
	FirstSent  uint64         `json:"firstDelivery"`
	Kept       []uint64       `json:"kept"` // operations that are not gone
	Operations []operationOut `json:"operations,omitempty"`
	Marks      []markOut      `json:"marks,omitempty"`
	Deliveries []deliveryOut  `json:"deliveries,omitempty"`
	Running    *place         `json:"running,omitempty"`
}

// place is where the media is.
type place struct {
	Number   uint64  `json:"n"`
	Position float64 `json:"position"`
	Index    int     `json:"index"`
	Offset   float64 `json:"offset"`
	Prompt   string  `json:"prompt,omitempty"`
	Paused   bool    `json:"paused,omitempty"`
}

type operationOut struct {
	Number    uint64   `json:"n"`
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	Title     string   `json:"title,omitempty"`
	Prompts   int      `json:"prompts,omitempty"`
	Loop      bool     `json:"loop,omitempty"`
	Context   string   `json:"context,omitempty"`
	Accepted  float64  `json:"accepted"`
	Started   *float64 `json:"started,omitempty"`
	Ended     *float64 `json:"ended,omitempty"`
	Released  *float64 `json:"released,omitempty"`
	Abandoned bool     `json:"abandoned,omitempty"`
	Result    *result  `json:"result,omitempty"`
}

type result struct {
	Completed bool    `json:"completed,omitempty"`
	Reason    string  `json:"reason"`
	Code      int     `json:"code"`
	Subcode   int     `json:"subcode"`
	Message   string  `json:"message"`
	Detail    string  `json:"detail,omitempty"`
	By        *cause  `json:"by,omitempty"`
	Position  float64 `json:"position"`
	Prompt    string  `json:"prompt,omitempty"`
	Index     int     `json:"index,omitempty"`
	Offset    float64 `json:"offset,omitempty"`
	Recorded  float64 `json:"recorded,omitempty"`
}

type cause struct {
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Context string `json:"context,omitempty"`
	Tone    string `json:"tone,omitempty"`
}

type markOut struct {
	Number uint64  `json:"n"`
	Kind   string  `json:"kind"`
	At     float64 `json:"at"`
	Text   string  `json:"text,omitempty"`
	Tone   string  `json:"tone,omitempty"`
	Reason string  `json:"reason,omitempty"`
	Count  int     `json:"count"`
	By     *cause  `json:"by,omitempty"`
}

type deliveryOut struct {
	Number        uint64       `json:"n"`
	ID            string       `json:"id"`
	Notifications int          `json:"notifications"`
	State         string       `json:"state"`
	Count         int          `json:"count"`
	Next          *float64     `json:"next,omitempty"`
	Attempts      []attemptOut `json:"attempts"`
}

type attemptOut struct {
	Began float64 `json:"began"`
	Took  float64 `json:"took"`
	Taken bool    `json:"taken,omitempty"`
	What  string  `json:"what"`
}

// summary returns the call as a list shows it.
func (c *call) summary() summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.summarize()
}

// summarize is summary with c.mu held.
func (c *call) summarize() summary {
	s := summary{
		Number: c.number, ID: c.id, Began: c.began.UnixMilli(), Changed: c.changed.UnixMilli(),
		Waiting: c.waiting, Completed: c.completed, Failed: c.failed, Keys: c.keys,
	}
	for _, l := range c.labels {
		s.Labels = append(s.Labels, [2]string{l.Name, l.Value})
	}
	if !c.ended.IsZero() {
		s.Ended, s.Why = c.ended.UnixMilli(), c.why.String()
	}
	if r := c.running; r != nil {
		s.Kind, s.Title, s.Since = r.what.kind, r.what.title, r.started.UnixMilli()
	}
	return s
}

// message returns what has changed in the call since a version, and that of now. It is nil if
// nothing has and nothing runs.
func (c *call) message(since uint64, now time.Time) (m *callMessage, version uint64) {
	var paused, running bool
	if q := c.current(); q != nil {
		s := q.Snapshot() // takes the queue's lock, so not under ours
		paused, running = s.Paused, s.RunningPaused
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	version = c.version.Load()
	m = &callMessage{Now: c.since(now), Paused: paused}
	if c.running != nil {
		m.Running = c.place(running)
	}
	if version == since {
		return m, version
	}
	s := c.summarize()
	m.Call = &s
	m.First, m.FirstSent = c.marks.first(), c.deliveries.first()
	for _, r := range c.operations {
		m.Kept = append(m.Kept, r.number)
		if r.version > since {
			m.Operations = append(m.Operations, c.operation(r))
		}
	}
	for n := m.First; n <= c.marks.last; n++ {
		if k := c.marks.at(n); k.version > since {
			m.Marks = append(m.Marks, markOut{
				Number: n, Kind: markKindNames[k.kind], At: c.since(k.at), Text: k.text,
				Tone: toneText(k.tone), Reason: reasonText(k.reason), Count: k.count, By: causeOf(k.by),
			})
		}
	}
	for n := m.FirstSent; n <= c.deliveries.last; n++ {
		if d := c.deliveries.at(n); d.version > since {
			m.Deliveries = append(m.Deliveries, c.delivered(n, d))
		}
	}
	return m, version
}

// since is a time in milliseconds since the call began.
func (c *call) since(t time.Time) float64 { return milliseconds(t.Sub(c.began)) }

func (c *call) sinceIf(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	ms := c.since(t)
	return &ms
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// place returns where the media is; c.mu is held, and there is one that runs.
func (c *call) place(paused bool) *place {
	r := c.running
	index, offset := r.op.Place()
	return &place{
		Number: r.number, Position: milliseconds(r.op.Position()), Index: index,
		Offset: milliseconds(offset), Prompt: promptName(r.op.Request(), index), Paused: paused,
	}
}

func (c *call) operation(r *record) operationOut {
	out := operationOut{
		Number: r.number, ID: r.id.String(), Kind: r.what.kind, Title: r.what.title,
		Prompts: r.what.prompts, Loop: r.what.loop, Context: r.context,
		Accepted: c.since(r.accepted), Started: c.sinceIf(r.started), Ended: c.sinceIf(r.ended),
		Released: c.sinceIf(r.released), Abandoned: r.abandoned,
	}
	if !r.ended.IsZero() {
		out.Result = &result{
			Completed: r.reason.Status() == operation.Completed,
			Reason:    r.reason.String(), Code: r.reason.Code(), Subcode: r.reason.Subcode(),
			Message: r.reason.Message(), Detail: r.detail, By: causeOf(r.by),
			Position: milliseconds(r.position), Prompt: r.prompt, Index: r.index,
			Offset: milliseconds(r.offset), Recorded: milliseconds(r.recorded),
		}
	}
	return out
}

func (c *call) delivered(n uint64, d *delivery) deliveryOut {
	out := deliveryOut{
		Number: n, ID: d.id.String(), Notifications: d.notifications,
		State: deliveryStateNames[d.state], Count: d.count, Next: c.sinceIf(d.next),
		Attempts: make([]attemptOut, 0, len(d.attempts)),
	}
	for _, a := range d.attempts {
		out.Attempts = append(out.Attempts,
			attemptOut{c.since(a.began), milliseconds(a.took), a.taken, a.what})
	}
	return out
}

func causeOf(by operation.Cause) *cause {
	if by == (operation.Cause{}) {
		return nil
	}
	out := &cause{Kind: string(by.Kind), Context: by.ClientContext, Tone: toneText(by.Tone)}
	if by.ID != uuid.Nil {
		out.ID = by.ID.String()
	}
	return out
}

func reasonText(r operation.Reason) string {
	if r == 0 {
		return ""
	}
	return r.String()
}
