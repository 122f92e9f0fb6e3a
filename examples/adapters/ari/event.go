package ari

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"unicode/utf8"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// event is what of the server's events is of use here. See rest-api/api-docs/events.json of
// Asterisk.
type event struct {
	Type      string        `json:"type"`
	Playback  livePlayback  `json:"playback"`
	Recording liveRecording `json:"recording"`
	Channel   struct {
		ID string `json:"id"`
	} `json:"channel"`
	Digit string `json:"digit"`
}

type livePlayback struct {
	ID    string `json:"id"`
	State string `json:"state"` // queued, playing, continuing, done, failed
}

type liveRecording struct {
	Name     string `json:"name"`
	State    string `json:"state"` // queued, recording, paused, done, failed, canceled
	Cause    string `json:"cause"`
	Duration int64  `json:"duration"`         // s
	Talking  *int64 `json:"talking_duration"` // s; only if silence is limited
}

// parse reads an event, and reports whether it is one.
func parse(text []byte) (e event, ok bool) {
	return e, json.Unmarshal(text, &e) == nil && e.Type != ""
}

// handle does what an event asks for. It waits for nothing but inline callbacks of queues.
func (c *Client) handle(ctx context.Context, e event) {
	switch e.Type {
	case "PlaybackFinished":
		c.playbackFinished(ctx, e.Playback)
	case "RecordingStarted":
		c.recordingStarted(ctx, e.Recording.Name)
	case "RecordingFinished", "RecordingFailed":
		c.recordingFinished(e.Recording)
	case "ChannelDtmfReceived":
		c.pressed(ctx, e.Channel.ID, e.Digit)
	case "StasisEnd", "ChannelDestroyed":
		c.left(e.Channel.ID)
	case "ApplicationReplaced":
		c.config.Log.Error("ari: another client has connected with this application's name; "+
			"it gets the events now", slog.String("app", c.config.App))
	}
}

// playbackFinished ends a play. The prompt of a recording is followed by that.
func (c *Client) playbackFinished(ctx context.Context, p livePlayback) {
	c.mu.Lock()
	j := c.jobs[p.ID]
	if j == nil || j.phase != playing {
		c.mu.Unlock()
		return
	}
	if j.record != nil && p.State == "done" && !j.stopping && j.task.Live() {
		j.phase, j.asked = recording, false
		c.mu.Unlock()
		c.work.Go(func() {
			if err := c.record(ctx, j); err != nil {
				j.task.Fail(err)
			}
		})
		return
	}
	delete(c.jobs, p.ID)
	c.mu.Unlock()
	j.task.End(j.played(p.State))
}

// recordingFinished ends a recording. A name is the server's word: that of a play is none.
func (c *Client) recordingFinished(r liveRecording) {
	c.mu.Lock()
	j := c.jobs[r.Name]
	if j == nil || j.phase != recording {
		c.mu.Unlock()
		return
	}
	delete(c.jobs, r.Name)
	c.mu.Unlock()
	j.task.End(j.recorded(r, c.stored(j)))
}

// pressed publishes a key, and stops the recordings that it ends.
func (c *Client) pressed(ctx context.Context, channel, digit string) {
	char, _ := utf8.DecodeRuneInString(digit)
	t, err := tone.FromChar(char)
	if err != nil || len(digit) != 1 {
		c.config.Log.Warn("ari: unknown key", slog.String("digit", digit[:min(len(digit), 16)]))
		return
	}
	c.mu.Lock()
	streams := c.tones[channel]
	var ended []*job
	for _, j := range c.jobs {
		if j.channel == channel && j.hears(t) {
			j.keyed, j.stopping = true, true
			ended = append(ended, j)
		}
	}
	c.mu.Unlock()
	for _, s := range streams {
		_, _ = s.Publish(t) //nolint:contextcheck // it has none; one that has ended wants no keys
	}
	for _, j := range ended {
		c.work.Go(func() { c.stop(ctx, j) })
	}
}

// left ends what a channel had that is not in the application any more.
func (c *Client) left(channel string) {
	c.mu.Lock()
	var gone []*job
	for id, j := range c.jobs {
		if j.channel == channel {
			gone = append(gone, j)
			delete(c.jobs, id)
		}
	}
	c.mu.Unlock()
	for _, j := range gone {
		j.task.End(operation.Result{Reason: operation.CallEnded})
	}
}

// recordingStarted stops a recording again that was stopped while it was queued: once, however
// often its beginning is reported.
func (c *Client) recordingStarted(ctx context.Context, name string) {
	c.mu.Lock()
	j := c.jobs[name]
	again := j != nil && j.stopping && !j.begun
	if j != nil {
		j.begun = true
	}
	c.mu.Unlock()
	if again {
		c.work.Go(func() { c.stop(ctx, j) })
	}
}

// stored returns where a recording can be had, by the user of ari.conf.
func (c *Client) stored(j *job) string {
	return strings.TrimRight(c.base.String(), "/") + "/recordings/stored/" + j.id() + "/file"
}
