package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Limits of what a platform says of a call.
const (
	MaxLabels     = 8
	MaxLabelName  = 64  // characters
	MaxLabelValue = 256 // characters
	MaxOwner      = 256 // bytes
)

// ErrFull is returned by Attach if as many calls are recorded as may be.
var ErrFull = errors.New("inspect: full")

// ErrClosed is returned by Attach once the handler was closed.
var ErrClosed = errors.New("inspect: closed")

// Attachment is what the handler cannot learn from a call's queue. Only Queue is required.
type Attachment struct {
	// Queue is the call's queue. It must have the handler among its observers: make it with
	// queue.WithObserver(handler).
	Queue *queue.Queue

	// Tones is the call's tone stream: the keys are shown as ticks. Nil: no keys are shown.
	Tones *tone.Stream

	// ID is the call's id on the wire of package graph, by which its notifications are known.
	// Default, and for the zero id: the queue's call id, where that is a UUID.
	ID uuid.UUID

	// Owner is whose call it is, for [WithOwner]: at most [MaxOwner] bytes.
	Owner string

	// Labels are shown with the call, in this order, and found by a search: at most [MaxLabels].
	Labels []Label
}

// Label is something that a call is known by, such as the Call-ID that SIP gave it, or who called.
// It is shown as it is.
type Label struct {
	Name  string // 1 to 64 characters
	Value string // at most 256 characters
}

func (l Label) validate(field string) error {
	if err := validateText(field+".name", l.Name, MaxLabelName); err != nil {
		return err
	}
	if l.Name == "" {
		return &operation.FieldError{Field: field + ".name", Value: "empty", Limit: "a name"}
	}
	return validateText(field+".value", l.Value, MaxLabelValue)
}

func validateText(field, s string, longest int) error {
	if n := utf8.RuneCountInString(s); n > longest {
		return &operation.FieldError{
			Field: field, Value: fmt.Sprintf("%d characters", n),
			Limit: fmt.Sprintf("at most %d", longest),
		}
	}
	if !utf8.ValidString(s) {
		return &operation.FieldError{Field: field, Value: "invalid UTF-8", Limit: "valid UTF-8"}
	}
	return nil
}

// Call is a call that was attached, for what the platform has to say of it later. Its methods are
// safe for concurrent use, and none waits. Those of a nil Call, one that is not shown, do nothing.
type Call struct{ call *call }

// String names the call by the id of its queue, for logs.
func (c *Call) String() string {
	if c == nil {
		return "no call"
	}
	return fmt.Sprintf("shown call %q", c.call.id)
}

// Attach shows a call, at any time before its end; to attach it again replaces what was said. A
// call whose queue has the handler as observer is shown without it too, from its first operation
// on, but without keys, labels and owner.
//
// Errors: [ErrFull], [ErrClosed], queue.ErrClosed, an *operation.FieldError, and errors that name
// what is wrong. With an error nothing has changed.
func (h *Handler) Attach(a Attachment) (*Call, error) {
	if err := h.validate(&a); err != nil {
		return nil, fmt.Errorf("inspect: Attach: %w", err)
	}
	c := h.adopt(a.Queue, time.Now())
	if c == nil {
		return nil, h.refuse()
	}
	if a.Queue.Snapshot().Closed {
		h.abandon(c)
		return nil, queue.ErrClosed
	}
	if a.ID != uuid.Nil {
		h.mu.Lock()
		if !h.closed {
			h.name(c, a.ID)
		}
		h.mu.Unlock()
	}
	c.describe(a.Owner, slices.Clone(a.Labels))
	if a.Tones != nil {
		c.listen(a.Tones)
	}
	return &Call{c}, nil
}

func (h *Handler) validate(a *Attachment) error {
	switch {
	case a.Queue == nil:
		return errors.New("nil Queue")
	case !a.Queue.ObservedBy(h):
		return errors.New("the Queue was not made with queue.WithObserver(handler)")
	case len(a.Owner) > MaxOwner:
		return &operation.FieldError{
			Field: "owner", Value: fmt.Sprintf("%d bytes", len(a.Owner)),
			Limit: fmt.Sprintf("at most %d", MaxOwner),
		}
	case len(a.Labels) > MaxLabels:
		return &operation.FieldError{
			Field: "labels", Value: strconv.Itoa(len(a.Labels)),
			Limit: fmt.Sprintf("at most %d", MaxLabels),
		}
	}
	for i, l := range a.Labels {
		if err := l.validate(fmt.Sprintf("labels[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// refuse says why a call can't be attached, and counts those that there is no room for.
func (h *Handler) refuse() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.unrecorded++
	return ErrFull
}

// abandon forgets a call whose queue is closed, unless its end was recorded: that may have been
// before it was here, and then it never will.
func (h *Handler) abandon(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.numbers[c.number] == c && !c.hasEnded() {
		h.live--
		h.remove(c)
	}
}

// SetLabel sets the value of a label, or adds it. It is an *operation.FieldError if the label is
// wrong, or one too many.
func (c *Call) SetLabel(name, value string) error {
	if c == nil {
		return nil
	}
	if err := (Label{name, value}).validate("label"); err != nil {
		return fmt.Errorf("inspect: SetLabel: %w", err)
	}
	if !c.call.label(name, value) {
		return fmt.Errorf("inspect: SetLabel: %w", &operation.FieldError{
			Field: "labels", Value: strconv.Itoa(MaxLabels + 1),
			Limit: fmt.Sprintf("at most %d", MaxLabels),
		})
	}
	return nil
}

// Note puts a note on the call's timeline, such as "answered" or "transferred": its first 80
// characters or so. It says nothing of a call that is not shown any more.
func (c *Call) Note(text string) {
	if c != nil {
		c.call.note(text, time.Now())
	}
}
