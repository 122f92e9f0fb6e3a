package media

import (
	"slices"
	"sync"
	"time"
)

// maxBehind is how many frames a pacer that was held up sends in a burst, so that the caller hears
// no gap: 200 ms. What is more than that is given up, and the caller hears silence instead.
const maxBehind = 10

// framer is something that has a frame to do every 20 ms.
type framer interface {
	// frame does the frame of this instant and reports whether there will be another. It is called
	// by the pacer, one at a time, and must return at once. One that exits its goroutine instead
	// is asked once more.
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

	done sync.WaitGroup // the goroutine, which owns the block below

	active []framer
	next   int // of the active, whose frame comes next
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

// run does frames until there are none. If a framer exits the goroutine (runtime.Goexit), another
// one goes on with the next framer.
func (p *pacer) run() {
	through := false
	defer func() {
		if !through {
			p.done.Go(p.run)
		}
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	fresh := p.next == 0
	if !fresh {
		p.frames(p.instant())
	}
	for ; ; fresh = false {
		at := p.advance(fresh)
		timer.Reset(time.Until(at))
		select {
		case <-p.quit:
			through = true
			return
		case <-timer.C:
		}
		p.take()
		p.frames(at)
		if len(p.active) == 0 && p.idle() {
			through = true
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

// instant returns the last instant.
func (p *pacer) instant() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epoch.Add(time.Duration(p.last) * FrameTime)
}

// take appends those who have joined.
func (p *pacer) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = append(p.active, p.joining...)
	clear(p.joining)
	p.joining = p.joining[:0]
}

// idle reports whether no job has joined meanwhile; then the goroutine must return.
func (p *pacer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.joining) > 0 {
		return false
	}
	p.joining, p.running = nil, false
	return true
}

// frames does one instant's frames, or what is left of them, and keeps those who go on.
func (p *pacer) frames(at time.Time) {
	for p.next < len(p.active) {
		i := p.next
		p.next++
		if !p.active[i].frame(at) {
			p.active[i] = nil
		}
	}
	p.next = 0
	p.active = slices.DeleteFunc(p.active, func(f framer) bool { return f == nil })
}
