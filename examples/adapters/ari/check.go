package ari

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"ivrqueue/operation"
)

// Bounds of a check.
const (
	maxChecks = 8           // requests at once
	maxMissed = 2           // checks that do not find it; its end may be on its way after the first
	maxMute   = 3           // checks without an answer
	recheck   = time.Second // after a check that did not find something, or sooner
)

// watch asks the server for what is in progress: when the event stream is there again, and in
// regular intervals, since an end can be lost otherwise too.
func (c *Client) watch(ctx context.Context) {
	ticker := time.NewTicker(c.config.CheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.back:
		}
		again := c.check(ctx)
		for again && rest(ctx, min(recheck, c.config.CheckInterval)) {
			again = c.check(ctx)
		}
	}
}

// rest waits, and reports whether ctx lasts.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// check asks once for everything that the server should have, and reports whether something has to
// be asked for again soon.
func (c *Client) check(ctx context.Context) (again bool) {
	c.mu.Lock()
	jobs := make([]*job, 0, len(c.jobs))
	for _, j := range c.jobs {
		if j.asked {
			jobs = append(jobs, j)
		}
	}
	c.mu.Unlock()
	var ask errgroup.Group
	ask.SetLimit(maxChecks)
	for _, j := range jobs {
		ask.Go(func() error {
			c.ask(ctx, j)
			return nil
		})
	}
	_ = ask.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		again = again || j.missed > 0
	}
	return again
}

// ask asks for one job, and ends one that is not there any more.
func (c *Client) ask(ctx context.Context, j *job) {
	c.mu.Lock()
	asked, path := j.phase, "/playbacks/"+j.id()
	if asked == recording {
		path = "/recordings/live/" + j.id()
	}
	c.mu.Unlock()
	status, err := c.do(ctx, http.MethodGet, path)
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	if j.phase != asked || c.jobs[j.id()] != j {
		c.mu.Unlock()
		return
	}
	switch {
	case err == nil:
		j.missed, j.mute = 0, 0
	case status == http.StatusNotFound:
		j.missed, j.mute = j.missed+1, 0
	default:
		j.mute++
	}
	missed, mute := j.missed, j.mute
	c.mu.Unlock()
	switch {
	case missed >= maxMissed:
		c.settle(ctx, j)
	case mute >= maxMute:
		if c.take(j.id()) != nil {
			j.task.Fail(errMute)
		}
	}
}

// settle ends a job that the server does not have any more, and whose end was not seen.
func (c *Client) settle(ctx context.Context, j *job) {
	result := c.unseen(ctx, j)
	if c.take(j.id()) == nil {
		return
	}
	c.config.Log.Warn("ari: an end was not seen", slog.String("operation", j.id()),
		slog.String("channel", j.channel), slog.String("result", result.Reason.String()))
	j.task.End(result)
}

// unseen returns the result of a job by what the server has of it, and of its channel.
func (c *Client) unseen(ctx context.Context, j *job) operation.Result {
	c.mu.Lock()
	phase, keyed := j.phase, j.keyed
	c.mu.Unlock()
	result := operation.Result{Reason: operation.Unspecified, Err: errUnseen}
	if phase == recording {
		if _, err := c.do(ctx, http.MethodGet, "/recordings/stored/"+j.id()); err == nil {
			result = operation.Result{Reason: operation.Succeeded}
			result.Recording.Location = c.stored(j)
		}
	}
	switch {
	case keyed:
		result.Reason, result.Err = operation.StopTone, nil
	case !j.task.Live():
		result.Reason, result.Err = operation.Cancelled, nil
	case result.Err != nil:
		status, _ := c.do(ctx, http.MethodGet, "/channels/"+url.PathEscape(j.channel))
		if status == http.StatusNotFound {
			result = operation.Result{Reason: operation.CallEnded}
		}
	}
	return result
}
