package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
)

// Ports are those of calls' audio: even ones, from First to Last. The odd ones stay free, since
// peers send RTCP there.
type Ports struct{ First, Last uint16 }

// DefaultPorts have room for 5,000 calls.
var DefaultPorts = Ports{10000, 19998}

func (p Ports) len() int { return (int(p.Last)-int(p.First))/2 + 1 }

func (p Ports) check() error {
	if p.First == 0 || p.First%2 != 0 || p.Last%2 != 0 || p.Last < p.First {
		return fmt.Errorf("sip: Ports are %d to %d, must be even, from 2 on, in order", p.First, p.Last)
	}
	return nil
}

// opener opens the ports of a range, one after the other, so that one that was closed rests: a peer
// may still be sending there.
type opener struct {
	ports  Ports
	host   netip.Addr
	listen func(netip.AddrPort) (rtpConn, error)

	mu   sync.Mutex // guards next
	next int
}

// open opens the next port that is free.
func (o *opener) open() (rtpConn, uint16, error) {
	for range o.ports.len() {
		port := o.take()
		conn, err := o.listen(netip.AddrPortFrom(o.host, port))
		switch {
		case err == nil:
			return conn, port, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return nil, 0, fmt.Errorf("%w: no port is free from %d to %d",
		ErrUnavailable, o.ports.First, o.ports.Last)
}

func (o *opener) take() uint16 {
	o.mu.Lock()
	defer o.mu.Unlock()
	port := o.ports.First + uint16(2*o.next)
	o.next = (o.next + 1) % o.ports.len()
	return port
}
