package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/queue/queuetest"
)

// Each role of the page is for calls of its kind, and for no other.
func TestARoleIsForCallsOfItsKind(t *testing.T) {
	t.Parallel()
	var app graph.Application
	p := &platform{tb: t, first: graph.State{Call: graph.Established}}
	h, err := graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) { return app, nil }, CreateCall: p.create, Deliver: new(inbox).Deliver,
	}, graph.WithLogger(quiet), graph.WithMaxRequests(0))
	if err != nil {
		t.Fatal(err)
	}
	p.handler = h
	t.Cleanup(p.stop)
	const one, group, meeting = "one", "group", "meeting"
	wishes := map[string][]string{
		one:     {``, `,"targets":[]`, `,"targets":[{}]`, `,"targets":[{}],"chatInfo":null,"meetingInfo":null`},
		group:   {`,"targets":[{},{}]`},
		meeting: {`,"meetingInfo":{}`, `,"chatInfo":{}`, `,"targets":[{},{}],"MeetingInfo":{"a":1}`},
	}
	for roles, may := range map[string]string{
		"": "", "Calls.AccessMedia.All": "", "OnlineMeetings.Read.All": "", "calls": "", "Calls.Initiate.All ": "", "Calls.Initiate.All,Calls.InitiateGroupCall.All": "",
		"Calls.Initiate.All": one, "Calls.InitiateGroupCall.All": group, "Calls.InitiateGroupCalls.All": group,
		"Calls.JoinGroupCall.All": meeting, "Calls.JoinGroupCalls.All": meeting, "Calls.JoinGroupCallAsGuest.All": meeting, "Calls.JoinGroupCallasGuest.All": meeting,
		"Calls.JoinGroupCallsAsGuest.All": meeting, "Calls.JoinGroupCalls.Chat": meeting,
		"Calls.AccessMedia.All Calls.InitiateGroupCall.All Calls.Initiate.All": one + group, "Calls.JoinGroupCall.All Calls.Initiate.All": one + meeting,
	} {
		app = graph.Application{ID: "a", Roles: strings.Split(roles, " ")}
		if roles == "Calls.Initiate.All " {
			app.Roles = []string{roles}
		}
		for kind, bodies := range wishes {
			for _, members := range bodies {
				r := p.direct().request(http.MethodPost, "/communications/calls", `{"callbackUri":"x"`+members+`}`)
				if strings.Contains(may, kind) {
					r.must(t, 201)
					continue
				}
				if envelope(t, r); r.status != 403 || r.text("error", "code") != "7504" || r.header.Get("WWW-Authenticate") != `Bearer error="insufficient_scope"` {
					t.Errorf("%q, %s: got %d %v: %s", roles, members, r.status, r.header, show(r.body))
				}
				wants := map[string]string{one: graph.RoleInitiate, group: graph.RoleInitiateGroup, meeting: graph.RoleJoinGroup}[kind]
				if may != "" && !strings.Contains(r.text("error", "message"), wants) {
					t.Errorf("%q, %s: got %s, want %s in it", roles, members, show(r.body), wants)
				}
			}
		}
	}
	// Permissions are checked when a call is created, not for each action.
	app = graph.Application{ID: tokens["bot"].ID}
	call, err := p.add(h.Attach, new(queuetest.Media), graph.Attachment{Application: app.ID, State: graph.State{Call: graph.Established}})
	if err != nil {
		t.Fatal(err)
	}
	p.direct().post(call, "playPrompt", playBody).must(t, 200)
	// Who may create no call at all is delivered so before the body is read.
	p.direct().request(http.MethodPost, "/communications/calls", `no JSON`).must(t, 403)
}
