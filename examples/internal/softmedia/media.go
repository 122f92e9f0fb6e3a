package softmedia

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Sink takes what the caller is to hear. WriteFrame is called by the engine's pacer, which all
// calls share: it must return at once and must not exit its goroutine. The frame has 320 samples,
// is only valid during the call, and belongs at the instant at: instants lie 20 ms apart, never
// twice the same for one call. Where there is no frame for an instant there is silence. An error or
// a panic ends the operation.
type Sink interface {
	WriteFrame(at time.Time, frame []int16) error
}

// Source gives what the caller says. ReadFrame fills the frame, of 320 samples, with the 20 ms
// before at. It is called by the engine's pacer, as [Sink] says, and only while a recording runs.
type Source interface {
	ReadFrame(at time.Time, frame []int16) error
}

// Call is what the engine needs of one call.
type Call struct {
	Sink    Sink   // required
	Prompts Loader // required

	// A RecordResponse needs these: without a source or a folder it fails.
	Source Source
	Folder string // where recordings go; it must exist

	// Publish says where a recording can be had, given the file that holds it, instead of its path.
	// It is called on a goroutine of its own, before the end of the operation is told. An error
	// fails the operation; the file stays.
	Publish func(op *operation.Operation, file operation.Recording) (operation.Recording, error)

	// Budget bounds the samples that this call's operations hold, together with those of all calls
	// that are given the same one. An operation whose prompts do not fit fails. Nil: unbounded.
	Budget *Budget

	// Tones is where stop tones come from. Nil: they never come.
	Tones *tone.Stream

	// SpeechLevel is the level in dBFS above which a frame of the caller counts as speech, from −90
	// to below 0. Zero means [DefaultSpeechLevel].
	SpeechLevel float64
}

// Media plays and records for one call. It is for one queue, with any delivery: Start and Stop
// return at once. It needs no end of its own.
//
// A play sends its prompts without a gap, sample by sample as they are in the files; the last frame
// is filled up with silence. All prompts are loaded before the first frame, so that a bad one ends
// the operation before anything is heard. It ends when its last frame was sent: what follows in
// the queue goes on with the next frame if it is loaded by then.
//
// A record plays its prompt and its beep, and begins when the beep has been heard. From then on,
// not before, stop tones and silences count. It ends with what comes first: a stop tone, initial
// silence, max silence, max duration (in this order, should two come at once). The caller has
// spoken when three frames in a row were above the speech level; a recording in which a key is
// pressed before that is kept, one that ended for initial silence is not. The recording begins with
// the first frame after the beep and holds the silences too. It is the file recording-ID.wav in the
// folder, ID being the operation's, and is complete when the end is told. A record that was ended
// over its head leaves what there was, told by the Released event; one whose source fails leaves
// it in its result.
//
// The position of an operation is what was played and recorded, together.
type Media struct {
	engine *Engine
	call   Call

	mu    sync.Mutex // guards the block below
	ahead map[*operation.Operation]*ahead
}

var _ queue.Media = (*Media)(nil)

// Media returns the media of a call, to be given to [queue.New].
func (e *Engine) Media(c Call) (*Media, error) {
	switch {
	case c.Sink == nil:
		return nil, errors.New("softmedia: call without sink")
	case c.Prompts == nil:
		return nil, errors.New("softmedia: call without prompts")
	}
	if err := checkLevel(c.SpeechLevel); err != nil {
		return nil, err
	}
	return &Media{engine: e, call: c}, nil
}

// Start begins t. It returns an error for kinds that it cannot do, for a record on a call that
// cannot record, and for an engine that was closed.
func (m *Media) Start(t queue.Task) error {
	j := &job{media: m, task: t}
	switch r := t.Request().(type) {
	case *operation.PlayPrompt:
		j.prompts, j.loop = r.Prompts, r.Loop
	case *operation.RecordResponse:
		if m.call.Source == nil || m.call.Folder == "" {
			return errors.New("softmedia: record on a call without source or folder")
		}
		j.prompts, j.beep = r.Prompts, !r.NoBeep
		j.recorder = newRecorder(r.WithDefaults(), m.call.SpeechLevel)
	default:
		return fmt.Errorf("softmedia: cannot do %q", t.Kind())
	}
	return m.engine.begin(j)
}

// load gets the samples of prompts. They are held until they are released; after an error nothing
// is.
func (m *Media) load(ctx context.Context, prompts []operation.Prompt) (parts [][]int16, err error) {
	own := NewBudget(MaxPrompts)
	for _, p := range prompts {
		var samples []int16
		err := guard("loader", func() (err error) {
			samples, err = m.call.Prompts.Load(ctx, p)
			return err
		})
		switch {
		case err != nil:
		case len(samples) == 0: // a loop of it would never come to a frame's end
			err = fmt.Errorf("softmedia: %s: %w: %w", p.URI, operation.BadFormat, errNoSamples)
		default:
			if err = own.hold(samples); err != nil {
				err = fmt.Errorf("softmedia: operation: %w: %w", operation.NotDownloadable, err)
			} else if err = m.call.Budget.hold(samples); err != nil {
				err = fmt.Errorf("softmedia: all operations: %w: %w", operation.NotDownloadable, err)
			}
		}
		if err != nil {
			m.call.Budget.release(parts)
			return nil, err
		}
		parts = append(parts, samples)
	}
	return parts, nil
}

// Stop ends t: no frame of it is sent any more, and what was recorded is written and reported.
func (m *Media) Stop(t queue.Task) {
	if j := m.engine.job(t); j != nil {
		j.overruled()
	}
}
