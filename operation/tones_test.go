package operation_test

import (
	"errors"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

func TestSendTonesIsChecked(t *testing.T) {
	t.Parallel()
	many := make([]tone.Tone, operation.MaxSendTones+1)
	for i := range many {
		many[i] = tone.Pound
	}
	for _, test := range []struct {
		name  string
		given *operation.SendTones
		field string
	}{
		{"one", &operation.SendTones{Tones: []tone.Tone{tone.Flash}}, ""},
		{"as many as may be, and as slow", &operation.SendTones{Tones: many[1:], Pause: operation.MaxTonePause}, ""},
		{"nil", nil, "request"},
		{"none", new(operation.SendTones), "tones"},
		{"too many", &operation.SendTones{Tones: many}, "tones"},
		{"no tone", &operation.SendTones{Tones: []tone.Tone{tone.Star, 0}}, "tones[1]"},
		{"no tone either", &operation.SendTones{Tones: []tone.Tone{tone.Flash + 1}}, "tones[0]"},
		{"back in time", &operation.SendTones{Tones: many[:1], Pause: -1}, "pause"},
		{"too slow", &operation.SendTones{Tones: many[:1], Pause: operation.MaxTonePause + time.Nanosecond}, "pause"},
	} {
		var field *operation.FieldError
		err := test.given.Validate()
		if errors.As(err, &field); (err != nil) != (test.field != "") || err != nil && (field == nil || field.Field != test.field) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.field)
		}
		if test.given.Kind() != operation.KindSendTones {
			t.Errorf("%s: kind %q", test.name, test.given.Kind())
		}
	}
	for r, want := range map[operation.Reason]string{
		operation.Succeeded: "completedSuccessfully", operation.Cancelled: "mediaOperationCanceled", operation.TimedOut: "unknown",
	} {
		if got := r.CompletionReason(operation.KindSendTones); got != want {
			t.Errorf("%v: got %q, want %q", r, got, want)
		}
	}
}
