package egress_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"ivrqueue/egress"
)

// A client that connects to the public Internet, to one network of one's own, and nowhere else.
func Example() {
	addresses := egress.Addresses{Also: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	dialer := &net.Dialer{Control: addresses.Control}
	transport := &http.Transport{DialContext: dialer.DialContext}

	for _, ip := range []string{"8.8.8.8", "10.1.2.3", "10.2.2.3", "169.254.169.254"} {
		fmt.Println(ip, addresses.Allow(netip.MustParseAddr(ip)))
	}
	_, err := transport.DialContext(context.Background(), "tcp", "169.254.169.254:80")
	fmt.Println(err)
	// Output:
	// 8.8.8.8 true
	// 10.1.2.3 true
	// 10.2.2.3 false
	// 169.254.169.254 false
	// dial tcp 169.254.169.254:80: egress: connecting to 169.254.169.254 is not allowed
}
