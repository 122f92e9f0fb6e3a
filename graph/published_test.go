package graph_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

func published(tb testing.TB, name string) any {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	return parse(tb, data)
}

// bodies says of every body that Graph publishes what we do with it. Each is compared with, or sent
// as, the real thing: see the functions.
var bodies = map[string]func(t *testing.T, name string){
	"call-create.request":                   createCall,
	"call-create.response":                  createCall,
	"call-create.pstn.request":              createPSTNCall,
	"call-create.pstn.response":             createPSTNCall,
	"call-create.establishing.notification": createCall,
	"call-create.established.notification":  createCall,
	"call-create.meeting.request":           joinMeeting,
	"call-create.meeting.response":          joinMeeting,

	"call-create.meeting.establishing.notification": joinMeeting,
	"call-create.meeting.established.notification":  joinMeeting,
	"playPrompt.request":                            play,
	"playPrompt.response":                           play,
	"playPrompt.completed.notification":             play,
	"beta.playPrompt.completed.notification":        play,
	"recordResponse.request":                        record,
	"recordResponse.response":                       record,
	"record.completed.notification":                 record,
	"beta.record.completed.notification":            recordUntilStopTone,
	"record.cancelled.notification":                 recordCancelled,
	"cancelMediaProcessing.request":                 recordCancelled,
	"cancelMediaProcessing.response":                recordCancelled,
	"subscribeToTone.request":                       subscribe,
	"subscribeToTone.response":                      subscribe,
	"call.tone.notification":                        subscribe,
	"call.establishing.notification":                callStates,
	"call.established.notification":                 callStates,
	"call.terminating.notification":                 callStates,
	"call.terminated.notification":                  callStates,
	"operation-get.response":                        readOperation,
	"error.generic.response":                        failWithEnvelope,
	"call-answer.servicehosted.request":             answered,
	"sendDtmfTones.request":                         sendTones,
	"sendDtmfTones.response":                        sendTones,
	"sendDtmfTones.completed.notification":          sendTones,
	"sendDtmfTones.canceled.notification":           sendTonesCancelled,
}

func TestEveryPublishedBodyIsSentOrRead(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok {
			continue
		}
		seen[name] = true
		if bodies[name] == nil {
			t.Errorf("%s: nobody has said what we do with it", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies[name](t, name)
		})
	}
	for name := range bodies {
		if !seen[name] {
			t.Errorf("%s is not in testdata", name)
		}
	}
}

// volatile members have other values in each answer; they need only be there, and of the same type.
var volatile = []string{
	"id", "@odata.id", "@odata.etag", "@odata.context", "resourceUrl", "clientContext", "callbackUri",
	"callChainId", "myParticipantId", "recordingLocation", "recordingAccessToken", "date", "request-id",
	"client-request-id", "displayName", "preFetchMedia",
}

