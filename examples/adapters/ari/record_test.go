package ari_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

func TestHowARecordingEnds(t *testing.T) {
	t.Parallel()
	type live map[string]any
	for _, test := range []struct {
		name   string
		how    live
		reason operation.Reason
		length time.Duration
	}{
		{
			"in silence",
			live{"state": "done", "duration": 4, "talking_duration": 2},
			operation.MaxSilence, 4 * time.Second,
		},
		{
			"at its longest",
			live{"state": "done", "duration": 7, "talking_duration": 7},
			operation.MaxDuration, 7 * time.Second,
		},
		{
			"without a word",
			live{"state": "done", "duration": 3, "talking_duration": 0},
			operation.InitialSilence, 3 * time.Second,
		},
		{"without a length", live{"state": "done"}, operation.MaxSilence, 0},
		{
			"with a length that lies",
			live{"state": "done", "duration": int64(-1) << 62},
			operation.MaxSilence, 0,
		},
		{
			"with another one",
			live{"state": "done", "duration": int64(1) << 62},
			operation.MaxDuration, 24 * time.Hour,
		},
		{
			"cancelled by somebody else",
			live{"state": "canceled", "duration": 2},
			operation.Cancelled, 2 * time.Second,
		},
		{"failed", live{"state": "failed", "cause": "disk full"}, operation.Unspecified, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			q := newQueue(t, connect(t, s).Media("ch-1"))
			op := record(t, q, &operation.RecordResponse{MaxDuration: 7 * time.Second})
			s.endRecording(<-s.begun, test.how)
			r, _ := op.Wait(within(t))
			if r.Reason != test.reason || r.Recording.Duration != test.length &&
				r.Recording.Location != "" {
				t.Errorf("got %v, %+v, want %v, %v", r.Reason, r.Recording, test.reason, test.length)
			}
			stored := test.how["state"] == "done"
			if want := s.URL + "/ari/recordings/stored/" + op.ID().String() + "/file"; stored !=
				(r.Recording.Location == want) {
				t.Errorf("it is said to be at %q", r.Recording.Location)
			}
		})
	}
}

func TestWhatARecordingAsksFor(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q := newQueue(t, connect(t, s).Media("SIP/a b#1"))
	record(t, q, &operation.RecordResponse{
		MaxDuration: 1500 * time.Millisecond, MaxSilence: 3 * time.Second, NoBeep: true,
	})
	name := <-s.begun
	if n := s.asked("POST /ari/channels/SIP%2Fa%20b%231/record?beep=false&format=wav&ifExists=fail" +
		"&maxDurationSeconds=2&maxSilenceSeconds=3&name=" + name + "&terminateOn=none"); n != 1 {
		t.Errorf("requests: %v", s.requests)
	}
}

func TestAPromptIsPlayedBeforeTheRecording(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		prompt string
		then   func(t *testing.T, s *standIn, q *queue.Queue)
		reason operation.Reason
	}{
		{"short", func(_ *testing.T, s *standIn, _ *queue.Queue) {
			s.endRecording(<-s.begun, map[string]any{"state": "done", "duration": 1})
		}, operation.MaxSilence},
		{"broken", nil, operation.PromptFailed},
		{"nothing", nil, operation.Unspecified},
		{
			"long", func(_ *testing.T, s *standIn, _ *queue.Queue) { s.press("ch-1", "#") },
			operation.StopTone,
		},
		{"long", func(t *testing.T, _ *standIn, q *queue.Queue) {
			t.Helper()
			q.CancelAll()
		}, operation.Cancelled},
	} {
		t.Run(test.prompt+" "+test.reason.String(), func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			q := newQueue(t, connect(t, s).Media("ch-1"))
			op := record(t, q, &operation.RecordResponse{
				Prompts:   []operation.Prompt{{URI: "sound:" + test.prompt}},
				StopTones: tone.MustParseSet("#"),
			})
			if media := <-s.begun; media != test.prompt {
				t.Errorf("%q has begun", media)
			}
			if test.then != nil {
				test.then(t, s, q)
			}
			if r, _ := op.Wait(within(t)); r.Reason != test.reason {
				t.Errorf("got %v, %v, want %v", r.Reason, r.Err, test.reason)
			}
			<-op.Released()
			if n := s.playing(); n != 0 {
				t.Errorf("%d are in progress at the end", n)
			}
		})
	}
}

