package service_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/media"
	"ivrqueue/webhook"
)

// After a cancel at most one frame more is heard of what it cancelled, by its pitch, and what is
// enqueued next is heard whole.
func TestACancelIsHeardAtOnceAndWhatComesNextIsHeardWhole(t *testing.T) {
	t.Parallel()
	r := start(t)
	const low, middle, high = 400.0, 1000.0, 1700.0
	next := sine(high, 310*time.Millisecond)
	r.file("low.wav", sine(low, 2*time.Second))
	r.file("middle.wav", sine(middle, time.Second))
	r.file("high.wav", next)
	p := r.call()
	for range 5 {
		first, second := p.play("file:low.wav", true), p.play("file:middle.wav", false)
		before := frames(p.heard(), low)
		until(t, "the prompt is heard", func() bool { return frames(p.heard(), low) >= before+10 })
		p.act("cancelMediaProcessing", `{}`)
		atCancel := frames(p.heard(), low)
		last := p.play("file:high.wav", false)
		r.wantEnd(first, 400, 8508)
		r.wantEnd(second, 400, 8508)
		r.wantEnd(last, 200, 0)
		heard := p.heard()
		if got := frames(heard, low); got > atCancel+1 {
			t.Errorf("%d frames of the cancelled prompt were heard after the cancel", got-atCancel)
		}
		if got := frames(heard, middle); got != 0 {
			t.Errorf("%d frames were heard of a prompt that never started", got)
		}
		heard = sound(heard)
		if i := index(heard[max(0, len(heard)-2*len(next)):], next); i < 0 {
			t.Error("what came next was not heard whole")
		}
	}
}

// A recording holds what the caller said; the key that ends it is notified like any other.
func TestARecordingHoldsWhatTheCallerSaid(t *testing.T) {
	t.Parallel()
	speech := sine(300, time.Minute)
	r := start(t, func(o *service.Options) { o.Caller, o.Audio = speech, 300*time.Millisecond })
	p := r.call()
	p.act("subscribeToTone", `{}`)
	record := p.act("recordResponse", `{"playBeep":true,"stopTones":["#"],`+patient+`}`)
	p.speaks()
	r.pass(media.BeepTime + 600*time.Millisecond)
	p.press("7#8")
	got := r.wantEnd(record, 200, 8514)
	r.wait("8", func(res any) bool { return at(res, "toneInfo", "tone") == "tone8" })
	if _, tones := r.notified(); !slices.Equal(tones, []string{"tone7", "pound", "tone8"}) {
		t.Errorf("tones: got %q", tones)
	}

	location, _ := got["recordingLocation"].(string)
	token, _ := got["recordingAccessToken"].(string)
	for _, wrong := range []string{"", "bot", token + "x", "other"} {
		if status, _ := r.do("GET", location, wrong, ""); status != 401 {
			t.Errorf("with token %q: got %d, want 401", wrong, status)
		}
	}
	status, data := r.do("GET", location, token, "")
	if status != 200 {
		t.Fatalf("got %d: %s", status, data)
	}
	if n := recorded(decode(t, data), speech); n < media.Rate/2 {
		t.Errorf("the recording holds %d samples of what was said", n)
	}
	_, data = r.do("GET", "/dev/calls/"+p.id+"/said.wav", "bot", "")
	if said := trim(decode(t, data)); len(said) < media.Rate/2 || index(speech, said[:min(len(said), len(speech))]) != 0 {
		t.Errorf("what was said, for %v, is not the speech", media.Duration(len(said)))
	}
}

// The caller hangs up in the middle of a record: what was said so far is kept, and notified.
func TestAHangUpDuringARecordKeepsWhatWasSaid(t *testing.T) {
	t.Parallel()
	speech := sine(300, time.Minute)
	r := start(t, func(o *service.Options) { o.Caller = speech })
	p := r.call()
	record := p.act("recordResponse", `{"playBeep":true,`+patient+`}`)
	p.speaks()
	r.pass(media.BeepTime + 600*time.Millisecond)
	p.must(204, "DELETE", "/dev/calls/"+p.id, "bot", "")
	got := r.wantEnd(record, 400, 8528)
	r.wait("the call is over", func(res any) bool { return at(res, "state") == "terminated" })
	location, _ := got["recordingLocation"].(string)
	token, _ := got["recordingAccessToken"].(string)
	status, data := r.do("GET", location, token, "")
	if status != 200 {
		t.Fatalf("got %d: %s", status, data)
	}
	if n := recorded(decode(t, data), speech); n < media.Rate/4 {
		t.Errorf("the recording holds %d samples of what was said", n)
	}
}

// Recordings are removed when their time is over, and with the service.
func TestRecordingsAreRemovedWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *service.Options) {
		o.Caller, o.KeepRecordings = sine(300, 10*time.Second), 50*time.Millisecond
	})
	p := r.call()
	record := p.act("recordResponse", `{"playBeep":false,"maxRecordDurationInSeconds":1}`)
	got := r.wantEnd(record, 200, 8515)
	location, _ := got["recordingLocation"].(string)
	token, _ := got["recordingAccessToken"].(string)
	if status, _ := r.do("GET", location, token, ""); status != 200 {
		t.Fatalf("got %d during the call", status)
	}
	p.must(204, "DELETE", "/v1.0/communications/calls/"+p.id, "bot", "")
	until(t, "the recording is gone", func() bool {
		status, _ := r.do("GET", location, token, "")
		left, err := os.ReadDir(r.folder)
		return status == 401 && len(left) == 0 && err == nil
	})
}

