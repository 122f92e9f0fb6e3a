package media

import (
	"context"
	"math"
	"time"
)

// BeepTime is what the beep before a recording lasts.
const BeepTime = 200 * time.Millisecond

// Beep returns the beep before a recording, in a codec: 200 ms of 1 kHz at −12 dBFS peak, faded in
// and out over 10 ms so that it does not click.
func Beep(c Codec) Audio {
	const (
		pitch = 1000.0
		peak  = 32768.0 / 4
	)
	samples := make([]int16, c.Rate()/5)
	fade := float64(len(samples)) / 20
	for i := range samples {
		gain := min(1, float64(i)/fade, float64(len(samples)-i)/fade)
		samples[i] = int16(peak * gain * math.Sin(2*math.Pi*pitch*float64(i)/float64(c.Rate())))
	}
	a, _ := NewAudio(context.Background(), samples, c.Rate(), c) // nothing to convert that could fail
	return a
}
