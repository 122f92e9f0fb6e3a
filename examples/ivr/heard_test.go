package main_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ivrqueue/media"
)

func TestHeardHoldsThePromptsInOrderAndTheRecordingWhatTheCallerSaid(t *testing.T) {
	t.Parallel()
	o := run(t)
	o.wantAsScripted(t)
	l := listener{t, read(t, filepath.Join(o.folder, "heard.wav"))}
	l.wantWhole("welcome", prompt(t, "welcome"))
	l.wantWhole("menu", prompt(t, "menu"))
	l.wantPart("hours", prompt(t, "hours"), 1200*time.Millisecond)
	if silent := media.Duration(len(l.heard) - len(silenceCut(l.heard))); silent < time.Second {
		t.Errorf("%v of silence after the cancel, want a second", silent)
	}
	l.wantPart("music", prompt(t, "music"), time.Second)
	l.wantWhole("record", prompt(t, "record"))
	l.wantWhole("beep", media.Beep(media.Codec{}).Samples())
	l.wantWhole("goodbye", prompt(t, "goodbye"))
	if l.skip(); len(l.heard) > 0 {
		t.Errorf("%v more were heard", media.Duration(len(l.heard)))
	}
	speech := prompt(t, "caller")
	if !contains(o.recording(t), speech) {
		t.Error("the recording does not hold what the caller said")
	}
	heard, said := read(t, filepath.Join(o.folder, "heard.wav")), read(t, filepath.Join(o.folder, "said.wav"))
	if len(said) != len(heard) || !contains(said, speech) {
		t.Errorf("what was said is of %d samples, what was heard of %d; or what the caller said is not there", len(said), len(heard))
	}
}

// listener goes through what was heard.
type listener struct {
	t     *testing.T
	heard []int16
}

// skip leaves silence out.
func (l *listener) skip() { l.heard = silenceCut(l.heard) }

func silenceCut(s []int16) []int16 {
	if i := slices.IndexFunc(s, func(v int16) bool { return v != 0 }); i >= 0 {
		return s[i:]
	}
	return nil
}

// match leaves out silence and then all that is as in samples, and returns how much of them that
// is.
func (l *listener) match(samples []int16) int {
	l.skip()
	cut := silenceCut(samples)
	n := 0
	for n < min(len(cut), len(l.heard)) && cut[n] == l.heard[n] {
		n++
	}
	l.heard = l.heard[n:]
	return len(samples) - len(cut) + n
}

func (l *listener) wantWhole(name string, samples []int16) {
	l.t.Helper()
	if n := l.match(samples); n != len(samples) {
		l.t.Fatalf("%s was heard for %d samples, want all %d", name, n, len(samples))
	}
}

// wantPart wants the beginning of samples, cut off at a frame's end within one frame of the time.
func (l *listener) wantPart(name string, samples []int16, at time.Duration) {
	l.t.Helper()
	n := l.match(samples)
	want := media.Samples(min(at, media.Duration(len(samples)/2)))
	if n < want-2*media.FrameSamples || n > want+2*media.FrameSamples {
		l.t.Fatalf("%s was heard for %d samples, want about %d", name, n, want)
	}
}

func contains(all, part []int16) bool {
	for i := 0; i+len(part) <= len(all); i++ {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// tune writes a WAV file of n samples that are not silent and returns its path.
func tune(t *testing.T, name string, n int) string {
	t.Helper()
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(i*7919%20001 - 10000)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := media.WriteWAV(path, samples); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPromptsAndCallersOfAnyLengthArePlayed(t *testing.T) {
	t.Parallel()
	for name, lengths := range map[string][]int{ // the last one is the caller's
		"shortest":    {1, 1, 1},
		"odd":         {319, 321, 5000, 1234},
		"three longs": {40_000, 50_000, 60_000, 116 * 16000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var args []string
			var paths []string
			for i, n := range lengths {
				path := tune(t, string(rune('a'+i))+" prompt with a long name.wav", n)
				paths = append(paths, path)
				if i < len(lengths)-1 {
					args = append(args, "-prompt", path)
				} else {
					args = append(args, "-caller", path)
				}
			}
			o := run(t, args...)
			o.wantAsScripted(t)
			l := listener{t, read(t, filepath.Join(o.folder, "heard.wav"))}
			for _, path := range paths[:len(paths)-1] {
				l.wantWhole(path, read(t, path))
			}
			l.wantPart("hours", prompt(t, "hours"), 1200*time.Millisecond)
			said := read(t, paths[len(paths)-1])
			if said = said[:min(len(said), 115*media.Rate)]; !contains(o.recording(t), said) {
				t.Error("the recording does not hold what the caller said")
			}
		})
	}
}
