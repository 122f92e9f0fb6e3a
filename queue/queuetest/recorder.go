package queuetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Recorder is an observer that keeps every event. Its zero value is ready; it must not be copied.
// One recorder belongs to one queue.
type Recorder struct {
	// OnEvent, if set, is called with every event after it was kept.
	OnEvent func(e queue.Event)

	events journal[queue.Event]
}

var _ queue.Observer = (*Recorder)(nil)

// Observe keeps e and calls OnEvent.
func (r *Recorder) Observe(e queue.Event) {
	r.events.add(e)
	if r.OnEvent != nil {
		r.OnEvent(e)
	}
}

// Events returns what was delivered so far, in order.
func (r *Recorder) Events() []queue.Event { return r.events.all() }

// Of returns the events of one operation.
func (r *Recorder) Of(op *operation.Operation) []queue.Event {
	var of []queue.Event
	for _, e := range r.events.all() {
		if e.Operation == op {
			of = append(of, e)
		}
	}
	return of
}

// Find returns the event of this kind and operation, and whether there is one.
func (r *Recorder) Find(kind queue.EventKind, op *operation.Operation) (queue.Event, bool) {
	for _, e := range r.events.all() {
		if e.Kind == kind && e.Operation == op {
			return e, true
		}
	}
	return queue.Event{}, false
}

// Wait waits for the event of this kind and operation (nil for Closed, and only for that). Its
// error names what is wrong with the arguments, or is the cause of ctx.
func (r *Recorder) Wait(
	ctx context.Context, kind queue.EventKind, op *operation.Operation,
) (queue.Event, error) {
	if err := check(ctx, "Wait", 1); err != nil {
		return queue.Event{}, err
	}
	if (op == nil) != (kind == queue.Closed) {
		return queue.Event{}, fmt.Errorf("queuetest: Wait: %v event of %v: Closed is of nil, all others"+
			" of an operation", kind, op)
	}
	e, err := r.events.find(ctx, func(e queue.Event) bool {
		return e.Kind == kind && e.Operation == op
	})
	if err != nil {
		return queue.Event{}, fmt.Errorf("queuetest: no %v event: %w", kind, err)
	}
	return e, nil
}

// String returns the events one a line, with short names for operations in the order in which they
// were accepted: "1 accepted A", "2 started A", "3 ended A cancelled". Golden texts compare well.
func (r *Recorder) String() string {
	var b strings.Builder
	names := map[*operation.Operation]string{}
	for _, e := range r.events.all() {
		fmt.Fprintf(&b, "%d %v", e.Seq, e.Kind)
		if e.Operation != nil {
			if names[e.Operation] == "" {
				names[e.Operation] = name(len(names))
			}
			b.WriteString(" " + names[e.Operation])
		}
		if e.Result().Reason != 0 {
			b.WriteString(" " + e.Result().Reason.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// name returns A to Z, then A1, B1 and so on.
func name(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprintf("%c%d", rune('A'+i%26), i/26)
}

// Check reports to t where the events so far break what a queue promises: numbers without gaps,
// each operation accepted, started at most once, ended exactly once and released only if it was
// started, in that order and never two running at once, and Closed as the last. It expects all
// operations to have ended.
func (r *Recorder) Check(t testing.TB) {
	t.Helper()
	const none = queue.EventKind(0)
	last := map[*operation.Operation]queue.EventKind{}
	wasStarted := map[*operation.Operation]bool{}
	abandoned := map[*operation.Operation]bool{}
	var running *operation.Operation
	closed := false
	for i, e := range r.events.all() {
		if e.Seq != uint64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
		if closed && e.Kind != queue.Late {
			t.Errorf("event %d, %v, after closed", e.Seq, e.Kind)
		}
		was := last[e.Operation]
		var ok bool
		switch e.Kind {
		case queue.Accepted:
			ok = was == none
		case queue.Started:
			ok = was == queue.Accepted && running == nil
			running, wasStarted[e.Operation] = e.Operation, true
		case queue.Ended:
			ok = was == queue.Accepted || was == queue.Started
			if running == e.Operation {
				running = nil
			}
		case queue.Released:
			ok = was == queue.Ended && wasStarted[e.Operation]
			abandoned[e.Operation] = e.Result().Reason == operation.Abandoned
		case queue.Late:
			ok = was == queue.Released && abandoned[e.Operation]
		case queue.Closed:
			closed = true
			continue
		}
		if !ok {
			t.Errorf("event %d: %v follows %v for operation %v", e.Seq, e.Kind, was, e.Operation.ID())
		}
		last[e.Operation] = e.Kind
	}
	for op, kind := range last {
		if kind != queue.Ended && kind != queue.Released && kind != queue.Late {
			t.Errorf("operation %v has not ended: its last event is %v", op.ID(), kind)
		}
	}
}
