package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// witness sees what the queue's observers and the tone stream's handlers get,
// prints it, and lets the script wait for it.
type witness struct {
	line *timeline

	mu      sync.Mutex // guards the block below
	events  map[moment]queue.Event
	tones   map[uint64]heardTone // by sequence number
	started []*operation.Operation
	ended   []*operation.Operation
	marks   []mark
	more    chan struct{} // closed, and made anew, when there is more
}

// moment is something that happens at most once.
type moment struct {
	operation *operation.Operation
	kind      queue.EventKind
}

// heardTone is a tone as the handler got it.
type heardTone struct {
	after time.Duration // since it was pressed
	while string        // the name of the operation that ran, or empty
}

func newWitness(line *timeline) *witness {
	return &witness{
		line: line, events: make(map[moment]queue.Event), tones: make(map[uint64]heardTone),
		more: make(chan struct{}),
	}
}

// Observe is called by the queue, one event at a time, on a goroutine of the queue's.
func (w *witness) Observe(e queue.Event) {
	name, what, result := e.Operation.ClientContext(), "", ""
	switch e.Kind {
	case queue.Accepted:
		what = "queued: " + describe(e.Operation.Request())
	case queue.Started:
		what = "starts"
	case queue.Ended:
		what = "ends" + position(e)
		result = spell(e.Result().Reason)
		if e.Result().Recording.Location != "" {
			what += ", " + recording(e.Result().Recording)
		}
		if e.Result().Err != nil {
			what += ": " + e.Result().Err.Error()
		}
	case queue.Released:
		silent := e.Time.Sub(e.Operation.Times().Ended)
		what = "its media is silent, after " + milliseconds(silent)
		if e.Result().Recording.Location != "" {
			what += ", " + recording(e.Result().Recording)
		}
	case queue.Late:
		what = "its media has reported late"
		if e.Result().Recording.Location != "" {
			what += ", " + recording(e.Result().Recording)
		}
	case queue.Closed:
		name, what = "call", "the queue is closed"
	}
	w.line.line(e.Time, name, what, result)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.events[moment{e.Operation, e.Kind}] = e
	if e.Kind == queue.Started {
		w.started = append(w.started, e.Operation)
	}
	if e.Kind == queue.Ended {
		w.ended = append(w.ended, e.Operation)
	}
	w.news()
}

// press is called with each tone of the call; running is the name of what runs, or empty.
func (w *witness) press(e tone.Event, running string) {
	h := heardTone{time.Since(e.Time), running}
	during := "while nothing runs"
	if h.while != "" {
		during = "while " + h.while + " runs"
	}
	what := fmt.Sprintf("hears %c after %s, %s", e.Tone.Char(), milliseconds(h.after), during)
	w.line.now("bot", what, e.Tone.String())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tones[e.Seq] = h
	w.marks = append(w.marks, mark{e.Time, string(e.Tone.Char()), true})
	w.news()
}

// cancels is called when the bot is about to cancel.
func (w *witness) cancels(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, mark{time.Now(), what, false})
}

// news wakes those who wait. The mutex must be held.
func (w *witness) news() {
	close(w.more)
	w.more = make(chan struct{})
}

// event waits until the event was delivered.
func (w *witness) event(
	ctx context.Context, op *operation.Operation, k queue.EventKind,
) (queue.Event, error) {
	return await(ctx, w, func() (queue.Event, bool) {
		e, ok := w.events[moment{op, k}]
		return e, ok
	})
}

// tone waits until the tone was heard.
func (w *witness) tone(ctx context.Context, seq uint64) (heardTone, error) {
	return await(ctx, w, func() (heardTone, bool) {
		h, ok := w.tones[seq]
		return h, ok
	})
}

// await waits until look, which is called with the mutex held, finds something.
func await[T any](ctx context.Context, w *witness, look func() (T, bool)) (T, error) {
	for {
		w.mu.Lock()
		found, ok := look()
		more := w.more
		w.mu.Unlock()
		if ok {
			return found, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return found, context.Cause(ctx)
		}
	}
}

// start waits until n operations have started in all, and returns the last one of them.
func (w *witness) start(ctx context.Context, n int) (*operation.Operation, error) {
	return await(ctx, w, func() (*operation.Operation, bool) {
		if len(w.started) < n {
			return nil, false
		}
		return w.started[n-1], true
	})
}

// order returns the operations in the order in which they started.
func (w *witness) order() []*operation.Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.started
}

func describe(r operation.Request) string {
	switch r := r.(type) {
	case *operation.PlayPrompt:
		what := "play " + file(r.Prompts[0])
		if r.Loop {
			what += ", in a loop"
		}
		if r.StopTones != 0 {
			what += ", until a key is pressed"
		}
		return what
	case *operation.RecordResponse:
		return "play " + file(r.Prompts[0]) + ", then record until " + r.StopTones.String()
	default:
		return string(r.Kind())
	}
}

func file(p operation.Prompt) string { return filepath.Base(strings.TrimPrefix(p.URI, ours)) }

func recording(r operation.Recording) string {
	return seconds(r.Duration) + " recorded"
}

// position says how far the media of an operation had come.
func position(e queue.Event) string {
	switch {
	case e.Result().Reason == operation.Succeeded:
		return " after " + seconds(e.Result().Position) + ", at its own end"
	case e.Operation.Times().Started.IsZero():
		return ", never started"
	default:
		return " at " + seconds(e.Result().Position)
	}
}

// spell writes a reason as the table of results does.
func spell(r operation.Reason) string {
	return fmt.Sprintf("%d/%d %v", r.Code(), r.Subcode(), r.String())
}