// A recording that is queued at the server is said to be stopped, and begins all the same.
func TestARecordingThatWasStoppedWhileItWasQueuedIsStoppedAgain(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.queues = true
	q := newQueue(t, connect(t, s).Media("ch-1"), queue.WithStopTimeout(time.Hour))
	op := record(t, q, &operation.RecordResponse{})
	name := <-s.begun
	waitUntil(t, "it runs", func() bool { return op.Status() == operation.Running })
	q.CancelAll()
	waitUntil(t, "it is stopped", func() bool { return s.asked("POST /ari/recordings/live/") == 1 })
	s.begin(name)
	select {
	case <-op.Released():
	case <-within(t).Done():
		t.Fatal("it was not released")
	}
	if r, _ := op.FinalResult(); r.Reason != operation.Cancelled || r.Recording.Location == "" {
		t.Errorf("released with %v, %+v", r.Reason, r.Recording)
	}
	if n := s.playing(); n != 0 {
		t.Errorf("%d are in progress", n)
	}
}

func TestAStopToneEndsARecordingAndOthersDoNot(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connect(t, s)
	stream := &tone.Stream{}
	t.Cleanup(stream.End)
	keys := stream.Subscribe()
	stop := c.Listen("ch-1", stream)
	op := record(t, newQueue(t, c.Media("ch-1")), &operation.RecordResponse{
		StopTones: tone.MustParseSet("*#"),
	})
	other := record(t, newQueue(t, c.Media("ch-2")), &operation.RecordResponse{
		StopTones: tone.MustParseSet("*#"),
	})
	<-s.begun
	<-s.begun
	s.press("ch-1", "1")
	s.press("ch-1", "#")
	s.press("ch-1", "#")
	r, err := op.Wait(within(t))
	if err != nil || r.Reason != operation.StopTone || r.Recording.Location == "" {
		t.Errorf("ended: %+v, %v", r, err)
	}
	for _, want := range []tone.Tone{tone.Tone1, tone.Pound, tone.Pound} {
		if e, err := keys.Next(within(t)); err != nil || e.Tone != want {
			t.Errorf("key %v, %v, want %v", e.Tone, err, want)
		}
	}
	if got := other.Status(); got != operation.Running {
		t.Errorf("the other channel's is %v", got)
	}
	stop()
	stop()
	s.press("ch-1", "2")
	s.press("ch-2", "#") // behind the other
	if _, err := other.Wait(within(t)); err != nil {
		t.Error(err)
	}
	if e, ok := keys.TryNext(); ok {
		t.Errorf("after the stop, key %v", e.Tone)
	}
}

func TestAChannelThatLeavesEndsWhatItHas(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"StasisEnd", "ChannelDestroyed"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			c := connect(t, s)
			op := enqueue(t, newQueue(t, c.Media("ch-1")), "long")
			other := enqueue(t, newQueue(t, c.Media("ch-2")), "long")
			<-s.begun
			<-s.begun
			s.emit(map[string]any{"type": kind, "channel": map[string]any{"id": "ch-1"}})
			if _, err := op.Wait(within(t)); !errors.Is(err, operation.CallEnded) {
				t.Errorf("ended: %v", err)
			}
			if got := other.Status(); got != operation.Running {
				t.Errorf("the other channel's is %v", got)
			}
		})
	}
}

func TestWhatAsteriskWouldNotPlayIsRefused(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q := newQueue(t, connect(t, s).Media("ch-1"))
	for uri, want := range map[string]string{
		"https://example.com/a.wav": "scheme must be one of sound, recording",
		"hello":                     "scheme must be one of",
		"sound:a,sound:b":           "no comma",
	} {
		op, err := q.Enqueue(t.Context(), operation.Play("sound:short", uri))
		if err != nil {
			t.Fatal(err)
		}
		_, err = op.Wait(within(t))
		if !errors.Is(err, operation.NotDownloadable) || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "prompts[1]") {
			t.Errorf("%q: %v", uri, err)
		}
	}
	op, err := q.Enqueue(t.Context(), &operation.PlayPrompt{
		Prompts: []operation.Prompt{{URI: "sound:short"}}, Loop: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "cannot loop") {
		t.Errorf("a loop: %v", err)
	}
	if n := s.asked("POST"); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestAPlayFromThePlaceWhereItWas(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q := newQueue(t, connect(t, s).Media("ch-1"))
	op, err := q.Enqueue(t.Context(), &operation.PlayPrompt{
		Prompts:     []operation.Prompt{{URI: "sound:a"}, {URI: "sound:short"}},
		FirstPrompt: 1, Offset: 1500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Wait(within(t)); err != nil {
		t.Error(err)
	}
	if n := s.asked("POST /ari/channels/ch-1/play/" + op.ID().String() +
		"?media=sound%3Ashort&offsetms=1500"); n != 1 {
		t.Errorf("requests: %v", s.requests)
	}
}

func record(t testing.TB, q *queue.Queue, r *operation.RecordResponse) *operation.Operation {
	t.Helper()
	op, err := q.Enqueue(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return op
}
