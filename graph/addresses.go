package graph

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Addresses says to which addresses of the network a client may send us: those that it names in
// callbacks, say. The zero Addresses are those of the public Internet. Private, shared, link-local
// (where clouds keep their metadata), loopback, multicast, reserved and translated addresses are
// refused.
type Addresses struct {
	Loopback bool           // allow 127.0.0.0/8 and ::1
	Also     []netip.Prefix // allow these, whatever they are
}

// refused are the special purpose addresses of the IANA registries (RFC 6890) that do not lead to a
// public host, those that carry another address inside, and the metadata services that hide among
// public ones.
var refused = parsePrefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's host
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
	"2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func parsePrefixes(all ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(all))
	for i, s := range all {
		prefixes[i] = netip.MustParsePrefix(s)
	}
	return prefixes
}

// Allow reports whether the address may be connected to.
func (a Addresses) Allow(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(ip) }
	return ip.IsValid() &&
		(slices.ContainsFunc(a.Also, in) || a.Loopback && ip.IsLoopback() ||
			!slices.ContainsFunc(refused, in))
}

// Control is for net.Dialer: it looks at the address that is about to be connected to, so a name
// that resolves to a refused one does not pass, however often it changes its mind.
func (a Addresses) Control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &net.AddrError{Err: "graph: no address", Addr: address}
	}
	if !a.Allow(at.Addr()) {
		return fmt.Errorf("graph: connecting to %v is not allowed", at.Addr())
	}
	return nil
}
