package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"ivrqueue/webhook"
)

// bot is a client of the API, and a server for its notifications, which it prints.
type bot struct {
	*httptest.Server

	notifications chan string

	mu  sync.Mutex
	had map[string]bool // deliveries, by id
}

func newBot() *bot {
	b := &bot{notifications: make(chan string, 10), had: make(map[string]bool)}
	b.Server = httptest.NewServer(b)
	return b
}

// ask posts to a node, and prints what came of it. It returns the id of what was made.
func (b *bot) ask(ctx context.Context, n *node, what, path, body string) (id string, err error) {
	url := n.server.URL + "/v1.0/communications/calls" + path
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w, err := b.Client().Do(r)
	if err != nil {
		return "", err
	}
	defer w.Body.Close() //nolint:errcheck // it was only read
	fmt.Println(what+":", w.Status)
	var made struct {
		ID string `json:"id"`
	}
	return made.ID, json.NewDecoder(w.Body).Decode(&made)
}

// hear waits for n notifications, and prints them.
func (b *bot) hear(ctx context.Context, n int) error {
	for range n {
		select {
		case what := <-b.notifications:
			fmt.Println("notification:", what)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// ServeHTTP takes notifications. They come at least once: one may come again from another node, if
// that does not know that the bot has had it. Its id is the same then.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Value []struct {
			ResourceData struct {
				Type          string `json:"@odata.type"`
				State, Status string
				ResultInfo    *struct{ Code, Subcode int }
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id := r.Header.Get(webhook.HeaderID)
	if b.had[id] {
		return
	}
	b.had[id] = true
	for _, n := range body.Value {
		d := n.ResourceData
		what := strings.TrimPrefix(d.Type, "#microsoft.graph.") + " " + d.State + d.Status
		if d.ResultInfo != nil {
			what += fmt.Sprintf(" %d/%d", d.ResultInfo.Code, d.ResultInfo.Subcode)
		}
		b.notifications <- what
	}
}
