package media

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
)

// The resampler is a polyphase filter: the ideal low-pass, cut off by a Kaiser window (Oppenheim,
// Schafer: Discrete-Time Signal Processing, 7.5.3). Between the lower of the two rates' Nyquist
// frequency and 10 % below it the filter falls by attenuation; everything above is gone.
const (
	crossings   = 48      // zeros of the low-pass on each side: what it costs, and how steep it is
	attenuation = 80      // dB of what may not be heard
	maxTaps     = 1 << 19 // of all phases: 2 MiB
	blockSize   = 4096    // samples that are made at a time
)

// kaiser is the window's shape that gives attenuation.
const kaiser = 0.1102 * (attenuation - 8.7)

// signal is something that can be read from any sample on.
type signal interface {
	len() int
	read(to []float32, from int) // with silence beyond both ends
}

// Resample returns the samples at another rate, both in Hz, from MinRate to MaxRate: as many as
// last as long, at least one if there was one. Of a tone below 0.9 times the lower rate's half what
// comes is the tone, within 0.1 dB; images and aliases are 70 dB below it. It takes about 6 ms for
// a second at 48 kHz (BenchmarkResample). If nothing has to be done the samples are the same ones.
// It fails if a rate is none of these, and with the cause of ctx if that ends meanwhile.
func Resample(ctx context.Context, samples []int16, from, to int) ([]int16, error) {
	for _, rate := range [2]int{from, to} {
		if rate < MinRate || rate > MaxRate {
			return nil, fmt.Errorf("media: rate is %d Hz, must be %d to %d", rate, MinRate, MaxRate)
		}
	}
	if from == to {
		return samples, nil
	}
	return resample(ctx, linear(samples), from, to)
}

// linear is samples in memory.
type linear []int16

func (s linear) len() int { return len(s) }

func (s linear) read(to []float32, from int) {
	for i := range to {
		to[i] = 0
		if at := from + i; at >= 0 && at < len(s) {
			to[i] = float32(s[at])
		}
	}
}

func resample(ctx context.Context, in signal, from, to int) ([]int16, error) {
	f := newFilter(from, to)
	out := make([]int16, f.length(in.len()))
	window := make([]float32, f.reach(min(blockSize, len(out))))
	for done := 0; done < len(out); done += blockSize {
		if ctx.Err() != nil {
			return nil, cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
		}
		block := out[done:min(done+blockSize, len(out))]
		first, _ := f.at(done)
		in.read(window, first-f.half+1)
		for i := range block {
			at, phase := f.at(done + i)
			block[i] = f.sample(window[at-first:], phase)
		}
	}
	return out, nil
}

// filter makes up samples of down.
type filter struct {
	up, down int64
	half     int         // of the taps
	taps     [][]float32 // of each phase
}

func newFilter(from, to int) filter {
	half, up, down := plan(from, to)
	f := filter{up: int64(up), down: int64(down), half: half}
	// Half of the slope lies below the Nyquist frequency, so that it ends there.
	const slope = (attenuation - 7.95) / (14.36 * 2 * crossings)
	cut := (1 - slope) / stretch(from, to)
	f.taps = make([][]float32, up)
	exact := make([]float64, 2*half)
	for phase := range f.taps {
		f.taps[phase] = f.phase(exact, float64(phase)/float64(up), cut)
	}
	return f
}

// plan returns half the number of the taps that the filter needs, and the ratio of the rates.
func plan(from, to int) (half, up, down int) {
	half = int(math.Ceil(crossings * stretch(from, to)))
	up, down = ratio(to, from, maxTaps/(2*half))
	return half, up, down
}

// stretch returns how much longer the low-pass is than that of the input's rate: it is that of the
// lower rate.
func stretch(from, to int) float64 { return max(1, float64(from)/float64(to)) }

// phase returns the taps for a sample that lies by so much behind one of the input; exact is room
// for them.
func (f filter) phase(exact []float64, behind, cut float64) []float32 {
	sum := 0.0
	for i := range exact {
		at := float64(i-f.half+1) - behind
		exact[i] = sinc(cut*at) * window(at/float64(f.half))
		sum += exact[i]
	}
	taps := make([]float32, len(exact))
	for i, t := range exact {
		taps[i] = float32(t / sum) // so that what does not change stays as it is
	}
	return taps
}

// length returns how many samples become of n.
func (f filter) length(n int) int { return int((int64(n)*f.up + f.down - 1) / f.down) }

// reach returns how many samples of the input n of the output need.
func (f filter) reach(n int) int { return int(int64(n)*f.down/f.up) + 2*f.half + 1 }

// at returns which of the input's samples the nth of the output follows, and its phase.
func (f filter) at(n int) (before, phase int) {
	at := int64(n) * f.down
	return int(at / f.up), int(at % f.up)
}

// sample returns the sample of a phase, of the input's that it needs. The number of taps is even;
// four sums at a time take a third of the time of one, which waits for each addition.
func (f filter) sample(in []float32, phase int) int16 {
	taps := f.taps[phase]
	in = in[:len(taps)]
	var a, b, c, d float32
	for len(taps) >= 4 {
		a += taps[0] * in[0]
		b += taps[1] * in[1]
		c += taps[2] * in[2]
		d += taps[3] * in[3]
		taps, in = taps[4:], in[4:]
	}
	if len(taps) == 2 {
		a += taps[0] * in[0]
		b += taps[1] * in[1]
	}
	return clip16(a + b + c + d)
}

// clip16 rounds, and holds what is too loud at the loudest.
func clip16(x float32) int16 {
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(x)))))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// window is the Kaiser window, from −1 to 1, of a table, since a Bessel function for each tap takes
// most of the time of a short prompt. Between two entries it is wrong by 10⁻⁶ at most.
func window(x float64) float64 {
	table := windowTable()
	at := math.Abs(x) * (windowSize - 1)
	i := int(at)
	if i >= windowSize-1 {
		return 0
	}
	return table[i] + (at-float64(i))*(table[i+1]-table[i])
}

const windowSize = 2048

var windowTable = sync.OnceValue(func() []float64 {
	table := make([]float64, windowSize)
	for i := range table {
		x := float64(i) / (windowSize - 1)
		table[i] = bessel(kaiser*math.Sqrt(1-x*x)) / bessel(kaiser)
	}
	return table
})

// bessel is the modified Bessel function of the first kind, of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}

// ratio returns a/b in lowest terms, or the nearest fraction to it whose first term is at most
// most: for odd rates, which are then wrong by less than one in ten thousand.
func ratio(a, b, most int) (int, int) {
	p, q, p1, q1 := 0, 1, 1, 0 // the last two convergents of the continued fraction
	for n, d := a, b; d != 0; n, d = d, n%d {
		whole, k := n/d, n/d
		if p1 > 0 {
			k = min(whole, (most-p)/p1)
		}
		if k < whole && 2*k <= whole { // what is between them is no nearer
			break
		}
		p, q, p1, q1 = p1, q1, k*p1+p, k*q1+q
		if k < whole {
			break
		}
	}
	return p1, q1
}
