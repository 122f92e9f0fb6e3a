package media

import (
	"math"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// What a tone that is sent lasts, and the pause between two if the request has none (ITU-T Q.24 has
// 40 ms of each as the least that must be heard).
const (
	ToneTime  = 100 * time.Millisecond
	TonePause = 100 * time.Millisecond
)

// dtmf is tones to send, made frame by frame. A flash is no sound: it is silence.
type dtmf struct {
	tones   []tone.Tone
	rate    int     // samples per second
	length  int     // samples of a tone
	pause   int     // samples between two
	total   int     // samples of all
	at      int     // the next sample
	samples []int16 // of a frame
}

func newDTMF(r *operation.SendTones, c Codec) *dtmf {
	pause := r.Pause
	if pause == 0 {
		pause = TonePause
	}
	in := func(d time.Duration) int { return int(d * time.Duration(c.Rate()) / time.Second) }
	d := &dtmf{
		tones: r.Tones, rate: c.Rate(), length: in(ToneTime), pause: in(pause),
		samples: make([]int16, c.FrameSamples()),
	}
	d.total = len(d.tones)*(d.length+d.pause) - d.pause
	return d
}

// fill makes the next frame, and reports whether there is another behind it.
func (d *dtmf) fill() (more bool) {
	for i := range d.samples {
		number, in := d.at/(d.length+d.pause), d.at%(d.length+d.pause)
		d.samples[i] = 0
		if number < len(d.tones) && in < d.length {
			d.samples[i] = d.sample(d.tones[number], in)
		}
		d.at++
	}
	return d.at < d.total
}

// sample is one of a tone, faded in and out over 5 ms so that it does not click.
func (d *dtmf) sample(t tone.Tone, at int) int16 {
	const peak = 32768.0 / 8 // of each of the two: −18 dBFS
	low, high := frequencies(t)
	fade := float64(d.length) / 20
	gain := min(1, float64(at)/fade, float64(d.length-at)/fade)
	angle := 2 * math.Pi * float64(at) / float64(d.rate)
	return int16(peak * gain * (math.Sin(angle*low) + math.Sin(angle*high)))
}

// frequencies are those of a tone, in Hz (ITU-T Q.23); zero for a flash.
func frequencies(t tone.Tone) (low, high float64) {
	rows, columns := [...]float64{697, 770, 852, 941}, [...]float64{1209, 1336, 1477, 1633}
	for i, key := range "123A456B789C*0#D" {
		if byte(key) == t.Char() {
			return rows[i/4], columns[i%4]
		}
	}
	return 0, 0
}
