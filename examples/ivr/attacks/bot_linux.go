package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// bot is an application's: it makes calls, and takes their notifications.
type bot struct {
	api, token string
	callback   *httptest.Server

	mu   sync.Mutex // guards the block below
	seen map[string]bool
	more chan struct{} // closed by the next notification
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

func newBot(api, token string) *bot {
	b := &bot{api: api, token: token, seen: make(map[string]bool), more: make(chan struct{})}
	b.callback = httptest.NewServer(b)
	return b
}

// ServeHTTP takes notifications.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Value []struct {
			URL      string `json:"resourceUrl"`
			Resource struct {
				State string `json:"state"`
			} `json:"resourceData"`
		} `json:"value"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range body.Value {
		b.seen[plain(n.URL[strings.LastIndexByte(n.URL, '/')+1:])+" "+n.Resource.State] = true
	}
	close(b.more)
	b.more = make(chan struct{})
	w.WriteHeader(http.StatusAccepted)
}

// plain is an id as bodies and addresses have it.
func plain(id string) string { return strings.ToLower(strings.ReplaceAll(id, "-", "")) }

// wait waits for a notification of this call or operation, with this state.
func (b *bot) wait(ctx context.Context, id, state string) error {
	for {
		b.mu.Lock()
		seen, more := b.seen[plain(id)+" "+state], b.more
		b.mu.Unlock()
		if seen {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("%s has no notification of %q: %w", id, state, context.Cause(ctx))
		}
	}
}

// do makes a request, and returns the status and the length of the answer, and the id in it. A body
// that is squeezed is sent as gzip.
func (b *bot) do(
	ctx context.Context, method, path, body string, squeezed bool,
) (status, size int, id string, err error) {
	data := []byte(body)
	if squeezed {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, _ = z.Write(data) // to memory
		_ = z.Close()
		data = buf.Bytes()
	}
	r, err := http.NewRequestWithContext(ctx, method, b.api+path, bytes.NewReader(data))
	if err != nil {
		return 0, 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Content-Type", "application/json")
	if squeezed {
		r.Header.Set("Content-Encoding", "gzip")
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, 0, "", err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(answer.Body)
	var resource struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(text, &resource) // an error has none
	return answer.StatusCode, len(text), resource.ID, err
}

// must makes a request that must be answered with this status, and returns the id in it.
func (b *bot) must(ctx context.Context, want int, method, path, body string) (string, error) {
	status, _, id, err := b.do(ctx, method, path, body, false)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: answered %d, must be %d", method, path, status, want)
	}
	return id, err
}

// call makes a call whose notifications go to callback, and waits until it is established if they
// come here.
func (b *bot) call(ctx context.Context, callback string) (string, error) {
	id, err := b.must(ctx, http.StatusCreated, http.MethodPost, "/communications/calls",
		callOf(callback, "{}"))
	if err != nil || callback != b.callback.URL {
		return id, err
	}
	return id, b.wait(ctx, id, "established")
}

func callOf(callback, targets string) string {
	return `{"callbackUri":"` + callback + `","requestedModalities":["audio"],"targets":[` +
		targets + `],"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig"}}`
}

// play plays prompts, and returns the operation's id.
func (b *bot) play(ctx context.Context, call string, uris ...string) (string, error) {
	return b.must(ctx, http.StatusOK, http.MethodPost, "/communications/calls/"+call+"/playPrompt",
		playOf(uris...))
}

func playOf(uris ...string) string {
	prompts := make([]string, len(uris))
	for i, uri := range uris {
		prompts[i] = `{"mediaInfo":{"uri":"` + uri + `"}}`
	}
	return `{"prompts":[` + strings.Join(prompts, ",") + `]}`
}

// hangUp ends a call.
func (b *bot) hangUp(ctx context.Context, call string) error {
	_, err := b.must(ctx, http.StatusNoContent, http.MethodDelete, "/communications/calls/"+call, "")
	return err
}

// live is the life of a call in which prompts are played, up to the notification of their end.
func (b *bot) live(ctx context.Context, uris ...string) error {
	call, err := b.call(ctx, b.callback.URL)
	if err != nil {
		return err
	}
	for _, uri := range uris {
		op, err := b.play(ctx, call, uri)
		if err != nil {
			return err
		}
		if err := b.wait(ctx, op, ""); err != nil {
			return err
		}
	}
	return b.hangUp(ctx, call)
}

// soon is a context that ends what would not end.
func soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Minute)
}
