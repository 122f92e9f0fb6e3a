package egress_test

import (
	"net"
	"net/netip"
	"testing"

	"ivrqueue/egress"
	"ivrqueue/internal/bounds"
)

// FuzzAddress asks whether addresses may be connected to.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1", "8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:10.0.0.1", "4000::1", "200::1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001::1",
		"3fff::1", "5f00::1", "fe80::1%eth0", "2a00::5efe:7f00:1", "2606:4700::1111", "::", "255.255.255.255", "0x7f.1", "2130706433", "127.1", "[2606:4700::1111]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		bounds.Proportionate(t, len(s), 16, func() {
			ip, err := netip.ParseAddr(s)
			if err != nil {
				if (egress.Addresses{}).Control("tcp", net.JoinHostPort(s, "443"), nil) == nil {
					t.Errorf("%q is no address, and may be connected to", s)
				}
				return
			}
			allowed := egress.Addresses{}.Allow(ip)
			plain := ip.Unmap().WithZone("")
			if allowed && (!plain.IsGlobalUnicast() || plain.IsPrivate() || plain.Is6() && plain.As16()[0]>>5 != 1) {
				t.Errorf("%q is allowed", s)
			}
			if allowed != (egress.Addresses{}).Allow(plain) {
				t.Errorf("%q and %v differ", s, plain)
			}
			if at := netip.AddrPortFrom(ip, 443).String(); allowed != ((egress.Addresses{}).Control("tcp", at, nil) == nil) {
				t.Errorf("%s may be connected to: %v", at, !allowed)
			}
		})
	})
}
