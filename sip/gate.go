package sip

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// gate is before the SIP stack: it keeps out what is malformed, and what is too much, so that the
// stack, which keeps something for 32 s of each request that it has answered, has a bound. What
// belongs to a call, which nobody can write who has not seen its messages, does not wait for what
// belongs to none, nor one call for another.
type gate struct {
	conn     net.PacketConn
	invites  sharedBucket
	calls    sharedBucket // what belongs to a call, of all calls
	requests sharedBucket // what belongs to none
	refusals sharedBucket // answers of 503
	// refuses reports whether a call that would come in from there gets 503, since there are too
	// many, or the agent shuts down. One that is known goes on.
	refuses func(source netip.Addr) bool
	// known returns the bucket of the call that a message belongs to; nil if there is none.
	known func(m sipgo.Message) *bucket

	parser *sipgo.Parser
}

// maxPerCall is how many messages of one call are taken in a second, and how many keys by RTP: many
// more than are pressed.
const maxPerCall = 50

// usual is how long a message is that counts once, in bytes. A longer one, of which more is kept,
// counts as often as it is longer.
const usual = 2048

// admit reports whether the stack gets a datagram.
func (g *gate) admit(now time.Time, from net.Addr, data []byte) bool {
	message, status := g.parse(data)
	source := addressOfSource(from)
	count := 1 + len(data)/usual
	switch r, ok := message.(*sipgo.Request); {
	case message == nil, status != 0 && !ok:
		return false
	case status != 0:
		if g.requests.take(now, source, count) {
			g.refuse(r, from, status)
		}
		return false
	}
	if own := g.known(message); own != nil {
		return own.take(now, count) && g.calls.take(now, source, count)
	}
	r, ok := message.(*sipgo.Request)
	if !ok || !r.IsInvite() || tagOf(r.To().Params) != "" {
		return g.requests.take(now, source, count) // also an ACK, or a response: its source is remembered
	}
	if g.refuses(source) || !g.invites.take(now, source, count) {
		if g.refusals.take(now, source, count) { // else it may be dropped (RFC 3261, 21.5.4)
			g.refuse(r, from, sipgo.StatusServiceUnavailable)
		}
		return false
	}
	return true
}

