package operation

import (
	"fmt"
	"time"

	"ivrqueue/tone"
)

// KindSendTones is the kind of [SendTones]; Graph's name for it.
const KindSendTones Kind = "sendDtmfTones"

// Limits of SendTones. They are ours: Graph's page has none.
const (
	MaxSendTones = 100              // tones of one SendTones
	MaxTonePause = 30 * time.Second // between two of them
)

// SendTones sends tones to the other side, one after the other, as if its keys were pressed. Media
// has to know it: it comes like any request of the queue's, and fails where media does not.
type SendTones struct {
	Tones []tone.Tone   // 1 to 100, each one of the 17
	Pause time.Duration // between two tones: 0, the media's own, to 30 s
}

// Kind returns [KindSendTones].
func (*SendTones) Kind() Kind { return KindSendTones }

// Validate checks the limits.
func (s *SendTones) Validate() error {
	if s == nil {
		return &FieldError{"request", "nil *SendTones", "a SendTones"}
	}
	if n := len(s.Tones); n < 1 || n > MaxSendTones {
		return &FieldError{"tones", count(n), fmt.Sprintf("1 to %d", MaxSendTones)}
	}
	for i, t := range s.Tones {
		if !t.Valid() {
			return &FieldError{fmt.Sprintf("tones[%d]", i), t.String(), "a tone"}
		}
	}
	if s.Pause < 0 || s.Pause > MaxTonePause {
		return &FieldError{"pause", s.Pause.String(), fmt.Sprintf("0 to %v", MaxTonePause)}
	}
	return nil
}
