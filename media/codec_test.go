package media_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/tone"
)

// line is a line of some codec: it keeps what it is sent, and says a tone of 1 kHz.
type line struct {
	codec media.Codec
	start time.Time

	mu       sync.Mutex // guards the block below
	heard    []int16
	first    time.Duration
	payloads [][]byte
}

func (l *line) WriteFrame(at time.Time, samples []int16) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard == nil {
		l.first = at.Sub(l.start)
	}
	l.heard = append(l.heard, samples...)
	return nil
}

func (l *line) WritePayload(at time.Time, payload []byte) error {
	l.payloads = append(l.payloads, slices.Clone(payload))
	return l.WriteFrame(at, l.codec.Decode(nil, payload))
}

func (l *line) ReadFrame(at time.Time, samples []int16) error {
	n := int(at.Sub(l.start)/frame) * len(samples)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*1000*float64(n+i)/float64(l.codec.Rate())))
	}
	return nil
}

func codecs(t *testing.T) []media.Codec {
	t.Helper()
	all := []media.Codec{{}, media.PCMU, media.PCMA}
	for _, rate := range []int{8000, 16000, 24000, 44100, 48000} {
		c, err := media.Linear(rate)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// newLine makes a call on a line.
func newLine(t *testing.T, c media.Codec, prompts media.Loader) (*bed, *line) {
	t.Helper()
	l := &line{codec: c, start: time.Now()}
	return newBed(t, func(call *media.Call) {
		call.Codec, call.Prompts, call.Source, call.Sink = c, prompts, l, l
		if !c.IsLinear() {
			call.Sink, call.Payloads = nil, l
		}
	}), l
}

// A prompt is heard as what it is on a line of any codec, whoever loads it; what is recorded is, too.
func TestLinesOfAllCodecsPlayAndRecord(t *testing.T) {
	t.Parallel()
	tone16 := int16s(sine(1000, 0.25, media.Rate, media.Rate))
	var file bytes.Buffer
	if err := media.EncodeWAV(&file, tone16); err != nil {
		t.Fatal(err)
	}
	for _, c := range codecs(t) {
		for name, loader := range map[string]media.Loader{
			"samples": memory{"a.wav": tone16},
			"codecs":  media.Files{FS: fstest.MapFS{"a.wav": {Data: file.Bytes()}}},
		} {
			t.Run(fmt.Sprint(c, " ", name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b, l := newLine(t, c, loader)
					op := b.play(t, "a.wav")
					r := b.wantEnd(t, op, operation.Succeeded, time.Second)
					if r.Position != time.Second || len(l.heard) != c.Rate() || l.first != frame {
						t.Errorf("%v, %d samples, the first at %v, want 1s, %d, %v", r.Position, len(l.heard), l.first, c.Rate(), frame)
					}
					wantTone(t, "heard", l.heard, c.Rate(), 0.25)
					for _, p := range l.payloads {
						if len(p) != c.FrameSamples() {
							t.Fatalf("a payload of %d bytes", len(p))
						}
					}

					op = b.enqueue(t, &operation.RecordResponse{MaxDuration: time.Second, StopTones: tone.SetOf(tone.Pound)})
					r, _ = op.Wait(t.Context())
					if r.Reason != operation.MaxDuration || r.Recording.Duration != time.Second {
						t.Errorf("recorded %+v", r)
					}
					wantTone(t, "the beep", l.heard[c.Rate()+c.Rate()/50:], c.Rate(), 0.25)
					data, err := os.ReadFile(r.Recording.Location)
					if err != nil {
						t.Fatal(err)
					}
					if want := 44 + 2*c.Rate(); len(data) != want {
						t.Errorf("%d bytes recorded, want %d", len(data), want)
					}
					wantTone(t, "recorded", readWAV(t, r.Recording.Location), media.Rate, 8000./32768)
				})
			})
		}
	}
}

// wantTone looks for a tone of 1 kHz.
func wantTone(t *testing.T, what string, samples []int16, rate int, amplitude float64) {
	t.Helper()
	got, snr := toneAt(samples, 1000, rate)
	if math.Abs(20*math.Log10(got/amplitude)) > 0.2 || snr < 30 {
		t.Errorf("%s: amplitude %.3f, %.1f dB above the rest, want %.3f and 30", what, got, snr, amplitude)
	}
}

// What a prompt's last frame lacks, and what is not there yet, is silence of the codec.
func TestAPayloadIsFilledUpWithSilence(t *testing.T) {
	t.Parallel()
	for c, silence := range map[media.Codec]byte{media.PCMU: 0xff, media.PCMA: 0xd5} {
		synctest.Test(t, func(t *testing.T) {
			b, l := newLine(t, c, memory{"a": noise(1, 2*161)})
			b.wantEnd(t, b.play(t, "a"), operation.Succeeded, 2*frame)
			if want := bytes.Repeat([]byte{silence}, 159); !bytes.Equal(l.payloads[1][1:], want) {
				t.Errorf("%v: got % x", c, l.payloads[1])
			}
		})
	}
}

