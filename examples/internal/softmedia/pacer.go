package softmedia

import (
	"sync"
	"time"
)

// maxBehind is how many frames a pacer that was held up sends in a burst, so that the caller hears
// no gap: 200 ms. What is more than that is given up, and the caller hears silence instead.
const maxBehind = 10

// framer is something that has a frame to do every 20 ms.
type framer interface {
	// frame does the frame of this instant and reports whether there will be another. It is called
	// by the pacer, one at a time, and must return at once.
	frame(at time.Time) bool
}

// pacer calls all its framers every 20 ms on one goroutine, which exists only while there are some.
// Instants lie on a grid that begins with the pacer, so a framer that follows another of the same
// call goes on where that one stopped: neither a gap nor two frames at once. The grid is absolute:
// a late frame makes no later one late.
type pacer struct {
	epoch time.Time
	quit  chan struct{} // closed by stop

	mu      sync.Mutex // guards the block below
	joining []framer   // not yet taken by the goroutine
	running bool       // there is a goroutine
	stopped bool
	last    int64 // number of the last instant

	done sync.WaitGroup // the goroutine
}

func newPacer() *pacer {
	return &pacer{epoch: time.Now(), quit: make(chan struct{})}
}

// join adds f from the next instant on. It reports false after stop.
func (p *pacer) join(f framer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	p.joining = append(p.joining, f)
	if !p.running {
		p.running = true
		p.done.Go(p.run)
	}
	return true
}

// stop ends the goroutine and waits for it; the framers get no more frames.
func (p *pacer) stop() {
	p.mu.Lock()
	if !p.stopped {
		p.stopped = true
		close(p.quit)
	}
	p.mu.Unlock()
	p.done.Wait()
}

func (p *pacer) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var active []framer
	for fresh := true; ; fresh = false {
		at := p.advance(fresh)
		timer.Reset(time.Until(at))
		select {
		case <-p.quit:
			return
		case <-timer.C:
		}
		active = frames(p.take(active), at)
		if len(active) == 0 && p.idle() {
			return
		}
	}
}

// advance moves on to the next instant and returns it. A fresh goroutine begins with the first
// instant from now on; one under way takes the one after the last.
func (p *pacer) advance(fresh bool) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.epoch)
	next := p.last + 1
	if fresh {
		next = max(next, int64((elapsed+FrameTime-1)/FrameTime))
	} else if now := int64(elapsed / FrameTime); now-next > maxBehind {
		next = now
	}
	p.last = next
	return p.epoch.Add(time.Duration(next) * FrameTime)
}

// take appends those who have joined.
func (p *pacer) take(active []framer) []framer {
	p.mu.Lock()
	defer p.mu.Unlock()
	active = append(active, p.joining...)
	clear(p.joining)
	p.joining = p.joining[:0]
	return active
}

// idle reports whether nobody has joined meanwhile; then the goroutine must return.
func (p *pacer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.joining) > 0 {
		return false
	}
	p.joining, p.running = nil, false
	return true
}

// frames does one instant's frames and returns those who go on.
func frames(active []framer, at time.Time) []framer {
	going := active[:0]
	for _, f := range active {
		if f.frame(at) {
			going = append(going, f)
		}
	}
	clear(active[len(going):])
	return going
}
