package operation

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"ivrqueue/tone"
)

// Kind names a kind of operation, in 1 to 256 characters of valid UTF-8.
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
// library once it is enqueued: it must not be changed any more.
type Request interface {
	// Kind names the kind. It must always return the same value.
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

// ToneStopper is a request that tones may end while it runs: the queue ends it, completed, with
// [KeyPressed], when it hears of one of them.
type ToneStopper interface {
	Request

	// StopsOn returns these tones. It is called once, as Validate is.
	StopsOn() tone.Set
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

	// FirstPrompt and Offset are where the play begins: with which of the prompts, counted from 0, and
	// how far into it; an offset beyond its end is the next prompt's beginning. A loop starts again
	// with the first of all. They are not on Graph's wire. Default: the beginning.
	FirstPrompt int           // 0 to the last of the prompts
	Offset      time.Duration // 0 or more

	// StopTones are the keys that end the play, if the platform hands them to the queue: the caller
	// who knows the menu need not hear it out. They are not on Graph's wire. Default: none.
	StopTones tone.Set
}

// Kind returns [KindPlayPrompt].
func (*PlayPrompt) Kind() Kind { return KindPlayPrompt }

// StopsOn returns the stop tones. Any request with a method of this name and form is asked.
func (p *PlayPrompt) StopsOn() tone.Set {
	if p == nil {
		return 0
	}
	return p.StopTones
}

// Validate checks Graph's limits, and the stop tones.
func (p *PlayPrompt) Validate() error {
	if p == nil {
		return &FieldError{"request", "nil *PlayPrompt", "a PlayPrompt"}
	}
	if n := len(p.Prompts); n < 1 || n > MaxPlayPrompts {
		return &FieldError{"prompts", count(n), fmt.Sprintf("1 to %d", MaxPlayPrompts)}
	}
	if err := validatePrompts(p.Prompts); err != nil {
		return err
	}
	if last := len(p.Prompts) - 1; p.FirstPrompt < 0 || p.FirstPrompt > last {
		limit := "0, the only prompt"
		if last > 0 {
			limit = fmt.Sprintf("0 to %d, the last of the prompts", last)
		}
		return &FieldError{"firstPrompt", strconv.Itoa(p.FirstPrompt), limit}
	}
	if p.Offset < 0 {
		return &FieldError{"offset", p.Offset.String(), "0 or more"}
	}
	return ValidateStopTones(p.StopTones)
}

// Play returns a request that plays what is at these addresses, one after the other. Loop,
// StopTones and the like are set on it before it is enqueued.
func Play(uris ...string) *PlayPrompt {
	p := &PlayPrompt{Prompts: make([]Prompt, len(uris))}
	for i, uri := range uris {
		p.Prompts[i].URI = uri
	}
	return p
}

// From returns a copy of the request that begins at a place, as [Operation.Place] returns it: after
// a false barge-in, say, play.From(op.Place()) goes on where the caller was interrupted. A place
// that the request does not have is an error of Validate.
func (p *PlayPrompt) From(prompt int, offset time.Duration) *PlayPrompt {
	if p == nil {
		return nil
	}
	c := *p
	c.FirstPrompt, c.Offset = prompt, offset
	return &c
}

// RecordResponse records a short answer of the caller, after an optional prompt and a beep. Its
// media does all of that: it plays prompt and beep, listens for silence and stop tones, takes the
// times from [RecordResponse.WithDefaults], and reports why the recording ended: [StopTone],
// [MaxDuration], [MaxSilence] or [InitialSilence]. The queue itself looks at BargeIn alone.
type RecordResponse struct {
	Prompts []Prompt // none or 1, played first
	BargeIn bool     // cancel everything running and queued first; see queue.Interrupt

	// The three times are each 1 s to 120 s; zero means 5 s.
	InitialSilence time.Duration // end after so much silence before speech
	MaxSilence     time.Duration // end after so much silence once somebody spoke
	MaxDuration    time.Duration // end after so much recording

	NoBeep    bool     // refuse the beep that otherwise comes before the recording
	StopTones tone.Set // key presses that end the recording; the queue's Tone does not
}

// Kind returns [KindRecordResponse].
func (*RecordResponse) Kind() Kind { return KindRecordResponse }

// BargesIn reports whether enqueuing the request cancels what is there. Any request with a method
// of this name and form is asked.
func (r *RecordResponse) BargesIn() bool { return r != nil && r.BargeIn }

// WithDefaults returns a copy of r, empty if that is nil, in which the times that were left zero
// are 5 s.
func (r *RecordResponse) WithDefaults() RecordResponse {
	var c RecordResponse
	if r != nil {
		c = *r
	}
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
	return ValidateStopTones(r.StopTones)
}

// ValidateStopTones checks that a set has nothing but tones.
func ValidateStopTones(s tone.Set) error {
	if bad := s &^ tone.All; bad != 0 {
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

// ValidateKind checks a kind: 1 to 256 characters, valid UTF-8.
func ValidateKind(k Kind) error {
	if k == "" {
		return &FieldError{"kind", "empty", "1 to 256 characters"}
	}
	return validateText("kind", string(k))
}

// ValidateClientContext checks a client context: at most 256 characters, valid UTF-8.
func ValidateClientContext(s string) error { return validateText("clientContext", s) }

// validateText checks a text that a platform chose.
func validateText(field, s string) error {
	if len(s) > MaxClientContext { // it can be too long only if it has too many bytes
		if n := utf8.RuneCountInString(s); n > MaxClientContext {
			return &FieldError{
				field, fmt.Sprintf("%d characters", n), fmt.Sprintf("at most %d", MaxClientContext),
			}
		}
	}
	if !utf8.ValidString(s) {
		return &FieldError{field, "invalid UTF-8", "valid UTF-8"}
	}
	return nil
}

func count(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n) + " entries" // never one: each request may have that
}

// FieldError says which field of a request is wrong, what it is, and what it may be. A client may
// read it: package graph answers 400 with it.
type FieldError struct {
	Field string // as Graph or Go spells it: "prompts", "prompts[3].uri", "maxDuration"
	Value string // what was given
	Limit string // what is allowed
}

// Error puts the three into one line.
func (e *FieldError) Error() string {
	return fmt.Sprintf("operation: %s is %s, must be %s", e.Field, e.Value, e.Limit)
}
