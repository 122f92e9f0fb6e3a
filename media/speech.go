package media

import (
	"fmt"
	"math"
	"time"
)

// DefaultSpeechLevel is the level in dBFS above which a frame counts as speech: −45. Zero dBFS is
// the mean square of a square wave of full scale; a quiet room is at −60, a caller at −30 to −15.
const DefaultSpeechLevel = -45.0

// speechRun is how many loud frames in a row make speech: a click is shorter than 60 ms.
const speechRun = 3

// detector hears speech by its energy. Its owner calls add for each frame, in order.
type detector struct {
	least float64 // sum of the squares of a frame that is just not speech

	run   int  // loud frames in a row
	quiet int  // frames since the last one of speech, or since the beginning, the run included
	spoke bool // speech was heard
}

// newDetector returns a detector for a level in dBFS, of which zero means DefaultSpeechLevel, in
// frames of so many samples.
func newDetector(level float64, frameSamples int) detector {
	if level == 0 {
		level = DefaultSpeechLevel
	}
	const full = 32768.0 * 32768.0
	return detector{least: full * float64(frameSamples) * math.Pow(10, level/10)}
}

func checkLevel(level float64) error {
	if level <= 0 && level >= -90 { // false for NaN too
		return nil
	}
	return fmt.Errorf("media: speech level is %v dBFS, must be -90 to below 0, or zero for %v",
		level, DefaultSpeechLevel)
}

// add takes the next frame.
func (d *detector) add(frame []int16) {
	energy := 0.0
	for _, s := range frame {
		energy += float64(s) * float64(s)
	}
	if energy > d.least {
		d.run++
	} else {
		d.run = 0
	}
	if d.run >= speechRun {
		d.spoke, d.quiet = true, 0
	} else {
		d.quiet++
	}
}

// silence returns how long it has been silent, since speech or since the beginning. Loud frames
// that may turn out to be speech are no silence, until they turn out not to be.
func (d *detector) silence() time.Duration {
	if d.quiet == 0 {
		return 0
	}
	return time.Duration(d.quiet-d.run) * FrameTime
}