// A record that may barge in ends what plays, and is played at once.
func TestARecordBargesIn(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.file("music.wav", sine(400, 2*time.Second))
	r.file("ask.wav", sine(1700, 200*time.Millisecond))
	p := r.call()
	music := p.play("file:music.wav", true)
	p.hears(100 * time.Millisecond)
	record := p.act("recordResponse", `{"bargeInAllowed":true,"playBeep":true,"initialSilenceTimeoutInSeconds":1,
		"prompts":[{"@odata.type":"#microsoft.graph.mediaPrompt","mediaInfo":{"uri":"file:ask.wav"}}]}`)
	r.wantEnd(music, 400, 8508)
	r.wantEnd(record, 400, 8510)
	heard := sound(p.heard())
	asked := index(heard, sine(1700, 200*time.Millisecond))
	if asked < 0 || index(heard[asked:], media.Beep(media.Codec{}).Samples()) < 0 {
		t.Error("prompt and beep were not heard")
	}
}

// Prompts that are wrong, missing, or lie outside of the folder fail their operation and nothing
// else.
func TestBadPromptsFailTheirOperation(t *testing.T) {
	t.Parallel()
	r := start(t)
	outside := filepath.Join(filepath.Dir(r.prompts), "outside.wav")
	if err := media.WriteWAV(outside, sine(400, time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(outside) })
	if err := os.Symlink(outside, filepath.Join(r.prompts, "link.wav")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.prompts, "text.wav"), []byte("no sound at all, just text"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.file("good.wav", sine(400, 100*time.Millisecond))
	p := r.call()
	for uri, want := range map[string][2]int{
		"file:good.wav": {200, 0}, "file://" + filepath.ToSlash(r.prompts) + "/good.wav": {200, 0},
		"file:text.wav": {400, 8535}, "file:missing.wav": {400, 8536}, "file:link.wav": {400, 8536},
		"file:../outside.wav": {400, 8536}, "file:%2e%2e/outside.wav": {400, 8536}, "file:..%2foutside.wav": {400, 8536},
		"file:///etc/passwd": {400, 8536}, "file://" + outside: {400, 8536},
		"file://" + r.prompts + "/../outside.wav":    {400, 8536},
		"file://" + r.prompts + "/%2e%2e/good.wav":   {400, 8536},
		"file://elsewhere" + r.prompts + "/good.wav": {400, 8536},
		"file:": {400, 8536}, "file:.": {400, 8536}, "embedded:good.wav": {400, 8536}, "ftp://x/good.wav": {400, 8536},
	} {
		got := r.ended(p.play(uri, false))
		if at(got, "resultInfo", "code") != float64(want[0]) || at(got, "resultInfo", "subcode") != float64(want[1]) {
			t.Errorf("%s: got %v, want %v", uri, got["resultInfo"], want)
		}
	}
	r.logs.wait(t, "file:missing.wav")
}

// The prompt of the operation that is next in line is fetched while it waits, once, and by http from
// this machine only with Dev. (That there is no gap before it, is a test of the engine.)
func TestPromptsAreFetchedWhileTheyWait(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 10)
	web := sine(1700, 200*time.Millisecond)
	r := start(t)
	r.file("loop.wav", sine(700, 2*time.Second))
	r.file("music.wav", sine(400, 2*time.Second))
	r.file("web.wav", web)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked <- struct{}{}
		select { // far away
		case <-time.After(time.Second):
		case <-req.Context().Done():
		}
		http.ServeFile(w, req, filepath.Join(r.prompts, "web.wav"))
	}))
	t.Cleanup(files.Close)
	p := r.call()
	first := p.play("file:loop.wav", true)
	second := p.play(files.URL, false)
	third := p.play(files.URL, false)
	select {
	case <-asked: // although the first one never ends
	case <-time.After(time.Minute):
		t.Fatal("the prompt of the one that waits is not fetched")
	}
	// The barge-in ends those, and what was loaded for them is let go of.
	p.act("cancelMediaProcessing", `{}`)
	for _, id := range []string{first, second, third} {
		r.wantEnd(id, 400, 8508)
	}
	r.wantEnd(p.play("file:web.wav", false), 200, 0)
	op := p.play("file:music.wav", false)
	last := p.play(files.URL, false)
	<-asked
	r.wantEnd(op, 200, 0)
	r.wantEnd(last, 200, 0)
	heard, music := sound(p.heard()), sine(400, 2*time.Second)
	from := index(heard, music)
	if from < 0 {
		t.Fatal("the music was not heard")
	}
	if index(heard[from+len(music):], web) != 0 {
		t.Error("what was loaded ahead was not heard after it")
	}
	if len(asked) > 0 {
		t.Error("it was fetched more than once for an operation")
	}

	strict := start(t, func(o *service.Options) { o.Dev = false; o.Notifier = append(o.Notifier, webhook.WithLoopback()) })
	strict.file("music.wav", sine(400, time.Second))
	strict.wantEnd(strict.call().play(files.URL, false), 400, 8536)
}
