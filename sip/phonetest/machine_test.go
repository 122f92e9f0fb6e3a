//go:build phones

package phonetest_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// An eye on how late this process gets a processor, as the telephones beside it do. There are more of
// them than processors, so that one that stands still is seen by one of them.
type eye struct {
	over chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex // guards holes
	holes []hole
}

// hole is a time in which a processor was not to be had.
type hole struct{ from, to time.Time }

const (
	oftenLooked = 5 * time.Millisecond
	leastHole   = 10 * time.Millisecond
)

var eyes = eye{over: make(chan struct{})}

func (e *eye) watch() {
	runtime.LockOSThread() // as a telephone's
	tick := time.NewTimer(oftenLooked)
	defer tick.Stop()
	for due := time.Now().Add(oftenLooked); ; due = time.Now().Add(oftenLooked) {
		tick.Reset(oftenLooked)
		select {
		case <-tick.C:
			if now := time.Now(); now.Sub(due) >= leastHole {
				e.mu.Lock()
				e.holes = append(e.holes, hole{due, now})
				e.mu.Unlock()
			}
		case <-e.over:
			return
		}
	}
}

// watched are tests during which the eyes are open.
type watched struct{ m *testing.M }

func (w watched) Run() int {
	for range 2 * runtime.NumCPU() {
		eyes.done.Go(eyes.watch)
	}
	defer eyes.done.Wait()
	defer close(eyes.over)
	return w.m.Run()
}

// machine is what the eyes have seen since a test began.
type machine struct{ since time.Time }

// between returns how many holes there were in a time, and how long they were in all. Those of two eyes
// that overlap are one.
func (*machine) between(from, to time.Time) (n int, sum time.Duration) {
	eyes.mu.Lock()
	defer eyes.mu.Unlock()
	var last time.Time
	for _, h := range eyes.holes { // by their ends
		if h.to.Before(from) || h.from.After(to) {
			continue
		}
		if !h.from.Before(last) {
			n++
		}
		if begin := later(h.from, last); h.to.After(begin) {
			sum += h.to.Sub(begin)
		}
		last = later(last, h.to)
	}
	return n, sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// late is how late at the worst.
func (m *machine) late() (worst time.Duration) {
	eyes.mu.Lock()
	defer eyes.mu.Unlock()
	for _, h := range eyes.holes {
		if h.to.After(m.since) {
			worst = max(worst, h.to.Sub(h.from))
		}
	}
	return worst
}

// lost is how much the media has given up at the most: it makes up for 200 ms.
func (m *machine) lost() (sum time.Duration) {
	eyes.mu.Lock()
	defer eyes.mu.Unlock()
	for _, h := range eyes.holes {
		if d := h.to.Sub(h.from); h.to.After(m.since) && d > 100*time.Millisecond {
			sum += d
		}
	}
	return sum
}

// steady reports whether a telephone's packets came in time, as far as that is up to the machine: what
// a jitter buffer holds makes up for 40 ms, of which the telephone's own timing takes a half.
func (m *machine) steady() bool { return m.late() < 20*time.Millisecond }

// broken returns how many pieces of so long the holes in a time may have cost: each hole those at its two
// ends, and those between.
func (m *machine) broken(from, to time.Time, piece time.Duration) int {
	n, sum := m.between(from, to)
	return 2*n + int(sum/piece)
}

func (m *machine) String() string {
	n, sum := m.between(m.since, time.Now())
	return fmt.Sprintf("the machine was held up %d times, for %v in all, and %v at the worst",
		n, sum.Round(time.Millisecond), m.late().Round(time.Millisecond))
}
