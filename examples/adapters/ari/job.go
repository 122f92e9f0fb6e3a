package ari

import (
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// phase is what a job does at the server.
type phase uint8

const (
	playing   phase = iota + 1 // also the prompt of a recording
	recording                  // asked for, or in progress
)

// job is an operation that the server has. Its fields below are guarded by the client's mutex.
type job struct {
	task    queue.Task
	channel string
	record  *operation.RecordResponse // nil for a play; with its defaults

	phase    phase
	asked    bool // the server has answered the request that begins the phase
	stopping bool // it is to end: it was preempted, or a key has ended it
	keyed    bool // a stop tone has ended it
	begun    bool // the recording has begun
	missed   int  // checks in a row that did not find it
	mute     int  // checks in a row that got no answer
}

func (j *job) id() string { return j.task.ID().String() }

// hears reports whether the tone ends the recording.
func (j *job) hears(t tone.Tone) bool {
	return j.record != nil && j.record.StopTones.Contains(t) && !j.stopping
}

// played returns how a playback has ended, by its last state.
func (j *job) played(state string) operation.Result {
	switch {
	case j.keyed:
		return operation.Result{Reason: operation.StopTone}
	case !j.task.Live():
		return operation.Result{Reason: operation.Cancelled}
	case state != "done":
		return operation.Result{
			Reason: operation.PromptFailed,
			Err:    fmt.Errorf("ari: playback has ended: %.100q", state),
		}
	}
	return operation.Result{Reason: operation.Succeeded}
}

// recorded returns how a recording has ended, by what the server says of it: state, and seconds.
func (j *job) recorded(r liveRecording, at string) operation.Result {
	length := time.Duration(max(0, min(r.Duration, maxSeconds))) * time.Second
	result := operation.Result{
		Recording: operation.Recording{Location: at, Duration: length}, Position: length,
	}
	switch r.State {
	case "done":
	case "canceled": // then it was not stored
		result.Recording = operation.Recording{}
	default:
		return operation.Result{
			Reason: operation.Unspecified,
			Err:    fmt.Errorf("ari: recording has ended: %.100q: %.100q", r.State, r.Cause),
		}
	}
	switch {
	case j.keyed:
		result.Reason = operation.StopTone
	case !j.task.Live(), r.State == "canceled":
		result.Reason = operation.Cancelled
	case r.Talking != nil && *r.Talking <= 0:
		result.Reason = operation.InitialSilence
	case length >= j.record.MaxDuration:
		result.Reason = operation.MaxDuration
	default:
		result.Reason = operation.MaxSilence
	}
	return result
}

// maxSeconds is more than a recording can have.
const maxSeconds = 24 * 60 * 60

// add notes a job. What its channel had before was reported, or abandoned by its queue.
func (c *Client) add(j *job) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.jobs[j.id()] = j
	return nil
}

// take returns the job of this id to whoever is first, to be reported; to others nil.
func (c *Client) take(id string) *job {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.jobs[id]
	delete(c.jobs, id)
	return j
}

// fail ends all jobs, and returns how many.
func (c *Client) fail(why error) int {
	c.mu.Lock()
	jobs := c.jobs
	c.jobs = map[string]*job{}
	c.mu.Unlock()
	for _, j := range jobs {
		j.task.Fail(why)
	}
	return len(jobs)
}

// close ends all jobs; there are no others any more.
func (c *Client) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.fail(errClosed)
}
