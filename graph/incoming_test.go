package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue/queuetest"
	"ivrqueue/webhook"
)

// ring attaches an incoming call of the bot's.
func (p *platform) ring() *phone {
	p.tb.Helper()
	c, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{
		Application: tokens["bot"].ID, CallbackURI: "https://bot.contoso.com/incoming",
		State: graph.State{Call: graph.Incoming}, Resource: graph.Resource{
			Direction:           "incoming",
			Source:              json.RawMessage(`{"@odata.type":"#microsoft.graph.participantInfo","identity":{"phone":{"id":"+15550100"}}}`),
			Targets:             json.RawMessage(`[{"identity":{"application":{"id":"bot"}},"endpointType":null}]`),
			RequestedModalities: []string{"audio"}, MyParticipantID: "c339cede-4bd6-4f20-ab9f-3a13e65f6d00",
		},
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return c
}

const answerBody = `{"callbackUri":"https://bot.contoso.com/answered","acceptedModalities":["Audio"],"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig","preFetchMedia":[]}}`

// The whole of it: announced, answered, established, and notified at the address of the answer.
func TestAnIncomingCallIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		var where []string
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			where = append(where, strings.TrimPrefix(d.CallbackURI, "https://bot.contoso.com/"))
			return box.Deliver(ctx, d)
		})
		bot := p.direct()
		call := p.ring()
		synctest.Wait()
		announced := at(box.all()[0], "resourceData")
		equal(t, "caller", at(announced, "source", "identity", "phone", "id"), any("+15550100"))
		equal(t, "bot", at(announced, "targets", 0, "identity", "application", "id"), any("bot"))
		equal(t, "modality", at(announced, "requestedModalities", 0), any("audio"))
		equal(t, "media before it is answered", bot.post(call, "playPrompt", playBody).status, 409)

		bot.post(call, "answer", answerBody).must(t, 202)
		equal(t, "asked", p.askedFor(), []string{`answer [audio] {"@odata.type":"#microsoft.graph.serviceHostedMediaConfig","preFetchMedia":[]}`})
		_ = call.SetState(graph.State{Call: graph.Established})
		synctest.Wait()
		bot.post(call, "playPrompt", playBody).must(t, 200)
		shown := bot.request("GET", "/communications/calls/"+call.ID().String(), nil).must(t, 200)
		equal(t, "shown", []string{shown.text("state"), shown.text("direction"), shown.text("callbackUri"), shown.text("mediaConfig", "@odata.type")},
			[]string{"established", "incoming", "https://bot.contoso.com/answered", "#microsoft.graph.serviceHostedMediaConfig"})
		time.Sleep(time.Hour) // nobody ends it for not being answered
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{
			"created call incoming", "updated call establishing", "updated call established",
			"deleted playPromptOperation failed p 400/8528", "deleted call terminated 200/5001",
		})
		equal(t, "at", where[:2], []string{"incoming", "answered"})
		for _, action := range []string{"answer", "reject", "redirect"} {
			bot.post(call, action, answerBody).must(t, 404)
		}
	})
}

