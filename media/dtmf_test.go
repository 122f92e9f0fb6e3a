package media_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// power is that of a frequency in samples (Goertzel).
func power(samples []int16, hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/media.Rate)
	var a, b float64
	for _, s := range samples {
		a, b = float64(s)+k*a-b, a
	}
	return (a*a + b*b - k*a*b) / float64(len(samples))
}

// Tones are heard one after the other, each with its two frequencies, with the pause between them.
func TestTonesAreHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, phone := media.NewEngine(), media.NewPhone()
		m, err := engine.Media(media.Call{Sink: phone, Prompts: memory{}})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New("tones", m)
		if err != nil {
			t.Fatal(err)
		}
		send := func(r *operation.SendTones) *operation.Operation {
			op, err := q.Enqueue(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return op
		}
		op := send(&operation.SendTones{Tones: []tone.Tone{tone.Tone1, tone.D, tone.Flash, tone.Pound}, Pause: 200 * time.Millisecond})
		time.Sleep(2 * time.Second)
		if r, ended := op.Result(); !ended || r.Reason != operation.Succeeded {
			t.Errorf("got %+v, %v", r, ended)
		}
		if took := op.Times().Ended.Sub(op.Times().Started); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("it took %v, want four tones and three pauses", took)
		}
		heard := phone.Heard()
		start := 0
		for start < len(heard) && heard[start] == 0 {
			start++
		}
		for i, f := range [][2]float64{{697, 1209}, {941, 1633}, {}, {941, 1477}} {
			at := start + media.Samples(time.Duration(i)*300*time.Millisecond)
			part := heard[at:min(len(heard), at+media.Samples(90*time.Millisecond))]
			for _, hz := range []float64{697, 770, 852, 941, 1209, 1336, 1477, 1633} {
				if is, want := power(part, hz) > 1e8, hz == f[0] || hz == f[1]; is != want {
					t.Errorf("tone %d: %v Hz heard: %v (%.2g)", i, hz, is, power(part, hz))
				}
			}
		}
		long := send(&operation.SendTones{Tones: []tone.Tone{tone.Star, tone.Star}, Pause: operation.MaxTonePause})
		time.Sleep(time.Second)
		q.CancelAll()
		if !errors.Is(long.Err(), operation.Cancelled) {
			t.Errorf("got %v", long.Err())
		}
		q.Close(nil)
		<-q.Done()
		engine.Close()
	})
}

// Tones take their time, most of it in pauses: their progress keeps the run timeout away.
func TestTonesReportTheirProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		var err error
		if b.Queue, err = queue.New("call", b.media, queue.WithRunTimeout(5*time.Second)); err != nil {
			t.Fatal(err)
		}
		op := b.enqueue(t, &operation.SendTones{
			Tones: []tone.Tone{tone.Tone1, tone.Tone2}, Pause: operation.MaxTonePause,
		})
		time.Sleep(10*time.Second + frame/2)
		if got := op.Position(); got < 10*time.Second-frame || got > 10*time.Second+frame {
			t.Errorf("after 10 s it is at %v", got)
		}
		r, err := op.Wait(t.Context())
		if want := operation.MaxTonePause + 2*media.ToneTime; err != nil || r.Position != want {
			t.Errorf("got %v, %v, want the end at %v", r.Position, err, want)
		}
	})
}
