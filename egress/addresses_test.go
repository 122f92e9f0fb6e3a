package egress_test

import (
	"net/netip"
	"testing"

	"ivrqueue/egress"
)

// Every entry of the registries of special purposes, every form that carries another address inside,
// and all that is not allocated is refused; what lies next to it is not.
func TestOnlyAllocatedPublicAddressesAreAllowed(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{
		// IPv4, each block's first and last
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.255.255.255",
		"169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.9", "192.0.0.170",
		"192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.31.196.0", "192.31.196.255", "192.52.193.0", "192.52.193.255",
		"192.88.99.0", "192.88.99.2", "192.88.99.255", "192.168.0.0", "192.168.255.255", "192.175.48.0", "192.175.48.255",
		"198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255",
		"240.0.0.0", "255.255.255.254", "255.255.255.255", "168.63.129.16",
		// IPv4 inside of IPv6: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "::127.0.0.1",
		"::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "64:ff9b:1:ffff::808:808", "2002:7f00:1::1",
		"2002:808:808::1", "2001::1", "2001:0:808:808::f7f7:f7f7", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:808:808",
		// special purposes of IPv6
		"::", "::1", "::2", "100::1", "100::ffff:ffff:ffff:ffff", "100:0:0:1::1", "2001:1::1", "2001:1::2", "2001:1::3", "2001:2::1",
		"2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2001:db8::1", "2001:db8:ffff::1",
		"2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1", "5f00:ffff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
		"febf::1", "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff0e::1",
		// no global unicast, or not allocated
		"200::1", "300::1", "400::1", "1000::1", "1fff::1", "2000::1", "2001:1000::1", "2001:3c00:0:0:0:5efe:a00:1", "2001:6000::1",
		"2001:c000::1", "2003:4000::1", "2004::1", "2420::1", "2500::1", "2610:200::1", "2620:200::1", "2640::1", "2700::1", "2810::1",
		"2a20::1", "2c10::1", "2d00::1", "2e00::1", "3000::1", "3ffe::1", "3fff:1000::1", "4000::1", "6000::1", "8000::1", "e000::1",
	} {
		ip := netip.MustParseAddr(refused)
		if (egress.Addresses{}).Allow(ip) {
			t.Errorf("%s is allowed", refused)
		}
		if !(egress.Addresses{Also: []netip.Prefix{netip.PrefixFrom(ip.Unmap().WithZone(""), ip.Unmap().BitLen())}}).Allow(ip) {
			t.Errorf("%s can't be allowed", refused)
		}
		if (egress.Addresses{Loopback: true}).Allow(ip) != ip.Unmap().IsLoopback() {
			t.Errorf("%s with loopback: got %v", refused, !ip.Unmap().IsLoopback())
		}
	}
	for _, allowed := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.195.255", "192.31.197.0",
		"192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
		"203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8", "::ffff:8.8.8.8", "168.63.129.15",
		"2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1", "2003::1", "2400:cb00::1", "2606:4700::1111",
		"2607:f8b0::1", "2620:4f:7fff::1", "2630::1", "2800:3f0::1", "2a00:1450:4001::1", "2a01:4f8::1", "2a10::1", "2c0f:fb50::1",
	} {
		if !(egress.Addresses{}).Allow(netip.MustParseAddr(allowed)) {
			t.Errorf("%s is refused", allowed)
		}
	}
	if (egress.Addresses{Loopback: true}).Allow(netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

// A dialer's Control sees an address and a port; what is neither, or is refused, is not connected to.
func TestControlRefusesWhatIsNoAllowedAddress(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "x", "localhost:80", "[fe80::1%eth0]:80", "10.0.0.1:80"} {
		if err := (egress.Addresses{}).Control("tcp", bad, nil); err == nil {
			t.Errorf("Control took %q", bad)
		}
	}
	if err := (egress.Addresses{}).Control("tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
}

// With Only nothing is allowed but what is named.
func TestOnlyRefusesThePublicInternet(t *testing.T) {
	t.Parallel()
	only := egress.Addresses{Only: true, Loopback: true, Also: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for address, want := range map[string]bool{
		"8.8.8.8": false, "2606:4700::1111": false, "192.168.0.1": false, "10.1.2.3": true, "::ffff:10.1.2.3": true, "127.0.0.1": true, "::1": true,
	} {
		if got := only.Allow(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v", address, got)
		}
	}
}
