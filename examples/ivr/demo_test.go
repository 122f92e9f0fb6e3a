package main_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ivr "ivrqueue/examples/ivr"
	"ivrqueue/media"
)

// The program without a command goes as scripted, in time, as its timeline says, ends with the
// exchange of Graph's page, and leaves its files.
func TestTheDemoGoesAsScripted(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	folder := t.TempDir()
	own := tune(t, "own.wav", 8000)
	code := ivr.Run(t.Context(), []string{"-out", folder, "-prompt", own}, &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit status %d: %s\n%s", code, stderr.String(), stdout.String())
	}
	printed := stdout.String()
	if strings.Contains(printed, "\x1b") {
		t.Error("there are colours, and it is no terminal")
	}
	timeline, exchange, _ := strings.Cut(printed, "\nThe cancel in full, as the page on cancelMediaProcessing has it:\n")
	for _, mask := range []struct{ what, with string }{
		{`127\.0\.0\.1:\d+`, "HOST"},
		{`(?m)^ *\d+\.\d{3}`, "   T.TTT"},
		{`\b[0-9a-f]{8}  `, "12345678  "},
		{`\d+ kB`, "N kB"},
		// What was before it may be out of the way by then, or not yet.
		{`(answer .* d45324c1-\S+ +12345678  )running`, "${1}notStarted"},
		{`(answer .* (?:own|hold music) +12345678  )notStarted`, "${1}running"},
	} {
		timeline = regexp.MustCompile(mask.what).ReplaceAllString(timeline, mask.with)
	}
	// What the bot is told comes as it comes: on a machine that is held up, behind what is asked for
	// next, and an end behind a key.
	const told = "  notified  "
	wantGolden(t, "demo.golden", timeline, func(s string) string { return strings.Join(lines(s, false, told), "") },
		func(s string) string { return strings.Join(slices.Sorted(slices.Values(lines(s, true, told))), "") })
	for _, want := range []string{
		"POST /v1.0/communications/calls/", "/cancelMediaProcessing\n", "\n200 OK\n", "Location: http://127.0.0.1:",
		`"@odata.type": "#microsoft.graph.cancelMediaProcessingOperation"`, "POST /callback",
		`"@odata.type": "#microsoft.graph.recordOperation"`, `"subcode": 8508`, `"completionReason": "operationCanceled"`,
		`"@odata.type": "#microsoft.graph.playPromptOperation"`, `"subcode": 8508`, `"completionReason": "mediaOperationCanceled"`,
		"The call went as scripted. In " + folder,
	} {
		var before string
		var ok bool
		before, exchange, ok = strings.Cut(exchange, want)
		if !ok {
			t.Fatalf("%q is not shown in its place, behind\n%s\n%s", want, before, printed)
		}
	}

	heard := read(t, filepath.Join(folder, "heard.wav"))
	l := listener{t, sound(heard)}
	l.wantWhole("own", sound(read(t, own)))
	music, record := sound(prompt(t, "music")), sound(prompt(t, "record"))
	for whole := len(music); whole == len(music); { // on a machine that was held up
		whole = l.match(music)
	}
	ran := at(t, printed, "POST cancelMediaProcessing") - at(t, printed, "barges in")
	late := ran+time.Second/2 >= media.Duration(len(record)) // the same
	if whole := l.match(record) == len(record); whole && !late {
		t.Error("the record's prompt was heard whole")
	} else if whole {
		l.match(media.Beep(media.Codec{}).Samples())
	}
	if l.skip(); len(l.heard) > 0 {
		t.Errorf("%d samples more were heard", len(l.heard))
	}
	if silent := silenceBehind(heard); silent < time.Second {
		t.Errorf("the file goes on for %v after the cancel, want a second", silent)
	}
	said := read(t, filepath.Join(folder, "said.wav"))
	if len(said) < len(heard) { // it was asked for a moment later
		t.Errorf("what was said is of %d samples, what was heard before of %d", len(said), len(heard))
	}
	speech, recording := prompt(t, "caller"), read(t, filepath.Join(folder, "recording.wav"))
	if !contains(said, speech) {
		t.Error("said.wav does not hold what the caller said")
	}
	if n := framesOf(recording, speech); n == 0 {
		t.Error("the recording holds nothing of what the caller said")
	}
	wantPicture(t, folder, 5, []string{"barge-in", "cancel"}, []string{"#", "1", "3"})

	// Its end comes when it is interrupted, too.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr.Reset()
	if code := ivr.Run(ctx, []string{"-out", folder}, interrupting{cancel}, &stderr); code != 1 || stderr.Len() == 0 {
		t.Errorf("interrupted: exit status %d, %q", code, stderr.String())
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("of the call before there are %v, %v", left, err)
	}
}

