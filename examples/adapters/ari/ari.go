package ari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"ivrqueue/examples/adapters/internal/lines"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// errDown ends what is under way when the event stream breaks: no end will be told any more.
var errDown = errors.New("ari: no event stream")

// Client is one connection to the server, for all calls. Connect makes it, Close ends it. It is
// safe for concurrent use.
type Client struct {
	base string
	http *http.Client
	log  *slog.Logger
	hang context.CancelFunc
	over chan struct{} // closed when the event stream has ended

	mu    sync.Mutex            // guards the block below
	tasks map[string]queue.Task // by channel, until the end was told; nil when down
}

// Connect opens the event stream. Every other request may take up to patience, which must be less
// than half the stop timeout of the queues: a Start that gets no answer asks twice, and is given up
// if that takes longer. An event that is longer than [MaxEvent] is lost, and told to log, on the
// goroutine that takes events; nil is slog.Default.
func Connect(base string, patience time.Duration, log *slog.Logger) (*Client, error) {
	if log == nil {
		log = slog.Default()
	}
	ctx, hang := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/events", http.NoBody)
	if err != nil {
		hang()
		return nil, err
	}
	events, err := http.DefaultClient.Do(req) //nolint:bodyclose // read closes it
	if err != nil {
		hang()
		return nil, err
	}
	c := &Client{
		base: base, http: &http.Client{Timeout: patience}, log: log, hang: hang,
		over: make(chan struct{}), tasks: map[string]queue.Task{},
	}
	go c.read(events.Body)
	return c, nil
}

// Close ends the event stream, and fails what is under way.
func (c *Client) Close() {
	c.hang()
	<-c.over
}

// MaxEvent is how long an event may be, in bytes: 64 KiB.
const MaxEvent = lines.Max

// event is what the server tells of the end of a playback.
type event struct {
	Type     string `json:"type"`
	Playback struct {
		ID     string `json:"id"`
		State  string `json:"state"`
		Target string `json:"target_uri"` // "channel:" and its name
	} `json:"playback"`
}

// finished reads an event. It reports false for one that ends no playback.
func finished(line []byte) (e event, ok bool) {
	return e, json.Unmarshal(line, &e) == nil && e.Type == "PlaybackFinished"
}

// read takes events until the stream ends.
func (c *Client) read(events io.ReadCloser) {
	defer close(c.over)
	defer func() { _ = events.Close() }()
	in := lines.New(events)
	for {
		line, cut, err := in.Next()
		if err != nil {
			break
		}
		if cut { // an end that is lost with it is the queue's business, as any other
			c.log.Warn("ari: event lost, it is too long", slog.Int("max", MaxEvent))
			continue
		}
		e, ok := finished(line)
		if !ok {
			continue
		}
		t := c.take(strings.TrimPrefix(e.Playback.Target, "channel:"), e.Playback.ID)
		if e.Playback.State != "done" {
			t.Fail(fmt.Errorf("%w: %.100s", operation.PromptFailed, e.Playback.State))
			continue
		}
		t.End(operation.Result{})
	}
	c.mu.Lock()
	tasks := c.tasks
	c.tasks = nil
	c.mu.Unlock()
	for _, t := range tasks {
		t.Fail(errDown)
	}
}

// put notes the channel's task. What it had before was reported, or given up by its queue.
func (c *Client) put(channel string, t queue.Task) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tasks == nil {
		return errDown
	}
	c.tasks[channel] = t
	return nil
}

// take returns the task of this playback to whoever is first, to be reported; to others the zero
// Task, which takes any report.
func (c *Client) take(channel, playback string) queue.Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tasks[channel]
	if t.ID().String() != playback {
		return queue.Task{}
	}
	delete(c.tasks, channel)
	return t
}

// do makes a request and returns the status of the answer, zero if there is none, and an error if
// it is not one of success.
func (c *Client) do(method, path string) (int, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, c.base+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("ari: %s %s: %.100s", method, path, answer.Status)
	}
	return answer.StatusCode, err
}
