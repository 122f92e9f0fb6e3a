package media

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"ivrqueue/internal/foreign"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Sink takes what the caller is to hear, in linear samples. WriteFrame is called by the engine's
// pacer, which all calls share: it must return at once. The frame has the samples of 20 ms at the
// rate of the call's codec (320 by default), is only valid during the call, and belongs at the
// instant at: instants lie 20 ms apart, never twice the same for one call. Where there is no frame
// for an instant there is silence. An error, a panic or an exit of the goroutine ends the
// operation.
type Sink interface {
	WriteFrame(at time.Time, frame []int16) error
}

// PayloadSink takes what the caller is to hear as the line carries it: a payload of 20 ms in the
// call's codec, 160 bytes of G.711. All else is as with [Sink].
type PayloadSink interface {
	WritePayload(at time.Time, payload []byte) error
}

// Source gives what the caller says. ReadFrame fills the frame with the 20 ms before at, in linear
// samples at the rate of the call's codec (320 by default). It is called by the engine's pacer, as
// [Sink] says, and only while a recording runs.
type Source interface {
	ReadFrame(at time.Time, frame []int16) error
}

// Call is what the engine needs of one call.
type Call struct {
	Sink    Sink   // required if Codec is linear
	Prompts Loader // required; a [CodecLoader] converts each prompt once

	// Codec is that of the line. Zero: linear at [Rate]. One of G.711 needs Payloads instead of Sink.
	Codec    Codec
	Payloads PayloadSink

	// A RecordResponse needs these: without a source or a folder it fails.
	Source Source
	Folder string // where recordings go; it must exist

	// Publish says where a recording can be had, given the file that holds it, instead of its path.
	// It is called on a goroutine of its own, before the end of the operation is reported. An error
	// fails the operation; the file stays.
	Publish func(op *operation.Operation, file operation.Recording) (operation.Recording, error)

	// Budget bounds the samples that this call's operations hold, together with those of all calls
	// that are given the same one. An operation whose prompts do not fit fails. Nil: unbounded.
	Budget *Budget

	// Tones is where stop tones come from, until it ends. Nil: they never come.
	Tones *tone.Stream

	// SpeechLevel is the level in dBFS above which a frame of the caller counts as speech, from −90
	// to below 0. Zero means [DefaultSpeechLevel].
	SpeechLevel float64
}

// Media plays and records for one call. It is for one queue, with any delivery: Start and Stop
// return at once, as do Pause, Resume and Prepare. It needs no end of its own.
//
// A play sends its prompts without a gap, sample by sample as they were loaded; the last frame is
// filled up with silence. They are loaded side by side, [MaxLoads] at once, and the first one is
// sent as soon as it is there. Where the next one is not there in time there is silence until it
// is. One that fails ends the operation at once, with a [*operation.PromptError], whatever is being
// heard. A play ends when its last frame was sent: what follows in the queue goes on with the next
// frame if it is loaded by then.
//
// A play reports its place with each frame, and begins at the one that its request has. A loop asks
// at its end whether it was the last, so a sealed queue ends it there. What is next in the queue is
// loaded while it waits, so that it begins without a gap.
//
// A record plays its prompt and its beep, and begins to hear when the beep has been heard; silences
// count from then on, stop tones from the instant that the operation runs. It ends with what comes
// first: a stop tone, initial silence, max silence, max duration (in this order, should two come at
// once). The caller has spoken when three frames in a row were above the speech level; a recording
// in which a key is pressed before that is kept, one that ended for initial silence is not. The
// recording begins with the first frame after the beep and holds the silences too; one that a stop
// tone ended before that is a WAV file without samples. It is the file recording-ID.wav in the
// folder, ID being the operation's, and is complete when the end is reported. A record that was
// preempted leaves what there was, which the Released event has; one whose source fails leaves
// it in its result.
//
// The position of an operation is what was played, sent in tones and recorded, together.
type Media struct {
	engine *Engine
	call   Call
	keys   *keys // nil if there is nothing to record, or without Tones

	mu    sync.Mutex // guards the block below
	ahead map[*operation.Operation]*loading
}

