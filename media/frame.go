package media

import "time"

// Audio is moved in frames of 20 ms. Where nothing else is said it is linear, mono, of 16 bits and
// 16 kHz.
const (
	Rate         = 16_000                 // samples per second
	FrameTime    = 20 * time.Millisecond  // what one frame lasts
	FrameSamples = Rate / framesPerSecond // samples in a frame: 320

	framesPerSecond = 50
)

// Duration returns how long so many samples at Rate last, rounded down to the nanosecond.
func Duration(samples int) time.Duration { return Codec{}.Duration(samples) }

// Samples returns how many whole samples at Rate fit into d; for a negative d it is negative and
// rounded down too, so that whole frames apart in time are always whole frames apart in samples.
func Samples(d time.Duration) int {
	const perSample = time.Second / Rate // 62.5 µs, a whole number of nanoseconds
	n := d / perSample
	if d%perSample < 0 {
		n--
	}
	return int(n)
}
