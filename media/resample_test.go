package media_test

import (
	"context"
	"errors"
	"math"
	"strconv"
	"testing"

	"ivrqueue/media"
)

func int16s(xs []float64) []int16 {
	s := make([]int16, len(xs))
	for i, x := range xs {
		s[i] = int16(math.Round(x * 32767))
	}
	return s
}

// powerOf is the power of samples in dB of full scale, without the ends.
func powerOf(samples []int16) float64 {
	samples = samples[len(samples)/8 : len(samples)*7/8]
	sum := 0.0
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(sum/float64(len(samples))/(1<<30)+1e-12)
}

// A tone that both rates can hold comes through as it is, and nothing else does: no image of it, and
// no alias of one that the new rate can't hold.
func TestResampling(t *testing.T) {
	t.Parallel()
	const to, amplitude = media.Rate, 0.9
	for _, from := range []int{4000, 8000, 11025, 22050, 22255, 24000, 32000, 44056, 44100, 48000, 96000, 192000} {
		t.Run(strconv.Itoa(from), func(t *testing.T) {
			t.Parallel()
			nyquist := float64(min(from, to)) / 2
			up, down := media.Ratio(to, from)
			exact := float64(from) / to * float64(up) / float64(down) // 1, but for odd rates
			for _, at := range []float64{0.02, 0.1, 0.3, 0.5, 0.7, 0.85, 0.9} {
				pitch := at * nyquist
				out, err := media.Resample(t.Context(), int16s(sine(pitch, amplitude, from, from/4)), from, to)
				if err != nil {
					t.Fatal(err)
				}
				got, snr := toneIn(out, pitch/exact)
				if flat := 20 * math.Log10(got/amplitude); math.Abs(flat) > 0.1 || snr < 65 {
					t.Errorf("%.0f Hz: %+.2f dB, and %.1f dB above all else, want 0 and 65", pitch, flat, snr)
				}
			}
			for _, at := range []float64{1.001, 1.05, 1.2, 1.7, 2.5} {
				pitch := at * to / 2
				if pitch >= float64(from)/2 {
					break
				}
				out, err := media.Resample(t.Context(), int16s(sine(pitch, amplitude, from, from/4)), from, to)
				if err != nil {
					t.Fatal(err)
				}
				if alias := powerOf(out) - 20*math.Log10(amplitude/math.Sqrt2); alias > -70 {
					t.Errorf("%.0f Hz: an alias of %.1f dB, want less than -70", pitch, alias)
				}
			}
		})
	}
}

func TestResamplingKeepsWhatDoesNotChange(t *testing.T) {
	t.Parallel()
	flat := make([]int16, 20000)
	for i := range flat {
		flat[i] = 12345
	}
	for _, from := range []int{8000, 44100, 48000, 44056} {
		out, err := media.Resample(t.Context(), flat, from, media.Rate)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range out[200 : len(out)-200] {
			if s < 12344 || s > 12346 {
				t.Fatalf("from %d Hz: sample %d is %d, want 12345", from, i, s)
			}
		}
	}
}

// Lengths are exact to a sample where the rates have a common measure, and to one in ten thousand
// where they have none.
func TestResamplingKeepsTheLength(t *testing.T) {
	t.Parallel()
	for _, from := range []int{4000, 8000, 11025, 44100, 48000, 192000} {
		for _, n := range []int{1, 2, 100, 4095, 4096, 4097, 50000} {
			out, err := media.Resample(t.Context(), make([]int16, n), from, media.Rate)
			if want := (n*media.Rate + from - 1) / from; err != nil || len(out) != want {
				t.Errorf("%d samples at %d Hz: got %d, %v, want %d", n, from, len(out), err, want)
			}
		}
	}
	worst := 0.0
	for from := media.MinRate; from <= media.MaxRate; from++ {
		up, down := media.Ratio(media.Rate, from)
		worst = max(worst, math.Abs(float64(up)/float64(down)*float64(from)/media.Rate-1))
	}
	if worst > 1e-4 {
		t.Errorf("the worst ratio is wrong by %v, want at most 1e-4", worst)
	}
}

func TestResamplingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	if _, err := media.Resample(ctx, make([]int16, 100), 8000, 16000); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestRatesOfResamplingAreBounded(t *testing.T) {
	t.Parallel()
	for _, rates := range [][2]int{{0, 8000}, {8000, 0}, {-1, 8000}, {3999, 8000}, {8000, 192001}, {math.MaxInt, 8000}} {
		if _, err := media.Resample(t.Context(), make([]int16, 100), rates[0], rates[1]); err == nil {
			t.Errorf("%v: no error", rates)
		}
		if _, err := media.NewAudio(t.Context(), make([]int16, 100), rates[0], media.PCMU); err == nil && rates[0] != 8000 {
			t.Errorf("%v: no error of audio", rates)
		}
	}
	for _, rates := range [][2]int{{4000, 192000}, {192000, 4000}, {4000, 4000}} {
		if out, err := media.Resample(t.Context(), make([]int16, 480), rates[0], rates[1]); err != nil || len(out) != 480*rates[1]/rates[0] {
			t.Errorf("%v: got %d samples, %v", rates, len(out), err)
		}
		if out, err := media.Resample(t.Context(), nil, rates[0], rates[1]); err != nil || len(out) != 0 {
			t.Errorf("%v, of nothing: got %d samples, %v", rates, len(out), err)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	for _, from := range []int{8000, 44100, 48000} {
		b.Run(strconv.Itoa(from), func(b *testing.B) {
			second := make([]int16, from)
			for b.Loop() {
				_, _ = media.Resample(b.Context(), second, from, media.Rate)
			}
		})
	}
}