// at is when a line was printed that has something in it, as the line says.
func at(t *testing.T, printed, what string) time.Duration {
	t.Helper()
	for _, line := range lines(printed, true, what) {
		if d, err := time.ParseDuration(strings.Fields(line)[0] + "s"); err == nil {
			return d
		}
	}
	t.Fatalf("no line has %q, with its time", what)
	return 0
}

// interrupting is where a call is printed that is interrupted when it begins.
type interrupting struct{ interrupt func() }

func (i interrupting) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("POST calls")) {
		i.interrupt()
	}
	return len(p), nil
}

// lines are those of a text that have, or do not have, something in them.
func lines(text string, have bool, what string) (all []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) == have {
			all = append(all, line)
		}
	}
	return all
}

// sound leaves out frames of silence: a machine that was held up for too long puts some between two
// others.
func sound(s []int16) (heard []int16) {
	for frame := range slices.Chunk(s, media.FrameSamples) {
		if len(silenceCut(frame)) > 0 {
			heard = append(heard, frame...)
		}
	}
	return heard
}

// framesOf is how many whole frames of a recording are of the speech, each behind the one before: a
// machine that was held up for too long misses some.
func framesOf(recording, speech []int16) (n int) {
	for frame := range slices.Chunk(recording, media.FrameSamples) {
		if len(silenceCut(frame)) == 0 {
			continue
		}
		for i := 0; i+len(frame) <= len(speech); i++ {
			if slices.Equal(speech[i:i+len(frame)], frame) {
				speech = speech[i+len(frame):]
				n++
				break
			}
		}
	}
	return n
}

// silenceBehind is how long nothing but silence is heard at the end.
func silenceBehind(heard []int16) time.Duration {
	reversed := slices.Clone(heard)
	slices.Reverse(reversed)
	return media.Duration(len(heard) - len(silenceCut(reversed)))
}

// wantPicture wants a picture in the folder with so many operations, and these cancels and keys.
func wantPicture(t *testing.T, folder string, operations int, cancels, keys []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "call.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var gotOperations int
	var gotCancels, gotKeys []string
	var class, word string
	for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "g" {
				class = ""
				for _, a := range token.Attr {
					if a.Name.Local == "class" {
						class, _, _ = strings.Cut(a.Value, " ")
					}
				}
				if class == "operation" {
					gotOperations++
				}
			}
			word = ""
		case xml.CharData:
			word = string(token)
		case xml.EndElement:
			switch {
			case token.Name.Local == "g":
				class = ""
			case token.Name.Local == "text" && class == "cancel":
				gotCancels = append(gotCancels, word)
			case token.Name.Local == "text" && class == "key":
				gotKeys = append(gotKeys, word)
			}
		}
	}
	gotKeys = gotKeys[min(1, len(gotKeys)):] // behind the legend's
	if gotOperations != operations || !slices.Equal(gotCancels, cancels) || !slices.Equal(gotKeys, keys) {
		t.Errorf("got %d, %q, %q, want %d, %q, %q", gotOperations, gotCancels, gotKeys, operations, cancels, keys)
	}
}