// addressOfSource returns the address of a socket's peer.
func addressOfSource(from net.Addr) netip.Addr {
	if a, ok := from.(*net.UDPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// parse returns a message, and the status that a request is refused with if it is malformed, or 0.
// Of a message that is nothing, or that no answer would find its way to, it returns nil.
func (g *gate) parse(data []byte) (message sipgo.Message, status int) {
	defer func() {
		if recover() != nil { // the parser's fault must not be the end of every call
			message = nil
		}
	}()
	m, err := g.parser.ParseSIP(data)
	if m == nil {
		m, _ = g.parser.ParseSIP(withURI(data)) // err stays: it is malformed
	}
	if m == nil || m.Via() == nil {
		return nil, 0
	}
	if err != nil || !isComplete(m) {
		return m, sipgo.StatusBadRequest
	}
	return m, wrongInLine(m)
}

// withURI returns a request whose URI can't be read with one that can, so that the rest of it is
// read; nothing for what is no request.
func withURI(data []byte) []byte {
	line, rest, _ := bytes.Cut(data, []byte("\r\n"))
	words := bytes.Fields(line)
	if len(words) < 3 || !bytes.HasPrefix(words[len(words)-1], []byte("SIP/")) {
		return nil
	}
	return fmt.Appendf(nil, "%s sip:x %s\r\n%s", words[0], words[len(words)-1], rest)
}

// isComplete reports whether a message has once what every message must have (RFC 3261, 8.1.1).
// Max-Forwards is not asked for: old peers have none, and it counts for proxies alone (16.3).
func isComplete(m sipgo.Message) bool {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		if len(m.GetHeaders(name)) != 1 { // of two a proxy may have looked at the other
			return false
		}
	}
	return len(m.GetHeaders("Content-Length")) <= 1
}

const version = "SIP/2.0"

// wrongInLine returns the status that a complete message is refused with for its first line, or 0
// (RFC 3261, 8.1.1.5, 8.2.2.1, 21.5.6).
func wrongInLine(m sipgo.Message) int {
	switch r, ok := m.(*sipgo.Request); {
	case !ok:
		if !strings.EqualFold(m.(*sipgo.Response).SipVersion, version) {
			return sipgo.StatusVersionNotSupported
		}
	case !strings.EqualFold(r.SipVersion, version):
		return sipgo.StatusVersionNotSupported
	case r.Method != m.CSeq().MethodName:
		return sipgo.StatusBadRequest
	case r.Recipient.Scheme != "sip": // sips asks for TLS all the way
		return statusUnknownScheme
	}
	return 0
}

// refuse answers a request and forgets it (RFC 3261, 8.2.7). An ACK has no answer.
func (g *gate) refuse(r *sipgo.Request, from net.Addr, status int) {
	source, err := netip.ParseAddrPort(from.String())
	if err != nil || r.IsAck() {
		return
	}
	r.SipVersion = version
	r.SetTransport("UDP")
	r.SetSource(from.String())
	to := r.To()
	response := sipgo.NewResponseFromRequest(r, status, reasonOf(status), nil)
	if to != nil && tagOf(to.Params) == "" {
		response.To().Params.Add("tag", "refused") // the same response each time has the same tag
	}
	if status == sipgo.StatusServiceUnavailable {
		response.AppendHeader(sipgo.NewHeader("Retry-After", "5"))
	}
	port := source.Port()
	if via := r.Via(); !via.Params.Has("rport") && via.Port > 0 && via.Port <= 65535 {
		port = uint16(via.Port) // RFC 3581: where it says, unless it asks for where it came from
	}
	back := net.UDPAddrFromAddrPort(netip.AddrPortFrom(source.Addr(), port))
	_, _ = g.conn.WriteTo([]byte(response.String()), back)
}

// bucket lets so many through in a second.
type bucket struct {
	rate int

	mu   sync.Mutex // guards the block below
	left float64
	at   time.Time
}

func newBucket(rate int) bucket { return bucket{rate: rate, left: float64(rate)} }

// take takes so many at once; more than its rate count as that many.
func (b *bucket) take(now time.Time, count int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := float64(b.fill(now, count))
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// fill adds what has come since the last time, and returns as what so many count. It is called with
// mu held.
func (b *bucket) fill(now time.Time, count int) int {
	if !b.at.IsZero() {
		b.left = min(float64(b.rate), b.left+now.Sub(b.at).Seconds()*float64(b.rate))
	}
	b.at = now
	return min(count, b.rate)
}

const (
	// maxSources is of how many addresses a door takes datagrams: the stack keeps each one's as
	// long as it reads from the same door.
	maxSources = 4096
	// doorRest is how long a door is kept when the next one is open, for answers under way.
	doorRest = 10 * time.Second
)

// door is the socket as the stack has it. It can be closed, and another one opened, without the
// socket being closed.
type door struct {
	net.PacketConn

	gate    *gate
	next    func() (open <-chan struct{}) // has the stack read from the next door
	closed  <-chan struct{}
	forget  func(source string) // called with each source, once the socket is closed
	opened  chan struct{}       // closed when the stack reads for the first time
	once    sync.Once
	sources map[string]struct{} // of the one goroutine that reads
}

// ReadFrom returns the next datagram that the stack may have.
func (d *door) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := d.read(b)
	select {
	case <-d.closed:
		for source := range d.sources {
			d.forget(source)
		}
		return 0, nil, net.ErrClosed
	default:
		return n, from, err
	}
}

func (d *door) read(b []byte) (int, net.Addr, error) {
	d.once.Do(func() { close(d.opened) })
	for {
		if len(d.sources) >= maxSources {
			return 0, nil, d.handOver()
		}
		n, from, err := d.PacketConn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return n, from, err
		}
		if err != nil { // of this datagram, or the machine is out of memory
			pause(d.closed)
			continue
		}
		if !d.gate.admit(time.Now(), from, b[:n]) {
			continue
		}
		d.sources[from.String()] = struct{}{}
		return n, from, nil
	}
}

// pause is so short that nobody misses anything, and long enough for a machine to recover.
func pause(over <-chan struct{}) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	}
}

// handOver opens the next door and, after a rest, returns what makes the stack forget this one.
func (d *door) handOver() error {
	select {
	case <-d.next():
	case <-d.closed:
		return net.ErrClosed
	}
	rest := time.NewTimer(doorRest)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-d.closed:
	}
	return net.ErrClosed
}

// Close does nothing: the socket is the agent's.
func (d *door) Close() error { return nil }

// gone is what the stack answers by when the socket is closed. If it knew no connection to an
// address that something has come from, it would open a socket of its own, which nobody closes: for
// a request that was read before the end, and is handled after it.
type gone struct{ net.Addr }

var _ sipgo.Connection = gone{}

// LocalAddr returns the address that there was.
func (g gone) LocalAddr() net.Addr { return g.Addr }

// WriteMsg fails.
func (gone) WriteMsg(sipgo.Message) error { return net.ErrClosed }

// Ref does nothing: it is used for ever.
func (gone) Ref(int) int { return 1 }

// TryClose does nothing.
func (gone) TryClose() (int, error) { return 1, nil }

// Close does nothing.
func (gone) Close() error { return nil }

func tagOf(p sipgo.HeaderParams) string { return p.GetOr("tag", "") }

// key identifies a call, or one end's side of it.
func key(callID, tag string) string { return strconv.Itoa(len(callID)) + callID + tag }
