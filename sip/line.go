package sip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"ivrqueue/media"
	"ivrqueue/tone"
)

// Codec is that of every [Line], for [media.Call]: linear samples at 8 kHz. What is on the wire is
// G.711, µ-law or A-law as the peer wants it, which may change during a call.
var Codec = mustLinear(sampleRate)

func mustLinear(rate int) media.Codec {
	c, err := media.Linear(rate)
	if err != nil {
		panic(err)
	}
	return c
}

// Line is a call's audio: what the call's media writes goes to the peer by RTP, and what the peer
// says can be read. It lives as long as its call: before the answer, on hold, and after the end,
// what is written goes nowhere, and silence is read.
//
// A caller may name an address that is not its own. So a call that came in, through no trunk, sends
// 10 s at most to an address from which nothing has come and the caller does not signal; of all
// such calls 4 at once send to the same address. What comes from there ends that.
//
// A frame that is written is a packet of 20 ms, with the pacer's instant as its time: so the peer
// gets silence where none is written, however long. What is read is 40 to 60 ms old.
type Line struct {
	conn    rtpConn
	tones   *tone.Stream
	presses bucket // keys: one packet may say that hundreds were pressed

	mu      sync.Mutex // guards the block below
	in      receiver
	out     sender
	session session        // the zero session sends nothing
	to      netip.AddrPort // where to send as long as nothing has latched
	heard   netip.Addr     // where the line had latched on to last
	agreed  bool           // the peer has got our answer, where it signals from
	muted   bool           // the call has ended
	trial   trial
	packet  []byte // room for one

	reading sync.WaitGroup
}

var (
	_ media.Sink   = (*Line)(nil)
	_ media.Source = (*Line)(nil)
)

// rtpConn is what a line needs of a UDP socket.
type rtpConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

const rtpHeader = 12 // bytes, of one without extensions

func newLine(conn rtpConn, tones *tone.Stream, out sender) *Line {
	l := &Line{
		conn: conn, tones: tones, presses: newBucket(maxPerCall), out: out,
		packet: make([]byte, 0, rtpHeader+frameSamples),
	}
	l.reading.Go(l.receive)
	return l
}

// String names the address that is sent to, for logs: what is given to package fmt would be read
// without the lock otherwise.
func (l *Line) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if to := l.target(); to.IsValid() {
		return fmt.Sprintf("line to %v", to)
	}
	return "line to nowhere"
}

// target returns where packets go, if the session lets them.
func (l *Line) target() netip.AddrPort {
	if l.in.latched.IsValid() {
		return l.in.latched
	}
	return l.to
}

// WriteFrame sends the 160 samples to the peer. It never fails: a packet that can't be sent is
// lost, as others are.
func (l *Line) WriteFrame(at time.Time, frame []int16) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.target()
	if !l.session.sends || !to.IsValid() || !l.mayHear(to.Addr()) {
		return nil
	}
	header := l.out.header(at, l.session.payload)
	n, err := header.MarshalTo(l.packet[:rtpHeader])
	if err != nil { // it has room
		panic(err)
	}
	l.packet = l.session.codec.Encode(l.packet[:n], frame[:min(len(frame), frameSamples)])
	_, _ = l.conn.WriteToUDPAddrPort(l.packet, to)
	return nil
}

// mayHear reports whether a frame may go there: without a bound if something has come from there.
func (l *Line) mayHear(to netip.Addr) bool {
	if l.in.latched.IsValid() || to == l.heard || l.agreed && to == l.session.source {
		l.trial.end()
		return true
	}
	return l.trial.send(to)
}

// ReadFrame gives 20 ms of what the peer has said. It never fails.
func (l *Line) ReadFrame(at time.Time, frame []int16) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in.source.frame(at, frame)
	return nil
}

// Held reports whether the peer does not want to hear anything now, or the call has none of it yet.
func (l *Line) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.session.sends
}

// set begins a session, or changes it. The line latches on to the peer's address anew; until it
// has, it sends where it did, unless the peer has given another address. It sends nothing to an
// address that cannot be the peer's, such as this machine's own. It does nothing after mute: a
// request of the peer's may still be under way when the call ends.
func (l *Line) set(s session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.muted {
		return
	}
	if s.remote.Addr().IsUnspecified() { // nowhere for now (RFC 3264, 8.4)
		s.remote = l.session.remote
	}
	switch {
	case s.source.IsValid() && astray(s.remote.Addr(), s.source):
		// What is there is another host: it gets nothing. The peer is sent to once it has sent.
		l.to = netip.AddrPort{}
	case s.remote != l.session.remote:
		l.to = s.remote
	case l.in.latched.IsValid():
		l.to = l.in.latched
	}
	if l.in.latched.IsValid() {
		l.heard = l.in.latched.Addr()
	}
	l.in.latched = netip.AddrPort{}
	l.in.payloads = s.payloads
	l.in.offered, l.in.signals, l.in.since = s.remote.Addr(), s.source, time.Now()
	l.session = s
}

// keysByRTP reports whether keys come by RFC 4733.
func (l *Line) keysByRTP() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session.events
}

// mute ends sending, for good.
func (l *Line) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.muted, l.session.sends = true, false
	l.trial.end()
}

// agree is when the peer has acknowledged our answer, or we its.
func (l *Line) agree() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.agreed = true
}

// bound has the line send to where nothing comes from within these bounds.
func (l *Line) bound(u *unheard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trial.unheard = u
}

// receive takes packets until the line is closed. Any other error is of one datagram, such as one
// that is longer than the buffer on Windows, or the machine is out of memory.
func (l *Line) receive() {
	buf := make([]byte, 2048) // more than an Ethernet frame
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pause(nil)
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		now := time.Now()
		l.mu.Lock()
		pressed := l.in.packet(now, from, buf[:n])
		l.mu.Unlock()
		for _, t := range pressed {
			if l.presses.take(now, 1) {
				_, _ = l.tones.Publish(t) // fails when the call has ended
			}
		}
	}
}

// close ends the line, and waits until nothing of it is left.
func (l *Line) close() {
	_ = l.conn.Close()
	l.reading.Wait()
}
