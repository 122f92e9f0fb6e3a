package egress

import "net/netip"

// The address registries of IANA. They change a few times in ten years. An entry that comes new
// among the special purposes lies in space that was not allocated before, so it is refused without
// this table; space that is allocated anew is refused until it is entered here.

// special4 are the addresses of IPv4 that are not, or not simply, hosts of the public Internet. The
// registry's entries that may be reached globally are anycast addresses of the Internet's own
// services, where no client's server is.
var special4 = parsePrefixes(
	// https://www.iana.org/assignments/iana-ipv4-special-registry
	"0.0.0.0/8",          // this network, RFC 791
	"0.0.0.0/32",         // this host on this network, RFC 1122
	"10.0.0.0/8",         // private use, RFC 1918
	"100.64.0.0/10",      // shared address space, RFC 6598
	"127.0.0.0/8",        // loopback, RFC 1122
	"169.254.0.0/16",     // link local, RFC 3927
	"172.16.0.0/12",      // private use, RFC 1918
	"192.0.0.0/24",       // IETF protocol assignments, RFC 6890
	"192.0.0.0/29",       // IPv4 service continuity, RFC 7335
	"192.0.0.8/32",       // dummy address, RFC 7600
	"192.0.0.9/32",       // Port Control Protocol anycast, RFC 7723
	"192.0.0.10/32",      // TURN anycast, RFC 8155
	"192.0.0.170/32",     // NAT64/DNS64 discovery, RFC 8880
	"192.0.0.171/32",     // the same
	"192.0.2.0/24",       // documentation, RFC 5737
	"192.31.196.0/24",    // AS112, RFC 7535
	"192.52.193.0/24",    // AMT, RFC 7450
	"192.88.99.0/24",     // 6to4 relay anycast, deprecated, RFC 7526
	"192.88.99.2/32",     // 6a44 relay anycast, RFC 6751
	"192.168.0.0/16",     // private use, RFC 1918
	"192.175.48.0/24",    // direct delegation AS112, RFC 7534
	"198.18.0.0/15",      // benchmarking, RFC 2544
	"198.51.100.0/24",    // documentation, RFC 5737
	"203.0.113.0/24",     // documentation, RFC 5737
	"240.0.0.0/4",        // reserved, RFC 1112
	"255.255.255.255/32", // limited broadcast, RFC 919

	// https://www.iana.org/assignments/multicast-addresses
	"224.0.0.0/4", // RFC 5771

	// Not in a registry: the host of Azure's virtual machines, a public address that is not one.
	"168.63.129.16/32",
)

// special6 are the addresses of IPv6 with a special purpose.
var special6 = parsePrefixes(
	// https://www.iana.org/assignments/iana-ipv6-special-registry
	"::1/128",           // loopback, RFC 4291
	"::/128",            // unspecified, RFC 4291
	"::ffff:0:0/96",     // IPv4-mapped, RFC 4291
	"64:ff9b::/96",      // IPv4-IPv6 translation, RFC 6052
	"64:ff9b:1::/48",    // IPv4-IPv6 translation, RFC 8215
	"100::/64",          // discard only, RFC 6666
	"100:0:0:1::/64",    // dummy prefix, RFC 9780
	"2001::/23",         // IETF protocol assignments, RFC 2928
	"2001::/32",         // Teredo, RFC 4380
	"2001:1::1/128",     // Port Control Protocol anycast, RFC 7723
	"2001:1::2/128",     // TURN anycast, RFC 8155
	"2001:1::3/128",     // DNS-SD SRP anycast, RFC 9665
	"2001:2::/48",       // benchmarking, RFC 5180
	"2001:3::/32",       // AMT, RFC 7450
	"2001:4:112::/48",   // AS112, RFC 7535
	"2001:10::/28",      // ORCHID, deprecated, RFC 4843
	"2001:20::/28",      // ORCHIDv2, RFC 7343
	"2001:30::/28",      // drone remote identification, RFC 9374
	"2001:db8::/32",     // documentation, RFC 3849
	"2002::/16",         // 6to4, RFC 3056
	"2620:4f:8000::/48", // direct delegation AS112, RFC 7534
	"3fff::/20",         // documentation, RFC 9637
	"5f00::/16",         // segment routing identifiers, RFC 9602
	"fc00::/7",          // unique local, RFC 4193
	"fe80::/10",         // link local, RFC 4291
)

// allocated6 is the global unicast of IPv6 that the regional registries have. All else of 2000::/3
// is for the future, and all beyond it is no global unicast: IPv4-compatible (::/96) and translated
// (::ffff:0:0:0/96) addresses, site local (fec0::/10), multicast (ff00::/8), and what is reserved.
var allocated6 = parsePrefixes(
	// https://www.iana.org/assignments/ipv6-unicast-address-assignments
	"2001:200::/23",  // APNIC
	"2001:400::/23",  // ARIN
	"2001:600::/23",  // RIPE NCC
	"2001:800::/22",  // RIPE NCC
	"2001:c00::/23",  // APNIC
	"2001:e00::/23",  // APNIC
	"2001:1200::/23", // LACNIC
	"2001:1400::/22", // RIPE NCC
	"2001:1800::/23", // ARIN
	"2001:1a00::/23", // RIPE NCC
	"2001:1c00::/22", // RIPE NCC
	"2001:2000::/19", // RIPE NCC
	"2001:4000::/23", // RIPE NCC
	"2001:4200::/23", // AFRINIC
	"2001:4400::/23", // APNIC
	"2001:4600::/23", // RIPE NCC
	"2001:4800::/23", // ARIN
	"2001:4a00::/23", // RIPE NCC
	"2001:4c00::/23", // RIPE NCC
	"2001:5000::/20", // RIPE NCC
	"2001:8000::/19", // APNIC
	"2001:a000::/20", // APNIC
	"2001:b000::/20", // APNIC
	"2003::/18",      // RIPE NCC
	"2400::/12",      // APNIC
	"2410::/12",      // APNIC
	"2600::/12",      // ARIN
	"2610::/23",      // ARIN
	"2620::/23",      // ARIN
	"2630::/12",      // ARIN
	"2800::/12",      // LACNIC
	"2a00::/12",      // RIPE NCC
	"2a10::/12",      // RIPE NCC
	"2c00::/12",      // AFRINIC
)

func parsePrefixes(all ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(all))
	for i, s := range all {
		prefixes[i] = netip.MustParsePrefix(s)
	}
	return prefixes
}