// A file of a line's own codec is played as it is.
func TestAFileOfTheLinesCodecIsNotChanged(t *testing.T) {
	t.Parallel()
	payload := make([]byte, 256)
	for i := range payload {
		payload[i] = byte(i)
	}
	for c, tag := range map[media.Codec]uint16{media.PCMU: 7, media.PCMA: 6} {
		file := riff(format(tag, 1, 8000, 8), chunk{name: "data", data: payload})
		a, err := media.ReadAudio(t.Context(), bytes.NewReader(file), c)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Encode(nil, a.Samples())
		for i := range payload {
			if got[i] != payload[i] && payload[i] != 0x7f { // µ-law has two zeros
				t.Errorf("%v: byte %#x became %#x", c, payload[i], got[i])
			}
		}
	}
}

// How long a file may be is a matter of what it becomes.
func TestTheLengthOfAFileIsBoundedInTheLinesSamples(t *testing.T) {
	t.Parallel()
	linear, err := media.Linear(48000)
	if err != nil {
		t.Fatal(err)
	}
	six := riff(format(7, 1, 8000, 8), chunk{name: "data", data: make([]byte, 8000*6*60)}) // minutes
	_, err = media.ReadAudio(t.Context(), bytes.NewReader(six), linear)
	if want := "6m0s long, must be at most 5m49.525333333s"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	a, err := media.ReadAudio(t.Context(), bytes.NewReader(six), media.PCMU)
	if err != nil || a.Size() != 8000*6*60 {
		t.Errorf("got %d bytes, %v", a.Size(), err)
	}
}

// odd is a loader that has the wrong codec, counts, and may break.
type odd struct {
	memory

	codec media.Codec
	loads *atomic.Int32
}

func (o odd) LoadAudio(ctx context.Context, p operation.Prompt, _ media.Codec) (media.Audio, error) {
	o.loads.Add(1)
	return media.NewAudio(ctx, o.memory[p.URI], media.Rate, o.codec)
}

func TestALoadersAudioMustBeInTheCallsCodec(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		loads := new(atomic.Int32)
		b, _ := newLine(t, media.PCMA, odd{memory{"a": noise(1, 320)}, media.PCMU, loads})
		r := b.wantEnd(t, b.play(t, "a"), operation.BadFormat, 0)
		if want := "prompts[0]: media: a: badFormat (400/8535): in PCMU/8000, must be in PCMA/8000"; r.Err.Error() != want || loads.Load() != 1 {
			t.Errorf("got %q, want %q", r.Err, want)
		}
	})
}

func TestCodecs(t *testing.T) {
	t.Parallel()
	if c, _ := media.Linear(16000); c != (media.Codec{}) || c.String() != "L16/16000" || media.PCMA.String() != "PCMA/8000" {
		t.Errorf("the default is %v", c)
	}
	for rate, want := range map[int]string{
		3950:  "media: rate is 3950 Hz, must be 4000 to 48000 Hz, a multiple of 50",
		48050: "media: rate is 48050 Hz, must be 4000 to 48000 Hz, a multiple of 50",
		11025: "media: rate is 11025 Hz, must be 4000 to 48000 Hz, a multiple of 50",
		-1:    "media: rate is -1 Hz, must be 4000 to 48000 Hz, a multiple of 50",
	} {
		if _, err := media.Linear(rate); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, c := range codecs(t) {
		samples := []int16{0, 1000, -1000, 32767, -32768}
		back := c.Decode(nil, c.Encode(nil, samples))
		for i, s := range samples {
			if math.Abs(float64(back[i])-float64(s)) > 0.04*math.Abs(float64(s))+8 {
				t.Errorf("%v: %d became %d", c, s, back[i])
			}
		}
	}
	engine, phone := media.NewEngine(), &line{}
	defer engine.Close()
	linear, _ := media.Linear(8000)
	for want, call := range map[string]media.Call{
		"media: call without payload sink, must have one for PCMU/8000": {Sink: phone, Prompts: memory{}, Codec: media.PCMU},
		"media: call with sink, must be none for PCMA/8000":             {Sink: phone, Payloads: phone, Prompts: memory{}, Codec: media.PCMA},
		"media: call with payload sink, must be none for L16/8000":      {Sink: phone, Payloads: phone, Prompts: memory{}, Codec: linear},
		"media: call without sink":                                      {Prompts: memory{}, Codec: linear},
	} {
		if _, err := engine.Media(call); err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Music that loops is played for longer than a product of its samples with a second has room for.
func TestDurationsHaveNoBound(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for _, c := range codecs(t) {
		if got := c.Duration(c.Rate() * int(year/time.Second)); got != year {
			t.Errorf("%v: got %v for a year", c, got)
		}
	}
	if got := media.Duration(media.Samples(year) + 1); got != year+time.Second/media.Rate {
		t.Errorf("got %v for a year and a sample", got)
	}
}
