package demo

import (
	"bytes"
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

	"ivrqueue/examples/ivr/picture"
	"ivrqueue/media"
)

// script is the call as it should go. Each step returns an error where it does not.
type script struct {
	bot      *bot
	options  Options
	callback string
	prompts  []named // that are played one after the other

	call      string // path of the call
	id        string
	recording answer // of the record that is cancelled
}

// named is a prompt with the client context under which it is played.
type named struct{ name, uri string }

// play goes through the steps.
func (s *script) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.create, s.record, s.menu, s.bargeIn, s.cancel, s.save, s.hangUp,
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
		"clientContext": "a message", "playBeep": false, "stopTones": ["#"],
		"maxRecordDurationInSeconds": %d, "initialSilenceTimeoutInSeconds": %d,
		"maxSilenceTimeoutInSeconds": %d
	}`, limit, limit, limit))
	if err != nil {
		return err
	}
	if err := s.bot.waitState(ctx, "established", "active"); err != nil {
		return err
	}
	speech := min(media.Duration(len(s.options.Caller)), longestSpeech-5*time.Second)
	if err := Pause(ctx, speech+300*time.Millisecond); err != nil {
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
	data, _, err := s.bot.download(ctx, location, token)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.options.Folder, RecordingFile), data, 0o600)
}

// menu: prompts are queued at once and played in order; a key is pressed during the first.
func (s *script) menu(ctx context.Context) error {
	if _, err := s.act(ctx, "subscribeToTone", `{"clientContext": "keys"}`); err != nil {
		return err
	}
	ids := make([]string, len(s.prompts))
	for i, p := range s.prompts {
		a, err := s.act(ctx, "playPrompt", prompt(p.name, p.uri, false))
		if err != nil {
			return err
		}
		ids[i] = a.id()
	}
	if err := Pause(ctx, time.Second); err != nil {
		return err
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
	music, err := s.act(ctx, "playPrompt", prompt("hold music", "embedded:music.wav", true))
	if err != nil {
		return err
	}
	if err := Pause(ctx, 1500*time.Millisecond); err != nil {
		return err
	}
	s.recording, err = s.act(ctx, "recordResponse", `{
		"clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
		"bargeInAllowed": true, "stopTones": ["#"],
		"prompts": [{"@odata.type": "#microsoft.graph.mediaPrompt", "mediaInfo":
			{"@odata.type": "#microsoft.graph.mediaInfo", "uri": "embedded:record.wav"}}]
	}`)
	if err != nil {
		return err
	}
	_, err = s.bot.waitEnd(ctx, music.id(), 400, 8508)
	return err
}

// cancel is the exchange of Graph's page: a record runs, and a prompt waits behind it. Both end at
// the instant of the cancel, in the middle of a word; silence follows, and keys still arrive.
func (s *script) cancel(ctx context.Context) error {
	hours, err := s.act(ctx, "playPrompt", prompt("opening hours", "embedded:hours.wav", false))
	if err != nil {
		return err
	}
	if err := Pause(ctx, 1200*time.Millisecond); err != nil {
		return err
	}
	s.bot.timeline.record(true)
	cancel, err := s.act(ctx, "cancelMediaProcessing", `{"clientContext": "clientContext-value"}`)
	if err != nil {
		return err
	}
	cancelled := time.Now()
	n, err := s.bot.waitEnd(ctx, s.recording.id(), 400, 8508)
	if err != nil {
		return err
	}
	if _, err := s.bot.waitEnd(ctx, hours.id(), 400, 8508); err != nil {
		return err
	}
	s.bot.timeline.record(false)
	if err := s.check(s.recording, cancel, n); err != nil {
		return err
	}
	if err := Pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	if err := s.press(ctx, "3"); err != nil {
		return err
	}
	if err := s.bot.waitTone(ctx, "tone3"); err != nil {
		return err
	}
	return Pause(ctx, time.Until(cancelled.Add(silence)))
}

// silence is how long the call goes on after the cancel, so that one hears what it does.
const silence = 1200 * time.Millisecond

// save leaves what the caller has heard and said, and a picture of the call.
func (s *script) save(ctx context.Context) error {
	c := picture.Call{Title: "A bot's call, over HTTP"}
	var first time.Time
	for _, direction := range []struct {
		file string
		to   *[]int16
	}{{HeardFile, &c.Heard}, {SaidFile, &c.Said}} {
		data, asked, err := s.bot.download(ctx,
			s.bot.base+"/dev/calls/"+s.id+"/"+direction.file, s.bot.token)
		if err != nil {
			return err
		}
		if *direction.to, err = media.ReadWAV(ctx, bytes.NewReader(data)); err != nil {
			return fmt.Errorf("%s: %w", direction.file, err)
		}
		if first.IsZero() { // a file goes on until it is asked for
			first = asked.Add(-media.Duration(len(*direction.to)))
		}
		path := filepath.Join(s.options.Folder, direction.file)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
	}
	s.bot.story.draw(&c, first)
	return picture.Save(filepath.Join(s.options.Folder, PictureFile), c)
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
		"resource":    "/app/calls/" + s.id + "/operations/" + record.id(), // besides the page
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

// hangUp: the bot hangs up.
func (s *script) hangUp(ctx context.Context) error {
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
