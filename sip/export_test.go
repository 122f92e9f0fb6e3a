package sip

import (
	"context"
	"net"
	"net/netip"
)

// RTPConn is what a line needs of a socket.
type RTPConn = rtpConn

// Network is where an agent opens its sockets.
type Network interface {
	ListenSIP(at netip.AddrPort) (net.PacketConn, error)
	ListenRTP(at netip.AddrPort) (RTPConn, error)
}

type testNetwork struct{ Network }

func (n testNetwork) listenSIP(at netip.AddrPort) (net.PacketConn, error) { return n.ListenSIP(at) }
func (n testNetwork) listenRTP(at netip.AddrPort) (rtpConn, error)        { return n.ListenRTP(at) }

// lookUp asks a network that knows names.
func (n testNetwork) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if names, ok := n.Network.(interface {
		LookUp(ctx context.Context, host string) ([]netip.Addr, error)
	}); ok {
		return names.LookUp(ctx, host)
	}
	return machine{}.lookUp(ctx, host)
}

// WithNetwork has an agent use another network.
func (o Options) WithNetwork(n Network) Options {
	o.network = testNetwork{n}
	return o
}