// Every way in which an incoming call ends before it is established.
func TestAnIncomingCallEndsBeforeItIsEstablished(t *testing.T) {
	t.Parallel()
	const targets = `{"targets":[{"identity":{"user":{"id":"u"}}}]}`
	for _, test := range []struct {
		name  string
		does  func(t *testing.T, p *platform, bot *client, c *phone)
		asked []string
		told  []string // after created
	}{
		{"nobody answers", func(*testing.T, *platform, *client, *phone) { time.Sleep(15 * time.Second) }, nil, []string{"deleted call terminated 408/10057"}},
		{"nobody answers, and then somebody", func(t *testing.T, _ *platform, bot *client, c *phone) {
			time.Sleep(15*time.Second + 1)
			synctest.Wait()
			bot.post(c, "answer", answerBody).must(t, 404)
		}, nil, []string{"deleted call terminated 408/10057"}},
		{"rejected", func(t *testing.T, _ *platform, bot *client, c *phone) {
			bot.post(c, "reject", `{"reason":"Busy"}`).must(t, 202)
			bot.post(c, "reject", `{"reason":"Busy"}`).must(t, 404)
		}, []string{"reject busy"}, []string{"deleted call terminated 200/10550"}},
		{"rejected without a reason", func(t *testing.T, _ *platform, bot *client, c *phone) {
			bot.post(c, "reject", `{}`).must(t, 202)
		}, []string{"reject none"}, []string{"deleted call terminated 200/10550"}},
		{"rejected, by the platform's own result", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(c *graph.Call, _ string) error { return c.Detach(graph.ResultInfo{Code: 480, Subcode: 10199}) }
			bot.post(c, "reject", `{"reason":"forbidden"}`).must(t, 202)
		}, []string{"reject forbidden"}, []string{"deleted call terminated 480/10199"}},
		{"redirected", func(t *testing.T, _ *platform, bot *client, c *phone) {
			bot.post(c, "redirect", targets).must(t, 202)
			bot.post(c, "answer", answerBody).must(t, 409)
			time.Sleep(time.Hour)
			_ = c.Detach(graph.ResultInfo{})
		}, []string{`redirect 55s [{"endpointType":null,"identity":{"user":{"id":"u"}},"replacesCallId":null}]`}, []string{"updated call redirecting", "deleted call terminated 200/5001"}},
		{"the caller hangs up", func(t *testing.T, _ *platform, bot *client, c *phone) {
			_ = c.Detach(graph.ResultInfo{})
			bot.post(c, "answer", answerBody).must(t, 404)
			time.Sleep(time.Minute)
		}, nil, []string{"deleted call terminated 200/5001"}},
		{"the caller hangs up while it is answered", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(c *graph.Call, _ string) error { _ = c.Detach(graph.ResultInfo{}); return nil }
			bot.post(c, "answer", answerBody).must(t, 404)
		}, []string{"answer [audio]"}, []string{"deleted call terminated 200/5001"}},
		{"the bot hangs up", func(t *testing.T, _ *platform, bot *client, c *phone) {
			bot.request("DELETE", "/communications/calls/"+c.ID().String(), nil).must(t, 204)
		}, nil, []string{"updated call terminating", "deleted call terminated 200/5001"}},
		{"the answer fails, and nobody tries again", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(*graph.Call, string) error { return errors.New("no line") }
			time.Sleep(10 * time.Second)
			bot.post(c, "answer", answerBody).must(t, 500)
			time.Sleep(5 * time.Second)
		}, []string{"answer [audio]"}, []string{"deleted call terminated 408/10057"}},
		{"the answer fails when the time is over", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(*graph.Call, string) error { time.Sleep(time.Minute); return graph.ErrUnavailable }
			bot.post(c, "answer", answerBody).must(t, 503)
		}, []string{"answer [audio]"}, []string{"deleted call terminated 408/10057"}},
		{"the answer panics", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(*graph.Call, string) error { panic("no line") }
			bot.post(c, "answer", answerBody).must(t, 500)
			p.does = nil
			bot.post(c, "reject", `{"reason":"none"}`).must(t, 202)
		}, []string{"answer [audio]", "reject none"}, []string{"deleted call terminated 200/10550"}},
		{"the answer takes longer than there is time", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(*graph.Call, string) error { time.Sleep(time.Minute); return nil }
			bot.post(c, "answer", answerBody).must(t, 202)
			time.Sleep(time.Hour)
			_ = c.Detach(graph.ResultInfo{})
		}, []string{"answer [audio]"}, []string{"updated call establishing", "deleted call terminated 200/5001"}},
		{"others decide while the answer is under way", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(*graph.Call, string) error { time.Sleep(time.Minute); return nil }
			time.AfterFunc(time.Second, func() {
				for _, action := range []string{"answer", "reject", "redirect"} {
					bot.post(c, action, `{"targets":[{}]}`).must(t, 409)
				}
			})
			bot.post(c, "answer", answerBody).must(t, 202)
			_ = c.Detach(graph.ResultInfo{})
		}, []string{"answer [audio]"}, []string{"updated call establishing", "deleted call terminated 200/5001"}},
		{"redirected and gone at once", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(c *graph.Call, _ string) error { return c.Detach(graph.ResultInfo{}) }
			bot.post(c, "redirect", `{"targets":[{}]}`).must(t, 202)
		}, []string{`redirect 55s [{"endpointType":null,"replacesCallId":null}]`}, []string{"deleted call terminated 200/5001"}},
		{"the platform answers by itself", func(t *testing.T, _ *platform, bot *client, c *phone) {
			_ = c.SetState(graph.State{Call: graph.Established})
			bot.post(c, "answer", answerBody).must(t, 409)
			time.Sleep(time.Minute)
			_ = c.Detach(graph.ResultInfo{})
		}, nil, []string{"updated call established", "deleted call terminated 200/5001"}},
		{"the platform establishes it at once", func(t *testing.T, p *platform, bot *client, c *phone) {
			p.does = func(c *graph.Call, _ string) error { return c.SetState(graph.State{Call: graph.Established}) }
			bot.post(c, "answer", answerBody).must(t, 202)
			_ = c.Detach(graph.ResultInfo{})
		}, []string{"answer [audio]"}, []string{"updated call established", "deleted call terminated 200/5001"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				box := new(inbox)
				p := newPlatform(t, box.Deliver)
				bot, call := p.direct(), p.ring()
				test.does(t, p, bot, call)
				synctest.Wait()
				equal(t, "notifications", lines(box.all()), append([]string{"created call incoming"}, test.told...))
				asked := p.askedFor()
				for i := range asked {
					if strings.HasPrefix(asked[i], "answer") {
						asked[i], _, _ = strings.Cut(asked[i], " {")
					}
				}
				equal(t, "asked", asked, test.asked)
				equal(t, "calls", p.handler.Stats().Calls, 0)
			})
		})
	}
}

