package softmedia

import (
	"math"
	"sync"
	"time"
)

// BeepTime is what the beep before a recording lasts.
const BeepTime = 200 * time.Millisecond

// Beep returns the beep before a recording: 200 ms of 1 kHz at −12 dBFS peak, faded in and out over
// 10 ms so that it does not click. All get the same slice: do not change it.
func Beep() []int16 { return beep() }

var beep = sync.OnceValue(func() []int16 {
	const (
		pitch = 1000.0
		peak  = 32768.0 / 4
	)
	fade := Samples(10 * time.Millisecond)
	samples := make([]int16, Samples(BeepTime))
	for i := range samples {
		gain := min(1, float64(i)/float64(fade), float64(len(samples)-i)/float64(fade))
		samples[i] = int16(peak * gain * math.Sin(2*math.Pi*pitch*float64(i)/Rate))
	}
	return samples
})
