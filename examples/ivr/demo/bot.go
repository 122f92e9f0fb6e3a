package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// object is a JSON object.
type object = map[string]any

// bot is a client of the API, and the callback address that it names: an http.Handler.
type bot struct {
	timeline *timeline
	story    *story
	base     string // of the service
	token    string
	client   *http.Client

	// turn is held from a request until its answer was shown: the notification that it causes is
	// shown behind it, as it was sent.
	turn sync.Mutex

	mu   sync.Mutex // guards the block below
	got  []object   // notifications that nobody has waited for yet
	more chan struct{}
}

// answer is what the service answers.
type answer struct {
	location string
	body     []byte
}

// id returns the member id of the answer.
func (a answer) id() string {
	var resource struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(a.body, &resource) // an answer without one is found out by what follows
	return resource.ID
}

// request makes a request, shows it and its answer, and wants a status.
func (b *bot) request(
	ctx context.Context, method, path, body string, want int,
) (answer, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	began := time.Now()
	b.timeline.show(requestRow(method, path, body), []byte(body))
	b.timeline.exchanged(method+" "+path+"\nContent-Type: application/json\n", []byte(body))
	status, header, data, err := b.fetch(ctx, method, b.base+path, b.token, body)
	if err != nil {
		return answer{}, err
	}
	a := answer{location: header.Get("Location"), body: data}
	b.timeline.show(answerRow(status, data), data)
	head := fmt.Sprintf("%d %s\nContent-Type: %s\n", status, http.StatusText(status),
		header.Get("Content-Type"))
	if a.location != "" {
		head += "Location: " + a.location + "\n"
	}
	b.timeline.exchanged(head, data)
	if status != want {
		return a, fmt.Errorf("%s %s: got %d, want %d", method, path, status, want)
	}
	b.record(path, body, a, began)
	return a, nil
}

// record adds what was asked for to the story.
func (b *bot) record(url, body string, a answer, began time.Time) {
	var r request
	_ = json.Unmarshal([]byte(body), &r) // one without a body is no action
	switch action := path.Base(url); action {
	case "playPrompt", "recordResponse":
		b.story.accepted(a.id(), action, r, began)
	case "cancelMediaProcessing":
		b.story.cancelled("cancel", began)
	case "tones":
		b.story.pressed(r.Tones, began)
	}
}

// fetch makes a request.
func (b *bot) fetch(
	ctx context.Context, method, url, token, body string,
) (status int, header http.Header, data []byte, err error) {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, in)
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w, err := b.client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer w.Body.Close() //nolint:errcheck // it was only read
	data, err = io.ReadAll(w.Body)
	return w.StatusCode, w.Header, data, err
}

// download gets a file, and says when it asked for it.
func (b *bot) download(
	ctx context.Context, url, token string,
) (data []byte, asked time.Time, err error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	asked = time.Now()
	b.timeline.show(requestRow(http.MethodGet, strings.TrimPrefix(url, b.base), ""), nil)
	status, _, data, err := b.fetch(ctx, http.MethodGet, url, token, "")
	if err != nil {
		return nil, asked, err
	}
	r := answerRow(status, nil)
	r.details = fmt.Sprintf("%d kB", (len(data)+999)/1000)
	b.timeline.show(r, nil)
	if status != http.StatusOK {
		return nil, asked, fmt.Errorf("%s: got %d, want 200", url, status)
	}
	return data, asked, nil
}

// ServeHTTP is the callback: it takes notifications, and answers at once.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	var body struct {
		Value []object `json:"value"`
	}
	var typed struct {
		Value []struct {
			ResourceData resource `json:"resourceData"`
		} `json:"value"`
	}
	if err != nil || json.Unmarshal(data, &body) != nil || json.Unmarshal(data, &typed) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.turn.Lock()
	b.timeline.exchanged("POST "+r.URL.Path+"\n", data)
	for i, n := range typed.Value {
		b.story.notified(n.ResourceData, now)
		shown := data
		if i > 0 {
			shown = nil // it is all under the first line
		}
		b.timeline.show(notificationRow(n.ResourceData), shown)
	}
	b.turn.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, body.Value...)
	close(b.more)
	b.more = make(chan struct{})
	w.WriteHeader(http.StatusAccepted)
}

// wait returns the first notification whose resource is what is waited for, and takes it from those
// that nobody has waited for yet.
func (b *bot) wait(
	ctx context.Context, what string, is func(resource object) bool,
) (object, error) {
	for {
		b.mu.Lock()
		more := b.more
		for i, n := range b.got {
			if resource, _ := n["resourceData"].(object); is(resource) {
				b.got = slices.Delete(b.got, i, i+1)
				b.mu.Unlock()
				return n, nil
			}
		}
		b.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, fmt.Errorf("no notification that %s: %w", what, context.Cause(ctx))
		}
	}
}

// waitEnd waits for an operation's end, and wants its result.
func (b *bot) waitEnd(ctx context.Context, id string, code, subcode float64) (object, error) {
	n, err := b.wait(ctx, "operation "+id+" has ended", func(r object) bool { return r["id"] == id })
	if err != nil {
		return nil, err
	}
	resource, _ := n["resourceData"].(object)
	info, _ := resource["resultInfo"].(object)
	if info["code"] != code || info["subcode"] != subcode {
		return n, fmt.Errorf("operation %s ended with %v/%v, want %v/%v",
			id, info["code"], info["subcode"], code, subcode)
	}
	return n, nil
}

// waitState waits for a state of the call.
func (b *bot) waitState(ctx context.Context, state, audio string) error {
	_, err := b.wait(ctx, "the call is "+state+" "+audio, func(r object) bool {
		media, _ := r["mediaState"].(object)
		active, _ := media["audio"].(string)
		return r["state"] == state && active == audio
	})
	return err
}

// waitTone waits for a key.
func (b *bot) waitTone(ctx context.Context, tone string) error {
	_, err := b.wait(ctx, tone+" was pressed", func(r object) bool {
		info, _ := r["toneInfo"].(object)
		return info["tone"] == tone
	})
	return err
}

// Pause waits for d, or until ctx ends, whose cause it returns then.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
