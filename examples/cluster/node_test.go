package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// A call that was hung up is not kept: a node lives for long.
func TestACallThatWasHungUpIsNotKept(t *testing.T) {
	t.Parallel()
	n := new(node)
	var err error
	n.handler, err = graph.New(graph.Platform{
		Authenticate: authenticate, CreateCall: n.createCall, HangUp: n.hangUp,
		Deliver: func(context.Context, webhook.Delivery) error { return nil },
	}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	n.server = httptest.NewServer(n.handler)
	defer n.server.Close()
	bot := newBot()
	defer bot.Close()
	id, err := bot.ask(t.Context(), n, "call", "", `{"callbackUri": "https://bot.example"}`)
	if err != nil {
		t.Fatal(err)
	}
	url := n.server.URL + "/v1.0/communications/calls/" + id
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	w, err := bot.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusNoContent {
		t.Errorf("got %s", w.Status)
	}
	n.calls.Range(func(id, _ any) bool {
		t.Errorf("call %v is kept", id)
		return true
	})
	if err := n.handler.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
