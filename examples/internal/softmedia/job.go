package softmedia

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// job is one operation that media does: it is loaded on a goroutine of its own, then the pacer does
// its frames, and it reports once, with whatever ends it first.
type job struct {
	media   *Media
	task    queue.Task
	prompts []operation.Prompt
	loop    bool
	beep    bool

	clips   []*clip // what is left to play; the pacer's once loaded
	played  int     // samples; the pacer's
	hearing bool    // the recording has begun; the pacer's
	buf     [FrameSamples]int16

	mu       sync.Mutex // guards the block below
	done     bool       // somebody has taken the end upon himself
	recorder *recorder  // nil for a play
	parts    [][]int16  // held in the call's budget
	stops    *tone.Handler
}

// load gets the prompts and hands the job to the pacer.
func (j *job) load() {
	if err := j.loadPrompts(); err != nil {
		r := operation.Result{Err: err}
		if j.recorder != nil {
			r.Reason = operation.PromptFailed
		}
		j.finish(r)
		return
	}
	if j.beep {
		j.clips = append(j.clips, &clip{parts: [][]int16{Beep()}, fails: operation.BeepFailed})
	}
	if !j.media.engine.pacer.join(j) {
		j.finish(operation.Result{Err: errShutDown})
	}
}

func (j *job) loadPrompts() error {
	if len(j.prompts) == 0 {
		return nil
	}
	parts, err := j.media.prompts(j.task.Context(), j.task.Operation, j.prompts)
	if err != nil {
		return err
	}
	j.hold(parts)
	j.clips = append(j.clips, &clip{parts: parts, loop: j.loop, fails: operation.PromptFailed})
	return nil
}

// hold keeps parts until the job is done, which may have been meanwhile.
func (j *job) hold(parts [][]int16) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		j.media.call.Budget.release(parts)
		return
	}
	j.parts = parts
}

// frame does the job's frame of this instant.
func (j *job) frame(at time.Time) bool {
	switch {
	case !j.task.Live(): // ended over our head, and Stop may be on its way
		j.overruled()
		return false
	case j.ended():
		return false
	case len(j.clips) > 0:
		return j.play(at)
	case !j.hearing:
		return j.hear()
	default:
		return j.record(at)
	}
}

// play sends the next frame of the first clip.
func (j *job) play(at time.Time) bool {
	c := j.clips[0]
	n := c.fill(j.buf[:])
	err := guard("sink", func() error { return j.media.call.Sink.WriteFrame(at, j.buf[:]) })
	if err != nil {
		j.finish(operation.Result{Reason: c.fails, Err: fmt.Errorf("softmedia: sink: %w", err)})
		return false
	}
	j.played += n
	j.task.Progress(Duration(j.played))
	if !c.over() {
		return true
	}
	j.clips = j.clips[1:]
	if len(j.clips) == 0 && j.recorder == nil {
		j.finish(operation.Result{Reason: operation.Succeeded})
		return false
	}
	return true
}

// hear begins the recording, at the instant when the frame before has been heard: the source's next
// frame is the first.
func (j *job) hear() bool {
	j.hearing = true
	set := j.recorder.limits.StopTones
	if j.media.call.Tones == nil || set == 0 {
		return true
	}
	stops, err := j.media.call.Tones.Handle(set, func(tone.Event) {
		j.finish(operation.Result{Reason: operation.StopTone})
	})
	if err != nil {
		j.finish(operation.Result{Err: err})
		return false
	}
	j.mu.Lock()
	over := j.done
	j.stops = stops
	j.mu.Unlock()
	if over {
		stops.Close()
	}
	return !over
}

// record takes the next frame of the caller.
func (j *job) record(at time.Time) bool {
	err := guard("source", func() error { return j.media.call.Source.ReadFrame(at, j.buf[:]) })
	if err != nil {
		j.finish(operation.Result{Err: fmt.Errorf("softmedia: source: %w", err)})
		return false
	}
	j.mu.Lock()
	if j.done {
		j.mu.Unlock()
		return false
	}
	why := j.recorder.add(j.buf[:])
	length := j.recorder.length()
	j.mu.Unlock()
	j.task.Progress(Duration(j.played) + length)
	if why != 0 {
		j.finish(operation.Result{Reason: why})
		return false
	}
	return true
}

// overruled ends the job because its operation was ended over its head.
func (j *job) overruled() {
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
	stops := j.stops
	j.media.call.Budget.release(j.parts)
	j.parts = nil
	j.mu.Unlock()

	if stops != nil {
		stops.Close()
	}
	e := j.media.engine
	if len(kept) == 0 {
		e.report(j, r)
		return
	}
	e.work.Go(func() { e.report(j, j.keep(r, kept)) })
}

// keep writes the recording and adds it to r; one that cannot be written, or published, fails the
// operation.
func (j *job) keep(r operation.Result, kept []int16) operation.Result {
	path := filepath.Join(j.media.call.Folder, "recording-"+j.task.ID().String()+".wav")
	if err := WriteWAV(path, kept); err != nil {
		r.Reason, r.Err = operation.Unspecified, errors.Join(r.Err, err)
		return r
	}
	r.Recording = operation.Recording{Location: path, Duration: Duration(len(kept))}
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
