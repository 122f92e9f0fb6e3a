package operation

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"ivrqueue/tone"
)

// Kind names a kind of operation.
type Kind string

// The kinds that this package knows. A platform may enqueue kinds of its own.
const (
	KindPlayPrompt            Kind = "playPrompt"
	KindRecordResponse        Kind = "recordResponse"
	KindCancelMediaProcessing Kind = "cancelMediaProcessing"
)

// Limits of Graph's playPrompt and record pages.
const (
	MaxPlayPrompts   = 20  // prompts of one PlayPrompt
	MaxRecordPrompts = 1   // prompts of one RecordResponse
	MaxClientContext = 256 // characters of a client context

	MinRecordTime     = time.Second
	MaxRecordTime     = 120 * time.Second
	DefaultRecordTime = 5 * time.Second
)

// Request is what an operation is to do. [*PlayPrompt] and [*RecordResponse] are requests; a
// platform may bring its own (text to speech, a pause, sending digits). A request belongs to the
// library once it is enqueued: nobody may change it any more.
type Request interface {
	// Kind names the kind. It must always return the same, non-empty value.
	Kind() Kind

	// Validate returns an error that names what is wrong, or nil. It is called once, on the
	// goroutine that enqueues, before anything is accepted. A panic in it is returned as an error.
	Validate() error
}

// Interrupter is a request that may cancel everything running and queued before it is accepted:
// Enqueue of one that barges in is an Interrupt.
type Interrupter interface {
	Request

	// BargesIn reports whether it does. It is called once, as Validate is.
	BargesIn() bool
}

// Prompt is one piece of audio to play.
type Prompt struct {
	URI        string // WAV, mono, 16 bit, 16 kHz; required
	ResourceID string // names the audio at URI for a cache; optional
}

// PlayPrompt plays prompts to the caller, one after the other.
type PlayPrompt struct {
	Prompts []Prompt // 1 to 20
	Loop    bool     // start again after the last prompt until ended (Graph beta)
}

// Kind returns [KindPlayPrompt].
func (*PlayPrompt) Kind() Kind { return KindPlayPrompt }

// Validate checks Graph's limits.
func (p *PlayPrompt) Validate() error {
	if p == nil {
		return &FieldError{"request", "nil *PlayPrompt", "a PlayPrompt"}
	}
	if n := len(p.Prompts); n < 1 || n > MaxPlayPrompts {
		return &FieldError{"prompts", count(n), fmt.Sprintf("1 to %d", MaxPlayPrompts)}
	}
	return validatePrompts(p.Prompts)
}

// RecordResponse records a short answer of the caller, after an optional prompt and a beep.
type RecordResponse struct {
	Prompts []Prompt // none or 1, played first
	BargeIn bool     // cancel everything running and queued first; see queue.Interrupt

	// The three times are each 1 s to 120 s; zero means 5 s.
	InitialSilence time.Duration // give up when nobody has spoken for so long
	MaxSilence     time.Duration // end after so much silence once somebody spoke
	MaxDuration    time.Duration // end after so much recording

	NoBeep    bool     // refuse the beep that otherwise comes before the recording
	StopTones tone.Set // key presses that end the recording
}

// Kind returns [KindRecordResponse].
func (*RecordResponse) Kind() Kind { return KindRecordResponse }

// BargesIn reports whether enqueuing the request cancels what is there. Any request with a method
// of this name and form is asked.
func (r *RecordResponse) BargesIn() bool { return r != nil && r.BargeIn }

// WithDefaults returns a copy of r in which the times that were left zero are 5 s.
func (r *RecordResponse) WithDefaults() RecordResponse {
	c := *r
	for _, d := range []*time.Duration{&c.InitialSilence, &c.MaxSilence, &c.MaxDuration} {
		if *d == 0 {
			*d = DefaultRecordTime
		}
	}
	return c
}

// Validate checks Graph's limits.
func (r *RecordResponse) Validate() error {
	if r == nil {
		return &FieldError{"request", "nil *RecordResponse", "a RecordResponse"}
	}
	if n := len(r.Prompts); n > MaxRecordPrompts {
		return &FieldError{"prompts", count(n), fmt.Sprintf("at most %d", MaxRecordPrompts)}
	}
	if err := validatePrompts(r.Prompts); err != nil {
		return err
	}
	for _, t := range []struct {
		field string
		d     time.Duration
	}{
		{"initialSilence", r.InitialSilence},
		{"maxSilence", r.MaxSilence},
		{"maxDuration", r.MaxDuration},
	} {
		if t.d != 0 && (t.d < MinRecordTime || t.d > MaxRecordTime) {
			return &FieldError{t.field, t.d.String(), fmt.Sprintf("%v to %v, or zero for %v",
				MinRecordTime, MaxRecordTime, DefaultRecordTime)}
		}
	}
	if bad := r.StopTones &^ tone.All; bad != 0 {
		return &FieldError{"stopTones", fmt.Sprintf("%#x", uint32(bad)), "a set of the 17 tones"}
	}
	return nil
}

func validatePrompts(prompts []Prompt) error {
	for i, p := range prompts {
		if p.URI == "" {
			return &FieldError{fmt.Sprintf("prompts[%d].uri", i), `""`, "a WAV file's URI"}
		}
	}
	return nil
}

// ValidateClientContext checks a client context: at most 256 characters, valid UTF-8.
func ValidateClientContext(s string) error {
	if len(s) > MaxClientContext { // it can be too long only if it has too many bytes
		if n := utf8.RuneCountInString(s); n > MaxClientContext {
			return &FieldError{
				"clientContext", fmt.Sprintf("%d characters", n),
				fmt.Sprintf("at most %d", MaxClientContext),
			}
		}
	}
	if !utf8.ValidString(s) {
		return &FieldError{"clientContext", "invalid UTF-8", "valid UTF-8"}
	}
	return nil
}

func count(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

// FieldError says which field of a request is wrong, what it is, and what it may be.
type FieldError struct {
	Field string // as Graph or Go spells it: "prompts", "prompts[3].uri", "maxDuration"
	Value string // what was given
	Limit string // what is allowed
}

// Error puts the three into one line.
func (e *FieldError) Error() string {
	return fmt.Sprintf("operation: %s is %s, must be %s", e.Field, e.Value, e.Limit)
}
