package operation

import (
	"strconv"

	"github.com/google/uuid"

	"ivrqueue/tone"
)

// Cause says who preempted an operation: another operation, a key, or something
// of the platform's own. It is a small value that keeps no operation; the zero Cause names none.
type Cause struct {
	// ID, Kind and ClientContext are those of the operation that did it: a cancel's own, or one that
	// barged in. A platform may name something of its own with them.
	ID            uuid.UUID
	Kind          Kind   // at most 256 characters
	ClientContext string // at most 256 characters

	// Tone is the key that did it, and ToneSeq its number in the call's tone stream; zero if none.
	Tone    tone.Tone
	ToneSeq uint64
}

// Validate returns an error that names what is wrong with a cause of the platform's, or nil.
func (c Cause) Validate() error {
	switch {
	case c.Tone != 0 && !c.Tone.Valid():
		return &FieldError{"cause.tone", c.Tone.String(), "one of the 17 tones, or zero for none"}
	case c.Tone == 0 && c.ToneSeq != 0:
		return &FieldError{"cause.toneSeq", strconv.FormatUint(c.ToneSeq, 10), "zero without a tone"}
	}
	if err := validateText("cause.kind", string(c.Kind)); err != nil {
		return err
	}
	return validateText("cause.clientContext", c.ClientContext)
}

// Cause returns who preempted the operation, and whether that is known: it is of
// what CancelAll, a key or something that barged in has ended, and of what Cancel and CancelWhere
// have ended with a cause. It is not known of an operation that its media ended, that timed out, or
// that the end of the call ended: their Reason says it all.
func (o *Operation) Cause() (Cause, bool) {
	if o == nil {
		return Cause{}, false
	}
	w, end := o.load()
	switch {
	case end != nil:
		return end.by, end.by != Cause{}
	case w.status().Terminal():
		if x := o.extras.Load(); x != nil && x.by != nil {
			return *x.by, true
		}
	}
	return Cause{}, false
}