// Of a hundred decisions at once one counts.
func TestOneDecisionCounts(t *testing.T) {
	t.Parallel()
	for range 20 {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithAnswerTimeout(time.Millisecond))
		bot, call := p.direct(), p.ring()
		var mu sync.Mutex
		accepted := 0
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				rep := bot.post(call, []string{"answer", "reject", "redirect"}[i%3], `{"targets":[{}]}`)
				if rep.status == 202 {
					mu.Lock()
					defer mu.Unlock()
					accepted++
				} else if rep.status != 409 && rep.status != 404 {
					t.Errorf("got %d: %s", rep.status, show(rep.body))
				}
			})
		}
		all.Wait()
		_ = call.Detach(graph.ResultInfo{})
		if err := p.handler.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "asked", len(p.askedFor()), accepted)
		if accepted > 1 {
			t.Errorf("%d were accepted: %q", accepted, p.askedFor())
		}
		got := lines(box.all())
		if got[0] != "created call incoming" || len(got) > 3 || !strings.HasPrefix(got[len(got)-1], "deleted call terminated") {
			t.Errorf("told %q", got)
		}
	}
}

// What an application may say is checked before anything is decided.
func TestADecisionIsChecked(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, nil)
	bot, call := p.direct(), p.attach("bot", box.serve(t))
	_ = call.SetState(graph.State{Call: graph.Incoming})
	for _, test := range []struct {
		action, body string
		status       int
		says         string
	}{
		{"answer", `{"callbackUri":"https://10.0.0.1/"}`, 400, "callbackUri"},
		{"answer", `{"acceptedModalities":["smoke"]}`, 400, "acceptedModalities[0]"},
		{"answer", `{"mediaConfig":{"@odata.type":"#microsoft.graph.appHostedMediaConfig"}}`, 400, "mediaConfig"},
		{"answer", `{"mediaConfig":{"x":"` + noise(graph.MaxCallDescription) + `"}}`, 400, "mediaConfig"},
		{"answer", `[]`, 400, "object"},
		{"reject", `{"reason":"bored"}`, 400, "none, busy or forbidden"},
		{"reject", `{"callbackUri":"ftp://x"}`, 400, "callbackUri"},
		{"redirect", `{}`, 400, "targets"},
		{"redirect", `{"targets":[null]}`, 400, "targets[0]"},
		{"redirect", `{"targets":[` + strings.Repeat("{},", graph.MaxRedirectTargets) + `{}]}`, 400, "targets"},
		{"redirect", `{"targets":[{}],"timeout":14}`, 400, "timeout"},
		{"redirect", `{"targets":[{}],"timeout":91}`, 400, "timeout"},
		{"redirect", `{"targets":[{}],"timeout":"15"}`, 400, "timeout"},
		{"mute", `{}`, 409, "Established"},
		{"transfer", `{"transferTarget":{}}`, 409, "Established"},
		{"sendDtmfTones", `{"tones":["tone1"]}`, 409, "Established"},
		{"updateRecordingStatus", `{"status":"recording"}`, 409, "Established"},
	} {
		rep := bot.post(call, test.action, test.body).must(t, test.status)
		if !strings.Contains(rep.text("error", "message"), test.says) {
			t.Errorf("%s %.60s: got %s", test.action, test.body, show(rep.body))
		}
	}
	equal(t, "asked", p.askedFor(), nil)
	other := p.direct()
	other.token = "other"
	other.post(call, "answer", `{}`).must(t, 404)
	for i, body := range []string{`{"targets":[{},{}]}`, `{"targets":[{}],"timeout":15.0}`} {
		fresh := p.attach("bot", box.serve(t))
		_ = fresh.SetState(graph.State{Call: graph.Incoming})
		bot.post(fresh, "redirect", body).must(t, 202)
		if got := p.askedFor()[i]; !strings.HasPrefix(got, []string{"redirect 1m0s", "redirect 15s"}[i]) {
			t.Errorf("got %s", got)
		}
	}
}

