package graph_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ivrqueue/operation"
)

// A bot learns which prompt failed, and what the media has made public of the cause, in the
// notification and when the operation is read; codes stay as they are, secrets here.
func TestABotLearnsWhichPromptFailedAndWhy(t *testing.T) {
	t.Parallel()
	secret := errors.New("GET https://cdn.contoso.com/a.wav?sig=hunter2: dial tcp 10.1.2.3:443: refused")
	failed := func(reason operation.Reason, text string) error {
		return fmt.Errorf("softmedia: %w", &operation.PromptError{Index: 1, Err: fmt.Errorf("%w: %w", reason, &operation.PublicError{Text: text, Err: secret})})
	}
	for _, test := range []struct {
		name, action string
		result       operation.Result
		code         string
		message      string
	}{
		{"download", "playPrompt", operation.Result{Err: failed(operation.NotDownloadable, "answered 404, must be 200")}, "400/8536", "Action failed, the file could not be downloaded. prompts[1]: answered 404, must be 200."},
		{"format", "playPrompt", operation.Result{Err: failed(operation.BadFormat, "begins with \"<htm\", must be a WAV file.")}, "400/8535", "Action failed, the file format is invalid. prompts[1]: begins with \"<htm\", must be a WAV file."},
		{"nothing public", "playPrompt", operation.Result{Err: fmt.Errorf("%w: %w", operation.NotDownloadable, secret)}, "400/8536", "Action failed, the file could not be downloaded."},
		{"the prompt alone", "playPrompt", operation.Result{Err: &operation.PromptError{Index: 0, Err: secret}}, "500/9999", "Action failed, an internal error occurred. prompts[0]."},
		{"of a record", "recordResponse", operation.Result{Reason: operation.PromptFailed, Err: failed(operation.NotDownloadable, "answered 404")}, "500/8511", "Action failed, the prompt could not be played. prompts[1]: answered 404."},
		{"a success", "playPrompt", operation.Result{Reason: operation.Succeeded, Err: failed(operation.BadFormat, "x")}, "200/0", "Action completed successfully."},
		{"a cancel", "playPrompt", operation.Result{Reason: operation.Cancelled, Err: failed(operation.BadFormat, "x")}, "400/8508", "Action failed, the operation was cancelled."},
		{"the call's end", "recordResponse", operation.Result{Reason: operation.CallEnded, Err: failed(operation.BadFormat, "x")}, "400/8528", "Action failed, the call was terminated."},
	} {
		bot, call, box := bench(t)
		made := bot.post(call, test.action, playBody).must(t, 200)
		call.waitStarted(t).End(test.result)
		told := at(box.wait(t, 2)[1], "resourceData", "resultInfo")
		read := at(bot.request(http.MethodGet, "/communications/calls/"+call.ID().String()+"/operations/"+made.text("id"), nil).must(t, 200).body, "resultInfo")
		for what, got := range map[string]any{"told": told, "read": read} {
			if code := fmt.Sprint(at(got, "code"), "/", at(got, "subcode")); code != test.code || at(got, "message") != test.message {
				t.Errorf("%s, %s: got %s, %q, want %s, %q", test.name, what, code, at(got, "message"), test.code, test.message)
			}
		}
		if all := string(box.last()); strings.Contains(all, "hunter2") || strings.Contains(all, "10.1.2.3") {
			t.Errorf("%s: a secret is there: %s", test.name, all)
		}
	}
}
