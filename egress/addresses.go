package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Addresses says which addresses of the network may be connected to. The zero Addresses are those
// of the public Internet: global unicast that has been allocated, and serves no special purpose.
// Private, shared, link-local (where clouds keep their metadata), loopback, multicast,
// documentation, reserved and translated addresses are refused. It may be copied.
type Addresses struct {
	Loopback bool           // allow 127.0.0.0/8 and ::1
	Also     []netip.Prefix // allow these, whatever they are
	Only     bool           // refuse all others, the public Internet too
}

// Allow reports whether the address may be connected to. An IPv4 address that is mapped into IPv6
// is taken for itself; a zone does not count.
func (a Addresses) Allow(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return in(a.Also, ip) || a.Loopback && ip.IsLoopback() || !a.Only && public(ip)
}

// Control is for net.Dialer: it looks at the address that is about to be connected to, so a name
// that resolves to a refused one does not pass, however often it changes its mind.
func (a Addresses) Control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &net.AddrError{Err: "egress: no address", Addr: address}
	}
	if !a.Allow(at.Addr()) {
		return fmt.Errorf("egress: connecting to %v is not allowed", at.Addr())
	}
	return nil
}

// public reports whether an address is one of the public Internet.
func public(ip netip.Addr) bool {
	if ip.Is4() {
		return !in(special4, ip)
	}
	return in(allocated6, ip) && !in(special6, ip) && !isatap(ip)
}

// isatap reports whether the address carries an IPv4 address in its interface identifier (RFC 5214,
// 6.1), to which a router may tunnel.
func isatap(ip netip.Addr) bool {
	b := ip.As16()
	return b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

func in(prefixes []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}