var (
	_ queue.Media  = (*Media)(nil)
	_ queue.Pauser = (*Media)(nil)
)

// String names the codec of the line, for logs: what is given to package fmt would be read without
// the lock otherwise.
func (m *Media) String() string { return "media, " + m.call.Codec.String() }

// Media returns the media of a call, to be given to [queue.New]. Its error names what the call
// lacks: what holds a nil pointer, map, function, channel or slice counts as missing.
func (e *Engine) Media(c Call) (*Media, error) {
	c.Codec = c.Codec.plain()
	switch {
	case c.Codec.IsLinear() && c.Sink == nil:
		return nil, errors.New("media: call without sink")
	case c.Codec.IsLinear() && c.Payloads != nil:
		return nil, fmt.Errorf("media: call with payload sink, must be none for %v", c.Codec)
	case !c.Codec.IsLinear() && c.Payloads == nil:
		return nil, fmt.Errorf("media: call without payload sink, must have one for %v", c.Codec)
	case !c.Codec.IsLinear() && c.Sink != nil:
		return nil, fmt.Errorf("media: call with sink, must be none for %v", c.Codec)
	case c.Prompts == nil:
		return nil, errors.New("media: call without prompts")
	}
	for what, v := range map[string]any{
		"a nil sink": c.Sink, "a nil payload sink": c.Payloads, "a nil source": c.Source,
		"nil prompts": c.Prompts,
	} {
		if v != nil && foreign.IsNil(v) {
			return nil, fmt.Errorf("media: call with %s (%T)", what, v)
		}
	}
	if err := checkLevel(c.SpeechLevel); err != nil {
		return nil, err
	}
	m := &Media{engine: e, call: c}
	if c.Tones == nil || c.Source == nil { // there is nothing to record
		return m, nil
	}
	var err error
	m.keys, err = newKeys(c.Tones)
	return m, err
}

// Start begins t. It returns an error for kinds that it cannot do, for a record on a call that
// cannot record, and for an engine that was closed.
func (m *Media) Start(t queue.Task) error {
	err := m.start(t)
	if err != nil {
		m.dropAhead(t.Operation, err)
	}
	return err
}

func (m *Media) start(t queue.Task) error {
	j := &job{media: m, task: t, out: newFrame(m.call.Codec)}
	switch r := t.Request().(type) {
	case *operation.PlayPrompt:
		j.prompts, j.first = promptsOf(r)
		j.part, j.offset, j.loop = r.FirstPrompt-j.first, r.Offset, r.Loop
	case *operation.SendTones:
		j.dtmf = newDTMF(r, m.call.Codec)
	case *operation.RecordResponse:
		if m.call.Source == nil || m.call.Folder == "" {
			return errors.New("media: record on a call without source or folder")
		}
		j.prompts, j.beep = r.Prompts, !r.NoBeep
		j.recorder = newRecorder(r.WithDefaults(), m.call.Codec, m.call.SpeechLevel)
		j.in = make([]int16, m.call.Codec.FrameSamples())
	default:
		return fmt.Errorf("media: cannot do %q", t.Kind())
	}
	if err := m.engine.begin(j); err != nil {
		return err
	}
	if j.recorder != nil {
		return j.listen()
	}
	return nil
}

// write gives a frame to the call's sink.
func (m *Media) write(at time.Time, f frame) error {
	if m.call.Codec.IsLinear() {
		return m.call.Sink.WriteFrame(at, f.samples)
	}
	return m.call.Payloads.WritePayload(at, f.payload)
}

// Pause has no frame of t sent or recorded any more until Resume, which goes on with the sample
// after the last. A stop tone ends a record that is paused as it would otherwise.
func (m *Media) Pause(t queue.Task) { m.pause(t, true) }

// Resume ends a Pause.
func (m *Media) Resume(t queue.Task) { m.pause(t, false) }

func (m *Media) pause(t queue.Task, paused bool) {
	if j := m.engine.job(t); j != nil {
		j.pause(paused)
	}
}

// Stop ends t: no frame of it is sent any more, and what was recorded is written and reported.
func (m *Media) Stop(t queue.Task) {
	if j := m.engine.job(t); j != nil {
		j.preempted()
	}
}
