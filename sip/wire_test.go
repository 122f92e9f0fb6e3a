package sip_test

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"ivrqueue/sip"
)

var quiet = slog.New(slog.DiscardHandler)

// datagram is what is on its way.
type datagram struct {
	from, to netip.AddrPort
	data     []byte
	at       time.Time // when it was sent, and has come
}

// wire is a network in memory, for bubbles of synctest. What is sent is there at once.
type wire struct {
	mu      sync.Mutex
	sockets map[netip.AddrPort]*socket
	watch   func(datagram) // called with what is sent, by who sends it; nil: it is not called
}

func newWire() *wire { return &wire{sockets: make(map[netip.AddrPort]*socket)} }

func (w *wire) ListenSIP(at netip.AddrPort) (net.PacketConn, error) { return w.listen(at) }
func (w *wire) ListenRTP(at netip.AddrPort) (sip.RTPConn, error)    { return w.listen(at) }

func (w *wire) listen(at netip.AddrPort) (*socket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sockets[at] != nil {
		return nil, syscall.EADDRINUSE
	}
	s := &socket{wire: w, at: at, in: make(chan datagram, 1000), closed: make(chan struct{})}
	w.sockets[at] = s
	return s, nil
}

// bound returns how many sockets are open.
func (w *wire) bound() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sockets)
}

func (w *wire) send(d datagram) {
	w.mu.Lock()
	watch := w.watch
	w.mu.Unlock()
	if watch != nil {
		watch(d)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	d.at = time.Now()
	if s := w.sockets[d.to]; s != nil {
		select {
		case s.in <- d:
		default: // as a socket whose buffer is full
		}
	}
}

// socket is a UDP socket of a wire.
type socket struct {
	net.PacketConn // nil: what is not below is not called

	wire   *wire
	at     netip.AddrPort
	in     chan datagram
	closed chan struct{}
	once   sync.Once
}

func (s *socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-s.in:
		return copy(b, d.data), d.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	s.wire.send(datagram{from: s.at, to: to, data: append([]byte(nil), b...)})
	return len(b), nil
}

func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.ReadFromUDPAddrPort(b)
	return n, net.UDPAddrFromAddrPort(from), err
}

func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	address, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("no UDP address")
	}
	to4 := netip.AddrPortFrom(address.AddrPort().Addr().Unmap(), address.AddrPort().Port())
	return s.WriteToUDPAddrPort(b, to4)
}

func (s *socket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.at) }

func (s *socket) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.wire.mu.Lock()
		defer s.wire.mu.Unlock()
		delete(s.wire.sockets, s.at)
	})
	return nil
}
