package operation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

func prompts(n int) []operation.Prompt {
	p := make([]operation.Prompt, n)
	for i := range p {
		p[i].URI = "file:x.wav"
	}
	return p
}

// Every limit at, below and above it.
func TestRequestsAreCheckedAgainstGraphsLimits(t *testing.T) {
	t.Parallel()
	record := func(change func(*operation.RecordResponse)) *operation.RecordResponse {
		r := &operation.RecordResponse{Prompts: prompts(1)}
		change(r)
		return r
	}
	var noPlay *operation.PlayPrompt
	var noRecord *operation.RecordResponse
	missing := prompts(20)
	missing[19].URI = ""
	cases := []struct {
		name  string
		req   operation.Request
		field string // empty if valid
		value string
	}{
		{"play of 1", &operation.PlayPrompt{Prompts: prompts(1)}, "", ""},
		{"play of 20, looped", &operation.PlayPrompt{Prompts: prompts(20), Loop: true}, "", ""},
		{"play of none", &operation.PlayPrompt{}, "prompts", "none"},
		{"play of 21", &operation.PlayPrompt{Prompts: prompts(21)}, "prompts", "21 entries"},
		{"play without a uri", &operation.PlayPrompt{Prompts: missing}, "prompts[19].uri", `""`},
		{"nil play", noPlay, "request", "nil"},
		{"nil record", noRecord, "request", "nil"},
		{"record without prompt", &operation.RecordResponse{}, "", ""},
		{"record with 2", &operation.RecordResponse{Prompts: prompts(2)}, "prompts", "2 entries"},
		{"record without a uri", &operation.RecordResponse{Prompts: make([]operation.Prompt, 1)}, "prompts[0].uri", `""`},
		{"all stop tones", record(func(r *operation.RecordResponse) { r.StopTones = tone.All }), "", ""},
		{"a stop tone that is none", record(func(r *operation.RecordResponse) { r.StopTones = 1 << 31 }), "stopTones", "0x80000000"},
		{"a cancel", operation.CancelMediaProcessing(), "request", "cancelMediaProcessing"},
	}
	times := map[string]func(*operation.RecordResponse) *time.Duration{
		"initialSilence": func(r *operation.RecordResponse) *time.Duration { return &r.InitialSilence },
		"maxSilence":     func(r *operation.RecordResponse) *time.Duration { return &r.MaxSilence },
		"maxDuration":    func(r *operation.RecordResponse) *time.Duration { return &r.MaxDuration },
	}
	for field, at := range times {
		for d, valid := range map[time.Duration]bool{
			-time.Second: false, -1: false, 0: true, 1: false, time.Second - 1: false, time.Second: true,
			time.Second + 1: true, 120 * time.Second: true, 120*time.Second + 1: false,
		} {
			c := cases[0]
			c.name, c.req = field+" "+d.String(), record(func(r *operation.RecordResponse) { *at(r) = d })
			if !valid {
				c.field, c.value = field, d.String()
			}
			cases = append(cases, c)
		}
	}
	for _, c := range cases {
		err := c.req.Validate()
		var wrong *operation.FieldError
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (!errors.As(err, &wrong) || wrong.Field != c.field ||
			!strings.Contains(wrong.Value, c.value) || wrong.Limit == "" ||
			!strings.Contains(err.Error(), wrong.Limit) || !strings.HasPrefix(err.Error(), "operation: "+c.field)):
			t.Errorf("%s: %v, want an error that names %s and %s", c.name, err, c.field, c.value)
		}
	}
}

// A limit that follows from the request says from what.
func TestALimitSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	for want, req := range map[string]operation.Request{
		"firstPrompt is 5, must be 0, the only prompt":               operation.Play("a").From(5, 0),
		"firstPrompt is -1, must be 0 to 2, the last of the prompts": operation.Play("a", "b", "c").From(-1, 0),
		"tones is 101 entries, must be 1 to 100":                     &operation.SendTones{Tones: make([]tone.Tone, 101)},
	} {
		if err := req.Validate(); err == nil || err.Error() != "operation: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTheRecordTimesDefaultTo5Seconds(t *testing.T) {
	t.Parallel()
	r := &operation.RecordResponse{MaxSilence: 7 * time.Second}
	d := r.WithDefaults()
	if d.InitialSilence != 5*time.Second || d.MaxSilence != 7*time.Second || d.MaxDuration != 5*time.Second || r.MaxDuration != 0 {
		t.Errorf("%+v from %+v", d, r)
	}
	if d := (*operation.RecordResponse)(nil).WithDefaults(); d.MaxDuration != 5*time.Second {
		t.Errorf("%+v from nil", d)
	}
	if r.BargesIn() || !(&operation.RecordResponse{BargeIn: true}).BargesIn() {
		t.Error("BargesIn is not BargeIn")
	}
}

func TestAClientContextHasAtMost256Characters(t *testing.T) {
	t.Parallel()
	for s, valid := range map[string]bool{
		"":                       true,
		strings.Repeat("x", 256): true,
		strings.Repeat("x", 257): false,
		strings.Repeat("ü", 256): true,
		strings.Repeat("ü", 257): false,
		strings.Repeat("😀", 256): true,
		"\xff":                   false,
	} {
		err := operation.ValidateClientContext(s)
		if (err == nil) != valid || err != nil && !strings.Contains(err.Error(), "clientContext") {
			t.Errorf("%d bytes: %v", len(s), err)
		}
	}
}

func FuzzValidateClientContext(f *testing.F) {
	f.Add("call 7")
	f.Add(strings.Repeat("ü", 257))
	f.Fuzz(func(t *testing.T, s string) {
		err := operation.ValidateClientContext(s)
		if valid := len([]rune(s)) <= 256 && strings.ToValidUTF8(s, "") == s; (err == nil) != valid {
			t.Errorf("%q: %v", s, err)
		}
	})
}
