package ari

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// media is one channel.
type media struct {
	client  *Client
	channel string
}

var _ queue.Media = media{}

// Start asks for the playback, or the recording. Its error is the report, unless an event was
// faster.
func (m media) Start(t queue.Task) error {
	j := &job{task: t, channel: m.channel}
	var prompts []operation.Prompt
	var offset time.Duration
	switch r := t.Request().(type) {
	case *operation.PlayPrompt:
		if r.Loop {
			return errors.New("ari: cannot loop")
		}
		prompts, offset = r.Prompts[r.FirstPrompt:], r.Offset
	case *operation.RecordResponse:
		with := r.WithDefaults()
		j.record, prompts = &with, r.Prompts
	default:
		return fmt.Errorf("ari: cannot do %q", t.Kind())
	}
	for i, p := range prompts {
		if err := playable(p.URI); err != nil {
			return &operation.PromptError{Index: i, Err: err}
		}
	}
	c := m.client
	if err := c.await(t.Context()); err != nil {
		return err
	}
	if len(prompts) == 0 {
		j.phase = recording
	} else {
		j.phase = playing
	}
	if err := c.add(j); err != nil {
		return err
	}
	if j.phase == recording {
		return c.record(context.Background(), j)
	}
	return c.play(j, prompts, offset)
}

// schemes are what Asterisk plays. Of another one it never reports the end.
var schemes = []string{"sound", "recording", "number", "digits", "characters", "tone"}

// playable returns an error for a prompt that the server would not play, or not as one.
func playable(uri string) error {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || !slices.Contains(schemes, scheme) {
		return fmt.Errorf("ari: %.100q: %w: scheme must be one of %s",
			uri, operation.NotDownloadable, strings.Join(schemes, ", "))
	}
	if strings.Contains(uri, ",") {
		return fmt.Errorf("ari: %.100q: %w: there must be no comma", uri, operation.NotDownloadable)
	}
	return nil
}

// play asks for a job's prompts.
func (c *Client) play(j *job, prompts []operation.Prompt, offset time.Duration) error {
	uris := make([]string, len(prompts))
	for i, p := range prompts {
		uris[i] = p.URI
	}
	query := url.Values{"media": {strings.Join(uris, ",")}}
	if offset > 0 {
		query.Set("offsetms", strconv.FormatInt(offset.Milliseconds(), 10))
	}
	return c.begin(context.Background(), j,
		"/channels/"+url.PathEscape(j.channel)+"/play/"+j.id()+"?"+query.Encode())
}

// record asks for a job's recording. Keys end it by events, since the server knows no sets of them.
func (c *Client) record(ctx context.Context, j *job) error {
	query := url.Values{
		"name": {j.id()}, "format": {"wav"}, "ifExists": {"fail"}, "terminateOn": {"none"},
		"beep":               {strconv.FormatBool(!j.record.NoBeep)},
		"maxDurationSeconds": {seconds(j.record.MaxDuration)},
		"maxSilenceSeconds":  {seconds(j.record.MaxSilence)},
	}
	return c.begin(ctx, j, "/channels/"+url.PathEscape(j.channel)+"/record?"+query.Encode())
}

// seconds rounds up to the server's unit.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// begin makes the request that begins a job's phase. What the server refuses is no job any more; of
// what it does not answer nobody knows whether it begins: that is stopped, and stays noted until
// its end is seen, or the server is asked.
func (c *Client) begin(ctx context.Context, j *job, path string) error {
	status, err := c.do(ctx, http.MethodPost, path)
	if err != nil && status != 0 {
		c.take(j.id())
		return err
	}
	c.mu.Lock()
	j.asked = true
	j.stopping = j.stopping || err != nil
	stopping := j.stopping
	c.mu.Unlock()
	if err != nil {
		j.task.Fail(err) // before an end that the stop brings about
	}
	if stopping { // or a key, or the end of the call, came before there was something to stop
		c.stop(ctx, j)
	}
	return err
}

// Stop asks for the end of the playback or recording, which the server then reports.
func (m media) Stop(t queue.Task) {
	c := m.client
	c.mu.Lock()
	j := c.jobs[t.ID().String()]
	if j != nil {
		j.stopping = true
	}
	c.mu.Unlock()
	if j != nil {
		c.stop(context.Background(), j)
	}
}

// stop asks for the end of a job, which the server reports by an event. Where it knows of none any
// more, the event was lost or is on its way, and without an event stream its answer is all
// there will be: there is nothing to wait for.
func (c *Client) stop(ctx context.Context, j *job) {
	c.mu.Lock()
	phase := j.phase
	c.mu.Unlock()
	if phase == recording {
		status, _ := c.do(ctx, http.MethodPost, "/recordings/live/"+j.id()+"/stop")
		if status == http.StatusNotFound && c.isAsked(j) {
			c.settle(ctx, j)
		}
		return
	}
	status, err := c.do(ctx, http.MethodDelete, "/playbacks/"+j.id())
	if status == http.StatusNotFound && c.isAsked(j) || err == nil && !c.connected() {
		if c.take(j.id()) != nil {
			j.task.End(j.played("done"))
		}
	}
}

func (c *Client) isAsked(j *job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return j.asked
}
