package softmedia

import "time"

// The one format this engine knows: mono, 16-bit, 16 kHz PCM, moved in frames of 20 ms.
const (
	Rate         = 16_000                // samples per second
	FrameTime    = 20 * time.Millisecond // what one frame lasts
	FrameSamples = Rate / 50             // samples in a frame: 320
)

// Duration returns how long so many samples last, rounded down to the nanosecond.
func Duration(samples int) time.Duration {
	return time.Duration(samples) * time.Second / Rate
}

// Samples returns how many whole samples fit into d; for a negative d it is negative and rounded
// down too, so that whole frames apart in time are always whole frames apart in samples.
func Samples(d time.Duration) int {
	const perSample = time.Second / Rate // 62.5 µs, a whole number of nanoseconds
	n := d / perSample
	if d%perSample < 0 {
		n--
	}
	return int(n)
}
