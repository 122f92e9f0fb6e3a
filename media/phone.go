package media

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// Phone is the caller's telephone: a [Sink] that keeps all it hears, and a [Source] that says
// what it should. It keeps real time: a frame lies where it belongs since the phone was picked up,
// with silence where nothing was sent, so that what it heard is exactly what a caller would have.
// It costs 32 kB for each second heard. It is safe for concurrent use and holds no goroutine.
type Phone struct {
	start time.Time

	mu    sync.Mutex // guards the block below
	heard []int16
	keep  int       // samples kept of what is heard at most
	last  time.Time // instant of the last frame heard
	said  []int16   // what is being said
	began time.Time // when its first sample is said
	spoke []speech  // what was said before that
}

// speech is what was said from an instant on.
type speech struct {
	began   time.Time
	samples []int16
}

var (
	_ Sink   = (*Phone)(nil)
	_ Source = (*Phone)(nil)
)

// NewPhone returns a phone that is picked up now.
func NewPhone() *Phone { return &Phone{start: time.Now(), keep: math.MaxInt} }

// String says how much was heard, for the messages of tests: what is given to package fmt would be
// read without the lock otherwise, sample by sample.
func (p *Phone) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("phone, %v heard", Codec{}.Duration(len(p.heard)))
}

// Keep bounds what the phone keeps of what it hears: the first d since it was picked up. Default:
// all.
func (p *Phone) Keep(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep = max(0, Samples(d))
}

// WriteFrame puts the frame where it belongs. It never fails.
func (p *Phone) WriteFrame(at time.Time, frame []int16) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = at
	from := max(0, int(at.Sub(p.start)/FrameTime)*FrameSamples)
	to := from + len(frame)
	if to > p.keep {
		return nil
	}
	if to > len(p.heard) {
		p.heard = append(p.heard, make([]int16, to-len(p.heard))...)
	}
	copy(p.heard[from:to], frame)
	return nil
}

// ReadFrame fills frame with what the caller said in the time before at: what [Phone.Say] gave it,
// else silence. It never fails.
func (p *Phone) ReadFrame(at time.Time, frame []int16) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(frame)
	from := Samples(at.Sub(p.began)) - len(frame) // of what is said, before its begin if negative
	if skip := max(0, -from); skip < len(frame) && from < len(p.said) {
		copy(frame[skip:], p.said[max(0, from):])
	}
	return nil
}

// Say makes the caller say samples from now on, in real time; it returns at once. Whatever was
// still being said ends. The samples are read later, also by [Phone.Until]: do not change them.
func (p *Phone) Say(samples []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if spoken := p.said[:min(Samples(now.Sub(p.began)), len(p.said))]; len(spoken) > 0 {
		p.spoke = append(p.spoke, speech{p.began, spoken})
	}
	p.said, p.began = samples, now
}

// Heard returns a copy of what was heard since the phone was picked up, up to the last frame.
func (p *Phone) Heard() []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

// Until returns copies of what was heard and of what was said since the phone was picked up until
// an instant, or until the end of the last frame heard if that is later, with silence where there
// was nothing: two directions of equal length, to be heard or drawn side by side. [Phone.Keep]
// bounds both.
func (p *Phone) Until(at time.Time) (heard, said []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := max(0, len(p.heard), min(Samples(at.Sub(p.start)), p.keep))
	heard, said = make([]int16, n), make([]int16, n)
	copy(heard, p.heard)
	for _, s := range append(slices.Clip(p.spoke), speech{p.began, p.said}) {
		if from := Samples(s.began.Sub(p.start)); from < n && len(s.samples) > 0 {
			copy(said[from:], s.samples)
		}
	}
	return heard, said
}

// LastHeard returns the instant of the last frame heard; zero if there was none.
func (p *Phone) LastHeard() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}
