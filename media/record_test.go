package media_test

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// record is a request without beep, which begins to record 20 ms after it starts.
func record(change ...func(*operation.RecordResponse)) *operation.RecordResponse {
	r := &operation.RecordResponse{
		NoBeep: true, InitialSilence: 3 * time.Second, MaxSilence: 2 * time.Second, MaxDuration: 10 * time.Second,
		StopTones: tone.SetOf(tone.Pound),
	}
	for _, f := range change {
		f(r)
	}
	return r
}

// speech is a second of it, loud in all its frames.
var speech = level(4000, time.Second)

// wantRecording compares a result with the file, and the file with want.
func (b *bed) wantRecording(t *testing.T, op *operation.Operation, got operation.Recording, want []int16) {
	t.Helper()
	path := filepath.Join(b.folder, "recording-"+op.ID().String()+".wav")
	if got != (operation.Recording{Location: path, Duration: media.Duration(len(want))}) {
		t.Errorf("result %+v, want %s of %v", got, path, media.Duration(len(want)))
	}
	wantSamples(t, "the recording", readWAV(t, path), want)
	if names := files(t, b.folder); len(names) != 1 {
		t.Errorf("the folder holds %v, want one file", names)
	}
}

func (b *bed) wantNoRecording(t *testing.T, got operation.Recording) {
	t.Helper()
	if names := files(t, b.folder); len(names) > 0 || got != (operation.Recording{}) {
		t.Errorf("result %+v, and the folder holds %v, want nothing", got, names)
	}
}

func TestAStopToneEndsTheRecordingWhichHoldsExactlyWhatTheCallerSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		op := b.enqueue(t, record())
		time.Sleep(frame + 500*time.Millisecond)
		said := noise(1, 16000+77)
		b.phone.Say(said)
		time.Sleep(1500*time.Millisecond + 5*time.Millisecond)
		if _, err := b.tones.Publish(tone.Pound); err != nil {
			t.Fatal(err)
		}
		r := b.wantEnd(t, op, operation.StopTone, frame+2005*time.Millisecond)
		want := slices.Concat(silence(500*time.Millisecond), said)
		want = append(want, make([]int16, 2*16000-len(want))...)
		b.wantRecording(t, op, r.Recording, want)
		if r.Position != 2*time.Second {
			t.Errorf("position %v, want 2s", r.Position)
		}
	})
}

func TestARecordEndsWithWhatComesFirst(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	quick := func(r *operation.RecordResponse) {
		r.InitialSilence, r.MaxSilence, r.MaxDuration = time.Second, time.Second, time.Second
	}
	for _, test := range []struct {
		name   string
		change func(*operation.RecordResponse)
		say    []int16       // from the first frame on
		press  time.Duration // a stop tone, after the first frame began; zero: none
		why    operation.Reason
		at     time.Duration // length of the recording
	}{
		{"nobody speaks", nil, nil, 0, operation.InitialSilence, 3000 * ms},
		{"the caller speaks and falls silent", nil, speech, 0, operation.MaxSilence, 3000 * ms},
		{"the caller speaks for ever", nil, level(4000, time.Minute), 0, operation.MaxDuration, 10000 * ms},
		{"the caller presses a key at once", nil, nil, 1, operation.StopTone, 0},
		{"the caller presses a key", nil, speech, 2999 * ms, operation.StopTone, 2980 * ms},
		{"the caller presses a key too late", nil, speech, 3001 * ms, operation.MaxSilence, 3000 * ms},
		{"speech begins in time", nil, slices.Concat(silence(2980*ms), speech), 0, operation.MaxSilence, 5980 * ms},
		{"speech begins too late", nil, slices.Concat(silence(3000*ms), speech), 0, operation.InitialSilence, 3000 * ms},
		{"a click as the silence ends", nil, slices.Concat(silence(2980*ms), level(9000, 2*frame)), 0, operation.InitialSilence, 3040 * ms},
		{"pauses shorter than the silence", nil, slices.Concat(speech, silence(1980*ms), speech, silence(1980*ms), speech), 0, operation.MaxSilence, 8960 * ms},
		{"initial silence goes before max duration", quick, nil, 0, operation.InitialSilence, 1000 * ms},
		{"max duration while the caller speaks", quick, level(4000, time.Minute), 0, operation.MaxDuration, 1000 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t)
				request := record()
				if test.change != nil {
					test.change(request)
				}
				op := b.enqueue(t, request)
				time.Sleep(frame) // the recording begins now
				synctest.Wait()
				b.phone.Say(test.say)
				end := frame + test.at
				if test.press > 0 {
					time.AfterFunc(test.press, func() { _, _ = b.tones.Publish(tone.Pound) })
					if test.why == operation.StopTone {
						end = frame + test.press
					}
				}
				r := b.wantEnd(t, op, test.why, end)
				if test.why == operation.InitialSilence {
					b.wantNoRecording(t, r.Recording)
					return
				}
				want := slices.Concat(test.say, silence(test.at))[:media.Samples(test.at)]
				b.wantRecording(t, op, r.Recording, want)
			})
		})
	}
}

