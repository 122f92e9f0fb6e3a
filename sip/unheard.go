package sip

import (
	"net/netip"
	"sync"
	"time"

	"ivrqueue/media"
)

// What is sent to addresses from which nothing has come, since a caller may name the address of
// somebody else, who would get the audio of all its calls.
const (
	unheardFrames = int(10 * time.Second / media.FrameTime) // of a call
	unheardLines  = 4                                       // to one address at once, of all calls
)

// unheard counts, by address, the lines that send to where nothing has come from.
type unheard struct {
	mu    sync.Mutex // guards lines
	lines map[netip.Addr]int
}

func newUnheard() *unheard { return &unheard{lines: make(map[netip.Addr]int)} }

// enter reports whether one more line may send there, and counts it.
func (u *unheard) enter(to netip.Addr) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.lines[to] >= unheardLines {
		return false
	}
	u.lines[to]++
	return true
}

func (u *unheard) leave(to netip.Addr) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.lines[to]--; u.lines[to] == 0 {
		delete(u.lines, to)
	}
}

// trial is what a line has sent to addresses from which nothing has come. The zero trial has no
// bound.
type trial struct {
	unheard *unheard   // of all lines
	at      netip.Addr // where the line is counted; zero: nowhere
	sent    int        // frames, in the whole call
}

// send reports whether a frame may go there, and counts it.
func (t *trial) send(to netip.Addr) bool {
	switch {
	case t.unheard == nil:
		return true
	case t.sent >= unheardFrames:
		t.end()
		return false
	case t.at != to:
		t.end()
		if !t.unheard.enter(to) {
			return false
		}
		t.at = to
	}
	t.sent++
	return true
}

// end is when nothing more is sent there, or something has come from there.
func (t *trial) end() {
	if t.at.IsValid() {
		t.unheard.leave(t.at)
		t.at = netip.Addr{}
	}
}