// What a platform has nothing for, and what we do not do, is 501 with the envelope; on a call of
// another's it is 404 all the same.
func TestWhatIsNotThereIsNotImplemented(t *testing.T) {
	t.Parallel()
	h, err := graph.New(graph.Platform{Authenticate: authenticate, Deliver: new(inbox).Deliver})
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{tb: t, handler: h}
	t.Cleanup(p.stop)
	bot, call := p.direct(), p.attach("bot", "")
	other := p.direct()
	other.token = "other"
	paths := []string{}
	for _, a := range []string{"answer", "reject", "redirect", "transfer", "mute", "unmute", "updateRecordingStatus", "sendDtmfTones"} {
		paths = append(paths, "POST /"+a)
	}
	for _, r := range h.Routes() {
		if _, rest, ok := strings.Cut(r.Path, "{call}"); r.Missing && ok {
			paths = append(paths, r.Method+" "+strings.NewReplacer("{", "", "}", "").Replace(rest))
		}
	}
	if len(paths) < 20 {
		t.Fatalf("got %q", paths)
	}
	for _, path := range append(paths, "POST /participants/microsoft.graph.invite") {
		method, path, _ := strings.Cut(path, " ")
		url := "/communications/calls/" + call.ID().String() + path
		rep := bot.request(method, url, `{}`).must(t, 501)
		if rep.text("error", "code") == "" || rep.text("error", "innerError", "request-id") == "" {
			t.Errorf("%s: got %s", path, show(rep.body))
		}
		other.request(method, url, `{}`).must(t, 404)
	}
	for _, action := range []string{"logTeleconferenceDeviceQuality", "LogTeleconferenceDeviceQuality/", "microsoft.graph.logTeleconferenceDeviceQuality"} { // of no call
		rep := bot.request(http.MethodPost, "/communications/calls/"+action, `{}`).must(t, 501)
		if rep.text("error", "innerError", "request-id") == "" {
			t.Errorf("%s: got %s", action, show(rep.body))
		}
		bot.request(http.MethodGet, "/communications/calls/"+action, nil).must(t, 404)
	}
}

