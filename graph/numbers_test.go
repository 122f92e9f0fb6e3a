package graph_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A number is whole if its value is, however a client writes it: Java, PHP and Python write 5.0.
func TestAWholeNumberMayBeWrittenInAnyForm(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]int{
		"5": 5, "5.0": 5, "5e0": 5, "5E+0": 5, "50e-1": 5, "0.5e1": 5, "0.05E2": 5, "120.000": 120, "1E1": 10, "1.20e2": 120,
		"5.0000000000000000000000000000000": 5, "0.00000000000000000000001e23": 1, "500000000000000000000000e-23": 5,
	} {
		bot, call, _ := bench(t)
		bot.post(call, "recordResponse", `{"maxRecordDurationInSeconds":`+written+`}`).must(t, 200)
		if req := call.waitStarted(t).Request().(*operation.RecordResponse); req.MaxDuration.Seconds() != float64(want) {
			t.Errorf("%s: got %v, want %d s", written, req.MaxDuration, want)
		}
	}
	bot, call, _ := bench(t)
	for _, member := range []string{"initialSilenceTimeoutInSeconds", "maxSilenceTimeoutInSeconds", "maxRecordDurationInSeconds"} {
		for written, says := range map[string]string{
			"1.5": " is 1.5, must be a whole number.", "15e-1": " is 15e-1, must be a whole number.", "1e-400": " is 1e-400, must be a whole number.",
			"5.00000000000000000000000000001": "must be a whole number.", "1e-99999999999999999999": "must be a whole number.",
			"121.0": " is 121.0, must be 1 to 120.", "-1": " is -1, must be 1 to 120.", "0": " is 0, must be 1 to 120.", "-0.0e5": " is -0.0e5, must be 1 to 120.",
			"0e99999999999999999999": " must be 1 to 120.", "1e400": " is 1e400, must be 1 to 120.", "4294967301": " is 4294967301, must be 1 to 120.",
			"18446744073709551621": " must be 1 to 120.", "1e99999999999999999999": " must be 1 to 120.", "-1e2147483648": " must be 1 to 120.",
			`"5"`: " is string, must be a whole number.", "true": " is bool, must be a whole number.", "[5]": " is array, must be a whole number.",
			"{}": " is object, must be a whole number.", "1" + strings.Repeat("0", 1000): "…, must be 1 to 120.",
		} {
			r := bot.post(call, "recordResponse", `{"`+member+`":`+written+`}`)
			envelope(t, r)
			if r.status != 400 || r.text("error", "code") != "8523" || !strings.HasPrefix(r.text("error", "message"), member+" is ") ||
				!strings.HasSuffix(r.text("error", "message"), says) {
				t.Errorf("%s: got %d, want %q: %s", written, r.status, says, show(r.body))
			}
		}
	}
	for _, test := range []struct{ member, says string }{
		{`"ringingTimeoutInSeconds":1e400`, "ringingTimeoutInSeconds is 1e400, must be 0 to 115."},
		{`"ringingTimeoutInSeconds":1.5`, "ringingTimeoutInSeconds is 1.5, must be a whole number."},
		{`"targets":1e400`, "targets is number, must be an array."},
		{`"targets":[1e400]`, "targets[0] is number, must be an object."},
		{`"mediaConfig":-1e999`, "mediaConfig is number, must be an object."},
		{`"subject":1e400`, "subject is number, must be a string."},
	} {
		r := bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x",`+test.member+`}`).must(t, 400)
		if r.text("error", "message") != test.says {
			t.Errorf("%s: got %s", test.member, show(r.body))
		}
	}
	r := bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x","ringingTimeoutInSeconds":3.0e1}`).must(t, 201)
	if at(r.body, "ringingTimeoutInSeconds") != 30.0 {
		t.Errorf("got %s", show(r.body))
	}
}

// Numbers that are passed through keep every digit, in what the platform gets and in what clients
// read.
func TestNumbersThatArePassedThroughKeepEveryDigit(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	var got graph.Resource
	p.media = func(n graph.NewCall) queue.Media { got = n.Resource; return new(queuetest.Media) }
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/communications/calls", strings.NewReader(`{"callbackUri":"x",
		"targets":[{"n":9007199254740993,"more":[{"a":1e400}]}],"mediaConfig":{"t":12345678901234567890,"x":5.0,"y":-0,"z":1.10}}`))
	r.Header.Set("Authorization", "Bearer bot")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	raw := w.Body.String()
	for _, want := range []string{`"n":9007199254740993`, `"a":1e400`} {
		if !strings.Contains(string(got.Targets), want) || !strings.Contains(raw, want) {
			t.Errorf("targets %s, answer %s, want %s in both", got.Targets, raw, want)
		}
	}
	for _, want := range []string{`"t":12345678901234567890`, `"x":5.0`, `"y":-0`, `"z":1.10`} {
		if !strings.Contains(string(got.MediaConfig), want) || !strings.Contains(raw, want) {
			t.Errorf("mediaConfig %s, answer %s, want %s in both", got.MediaConfig, raw, want)
		}
	}
}
