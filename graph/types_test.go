package graph_test

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// typeTable is what testdata/types.table says.
type typeTable struct {
	types map[string]declaredType
	enums map[string][]string
}

type declaredType struct {
	base    string
	open    bool
	members map[string]declaredMember
}

type declaredMember struct {
	kind     string // without []
	many     bool
	required bool
}

var publishedTypes = sync.OnceValue(func() typeTable {
	text, err := os.ReadFile("testdata/types.table")
	if err != nil {
		panic(err)
	}
	table := typeTable{map[string]declaredType{}, map[string][]string{}}
	current := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "type":
			current = words[1]
			d := declaredType{open: slices.Contains(words, "open"), members: map[string]declaredMember{}}
			if i := slices.Index(words, ":"); i > 0 {
				d.base = words[i+1]
			}
			table.types[current] = d
		case words[0] == "enum":
			table.enums[words[1]] = words[2:]
		default:
			kind, many := strings.CutPrefix(words[1], "[]")
			table.types[current].members[words[0]] = declaredMember{kind, many, slices.Contains(words, "!")}
		}
	}
	return table
})

// all returns the members of a type, those of what it derives from included.
func (t typeTable) all(name string) map[string]declaredMember {
	members := map[string]declaredMember{}
	for ; name != ""; name = t.types[name].base {
		maps.Copy(members, t.types[name].members)
	}
	return members
}

// derives reports whether a type is another, or derives from it.
func (t typeTable) derives(name, from string) bool {
	for ; name != ""; name = t.types[name].base {
		if name == from {
			return true
		}
	}
	return false
}

// echoed are the members of a call that show what a client has said of it.
var echoed = []string{"source", "targets", "mediaConfig", "chatInfo", "meetingInfo"}

// breaches returns where a value is not of its published type. What a client has said of its call is
// looked into if all is.
func (t typeTable) breaches(path, kind string, v any, all bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	if values, isEnum := t.enums[kind]; isEnum {
		if s, _ := v.(string); !slices.Contains(values, s) {
			say("%s is no %s", show(v), kind)
		}
		return wrong
	}
	switch kind {
	case "String":
		if _, ok := v.(string); !ok {
			say("%s is no string", show(v))
		}
	case "Boolean":
		if _, ok := v.(bool); !ok {
			say("%s is no boolean", show(v))
		}
	case "Int32", "Int64":
		n, ok := v.(float64)
		if !ok || n != math.Trunc(n) || kind == "Int32" && math.Abs(n) > math.MaxInt32 || math.Abs(n) > 1<<53 {
			say("%s is no %s", show(v), kind)
		}
	default:
		return t.objectBreaches(path, kind, v, all)
	}
	return wrong
}

func (t typeTable) objectBreaches(path, kind string, v any, all bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	if roster, ok := v.([]any); ok && kind == "entity" { // a roster, as the page on mute has it
		for i, v := range roster {
			wrong = append(wrong, t.breaches(fmt.Sprintf("%s[%d]", path, i), "participant", v, all)...)
		}
		return wrong
	}
	o, ok := v.(object)
	if _, declared := t.types[kind]; !ok || !declared {
		say("%s is no %s", show(v), kind)
		return wrong
	}
	if named, ok := o["@odata.type"]; ok {
		name, _ := named.(string)
		actual, graphs := strings.CutPrefix(name, "#microsoft.graph.")
		if strings.HasPrefix(name, "#contoso.") { // a platform's own kind
			actual, graphs = "commsOperation", true
		}
		if !graphs || !t.derives(actual, kind) {
			say("@odata.type %s is no %s", show(named), kind)
			return wrong
		}
		kind = actual
	}
	members := t.all(kind)
	for name, m := range members {
		if m.required && o[name] == nil {
			say("%s has no %s", kind, name)
		}
	}
	for name, v := range o {
		m, declared := members[name]
		switch {
		case strings.HasPrefix(name, "@odata."):
			wrong = append(wrong, t.breaches(path+"."+name, "String", v, all)...)
		case name == "outcome" && kind == "commsOperation": // of a platform's own kind
		case !declared && !t.types[kind].open:
			say("%s has no member %s", kind, name)
		case !declared, v == nil && !m.many, kind == "call" && !all && slices.Contains(echoed, name):
		case m.many:
			elements, ok := v.([]any)
			if !ok {
				say("%s is %s, no collection", name, show(v))
			}
			for i, v := range elements {
				wrong = append(wrong, t.breaches(fmt.Sprintf("%s.%s[%d]", path, name, i), m.kind, v, all)...)
			}
		default:
			wrong = append(wrong, t.breaches(path+"."+name, m.kind, v, all)...)
		}
	}
	return wrong
}