// The bot and the caller, with their ids; the one who is muted is shown as such.
func TestParticipantsAreTheBotAndTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithRoster())
		bot, call := p.direct(), p.ring()
		list := func() []any {
			value, _ := at(bot.request("GET", "/communications/calls/"+call.ID().String()+"/participants", nil).must(t, 200).body, "value").([]any)
			return value
		}
		equal(t, "before it is answered", len(list()), 1)
		_ = call.SetState(graph.State{Call: graph.Established})
		_ = call.SetState(graph.State{Call: graph.Established, Audio: graph.Active})
		both := list()
		equal(t, "participants", []any{len(both), at(both, 0, "id"), at(both, 0, "info", "identity", "application", "id"), at(both, 1, "info", "identity", "phone", "id"), at(both, 0, "isMuted")},
			[]any{2, "c339cede-4bd6-4f20-ab9f-3a13e65f6d00", "bot", "+15550100", false})
		for _, one := range both {
			id, _ := at(one, "id").(string)
			got := bot.request("GET", "/communications/calls/"+call.ID().String()+"/participants/"+strings.ToUpper(id), nil).must(t, 200)
			equal(t, "one", show(got.body), show(one))
		}
		bot.request("GET", "/communications/calls/"+call.ID().String()+"/participants/7", nil).must(t, 404)

		muted := bot.post(call, "mute", `{"clientContext":"m"}`).must(t, 200)
		equal(t, "mute", []string{muted.text("@odata.type"), muted.text("status"), muted.text("clientContext")}, []string{"#microsoft.graph.muteParticipantOperation", "completed", "m"})
		read := bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations/"+muted.text("id"), nil).must(t, 200)
		equal(t, "read", read.text("@odata.type"), "#microsoft.graph.muteParticipantOperation")
		equal(t, "muted", at(list(), 0, "isMuted"), any(true))
		bot.post(call, "unmute", `{}`).must(t, 200)
		p.does = func(*graph.Call, string) error { return errors.New("no") }
		bot.post(call, "mute", `{}`).must(t, 500)
		equal(t, "asked", p.askedFor(), []string{"mute true", "mute false", "mute true"})
		synctest.Wait()
		var told []string
		for _, n := range box.all() {
			url, _ := n["resourceUrl"].(string)
			resource, _ := n["resource"].(string)
			if rest, ok := strings.CutPrefix(url, "/communications/calls/"+call.ID().String()); ok && rest == "/participants" && resource == "/app/calls/"+call.ID().String()+rest {
				told = append(told, strings.Join([]string{n["changeType"].(string), show(at(n, "resourceData", 0, "isMuted")), show(at(n, "resourceData", 1, "isMuted"))}, " "))
			}
		}
		equal(t, "notifications", told, []string{"updated false false", "updated true false", "updated false false"})
	})
}

