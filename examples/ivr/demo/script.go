package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ivrqueue/examples/internal/softmedia"
)

// script is the call as it should go. Each step returns an error where it does not.
type script struct {
	bot      *bot
	options  Options
	callback string
	prompts  []string // URIs of the bot's own

	call      string // path of the call
	id        string
	heard     string // where the files are
	recording string
}

// play goes through the steps.
func (s *script) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.create, s.record, s.menu, s.bargeIn, s.cancel, s.hangUp,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// create: the bot calls somebody.
func (s *script) create(ctx context.Context) error {
	a, err := s.bot.request(ctx, http.MethodPost, "/v1.0/communications/calls", `{
		"@odata.type": "#microsoft.graph.call",
		"callbackUri": "`+s.callback+`",
		"targets": [{"@odata.type": "#microsoft.graph.invitationParticipantInfo",
			"identity": {"@odata.type": "#microsoft.graph.identitySet", "phone":
				{"@odata.type": "#microsoft.graph.identity", "id": "+12345678901"}}}],
		"requestedModalities": ["audio"],
		"mediaConfig": {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}
	}`, http.StatusCreated)
	if err != nil {
		return err
	}
	s.id = a.id()
	s.call = "/v1.0/communications/calls/" + s.id
	return s.bot.waitState(ctx, "established", "")
}

// record: the caller speaks, and presses #; the bot fetches the recording.
func (s *script) record(ctx context.Context) error {
	limit := int(longestSpeech / time.Second)
	record, err := s.act(ctx, "recordResponse", fmt.Sprintf(`{
		"clientContext": "the caller's wish", "playBeep": false, "stopTones": ["#"],
		"maxRecordDurationInSeconds": %d, "initialSilenceTimeoutInSeconds": %d,
		"maxSilenceTimeoutInSeconds": %d
	}`, limit, limit, limit))
	if err != nil {
		return err
	}
	if err := s.bot.waitState(ctx, "established", "active"); err != nil {
		return err
	}
	speech := min(softmedia.Duration(len(s.options.Caller)), longestSpeech-5*time.Second)
	if err := pause(ctx, speech+300*time.Millisecond); err != nil {
		return err
	}
	if err := s.press(ctx, "#"); err != nil {
		return err
	}
	n, err := s.bot.waitEnd(ctx, record.id(), 200, 8514)
	if err != nil {
		return err
	}
	resource, _ := n["resourceData"].(object)
	location, _ := resource["recordingLocation"].(string)
	token, _ := resource["recordingAccessToken"].(string)
	data, err := s.bot.download(ctx, location, token)
	if err != nil {
		return err
	}
	s.recording = filepath.Join(s.options.Folder, "recording.wav")
	return os.WriteFile(s.recording, data, 0o600)
}

// menu: prompts are queued at once and played in order; a key is pressed during the first.
func (s *script) menu(ctx context.Context) error {
	if _, err := s.act(ctx, "subscribeToTone", `{"clientContext": "keys"}`); err != nil {
		return err
	}
	uris := s.prompts
	if len(uris) == 0 {
		uris = []string{"embedded:welcome.wav", "embedded:menu.wav"}
	}
	ids := make([]string, len(uris))
	for i, uri := range uris {
		a, err := s.act(ctx, "playPrompt", prompt("menu", uri, false))
		if err != nil {
			return err
		}
		ids[i] = a.id()
	}
	if err := s.press(ctx, "1"); err != nil {
		return err
	}
	if err := s.bot.waitTone(ctx, "tone1"); err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := s.bot.waitEnd(ctx, id, 200, 0); err != nil {
			return err
		}
	}
	return nil
}

// bargeIn: music plays in a loop, until a record barges in on it.
func (s *script) bargeIn(ctx context.Context) error {
	music, err := s.act(ctx, "playPrompt", prompt("music", "embedded:music.wav", true))
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	_, err = s.act(ctx, "recordResponse", `{
		"clientContext": "a second wish", "bargeInAllowed": true, "stopTones": ["#"],
		"prompts": [{"@odata.type": "#microsoft.graph.mediaPrompt", "mediaInfo":
			{"@odata.type": "#microsoft.graph.mediaInfo", "uri": "embedded:record.wav"}}]
	}`)
	if err != nil {
		return err
	}
	if _, err := s.bot.waitEnd(ctx, music.id(), 400, 8508); err != nil {
		return err
	}
	if err := pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	_, err = s.act(ctx, "cancelMediaProcessing", `{"clientContext": "never mind"}`)
	return err
}