func TestSpeechIsThreeFramesInARowAboveTheLevel(t *testing.T) {
	t.Parallel()
	// 0 dBFS is 32768: −45 dBFS is 184.3, −30 is 1036.2.
	three, two := 3*frame, 2*frame
	for _, test := range []struct {
		name   string
		level  float64
		said   []int16
		spoken bool
	}{
		{"just above -45 dBFS", 0, level(185, three), true},
		{"just below -45 dBFS", 0, level(184, time.Minute), false},
		{"two frames", 0, level(9000, two), false},
		{"two and two", 0, slices.Concat(level(9000, two), silence(frame), level(9000, two)), false},
		{"two and three", 0, slices.Concat(level(9000, two), silence(frame), level(9000, three)), true},
		{"just above an own level", -30, level(1037, three), true},
		{"just below an own level", -30, level(1036, time.Minute), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, func(c *media.Call) { c.SpeechLevel = test.level })
				op := b.enqueue(t, record())
				time.Sleep(frame)
				b.phone.Say(test.said)
				r, _ := op.Wait(t.Context())
				if got := r.Reason != operation.InitialSilence; got != test.spoken {
					t.Errorf("ended with %v", r.Reason)
				}
			})
		})
	}
}

func TestTheRecordingBeginsWhenPromptAndBeepWereHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		prompt, said := noise(1, 1000), noise(2, 3*16000)
		b := newBed(t, with(memory{"say": prompt}))
		op := b.enqueue(t, record(func(r *operation.RecordResponse) {
			r.NoBeep, r.Prompts = false, prompts("say")
		}))
		b.phone.Say(said) // the caller speaks all the time
		const begin = frame + 4*frame + media.BeepTime

		time.Sleep(begin + time.Second)
		if _, err := b.tones.Publish(tone.Tone1); err != nil { // not a stop tone
			t.Fatal(err)
		}
		time.Sleep(frame / 2)
		if _, err := b.tones.Publish(tone.Pound); err != nil {
			t.Fatal(err)
		}
		r := b.wantEnd(t, op, operation.StopTone, begin+time.Second+frame/2)
		from := media.Samples(begin)
		b.wantRecording(t, op, r.Recording, said[from:from+16000])
		wantSamples(t, "heard", b.phone.Heard(), slices.Concat(silence(frame), framed(prompt), media.Beep(media.Codec{}).Samples()))
		if want := media.Duration(1000) + media.BeepTime + time.Second; r.Position != want {
			t.Errorf("position %v, want %v", r.Position, want)
		}
	})
}

// A stop tone ends a record from the instant that it runs: while its prompt is loaded or played, in
// its beep, in its first frame. What is left is a file without samples. Before that it does not.
func TestAStopToneEndsARecordFromTheInstantThatItRuns(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, at := range []time.Duration{0, 1, ms, 19 * ms, 20 * ms, 50 * ms, 99 * ms, 101 * ms, 299 * ms} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, with(memory{"say": noise(1, 4*320)}))
			_, _ = b.tones.Publish(tone.Pound)
			time.Sleep(time.Millisecond)
			op := b.enqueue(t, record(func(r *operation.RecordResponse) {
				r.NoBeep, r.Prompts = false, prompts("say")
			}))
			synctest.Wait()
			time.Sleep(at)
			if op.Status() != operation.Running {
				t.Fatalf("a key before it ended it: %v", op.Status())
			}
			if _, err := b.tones.Publish(tone.Pound); err != nil {
				t.Fatal(err)
			}
			r := b.wantEnd(t, op, operation.StopTone, ms+at)
			b.wantRecording(t, op, r.Recording, nil)
			time.Sleep(time.Second)
			if got, most := len(b.phone.Heard()), media.Samples(at)+2*320; got > most {
				t.Errorf("%d samples were heard, want at most %d", got, most)
			}
		})
	}
}

// late is media whose Start comes late.
type late struct {
	queue.Media

	by time.Duration
}

func (m late) Start(t queue.Task) error {
	time.Sleep(m.by)
	return m.Media.Start(t)
}

// So it does before the engine's Start, and only if it came since the operation
// runs.
func TestAStopToneCountsBeforeTheEngineGetsTheRecord(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t)
			q, err := queue.New("late", late{b.media, time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer q.Close(nil)
			if before {
				_, _ = b.tones.Publish(tone.Pound)
				time.Sleep(time.Nanosecond)
			}
			op, err := q.Enqueue(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Nanosecond)
			if !before {
				_, _ = b.tones.Publish(tone.Pound)
			}
			_, _ = b.tones.Publish(tone.Tone1) // no stop tone
			r, err := op.Wait(t.Context())
			want := operation.StopTone
			if before {
				want = operation.InitialSilence
			}
			if r.Reason != want {
				t.Errorf("before %v: got %v, %v, want %v", before, r.Reason, err, want)
			}
		})
	}
}

// One key stops one record.
func TestAStopToneEndsOneRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		for i := range 3 {
			op := b.enqueue(t, record())
			time.Sleep(time.Second)
			if _, err := b.tones.Publish(tone.Pound); err != nil {
				t.Fatal(err)
			}
			b.wantEnd(t, op, operation.StopTone, time.Duration(i+1)*time.Second)
		}
	})
}
