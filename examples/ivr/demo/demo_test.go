package demo_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/examples/ivr/picture"
	"ivrqueue/examples/ivr/terminal"
)

const calls = "/v1.0/communications/calls"

// notification is one of an operation's end.
func notification(id, context, status string, code, subcode int, reason string) string {
	return fmt.Sprintf(`{"resourceData":{"@odata.type":"#microsoft.graph.playPromptOperation","id":%q,"clientContext":%q,
		"status":%q,"resultInfo":{"code":%d,"subcode":%d},"completionReason":%q}}`, id, context, status, code, subcode, reason)
}

// lines returns what was printed, without its times.
func lines(s *demo.Shown) []string {
	return strings.Split(strings.TrimSpace(regexp.MustCompile(`(?m)^ *\d+\.\d{3}  `).ReplaceAllString(s.Printed(), "")), "\n")
}

func TestEachMessageIsALineWithWhatMatters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
		want                     []string
	}{
		{
			"a call", "POST", calls, `{"targets":[{"identity":{"phone":{"id":"+1234"}}}]}`,
			201, `{"@odata.type":"#microsoft.graph.call","id":"57dab8b1-894c-409a-b240-bd8beae78896","state":"establishing"}`,
			[]string{
				"bot       POST calls                                                  to +1234",
				"answer    201 Created                                       57dab8b1  establishing",
			},
		},
		{
			"a record", "POST", calls + "/x/recordResponse",
			`{"clientContext":"ctx","bargeInAllowed":true,"stopTones":["#","*"],"prompts":[{"mediaInfo":{"uri":"https://a/b/c.wav"}},{"mediaInfo":{"uri":"embedded:d.wav"}}]}`,
			200, `{"@odata.type":"#microsoft.graph.recordOperation","id":"57dab8b1","status":"running","clientContext":"ctx","resultInfo":null}`,
			[]string{
				"bot       POST recordResponse         ctx                             c.wav, d.wav, barges in, until # *",
				"answer    200 OK                      ctx                   57dab8b1  running",
			},
		},
		{
			"keys", "POST", "/dev/calls/x/tones", `{"tones":"12#"}`, 204, "",
			[]string{"caller    presses 12#", "answer    204 No Content"},
		},
		{
			"a hang up", "DELETE", calls + "/x", "", 404, `{"error":{"code":"8522"}}`,
			[]string{"bot       DELETE call", "answer    404 Not Found"},
		},
		{
			"what is no JSON", "POST", calls + "/x/playPrompt", "none", 200, "none",
			[]string{"bot       POST playPrompt", "answer    200 OK"},
		},
		{
			"what is too wide, and commands a terminal", "POST", calls + "/x/playPrompt",
			`{"clientContext":"\u001b[31mred and a lot more","prompts":[{"mediaInfo":{"uri":"x:\u009b\u202e"}}],"stopTones":["\u0007"]}`,
			200, `{"id":"\u001b-1","clientContext":"\u001b[0m","status":"\u001bc"}`,
			[]string{
				`bot       POST playPrompt             \u001b[31mred and a…            \u009b\u202e, until \u0007`,
				`answer    200 OK                      \u001b[0m             \u001b    \u001bc`,
			},
		},
	} {
		s := demo.NewShown(terminal.Palette{}, false, test.status, test.answer)
		err := s.Request(test.method, test.path, test.body)
		if got := lines(s); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.want)
		}
		if (err == nil) != (test.status == http.StatusOK) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestEachNotificationIsALine(t *testing.T) {
	t.Parallel()
	s := demo.NewShown(terminal.Palette{}, false, 200, "")
	for _, body := range []string{
		`{"value":[` + notification("1-2", "one", "completed", 200, 0, "completedSuccessfully") + `,` +
			notification("3", "two", "failed", 400, 8508, "mediaOperationCanceled") + `]}`,
		`{"value":[{"resourceData":{"@odata.type":"#microsoft.graph.call","id":"9","state":"established","mediaState":{"audio":"active"}}}]}`,
		`{"value":[{"resourceData":{"@odata.type":"#microsoft.graph.call","id":"9","state":"established","toneInfo":{"tone":"pound"}}}]}`,
		`{"value":[{"resourceData":{"@odata.type":"\u001b[2J","id":"\n"}}]}`,
		`{}`,
	} {
		if got := s.Notify(body); got != http.StatusAccepted {
			t.Errorf("%s: got %d", body, got)
		}
	}
	for _, body := range []string{"", "none", `{"value":7}`, `{"value":[{"resourceData":7}]}`, `{"value":[{"resourceData":{"id":7}}]}`, strings.Repeat(" ", 2<<20)} {
		if got := s.Notify(body); got != http.StatusBadRequest {
			t.Errorf("%.20q: got %d", body, got)
		}
	}
	want := []string{
		"notified  playPromptOperation         one                   1         completed 200/0 completedSuccessfully",
		"notified  playPromptOperation         two                   3         failed 400/8508 mediaOperationCanceled",
		"notified  call                                              9         established, audio active",
		"notified  call                                              9         pound",
		`notified  \u001b[2J                                         \u000a`,
	}
	if got := lines(s); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestBodiesAreShownWhenTheyAreWanted(t *testing.T) {
	t.Parallel()
	s := demo.NewShown(terminal.Palette{}, true, 200, "{\"x\":\"\u009b\"}")
	_ = s.Request("POST", calls+"/x/playPrompt", `{"loop":false}`)
	s.Notify(`{"value":[]}`)
	s.Notify(`{"value":[` + notification("1", "a", "failed", 400, 8508, "") + `,` + notification("2", "b", "failed", 400, 8508, "") + `]}`)
	got := s.Printed()
	for _, want := range []string{
		"         {\n           \"loop\": false\n         }\n", "         {\n           \"x\": \"\\u009b\"\n         }\n", `                 "code": 400`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if n := strings.Count(got, `"id": "2"`); n != 1 {
		t.Errorf("a notification is shown %d times:\n%s", n, got)
	}
}

func TestExchangesAreKeptInFull(t *testing.T) {
	t.Parallel()
	s := demo.NewShown(terminal.Palette{}, false, 200, `{"id":"\u001b","status":"completed"}`)
	_ = s.Request("POST", calls+"/1/playPrompt", `{}`)
	if got := s.Kept(); got != "" {
		t.Errorf("got %q before", got)
	}
	s.Record()
	_ = s.Request("POST", calls+"/1/cancelMediaProcessing", `{"clientContext":"c"}`)
	s.Notify(`{"value":[{"resourceData":{"id":"7"}}]}`)
	const want = `
POST /v1.0/communications/calls/1/cancelMediaProcessing
Content-Type: application/json

{
  "clientContext": "c"
}

200 OK
Content-Type: application/json
Location: http://service/\u001b[31m

{
  "id": "\u001b",
  "status": "completed"
}

POST /callback

{
  "value": [
    {
      "resourceData": {
        "id": "7"
      }
    }
  ]
}
`
	if got := s.Kept(); got != want {
		t.Errorf("got %s", got)
	}
}

// Colours are beside the text: without them it is the same.
func TestColoursChangeNoText(t *testing.T) {
	t.Parallel()
	var printed []string
	for _, p := range []terminal.Palette{terminal.Coloured(), {}} {
		s := demo.NewShown(p, false, 200, `{"id":"1","status":"running"}`)
		_ = s.Request("POST", calls+"/1/playPrompt", `{"clientContext":"c","loop":true}`)
		s.Notify(`{"value":[` + notification("1", "c", "failed", 400, 8508, "mediaOperationCanceled") + `]}`)
		printed = append(printed, regexp.MustCompile(`(?m)\d+\.\d{3}`).ReplaceAllString(s.Printed(), "T"))
	}
	if !strings.Contains(printed[0], "\x1b[") || strings.Contains(printed[1], "\x1b") {
		t.Errorf("got %q", printed)
	}
	if got := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(printed[0], ""); got != printed[1] {
		t.Errorf("got  %q\nwant %q", got, printed[1])
	}
}

// A bot is not notified when an operation starts; the drawing follows from the order of the queue.
func TestThePictureIsWhatTheBotKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := time.Now()
		at := func(d time.Duration) { time.Sleep(time.Until(first.Add(d))) }
		s := demo.NewShown(terminal.Palette{}, false, 200, "{}")
		play := func(id, action, body string) {
			s.Answer(200, `{"id":"`+id+`"}`)
			_ = s.Request("POST", calls+"/x/"+action, body)
		}
		at(time.Second)
		play("a", "playPrompt", `{"clientContext":"welcome","prompts":[{"mediaInfo":{"uri":"embedded:w.wav"}}]}`)
		play("b", "playPrompt", `{"clientContext":"menu"}`)
		at(2 * time.Second)
		_ = s.Request("POST", "/dev/calls/x/tones", `{"tones":"1"}`)
		at(3 * time.Second)
		s.Notify(`{"value":[` + notification("a", "welcome", "completed", 200, 0, "ok") + `]}`)
		at(4 * time.Second)
		play("c", "recordResponse", `{"clientContext":"record","bargeInAllowed":true}`)
		at(4*time.Second + 5*time.Millisecond)
		s.Notify(`{"value":[` + notification("b", "menu", "failed", 400, 8508, "gone") + `]}`)
		play("d", "playPrompt", `{"clientContext":"hours"}`)
		at(5 * time.Second)
		_ = s.Request("POST", calls+"/x/cancelMediaProcessing", `{}`)
		at(5*time.Second + 7*time.Millisecond)
		s.Notify(`{"value":[` + notification("c", "record", "failed", 400, 8508, "gone") + "," + notification("d", "hours", "failed", 400, 8508, "gone") + `]}`)
		at(6 * time.Second)
		play("e", "playPrompt", `{"clientContext":"last"}`)

		const second, never = time.Second, time.Duration(1<<63 - 1)
		got := s.Drawn(first)
		want := []picture.Operation{
			operation("welcome", "playPrompt w.wav", second, second, 3*second, "200/0 ok", false),
			operation("menu", "playPrompt", second, 3*second, 4*second, "400/8508 gone", true),
			operation("record", "recordResponse barges in", 4*second, 4*second, 5*second, "400/8508 gone", true),
			operation("hours", "playPrompt", 4*second+5*time.Millisecond, 5*second, 5*second, "400/8508 gone", true),
			operation("last", "playPrompt", 6*second, 6*second, never, "", false),
		}
		if !slices.Equal(got.Operations, want) {
			t.Errorf("got\n%v, want\n%v", got.Operations, want)
		}
		if want := []picture.Mark{{At: 4 * second, Text: "barge-in"}, {At: 5 * second, Text: "cancel"}}; !slices.Equal(got.Cancels, want) {
			t.Errorf("cancels: got %v, want %v", got.Cancels, want)
		}
		if want := []picture.Mark{{At: 2 * second, Text: "1"}}; !slices.Equal(got.Keys, want) {
			t.Errorf("keys: got %v, want %v", got.Keys, want)
		}
	})
}

func operation(name, what string, accepted, started, ended time.Duration, result string, failed bool) picture.Operation {
	return picture.Operation{
		Name: name, What: what, Accepted: accepted, Started: started, Ended: ended, Result: result, Failed: failed,
	}
}
