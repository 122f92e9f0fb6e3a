package media

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// job is one operation that media does: its prompts are loaded on goroutines of their own, the
// pacer does its frames from when the first one is there, and it reports once, with whatever ends
// it first.
type job struct {
	media   *Media
	task    queue.Task
	prompts []operation.Prompt
	first   int           // the number of the first of them in the request
	part    int           // of them, to begin with
	offset  time.Duration // into that
	loop    bool
	beep    bool
	dtmf    *dtmf // tones to send, or nil

	clips   []*clip // what is left to play; the pacer's once loaded
	played  int     // samples; the pacer's
	hearing bool    // the recording has begun; the pacer's
	out     frame   // the pacer's
	in      []int16 // the pacer's

	mu       sync.Mutex // guards the block below
	done     bool       // somebody has taken the end upon himself
	paused   bool       // no frame is to be done
	recorder *recorder  // nil for a play
	loading  *loading   // of the prompts, or nil
	stops    *tone.Handler
}

// load gets the prompts and hands the job to the pacer as soon as there is something to play.
func (j *job) load() {
	if err := j.loadPrompts(); err != nil {
		j.promptFailed(err)
		return
	}
	if j.beep {
		beep := loaded(Beep(j.media.call.Codec))
		j.clips = append(j.clips, &clip{prompts: beep, fails: operation.BeepFailed})
	}
	if !j.media.engine.pacer.join(j) {
		j.finish(operation.Result{Err: errShutDown})
	}
}

func (j *job) loadPrompts() error {
	if len(j.prompts) == 0 {
		return nil
	}
	l := j.media.take(j.task.Operation)
	if l == nil {
		l = j.media.newLoading(j.task.Context(), j.prompts, j.first)
		j.media.engine.work.Go(l.run)
	}
	j.hold(l)
	select {
	case <-l.begun:
	case <-j.task.Context().Done():
		return context.Cause(j.task.Context())
	}
	j.clips = append(j.clips, &clip{
		prompts: l, loop: j.loop, fails: operation.PromptFailed,
		part: j.part, off: j.samples(j.offset),
	})
	_, err := l.part(0)
	return err
}

// hold keeps l until the job is done, which may have been meanwhile.
func (j *job) hold(l *loading) {
	j.mu.Lock()
	done := j.done
	if !done {
		j.loading = l
	}
	j.mu.Unlock()
	if done {
		l.release(nil)
	}
}

// promptFailed ends the job since a prompt can't be had.
func (j *job) promptFailed(err error) {
	r := operation.Result{Err: err}
	if j.recorder != nil {
		r.Reason = operation.PromptFailed
	}
	j.finish(r)
}

// frame does the job's frame of this instant. A sink or a source that exits the goroutine ends the
// job.
func (j *job) frame(at time.Time) bool {
	through := false
	defer func() {
		if !through {
			j.exited()
		}
	}()
	on := j.doFrame(at)
	through = true
	return on
}

func (j *job) exited() {
	r := operation.Result{Err: errExited}
	if len(j.clips) > 0 {
		r.Reason = j.clips[0].fails
	}
	j.finish(r)
}

func (j *job) doFrame(at time.Time) bool {
	switch {
	case !j.task.Live(): // ended over our head, and Stop may be on its way
		j.preempted()
		return false
	case j.ended():
		return false
	case j.rests():
		return true
	case len(j.clips) > 0:
		return j.play(at)
	case j.dtmf != nil:
		return j.sendTones(at)
	case !j.hearing: // the frame before was heard: the source's next one is the first
		j.hearing = true
		return true
	default:
		return j.record(at)
	}
}

// play sends the next frame of the first clip, if there is any.
func (j *job) play(at time.Time) bool {
	c := j.clips[0]
	n, err := c.fill(j.out, j.media.call.Codec, j.task.LastLoop)
	switch {
	case err != nil:
		j.promptFailed(err)
		return false
	case n == 0 && c.over(): // it was to begin beyond its end
		return j.next()
	case n == 0: // the next prompt is being loaded
		return true
	}
	err = guard("sink", func() error { return j.media.write(at, j.out) })
	if err != nil {
		j.finish(operation.Result{Reason: c.fails, Err: fmt.Errorf("media: sink: %w", err)})
		return false
	}
	j.played += n
	if c.over() || j.recorder != nil {
		j.task.Progress(j.duration(j.played))
	} else {
		j.task.ProgressAt(j.first+c.part, j.duration(c.off), j.duration(j.played))
	}
	if !c.over() {
		return true
	}
	return j.next()
}

// next goes on with what follows the first clip.
func (j *job) next() bool {
	j.clips = j.clips[1:]
	if len(j.clips) == 0 && j.recorder == nil {
		j.finish(operation.Result{Reason: operation.Succeeded})
		return false
	}
	return true
}