// The other actions are handed to the platform, one at a time, and what fails has not happened.
func TestActionsAreHandedToThePlatform(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		rep := bot.post(call, "updateRecordingStatus", `{"clientContext":"r","status":"Recording"}`).must(t, 200)
		equal(t, "recording", []string{rep.text("@odata.type"), rep.text("status")}, []string{"#microsoft.graph.updateRecordingStatusOperation", "completed"})
		bot.post(call, "updateRecordingStatus", `{"status":"unknown"}`).must(t, 400)
		bot.post(call, "transfer", `{}`).must(t, 400)
		p.does = func(*graph.Call, string) error { return graph.ErrUnavailable }
		bot.post(call, "transfer", `{"transferTarget":{"identity":{}}}`).must(t, 503)
		equal(t, "state", call.State().Call, graph.Established)
		p.does = nil
		bot.post(call, "transfer", `{"transferTarget":{"identity":{}}}`).must(t, 202)
		equal(t, "state", call.State().Call, graph.Transferring)
		none := p.direct()
		none.token = "none"
		mine := p.attach("none", "")
		none.post(mine, "transfer", `{"transferTarget":{}}`).must(t, 403)
		none.post(mine, "redirect", `{"targets":[{}]}`).must(t, 403)
		none.post(mine, "mute", `{}`).must(t, 200)

		var under, most int
		var mu sync.Mutex
		p.does = func(*graph.Call, string) error {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			under--
			mu.Unlock()
			return nil
		}
		for i := range 10 {
			go bot.post(call, []string{"mute", "unmute"}[i%2], `{}`)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		equal(t, "at once", most, 1)
	})
}

// Tones are sent in their turn; what came of it is delivered as the page has it.
func TestTonesAreSentThroughTheQueue(t *testing.T) {
	t.Parallel()
	bot, call, box := bench(t)
	bot.post(call, "playPrompt", playBody).must(t, 200)
	sent := bot.post(call, "sendDtmfTones", `{"clientContext":"d","tones":["tone1","Star","flash","5"],"delayBetweenTonesMs":500}`).must(t, 200)
	equal(t, "status", sent.text("status"), "notStarted")
	call.waitStarted(t).End(succeeded())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	task, err := call.media.WaitStarted(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	req := task.Request().(*operation.SendTones)
	if len(req.Tones) != 4 || req.Pause != 500*time.Millisecond || req.Kind() != operation.KindSendTones {
		t.Errorf("got %+v", req)
	}
	task.End(succeeded())
	bot.post(call, "sendDtmfTones", `{"tones":["tone2"]}`).must(t, 200)
	bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
	var got []string
	for _, n := range box.wait(t, 4)[2:] {
		data := n["resourceData"].(object)
		if _, has := data["resultInfo"]; has {
			t.Errorf("got %s", show(n))
		}
		got = append(got, strings.Join([]string{data["@odata.type"].(string), data["status"].(string), data["completionReason"].(string)}, " "))
	}
	const kind = "#microsoft.graph.sendDtmfTonesOperation completed "
	equal(t, "notifications", got, []string{kind + "completedSuccessfully", kind + "mediaOperationCanceled"})
	read := bot.request(http.MethodGet, "/communications/calls/"+call.ID().String()+"/operations", nil).must(t, 200)
	for _, op := range at(read.body, "value").([]any) {
		if strings.Contains(show(op), "sendDtmf") && (at(op, "status") != "completed" || at(op, "resultInfo") != nil) {
			t.Errorf("read: %s", show(op))
		}
	}
	for body, says := range map[string]string{
		`{}`:                       "tones",
		`{"tones":[]}`:             "tones",
		`{"tones":["tone10"]}`:     "tones[0]",
		`{"tones":["tone1",null]}`: "tones[1]",
		`{"tones":["1"],"delayBetweenTonesMs":30001}`:                           "delayBetweenTonesMs",
		`{"tones":["1"],"delayBetweenTonesMs":-1}`:                              "delayBetweenTonesMs",
		`{"tones":["1"],"delayBetweenTonesMs":1.5}`:                             "delayBetweenTonesMs",
		`{"tones":[` + strings.Repeat(`"1",`, operation.MaxSendTones) + `"1"]}`: "tones",
	} {
		if rep := bot.post(call, "sendDtmfTones", body).must(t, 400); !strings.Contains(rep.text("error", "message"), says) {
			t.Errorf("%.60s: got %s", body, show(rep.body))
		}
	}
}
