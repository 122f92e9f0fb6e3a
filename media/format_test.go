package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/zaf/g711"

	"ivrqueue/internal/bounds"
	"ivrqueue/media"
)

// sine is n samples of a sine at a rate, of full scale 1.
func sine(pitch, amplitude float64, rate, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = amplitude * math.Sin(2*math.Pi*pitch*float64(i)/float64(rate))
	}
	return s
}

// ways are the forms in which people keep audio, and how a sample is written in each.
var ways = []struct {
	name string
	tag  uint16
	bits uint16
	put  func(b []byte, x float64) []byte
	snr  float64 // dB that a tone has above what the form adds to it
}{
	{"8 bit", 1, 8, func(b []byte, x float64) []byte { return append(b, byte(math.Round(x*127)+128)) }, 40},
	{"16 bit", 1, 16, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(x*32767))))
	}, 75},
	{"24 bit", 1, 24, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(x*8388607))))[:len(b)+3]
	}, 75},
	{"32 bit", 1, 32, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(x*2147483647))))
	}, 75},
	{"float", 3, 32, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	}, 75},
	{"double", 3, 64, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}, 75},
	{"A-law", 6, 8, func(b []byte, x float64) []byte { return append(b, g711.EncodeAlawFrame(int16(x*32767))) }, 33},
	{"µ-law", 7, 8, func(b []byte, x float64) []byte { return append(b, g711.EncodeUlawFrame(int16(x*32767))) }, 33},
}

// toneIn returns the amplitude of a tone in samples, and how far in dB all else is below it.
func toneIn(samples []int16, pitch float64) (amplitude, snr float64) {
	return toneAt(samples, pitch, media.Rate)
}

func toneAt(samples []int16, pitch float64, rate int) (amplitude, snr float64) {
	samples = samples[len(samples)/8 : len(samples)*7/8] // what the ends do is not of the tone
	var sums [5]float64                                  // of sin², sin·cos, cos², x·sin, x·cos
	for i, x := range samples {
		sin, cos := math.Sincos(2 * math.Pi * pitch * float64(i) / float64(rate))
		for k, product := range [5]float64{sin * sin, sin * cos, cos * cos, float64(x) * sin, float64(x) * cos} {
			sums[k] += product
		}
	}
	det := sums[0]*sums[2] - sums[1]*sums[1]
	a, b := (sums[3]*sums[2]-sums[4]*sums[1])/det, (sums[4]*sums[0]-sums[3]*sums[1])/det
	power, rest := 0.0, 0.0
	for i, x := range samples {
		sin, cos := math.Sincos(2 * math.Pi * pitch * float64(i) / float64(rate))
		y := a*sin + b*cos
		power += y * y
		rest += (float64(x) - y) * (float64(x) - y)
	}
	return math.Hypot(a, b) / 32768, 10 * math.Log10(power/rest)
}

// What people have is heard as what it is: at every rate, with one channel or two, in every form.
func TestEveryFormOfAudioIsPlayedAsWhatItIs(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		rates := []int{8000, 16000, 44100}
		if way.name == "16 bit" {
			rates = []int{4000, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44056, 44100, 48000, 96000, 192000}
		}
		for _, rate := range rates {
			for channels := range 3 {
				if channels == 0 {
					continue
				}
				const pitch, amplitude = 1010, 0.5
				var raw []byte
				for _, x := range sine(pitch, amplitude, rate, rate/4) {
					for range channels {
						raw = way.put(raw, x)
					}
				}
				f := format(way.tag, uint16(channels), uint32(rate), way.bits)
				samples, err := media.ReadWAV(t.Context(), bytes.NewReader(riff(f, chunk{name: "data", data: raw})))
				if err != nil {
					t.Errorf("%s, %d Hz, %d channels: %v", way.name, rate, channels, err)
					continue
				}
				if d := len(samples) - media.Rate/4; d < -1 || d > 1 {
					t.Errorf("%s, %d Hz: %d samples, want %d", way.name, rate, len(samples), media.Rate/4)
				}
				got, snr := toneIn(samples, pitch)
				if math.Abs(20*math.Log10(got/amplitude)) > 0.15 || snr < way.snr {
					t.Errorf("%s, %d Hz, %d channels: amplitude %.4f, want %.4f; %.1f dB above the rest, want %.0f",
						way.name, rate, channels, got, amplitude, snr, way.snr)
				}
			}
		}
	}
}

// The extremes of each form are those of ours.
func TestTheExtremesOfEachFormAreOurs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format chunk
		raw    []byte
		want   []int16
	}{
		"8 bit":       {format(1, 1, 16000, 8), []byte{0, 128, 255}, []int16{-32768, 0, 32512}},
		"12 in 16":    {format(1, 1, 16000, 12), []byte{0, 0x80, 0xf0, 0x7f}, []int16{-32768, 32752}},
		"24 bit":      {format(1, 1, 16000, 24), []byte{0, 0, 0x80, 0xff, 0xff, 0x7f}, []int16{-32768, 32767}},
		"24 in 32":    {wide(), []byte{0, 0, 0, 0x80, 0, 0xff, 0xff, 0x7f}, []int16{-32768, 32767}},
		"32 bit":      {format(1, 1, 16000, 32), []byte{0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0x7f}, []int16{-32768, 32767}},
		"float":       {format(3, 1, 16000, 32), floats(-1, 0, 1, 2, -2, math.NaN(), math.Inf(1)), []int16{-32768, 0, 32767, 32767, -32768, 0, 32767}},
		"A-law":       {format(6, 1, 16000, 8), []byte{0x2a, 0x55, 0xd5, 0xaa}, []int16{-32256, -8, 8, 32256}},
		"µ-law":       {format(7, 1, 16000, 8), []byte{0x00, 0x7f, 0xff, 0x80}, []int16{-32124, 0, 0, 32124}},
		"stereo":      {format(1, 2, 16000, 16), []byte{0, 0, 0, 16, 0xff, 0x7f, 0xff, 0x7f}, []int16{2048, 32767}},
		"half a pair": {format(1, 2, 16000, 16), []byte{0, 0, 0, 16, 1, 1}, []int16{2048}},
	} {
		got, err := media.ReadWAV(t.Context(), bytes.NewReader(riff(test.format, chunk{name: "data", data: test.raw})))
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, test.want)
		}
	}
}

// wide is a "fmt " chunk of 24 bits in 4 bytes.
func wide() chunk {
	c := format(1, 1, 16000, 24)
	c.data[12] = 4
	return c
}

func floats(xs ...float64) []byte {
	var b []byte
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	}
	return b
}

// A file that takes long to convert does not hold up its operation's end.
func TestConversionEndsWithItsContext(t *testing.T) { //nolint:paralleltest // measures the process
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &hook{bytes.NewReader(riff(format(1, 1, 44100, 8), chunk{name: "data", data: make([]byte, 8<<20)})), func() { cancel(errBroken) }}
	var err error
	_, took := bounds.Measure(func() { _, err = media.ReadWAV(ctx, r) })
	if read := (*media.ReadError)(nil); !errors.As(err, &read) || !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
	if took > 2*time.Second {
		t.Errorf("it took %v of a processor", took)
	}
}

// hook is a reader that calls f when it has nothing more.
type hook struct {
	*bytes.Reader

	f func()
}

func (h *hook) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err != nil {
		h.f()
	}
	return n, err
}