// bodyBreaches is for a body that we have sent, of whatever type it says it is.
func bodyBreaches(body any, all bool) []string {
	kind := "operationCollection"
	if named, ok := at(body, "@odata.type").(string); ok {
		kind, _ = strings.CutPrefix(named, "#microsoft.graph.")
		if strings.HasPrefix(named, "#contoso.") {
			kind = "commsOperation"
		}
	} else if at(body, "error") != nil {
		kind = "errorResponse"
	} else if at(body, "value", 0, "@odata.type") == "#microsoft.graph.participant" {
		kind = "participantCollection"
	}
	return publishedTypes().breaches("", kind, body, all)
}

// breached are the breaches of all bodies that all tests have got.
var breached struct {
	sync.Mutex

	first []string
}

// hold holds a body that we have sent to the published types. TestMain reports what is wrong.
func hold(body any) {
	if wrong := bodyBreaches(body, false); len(wrong) > 0 {
		breached.Lock()
		defer breached.Unlock()
		if len(breached.first) < 10 {
			breached.first = append(breached.first, fmt.Sprintf("%s\n\tin %s", strings.Join(wrong, "\n\t"), show(body)))
		}
	}
}

// everyBody runs the tests, and fails if one of them got a body that is not of its published type.
type everyBody struct{ *testing.M }

func (m everyBody) Run() int {
	code := m.M.Run()
	for _, wrong := range breached.first {
		fmt.Println("--- a body is not of its published type:\n\t" + wrong)
		code = 1
	}
	return code
}

// The published bodies themselves are of these types, and so is every body that we send: all states,
// tones, kinds and reasons there are, in answers and notifications. The other tests hold every body
// that they get to the types too.
func TestEveryBodyIsOfItsPublishedType(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	for _, example := range []string{"call-create", "call-create.pstn", "call-create.meeting"} {
		made := bot.request(http.MethodPost, "/communications/calls", published(t, example+".request")).must(t, 201)
		conform(t, example, made.body)
		conform(t, example, bot.request(http.MethodGet, "/communications/calls/"+made.text("id"), nil).must(t, 200).body)
	}
	for _, state := range []graph.CallState{
		graph.Incoming, graph.Ringing, graph.Establishing, graph.Established, graph.Hold, graph.Transferring, graph.TransferAccepted, graph.Redirecting, graph.Terminating,
	} {
		for _, audio := range []graph.MediaState{"", graph.Active, graph.Inactive} {
			call, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{Application: tokens["bot"].ID, State: graph.State{Call: state, Audio: audio}})
			if err != nil {
				t.Fatal(err)
			}
			conform(t, string(state), bot.request(http.MethodGet, "/communications/calls/"+call.ID().String(), nil).must(t, 200).body)
			_ = call.Detach(graph.ResultInfo{Code: 480, Subcode: 10037, Message: "No answer."})
		}
	}
	call := p.attach("bot", "https://bot.contoso.com/c")
	path := "/communications/calls/" + call.ID().String()
	conform(t, "subscribe", bot.post(call, "subscribeToTone", `{"clientContext":"s"}`).must(t, 200).body)
	for key := tone.Tone0; key.Valid(); key++ {
		_, _ = call.tones.Publish(key)
	}
	started := 0
	for reason := operation.Succeeded; reason.Valid(); reason++ {
		for _, action := range []string{"playPrompt", "recordResponse"} {
			made := bot.post(call, action, playBody).must(t, 200)
			conform(t, action, made.body)
			conform(t, action, bot.request(http.MethodGet, path+"/operations/"+made.text("id"), nil).must(t, 200).body)
			started++
			task, err := call.media.WaitStarted(t.Context(), started)
			if err != nil {
				t.Fatal(err)
			}
			task.End(operation.Result{Reason: reason, Recording: operation.Recording{Location: "https://media.example/r", AccessToken: "t"}})
			conform(t, reason.String(), bot.request(http.MethodGet, path+"/operations/"+made.text("id"), nil).must(t, 200).body)
		}
	}
	if _, err := call.Queue().Enqueue(t.Context(), pause{}, queue.ClientContext("own")); err != nil {
		t.Fatal(err)
	}
	conform(t, "list", bot.request(http.MethodGet, path+"/operations", nil).must(t, 200).body)
	conform(t, "cancel", bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200).body)
	conform(t, "error", bot.post(call, "playPrompt", `{}`).must(t, 400).body)
	_ = call.Detach(graph.ResultInfo{})
	for range 2 { // everything was delivered
		box.waitFor(t, "terminated", func(all []object) bool {
			return slices.ContainsFunc(all, func(n object) bool {
				return at(n, "resourceData", "state") == "terminated" && at(n, "resourceData", "id") == call.ID().String()
			})
		})
	}
	for _, body := range box.sent() {
		conform(t, "notification", parse(t, body))
	}
}