// cancel is the exchange of Graph's page: a record is cancelled while it records.
func (s *script) cancel(ctx context.Context) error {
	if err := s.saveHeard(ctx); err != nil {
		return err
	}
	s.bot.screen.say("\nThe exchange of the page on cancelMediaProcessing, in full:\n\n")
	s.bot.screen.wide()
	record, err := s.act(ctx, "recordResponse",
		`{"clientContext": "d45324c1-fcb5-430a-902c-f20af696537c"}`)
	if err != nil {
		return err
	}
	cancel, err := s.act(ctx, "cancelMediaProcessing", `{"clientContext": "clientContext-value"}`)
	if err != nil {
		return err
	}
	n, err := s.bot.waitEnd(ctx, record.id(), 400, 8508)
	if err != nil {
		return err
	}
	return s.check(record, cancel, n)
}

// check compares the exchange with the page, member by member.
func (s *script) check(record, cancel answer, got object) error {
	var answered object
	if err := json.Unmarshal(cancel.body, &answered); err != nil {
		return err
	}
	if err := same("the answer", answered, object{
		"@odata.type":   "#microsoft.graph.cancelMediaProcessingOperation",
		"status":        "completed",
		"clientContext": "clientContext-value",
		"id":            cancel.id(),
	}); err != nil {
		return err
	}
	if want := s.bot.base + s.call + "/operations/" + cancel.id(); cancel.location != want {
		return fmt.Errorf("the Location is %q, want %q", cancel.location, want)
	}
	url := "/communications/calls/" + shout(s.id) + "/operations/" + shout(record.id())
	resource, _ := got["resourceData"].(object)
	return same("the notification", got, object{
		"@odata.type": "#microsoft.graph.commsNotification",
		"changeType":  "deleted",
		"resourceUrl": url,
		"resourceData": object{
			"@odata.type":   "#microsoft.graph.recordOperation",
			"@odata.id":     url,
			"@odata.etag":   resource["@odata.etag"],
			"id":            record.id(),
			"clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
			"status":        "failed",
			"resultInfo": object{
				"@odata.type": "#microsoft.graph.resultInfo", "code": 400.0, "subcode": 8508.0,
				"message": "Action failed, the operation was cancelled.",
			},
			"recordingLocation":    "",
			"recordingAccessToken": "",
			"completionReason":     "operationCanceled",
		},
	})
}

// hangUp: the bot hangs up, which is not shown: the cancel is the end of the show.
func (s *script) hangUp(ctx context.Context) error {
	s.bot.screen.darken()
	_, err := s.bot.request(ctx, http.MethodDelete, s.call, "", http.StatusNoContent)
	if err != nil {
		return err
	}
	return s.bot.waitState(ctx, "terminated", "")
}

// same compares JSON objects.
func same(what string, got, want object) error {
	a, errGot := json.Marshal(got)
	b, errWant := json.Marshal(want)
	if errGot != nil || errWant != nil || string(a) != string(b) {
		return fmt.Errorf("%s is %s, want %s (members %q)", what, a, b,
			slices.Sorted(maps.Keys(got)))
	}
	return nil
}

// shout writes an id as resource URLs have it.
func shout(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "")) }

// saveHeard leaves what the caller has heard.
func (s *script) saveHeard(ctx context.Context) error {
	data, err := s.bot.download(ctx, s.bot.base+"/dev/calls/"+s.id+"/heard.wav", s.bot.token)
	if err != nil {
		return err
	}
	s.heard = filepath.Join(s.options.Folder, "heard.wav")
	return os.WriteFile(s.heard, data, 0o600)
}

// act asks for an action on the call.
func (s *script) act(ctx context.Context, action, body string) (answer, error) {
	return s.bot.request(ctx, http.MethodPost, s.call+"/"+action, body, http.StatusOK)
}

// press has the caller press keys, which is for development only.
func (s *script) press(ctx context.Context, keys string) error {
	_, err := s.bot.request(ctx, http.MethodPost, "/dev/calls/"+s.id+"/tones",
		`{"tones": "`+keys+`"}`, http.StatusNoContent)
	return err
}

// longestSpeech is what a record may take at most.
const longestSpeech = 120 * time.Second

func prompt(context, uri string, loop bool) string {
	return fmt.Sprintf(`{
		"clientContext": %q, "loop": %v,
		"prompts": [{"@odata.type": "#microsoft.graph.mediaPrompt", "mediaInfo":
			{"@odata.type": "#microsoft.graph.mediaInfo", "uri": %q}}]
	}`, context, loop, uri)
}
