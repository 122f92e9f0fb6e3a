package main_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// Nobody turns the volume down for the music, or up for one of the prompts.
func TestTheMusicIsAsLoudAsTheSpeech(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join("prompts", "*.wav"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("%q, %v", paths, err)
	}
	var speech float64
	levels := make(map[string]float64)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".wav")
		levels[name] = loudness(read(t, path))
		if name != "music" {
			speech += levels[name] / float64(len(paths)-1)
		}
	}
	for name, level := range levels {
		if math.Abs(level-speech) > 3 {
			t.Errorf("%s has %.1f dBFS, the speech %.1f dBFS, want no more than 3 dB apart", name, level, speech)
		}
	}
}

// loudness is the RMS, in dB below the loudest that there can be.
func loudness(samples []int16) float64 {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(sum/float64(len(samples))/(1<<30))
}