// Bodies that are wrong are found to be.
func TestWrongBodiesAreFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"@odata.type":"#microsoft.graph.call","state":"established","colour":"red"}`:                                     "call has no member colour",
		`{"@odata.type":"#microsoft.graph.call","state":"asleep"}`:                                                         "is no callState",
		`{"@odata.type":"#microsoft.graph.call"}`:                                                                          "call has no state",
		`{"@odata.type":"#microsoft.graph.call","state":"established","targets":null}`:                                     "no collection",
		`{"@odata.type":"#microsoft.graph.call","state":"established","targets":[{"x":1}]}`:                                "invitationParticipantInfo has no member x",
		`{"@odata.type":"#microsoft.graph.playPromptOperation","id":"1","status":"Completed"}`:                             "is no operationStatus",
		`{"@odata.type":"#microsoft.graph.playPromptOperation","status":"failed","resultInfo":{"code":"400","subcode":1}}`: "is no Int32",
		`{"@odata.type":"#microsoft.graph.playPromptOperation","status":"failed","completionReason":"operationCanceled"}`:  "is no playPromptCompletionReason",
		`{"@odata.type":"#microsoft.graph.playPromptOperation","status":"failed","recordingLocation":""}`:                  "has no member recordingLocation",
		`{"@odata.type":"#microsoft.graph.commsNotifications","value":[{"changeType":"updated","resourceUrl":"x"}]}`:       "has no resourceData",
		`{"@odata.type":"#microsoft.graph.commsNotifications","value":[{"@odata.type":"#microsoft.graph.call"}]}`:          "is no commsNotification",
		`{"@odata.type":"#microsoft.graph.nothing"}`:                                                                       "is no nothing",
		`{"error":{"code":"x"}}`: "error has no message",
		`{"value":[{"@odata.type":"#microsoft.graph.call","state":"hold"}]}`:                                  "is no commsOperation",
		`{"@odata.type":"#microsoft.graph.call","state":"hold","toneInfo":{"sequenceId":1.5,"tone":"tone1"}}`: "is no Int64",
	} {
		if wrong := strings.Join(bodyBreaches(parse(t, []byte(body)), true), "; "); !strings.Contains(wrong, want) {
			t.Errorf("%s: got %q, want %q", body, wrong, want)
		}
	}
	for name := range bodies {
		kind, isAnswer := strings.CutSuffix(name, ".response")
		if !isAnswer || strings.HasPrefix(name, "sendDtmf") || kind == "operation-get" || kind == "error.generic" {
			continue // of types that we do not send, or, of the error, with fewer members than another page
		}
		for _, wrong := range bodyBreaches(published(t, name), true) { // the page's own
			if !strings.Contains(wrong, "call has no member") && !strings.Contains(wrong, "invitationParticipantInfo has no member") {
				t.Errorf("%s: %s", name, wrong)
			}
		}
	}
}

func conform(t *testing.T, what string, body any) {
	t.Helper()
	for _, wrong := range bodyBreaches(body, true) {
		t.Errorf("%s: %s\n\tin %s", what, wrong, show(body))
	}
}
