//go:build phones

package phonetest_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

const rate = 8000

// speech is noise in the band of telephones that swells and fades as syllables do: it is like
// nothing but itself.
func speech(seed uint64, seconds float64) []int16 {
	random := rand.New(rand.NewPCG(seed, 1))
	samples := make([]int16, int(seconds*rate))
	low, high := 0.0, 0.0
	for i := range samples {
		x := random.Float64()*2 - 1
		low += 0.6 * (x - low)
		high += 0.2 * (low - high)
		swell := 0.6 + 0.4*math.Sin(2*math.Pi*3*float64(i)/rate)
		samples[i] = int16(16000 * swell * (low - high))
	}
	return samples
}

// sine is a tone of so many Hz.
func sine(hz, seconds float64) []int16 {
	samples := make([]int16, int(seconds*rate))
	for i := range samples {
		samples[i] = int16(10000 * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return samples
}

// wav is a WAV file of samples at 8 kHz.
func wav(samples []int16) []byte {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("RIFF")
	le(uint32(36 + 2*len(samples)))
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le([]uint16{1, 1})
	le([]uint32{rate, 2 * rate})
	le([]uint16{2, 16})
	b.WriteString("data")
	le(uint32(2 * len(samples)))
	le(samples)
	return b.Bytes()
}

// readWAV returns the samples of a WAV file of 16 bits and one channel, whatever its header says of
// their number: who is killed while writing one leaves it wrong.
func readWAV(t *testing.T, path string) []int16 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("data"))
	if at < 0 {
		t.Fatalf("%s has no data", path)
	}
	data = data[at+8:]
	samples := make([]int16, len(data)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
	}
	return samples
}

// correlation returns how like what was heard is to what was said, at the best place: 1 is the
// same but for how loud it is.
func correlation(said, heard []int16) float64 {
	room := make([]int16, rate/10) // the first frame may be missing
	heard = slices.Concat(room, heard, room)
	best := 0.0
	for lag := 0; lag+len(said) <= len(heard); lag++ {
		// Few samples show where it is worth while to look at all.
		if step := likeness(said, heard[lag:], 37); step > 0.5 {
			best = max(best, likeness(said, heard[lag:], 1))
		}
	}
	return best
}

// pieces returns how many pieces of so many samples of what was said were heard, and of how many. Where
// the machine was held up there is a hole, and what follows lies later.
func pieces(said, heard []int16, size int) (whole, all int) {
	for piece := range slices.Chunk(said[:len(said)/size*size], size) { // a shorter one is like anything
		if all++; correlation(piece, heard) >= 0.95 {
			whole++
		}
	}
	return whole, all
}

func likeness(a, b []int16, step int) float64 {
	var ab, aa, bb float64
	for i := 0; i < len(a); i += step {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// frequency returns the frequency of a tone in Hz, which share of it is missing, and the longest time
// in which nothing is: a telephone whose processor is busy sends packets too late, and what is not there
// is no part of the tone. The frequency is of the middle half of the periods, so that those at a hole do
// not count.
func frequency(samples []int16) (hz, missing float64, whole time.Duration) {
	var periods []float64
	last := -1.0
	for i := 1; i < len(samples); i++ {
		before, now := float64(samples[i-1]), float64(samples[i])
		if before >= 0 || now < 0 {
			continue
		}
		at := float64(i) - now/(now-before) // between two samples
		if last >= 0 {
			periods = append(periods, at-last)
		}
		last = at
	}
	if len(periods) < 4 {
		return 0, 1, 0
	}
	sorted := slices.Sorted(slices.Values(periods))
	middle := sorted[len(periods)/4 : len(periods)*3/4]
	sum := 0.0
	for _, p := range middle {
		sum += p
	}
	hz = rate / (sum / float64(len(middle)))
	stretch := 0.0 // in samples
	for _, p := range periods {
		if stretch += p; math.Abs(p*hz/rate-1) > 0.1 {
			stretch = 0
		}
		whole = max(whole, time.Duration(stretch/rate*float64(time.Second)))
	}
	return hz, 1 - float64(len(periods)+1)*rate/hz/float64(len(samples)), whole
}

// checkTone fails the test unless samples are a recording as long as that, of a tone of 440 Hz that is
// there all the time. On a machine that was held up since it began the tone may have holes, but not more
// than that makes: a fault in the audio makes holes again and again.
func checkTone(t *testing.T, m *machine, began time.Time, samples []int16, length time.Duration) {
	t.Helper()
	const most = 40 * time.Millisecond
	if lasts := lengthOf(len(samples)); (lasts - length).Abs() > most {
		t.Errorf("the recording lasts %v, want %v", lasts, length)
	}
	from, to := loud(samples)
	lasts := lengthOf(to - from)
	hz, missing, whole := frequency(samples[from:to])
	least := length - most
	if !m.steady() {
		n, sum := m.between(began, time.Now())
		least = max(0, min(length/4, (length-most-2*sum)/time.Duration(n+2))) // a jitter buffer has a hole of its own
	}
	if least > 0 && (math.Abs(hz-440) > 5 || whole < least) {
		t.Errorf("got %.1f Hz for %v, for %v without a hole, want 440 Hz for %v, %v without a hole; %v",
			hz, lasts, whole, length, least, m)
	}
	t.Logf("%.1f Hz for %v, of which %.1f %% are missing; for %v without a hole; %v", hz, lasts, 100*missing, whole, m)
}

// checkHeard fails the test unless what was heard since it began is what was said. On a machine that was
// held up all but one half second of it is enough, and but for what that has cost.
func checkHeard(t *testing.T, m *machine, began time.Time, said, heard []int16) {
	t.Helper()
	like := correlation(said, heard)
	whole, all := pieces(said, heard, rate/2)
	if whole < all-1-m.broken(began, time.Now(), time.Second/2) || m.steady() && like < 0.95 {
		t.Errorf("what was heard is like the prompt by %.4f, want 0.95; %d of its %d half seconds were heard; %v",
			like, whole, all, m)
	}
	t.Logf("what was heard is like the prompt by %.4f; %v", like, m)
}

func lengthOf(samples int) time.Duration { return time.Duration(samples) * time.Second / rate }

// loud returns from where to where samples are not silent.
func loud(samples []int16) (from, to int) {
	from = len(samples)
	for i, s := range samples {
		if s > 500 || s < -500 {
			from, to = min(from, i), i+1
		}
	}
	return from, to
}