// sendTones sends the next frame of tones.
func (j *job) sendTones(at time.Time) bool {
	more := j.dtmf.fill()
	if codec := j.media.call.Codec; codec.IsLinear() {
		copy(j.out.samples, j.dtmf.samples)
	} else {
		codec.Encode(j.out.payload[:0], j.dtmf.samples)
	}
	err := guard("sink", func() error { return j.media.write(at, j.out) })
	if err != nil {
		j.finish(operation.Result{Err: fmt.Errorf("media: sink: %w", err)})
		return false
	}
	j.task.Progress(j.duration(min(j.dtmf.at, j.dtmf.total)))
	if !more {
		j.finish(operation.Result{Reason: operation.Succeeded})
	}
	return more
}

// listen has stop tones end the recording, from the instant that the operation runs.
func (j *job) listen() error {
	set, tones := j.recorder.limits.StopTones, j.media.call.Tones
	if tones == nil || set == 0 {
		return nil
	}
	stops, err := tones.Handle(set, func(tone.Event) {
		j.finish(operation.Result{Reason: operation.StopTone})
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	over := j.done
	j.stops = stops
	j.mu.Unlock()
	if over {
		stops.Close()
		return nil
	}
	j.media.keys.listen(j)
	return nil
}

// stoppedBy reports whether a tone of that time is a stop tone that came while the operation ran.
func (j *job) stoppedBy(t tone.Tone, at time.Time) bool {
	return j.recorder.limits.StopTones.Contains(t) && at.After(j.task.Operation.Times().Started)
}

// record takes the next frame of the caller.
func (j *job) record(at time.Time) bool {
	err := guard("source", func() error { return j.media.call.Source.ReadFrame(at, j.in) })
	if err != nil {
		j.finish(operation.Result{Err: fmt.Errorf("media: source: %w", err)})
		return false
	}
	j.mu.Lock()
	if j.done {
		j.mu.Unlock()
		return false
	}
	why := j.recorder.add(j.in)
	length := j.recorder.length()
	j.mu.Unlock()
	j.task.Progress(j.duration(j.played) + length)
	if why != 0 {
		j.finish(operation.Result{Reason: why})
		return false
	}
	return true
}

// pause has no frames done, or again.
func (j *job) pause(paused bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.paused = paused
}

func (j *job) rests() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.paused
}

// samples returns how many whole samples of the line fit into d; of what no prompt is as long as,
// as many as of what is just longer than any.
func (j *job) samples(d time.Duration) int {
	return int(min(d, maxOffset) * time.Duration(j.media.call.Codec.Rate()) / time.Second)
}

// maxOffset is longer than any prompt can be, see MaxPrompts.
const maxOffset = 3 * time.Hour

func (j *job) duration(samples int) time.Duration { return j.media.call.Codec.Duration(samples) }

// preempted ends the job because its operation was preempted.
func (j *job) preempted() {
	r, _ := j.task.Result()
	j.finish(operation.Result{Reason: r.Reason})
}

func (j *job) ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

// finish ends the job with r and what was recorded. Only the first call does something. It does
// not block: a recording is written on a goroutine of its own.
func (j *job) finish(r operation.Result) {
	j.mu.Lock()
	if j.done {
		j.mu.Unlock()
		return
	}
	j.done = true
	var kept []int16
	if j.recorder != nil && r.Reason != operation.InitialSilence {
		kept = j.recorder.kept
	}
	stops, loading := j.stops, j.loading
	j.mu.Unlock()

	if loading != nil {
		loading.release(errors.Join(r.Err, r.Reason))
	}
	if stops != nil {
		stops.Close()
		j.media.keys.unlisten(j)
	}
	e := j.media.engine
	if len(kept) == 0 && r.Reason != operation.StopTone { // which leaves a file, if an empty one
		e.report(j, r)
		return
	}
	e.work.Go(func() {
		end := operation.Result{Reason: operation.Unspecified, Err: errors.Join(r.Err, errExited)}
		defer func() { e.report(j, end) }()
		end = j.keep(r, kept)
	})
}

// keep writes the recording and adds it to r; one that cannot be written, or published, fails the
// operation.
func (j *job) keep(r operation.Result, kept []int16) operation.Result {
	path := filepath.Join(j.media.call.Folder, "recording-"+j.task.ID().String()+".wav")
	if err := writeWAV(path, kept, j.media.call.Codec.Rate()); err != nil {
		r.Reason, r.Err = operation.Unspecified, errors.Join(r.Err, err)
		return r
	}
	r.Recording = operation.Recording{Location: path, Duration: j.duration(len(kept))}
	if publish := j.media.call.Publish; publish != nil {
		err := guard("publish", func() (err error) {
			r.Recording, err = publish(j.task.Operation, r.Recording)
			return err
		})
		if err != nil {
			r.Reason, r.Err = operation.Unspecified, errors.Join(r.Err, err)
			r.Recording = operation.Recording{}
		}
	}
	return r
}