// same reports where got and want differ, volatile values aside. Members that only ours has are
// returned, by path.
func same(t *testing.T, path string, got, want any) (more []string) {
	t.Helper()
	switch want := want.(type) {
	case object:
		g, ok := got.(object)
		if !ok {
			t.Errorf("%s: got %s, want an object", path, show(got))
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			v, ok := g[name]
			switch {
			case !ok:
				t.Errorf("%s: no member %s in %s", path, name, show(got))
			case slices.Contains(volatile, name):
				if _, isString := want[name].(string); isString {
					if _, ok := v.(string); !ok {
						t.Errorf("%s.%s: got %s, want a string", path, name, show(v))
					}
				}
			default:
				more = append(more, same(t, path+"."+name, v, want[name])...)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if _, ok := want[name]; !ok {
				more = append(more, strings.TrimPrefix(path+"."+name, "."))
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			t.Errorf("%s: got %s, want %s", path, show(got), show(want))
			return nil
		}
		for i := range want {
			more = append(more, same(t, path, g[i], want[i])...)
		}
	default:
		if show(got) != show(want) {
			t.Errorf("%s: got %s, want %s", path, show(got), show(want))
		}
	}
	return more
}

// agrees compares, and allows ours to have these members besides, and no others.
func agrees(t *testing.T, got, want any, besides ...string) {
	t.Helper()
	if more := same(t, "", got, want); !slices.Equal(more, besides) {
		t.Errorf("members that only ours has: got %q, want %q", more, besides)
	}
}

// bench is a call with a bot that is notified at once.
func bench(t *testing.T) (*client, *phone, *inbox) {
	t.Helper()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	return p.direct(), p.attach("bot", "https://bot.contoso.com/callback"), box
}

// told returns the batch with the n-th notification in an envelope of its own, without what no page
// shows: resource, the same thing as resourceUrl, with GUIDs.
func told(t *testing.T, box *inbox, n int) any {
	t.Helper()
	v := maps.Clone(box.wait(t, n)[n-1])
	url, _ := v["resourceUrl"].(string)
	resource, _ := v["resource"].(string)
	if !strings.EqualFold(strings.ReplaceAll(resource, "-", ""), strings.ReplaceAll(strings.Replace(url, "communications", "app", 1), "-", "")) {
		t.Errorf("resource: got %q beside %q", resource, url)
	}
	for id := range strings.SplitSeq(strings.ReplaceAll(resource, "/operations", ""), "/") {
		if _, err := uuid.Parse(id); err == nil && len(id) != 36 || strings.ToLower(id) != id {
			t.Errorf("resource: got %q, want GUIDs in it", resource)
		}
	}
	delete(v, "resource")
	return object{"@odata.type": "#microsoft.graph.commsNotifications", "value": []any{v}}
}

func createCall(t *testing.T, _ string) {
	want := published(t, "call-create.response")
	// The page's answer has media to fetch that its request has not, and leaves the type of the
	// target's identity out: ours shows what was asked for.
	delete(at(want, "mediaConfig").(object), "preFetchMedia")
	created(t, "call-create", want)
}

func createPSTNCall(t *testing.T, _ string) {
	want := published(t, "call-create.pstn.response")
	for _, target := range at(want, "targets").([]any) { // null, and on no other target of the page
		delete(target.(object), "region")
		delete(target.(object), "languageId")
	}
	created(t, "call-create.pstn", want)
}

func joinMeeting(t *testing.T, _ string) {
	want := published(t, "call-create.meeting.response")
	created(t, "call-create.meeting", want, "source.countryCode", "source.endpointType")
}

// created creates a call as the page's example of this name does, and compares the answer and the
// notifications that follow with the page's.
func created(t *testing.T, example string, want any, besides ...string) {
	t.Helper()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	p.first = graph.State{Call: graph.Establishing}
	got := p.direct().request("POST", "/communications/calls", published(t, example+".request")).must(t, 201)
	// Only some answers of the page have these: always empty, and of what this wire does not know.
	for _, member := range []string{"callRoutes", "activeModalities", "routingPolicies", "terminationReason", "meetingCapability"} {
		delete(want.(object), member)
	}
	agrees(t, got.body, want, besides...)
	if want := "http://media.example/v1.0/communications/calls/" + got.text("id"); got.header.Get("Location") != want {
		t.Errorf("Location: got %q, want %q", got.header.Get("Location"), want)
	}
	if got.text("callbackUri") != "https://bot.contoso.com/callback" {
		t.Errorf("callbackUri: got %q", got.text("callbackUri"))
	}
	read := p.direct().request("GET", "/communications/calls/"+got.text("id"), nil).must(t, 200)
	if show(read.body) != show(got.body) {
		t.Errorf("read back: got %s, want %s", show(read.body), show(got.body))
	}
	if err := p.last().SetState(graph.State{Call: graph.Established}); err != nil {
		t.Fatal(err)
	}
	for n, state := range []string{"establishing", "established"} {
		if _, err := os.Stat(filepath.Join("testdata", example+"."+state+".notification.json")); err != nil {
			continue // the page has none of this example
		}
		notification := told(t, box, n+1)
		more := same(t, "", notification, published(t, example+"."+state+".notification"))
		for _, name := range more { // of other examples' notifications, and as the meeting's answer has them
			if !slices.Contains([]string{
				"value.resourceData.@odata.etag", "value.resourceData.@odata.id", "value.resourceData.direction",
				"value.resourceData.chatInfo.replyChainMessageId", "value.resourceData.meetingInfo.organizer.user.tenantId",
			}, name) {
				t.Errorf("%s: %s is not the page's", state, name)
			}
		}
		v := at(notification, "value", 0)
		for member, want := range map[string]string{
			"resourceUrl": "/communications/calls/" + got.text("id"), "callbackUri": got.text("callbackUri"),
		} {
			if at(v, member) != want {
				t.Errorf("%s: %s: got %v, want %s", state, member, at(v, member), want)
			}
		}
		if at(v, "resourceData", "id") != got.text("id") || at(v, "resourceData", "@odata.id") != at(v, "resourceUrl") {
			t.Errorf("%s: got %s", state, show(v))
		}
	}
}

func answered(t *testing.T, name string) {
	p := newPlatform(t, new(inbox).Deliver)
	bot, call := p.direct(), p.ring()
	want := published(t, name)
	bot.post(call, "answer", want).must(t, 202)
	got := bot.request("GET", "/communications/calls/"+call.ID().String(), nil).must(t, 200)
	for _, member := range []string{"callbackUri", "mediaConfig"} {
		if show(at(got.body, member)) != show(at(want, member)) {
			t.Errorf("%s: got %s", member, show(at(got.body, member)))
		}
	}
}

func sendTones(t *testing.T, _ string) {
	bot, call, box := bench(t)
	got := bot.post(call, "sendDtmfTones", published(t, "sendDtmfTones.request")).must(t, 200)
	agrees(t, got.body, published(t, "sendDtmfTones.response"))
	task := call.waitStarted(t)
	if req := task.Request().(*operation.SendTones); len(req.Tones) != 12 || req.Tones[11] != tone.Pound || req.Pause.Seconds() != 1 {
		t.Errorf("request: got %+v", req)
	}
	task.End(succeeded())
	agrees(t, told(t, box, 2), published(t, "sendDtmfTones.completed.notification"),
		"value.resourceData.@odata.etag", "value.resourceData.@odata.id")
}

func sendTonesCancelled(t *testing.T, name string) {
	bot, call, box := bench(t)
	bot.post(call, "sendDtmfTones", published(t, "sendDtmfTones.request")).must(t, 200)
	bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
	agrees(t, told(t, box, 2), published(t, name),
		"value.resourceData.@odata.etag", "value.resourceData.@odata.id")
}

func play(t *testing.T, _ string) {
	bot, call, box := bench(t)
	got := bot.post(call, "playPrompt", published(t, "playPrompt.request")).must(t, 200)
	agrees(t, got.body, published(t, "playPrompt.response"))
	if got.text("clientContext") != "d45324c1-fcb5-430a-902c-f20af696537c" {
		t.Errorf("clientContext: got %q", got.text("clientContext"))
	}
	task := call.waitStarted(t)
	if req := task.Request().(*operation.PlayPrompt); req.Prompts[0] != (operation.Prompt{
		URI: "https://cdn.contoso.com/beep.wav", ResourceID: "1D6DE2D4-CD51-4309-8DAA-70768651088E",
	}) {
		t.Errorf("request: got %+v", req)
	}
	task.End(succeeded())
	agrees(t, told(t, box, 2), published(t, "playPrompt.completed.notification"),
		"value.resourceData.completionReason", "value.resourceData.id")
	agrees(t, told(t, box, 2), published(t, "beta.playPrompt.completed.notification"),
		"value.resourceData.completionReason", "value.resourceData.id", "value.resourceData.resultInfo")
}

func record(t *testing.T, _ string) {
	bot, call, box := bench(t)
	got := bot.post(call, "recordResponse", published(t, "recordResponse.request")).must(t, 200)
	agrees(t, got.body, published(t, "recordResponse.response"))
	task := call.waitStarted(t)
	req := *task.Request().(*operation.RecordResponse)
	stop, _ := tone.ParseSet("#1*")
	if !req.BargeIn || req.NoBeep || req.StopTones != stop || len(req.Prompts) != 1 ||
		req.InitialSilence.Seconds() != 5 || req.MaxSilence.Seconds() != 2 || req.MaxDuration.Seconds() != 10 {
		t.Errorf("request: got %+v", req)
	}
	task.End(operation.Result{Reason: operation.MaxDuration, Recording: operation.Recording{
		Location: "https://file.location/17e3b46c-f61d-4f4d-9635-c626ef18e6ad", AccessToken: "<access-token>",
	}})
	want := published(t, "record.completed.notification")
	agrees(t, told(t, box, 2), want, "value.resourceData.completionReason")
	for _, member := range []string{"recordingLocation", "recordingAccessToken"} {
		if got, want := at(box.all()[1], "resourceData", member), at(want, "value", 0, "resourceData", member); got != want {
			t.Errorf("%s: got %v, want %v", member, got, want)
		}
	}
}

func recordUntilStopTone(t *testing.T, name string) {
	bot, call, box := bench(t)
	bot.post(call, "recordResponse", recordBody).must(t, 200)
	call.waitStarted(t).End(operation.Result{Reason: operation.StopTone, Recording: operation.Recording{
		Location: "https://file.location/1", AccessToken: "t",
	}})
	agrees(t, told(t, box, 2), published(t, name), "value.resourceData.resultInfo")
}

func recordCancelled(t *testing.T, _ string) {
	bot, call, box := bench(t)
	bot.post(call, "recordResponse", recordBody).must(t, 200)
	got := bot.post(call, "cancelMediaProcessing", published(t, "cancelMediaProcessing.request")).must(t, 200)
	agrees(t, got.body, published(t, "cancelMediaProcessing.response"))
	if got.text("clientContext") != "clientContext-value" {
		t.Errorf("clientContext: got %q", got.text("clientContext"))
	}
	agrees(t, told(t, box, 2), published(t, "record.cancelled.notification"))
}

func subscribe(t *testing.T, _ string) {
	bot, call, box := bench(t)
	got := bot.post(call, "subscribeToTone", published(t, "subscribeToTone.request")).must(t, 200)
	agrees(t, got.body, published(t, "subscribeToTone.response"))
	if _, err := call.tones.Publish(tone.Tone1); err != nil {
		t.Fatal(err)
	}
	agrees(t, told(t, box, 2), published(t, "call.tone.notification"),
		"value.resourceData.@odata.etag", "value.resourceData.@odata.id", "value.resourceData.id", "value.callbackUri")
}

func callStates(t *testing.T, name string) {
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	call, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{Application: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []graph.CallState{graph.Established, graph.Terminating} {
		if err := call.SetState(graph.State{Call: s}); err != nil {
			t.Error(err)
		}
	}
	if err := call.Detach(graph.ConversationEnded()); err != nil {
		t.Error(err)
	}
	want := published(t, name)
	var ours []string
	if _, ok := at(want, "value", 0, "resourceData", "@odata.id").(string); !ok {
		ours = []string{"value.resourceData.@odata.etag", "value.resourceData.@odata.id"}
	}
	ours = append(ours, "value.resourceData.id") // of the create page
	if info, ok := at(want, "value", 0, "resourceData", "resultInfo").(object); ok {
		info["code"], info["subcode"] = 200, 5001 // the page quotes them; ours are numbers, as elsewhere
	}
	n := map[string]int{"establishing": 1, "established": 2, "terminating": 3, "terminated": 4}[strings.Split(name, ".")[1]]
	agrees(t, told(t, box, n), want, ours...)
}

func readOperation(t *testing.T, name string) {
	bot, call, _ := bench(t)
	want := published(t, name).(object)
	for action, kind := range map[string]string{
		"cancelMediaProcessing": "cancelMediaProcessing", "subscribeToTone": "subscribeToTone", "playPrompt": "playPrompt",
	} {
		made := bot.post(call, action, playBody).must(t, 200)
		got := bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations/"+made.text("id"), nil).must(t, 200)
		want["@odata.type"] = "#microsoft.graph." + kind + "Operation"
		want["status"] = made.text("status")
		agrees(t, got.body, want)
	}
}

func failWithEnvelope(t *testing.T, name string) {
	bot, call, _ := bench(t)
	got := bot.request("POST", "/communications/calls/"+call.ID().String()+"/playPrompt", `{}`, "Client-Request-Id", "c-7").must(t, 400)
	want := published(t, name)
	at(want, "error").(object)["code"], at(want, "error").(object)["message"] = "8523", "prompts is none, must be 1 to 20."
	agrees(t, got.body, want, "error.innerError.client-request-id")
	if at(got.body, "error", "innerError", "client-request-id") != "c-7" {
		t.Errorf("got %s", show(got.body))
	}
	if at(got.body, "error", "innerError", "request-id") != got.header.Get("Request-Id") {
		t.Errorf("request-id: got %s, header %v", show(got.body), got.header)
	}
}
