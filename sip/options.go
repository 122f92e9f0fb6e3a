package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"ivrqueue/internal/foreign"
)

// Options are what an agent is made of. Only Listen is required.
type Options struct {
	// Listen is the IPv4 address and the UDP port for SIP; 5060 is usual, and 0 one that is free.
	// RTP is at the same address.
	Listen netip.AddrPort

	// Host is the IPv4 address that peers get. Default: that of Listen; if that is 0.0.0.0,
	// the one from which the peer is reached.
	Host netip.Addr

	// User is the user part of the agent's own URI. Default: "ivr".
	User string

	// Ports are those of calls' audio. Default: [DefaultPorts].
	Ports Ports

	// Incoming is called with each call that comes in, on a goroutine of its own: it may block. It
	// decides, or has somebody decide later: [Call.Ring], [Call.Answer], [Call.Reject],
	// [Call.Redirect]. If it panics or exits the goroutine, an undecided call is rejected with 500.
	// Nil: calls are rejected with 480.
	Incoming func(*Call)

	// Trunks are the addresses of carriers, proxies and exchanges through which many call. All
	// other addresses have a share: each may have as many of MaxCalls, MaxInvites and MaxRequests
	// as are left besides, so half of them at most. Where there are trunks, all others together have
	// such a share. Nil: each has its share alone.
	Trunks []netip.Prefix

	// MaxCalls is how many calls there may be at once, both ways, ringing ones included. Whoever
	// calls besides, or beyond the share of its address, gets 503. Default: 1000.
	MaxCalls int

	// MaxInvites is how many calls may come in within a second; more get 503, without anything
	// being kept of them, or are dropped beyond MaxRequests in a second. Default: 200.
	MaxInvites int

	// MaxRequests is how many messages are taken in a second that belong to no call, how many that
	// belong to calls, 50 of each, and how many calls get 503; more are dropped, and peers repeat
	// them. Something is kept of each for 32 s, but for those with 503: one of more than 2 KiB counts
	// several times. Default: 1000.
	MaxRequests int

	// RingTime is for how long a call that comes in may stay undecided; then it is rejected with
	// 480. Default: 3 minutes.
	RingTime time.Duration

	// SessionInterval is how long a call lives without a refresh, if the peer knows session timers
	// (RFC 4028), unless it asks for less. From 90 s to 24 h. Default: 30 minutes.
	SessionInterval time.Duration

	// Logger is where the agent logs what it does: with names and numbers, escaped; without keys.
	// A handler that panics loses its line. One that blocks holds up what the line is of, such as the
	// answer to a BYE, and those calls whose lines it blocks too: it must not for long. Nil:
	// slog.Default.
	Logger *slog.Logger

	network network // nil for that of the machine
}

// network opens UDP sockets.
type network interface {
	lookUp(ctx context.Context, host string) ([]netip.Addr, error) // one at least
	listenSIP(at netip.AddrPort) (net.PacketConn, error)
	listenRTP(at netip.AddrPort) (rtpConn, error)
}

const (
	defaultMaxCalls    = 1000
	defaultMaxInvites  = 200
	defaultMaxRequests = 1000
	defaultRingTime    = 3 * time.Minute
	defaultInterval    = 30 * time.Minute
	maxInterval        = 24 * time.Hour
)

// withDefaults checks the options, and returns them with what was left out.
func (o Options) withDefaults() (Options, error) {
	if !o.Listen.IsValid() || !o.Listen.Addr().Is4() {
		return o, fmt.Errorf("sip: Listen is %v, must be an IPv4 address and a port", o.Listen)
	}
	if o.Host.IsValid() && (!o.Host.Is4() || o.Host.IsUnspecified()) {
		return o, fmt.Errorf("sip: Host is %v, must be an IPv4 address of one host", o.Host)
	}
	for what, n := range map[string]int{
		"MaxCalls": o.MaxCalls, "MaxInvites": o.MaxInvites, "MaxRequests": o.MaxRequests,
	} {
		if n < 0 {
			return o, fmt.Errorf("sip: %s is %d, must be 0 or more", what, n)
		}
	}
	o.Ports = cmp.Or(o.Ports, DefaultPorts)
	o.MaxCalls = cmp.Or(o.MaxCalls, defaultMaxCalls)
	o.MaxInvites = cmp.Or(o.MaxInvites, defaultMaxInvites)
	o.MaxRequests = cmp.Or(o.MaxRequests, defaultMaxRequests)
	o.RingTime = cmp.Or(o.RingTime, defaultRingTime)
	o.SessionInterval = cmp.Or(o.SessionInterval, defaultInterval)
	o.User = cmp.Or(o.User, "ivr")
	if foreign.NoHandler(o.Logger) {
		return o, errors.New("sip: Logger has no handler")
	}
	o.Logger = foreign.Logger(o.Logger)
	if o.network == nil {
		o.network = machine{}
	}
	switch {
	case !isUser(o.User):
		return o, fmt.Errorf("sip: User is %q, must be letters, digits and -_.+", o.User)
	case slices.ContainsFunc(o.Trunks, func(p netip.Prefix) bool { return !p.Addr().Is4() }):
		return o, fmt.Errorf("sip: Trunks are %v, must be of IPv4", o.Trunks)
	case o.RingTime < 0:
		return o, fmt.Errorf("sip: RingTime is %v, must be 0 or more", o.RingTime)
	case o.SessionInterval < minSession || o.SessionInterval > maxInterval:
		return o, fmt.Errorf("sip: SessionInterval is %v, must be %v to %v",
			o.SessionInterval, minSession, maxInterval)
	}
	return o, o.Ports.check()
}

// isUser reports whether s needs no escape in a URI.
func isUser(s string) bool {
	for _, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '-' && c != '_' && c != '.' && c != '+' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// machine is the network of this machine.
type machine struct{}

func (machine) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
}

func (machine) listenSIP(at netip.AddrPort) (net.PacketConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
}

func (machine) listenRTP(at netip.AddrPort) (rtpConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
}

// hostTowards returns the address of this machine from which another is reached. Nothing is sent.
func hostTowards(to netip.AddrPort) (netip.Addr, error) {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
