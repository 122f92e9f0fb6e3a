package graph_test

import (
	"net/http"
	"testing"
)

// Elements that are null, and those of a wrong type, are named with their index, wherever a list is.
func TestElementsAreNamedWithTheirIndex(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	for _, test := range []struct{ action, body, says string }{
		{"recordResponse", `{"stopTones":[null]}`, "stopTones[0] is null, must be one of 0 to 9, #, *, A to D."},
		{"recordResponse", `{"stopTones":["#",null]}`, "stopTones[1] is null, must be one of 0 to 9, #, *, A to D."},
		{"recordResponse", `{"stopTones":[""]}`, `stopTones[0] is "", must be one of 0 to 9, #, *, A to D.`},
		{"recordResponse", `{"stopTones":["#",7]}`, "stopTones[1] is number, must be a string."},
		{"recordResponse", `{"stopTones":["#",["1"]]}`, "stopTones[1] is array, must be a string."},
		{"recordResponse", `{"stopTones":["1","2",{}]}`, "stopTones[2] is object, must be a string."},
		{"recordResponse", `{"stopTones":["1",true]}`, "stopTones[1] is bool, must be a string."},
		{"recordResponse", `{"prompts":[null]}`, "prompts[0] is null, must be a mediaPrompt."},
		{"playPrompt", `{"prompts":[{"mediaInfo":{"uri":"a"}},"b"]}`, "prompts[1] is string, must be an object."},
		{"", `{"requestedModalities":[null]}`, "requestedModalities[0] is null, must be one of audio, video, videoBasedScreenSharing, data."},
		{"", `{"requestedModalities":["audio",1]}`, "requestedModalities[1] is number, must be a string."},
		{"", `{"targets":[{},null]}`, "targets[1] is null, must be an invitationParticipantInfo."},
		{"", `{"targets":[{},"a"]}`, "targets[1] is string, must be an object."},
	} {
		path := "/communications/calls/" + call.ID().String() + "/" + test.action
		if test.action == "" {
			path, test.body = "/communications/calls", `{"callbackUri":"x",`+test.body[1:]
		}
		if r := bot.request(http.MethodPost, path, test.body).must(t, 400); r.text("error", "message") != test.says {
			t.Errorf("%s: got %q, want %q", test.body, r.text("error", "message"), test.says)
		}
	}
}

// A loop of a prompt is not played once without a word.
func TestALoopInsideAPromptIsRefused(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	for loop, want := range map[string]int{
		"null": 200, "false": 200, "true": 400, "0": 400, "2": 400, `"x"`: 400, "{}": 400,
	} {
		for _, action := range []string{"playPrompt", "recordResponse"} {
			r := bot.post(call, action, `{"prompts":[{"loop":`+loop+`,"mediaInfo":{"uri":"a"}}]}`).must(t, want)
			if want == 400 && r.text("error", "message") != "prompts[0].loop is "+loop+", must be left out: a prompt is played once, and loop is a member of playPrompt's body." {
				t.Errorf("got %s", show(r.body))
			}
		}
		for _, body := range []string{`{"prompts":[{"mediaInfo":{"uri":"a","loop":` + loop + `}}]}`} {
			bot.post(call, "playPrompt", body).must(t, want)
		}
	}
}
