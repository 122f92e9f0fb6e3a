package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// bot is a client of the API, and a server for its notifications. It prints both.
func bot(ctx context.Context, calls string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	notifications := make(chan string, 10)
	callback := httptest.NewServer(receiver(notifications))
	defer callback.Close()
	defer http.DefaultClient.CloseIdleConnections()

	url := calls
	for _, step := range []struct {
		method, action, body string
		notifications        int // that come of it
	}{
		{http.MethodPost, "", `{
			"callbackUri": "` + callback.URL + `", "requestedModalities": ["audio"],
			"targets": [{"identity": {"phone": {"id": "+12345678901"}}}],
			"mediaConfig": {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}}`, 1},
		{http.MethodPost, "/playPrompt", `{
			"loop": true,
			"prompts": [{"mediaInfo": {"uri": "https://cdn.contoso.com/music.wav"}}]}`, 0},
		{http.MethodPost, "/cancelMediaProcessing", `{}`, 1},
		{http.MethodDelete, "", "", 2},
	} {
		answer, err := ask(ctx, step.method, url+step.action, step.body)
		if err != nil {
			return err
		}
		fmt.Println("bot:", step.method, cmp.Or(step.action, "call"), answer.Status)
		for range step.notifications {
			select {
			case what := <-notifications:
				fmt.Println("notification:", what)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if url == calls {
			url += "/" + answer.ID
		}
	}
	return nil
}

// answer is what a request got.
type answer struct {
	Status string `json:"-"`
	ID     string `json:"id"` // of the call, or the operation
}

// ask makes a request.
func ask(ctx context.Context, method, url, body string) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, err
	}
	defer w.Body.Close() //nolint:errcheck // it was only read
	if w.StatusCode != http.StatusNoContent {
		err = json.NewDecoder(w.Body).Decode(&a)
	}
	a.Status = w.Status
	return a, err
}

// receiver takes notifications.
func receiver(notifications chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
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
		for _, n := range body.Value {
			d := n.ResourceData
			what := strings.TrimPrefix(d.Type, "#microsoft.graph.") + " " + d.State + d.Status
			if d.ResultInfo != nil {
				what += fmt.Sprintf(" %d/%d", d.ResultInfo.Code, d.ResultInfo.Subcode)
			}
			notifications <- what
		}
	}
}
