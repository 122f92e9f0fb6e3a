package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ivrqueue/media"
)

// The prompts are heard up to the first key and no longer than a frame more: in the samples.
func TestThePINPromptFallsSilentWithinAFrameOfTheKey(t *testing.T) {
	t.Parallel()
	o := runCommand(t, "pin")
	o.wantAsScripted(t)
	if o.took >= 30*time.Second {
		t.Errorf("it takes %v, want under 30 s", o.took)
	}
	heard := read(t, filepath.Join(o.folder, "heard.wav"))
	keys := pressed(t, o.stdout)
	if len(keys) != 10 {
		t.Fatalf("%d keys were pressed, want 10:\n%s", len(keys), o.stdout)
	}
	for _, first := range []time.Duration{keys[0], keys[5]} {
		const pause = 1200 * time.Millisecond // until the last key, when the next prompt may begin
		for at := first + media.FrameTime; at < first+pause; at += media.Duration(1) {
			if v := heard[media.Samples(at)]; v != 0 {
				t.Errorf("%v after the first key, at %v, a sample is %d", at-first, first, v)
				break
			}
		}
	}
	wantPicture(t, o.folder, 4, nil, strings.Split("1234#2468#", ""))

	l := listener{t, heard}
	l.wantWhole("pin", prompt(t, "pin"))
	l.wantPart("pin-again", prompt(t, "pin-again"), time.Second)
	l.wantPart("pin-again", prompt(t, "pin-again"), time.Second)
	l.wantWhole("goodbye", prompt(t, "goodbye"))
	if l.skip(); len(l.heard) > 0 {
		t.Errorf("%v more were heard", media.Duration(len(l.heard)))
	}
}

// pressed returns when the caller pressed keys, as the timeline has it: the call's time, which is
// that of the samples too.
func pressed(t *testing.T, timeline string) (at []time.Duration) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^ *(\S+)  caller +presses .$`).FindAllStringSubmatch(timeline, -1) {
		d, err := time.ParseDuration(found[1] + "s")
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, d)
	}
	return at
}

// What one hears here is what one reads in the documentation of package queue, except for what it says
// the linter: the example is a test, which may leave errors alone.
func TestThePINDialogIsThatOfTheExample(t *testing.T) {
	t.Parallel()
	var dialogs []string
	for _, path := range []string{"pin.go", "../../queue/example_pin_test.go"} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, dialog, found := strings.Cut(string(source), "// enterPIN ")
		if !found {
			t.Fatalf("%s has no dialog", path)
		}
		dialogs = append(dialogs, regexp.MustCompile(` //nolint:.*`).ReplaceAllString(dialog, ""))
	}
	if dialogs[0] != dialogs[1] {
		t.Error("pin.go and the example differ")
	}
}
