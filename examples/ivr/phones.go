package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/sip"
)

// phonesOptions are the flags of telephones.
type phonesOptions struct {
	listen string
	host   string
	audio  string
	phones service.Phones
}

func (o *phonesOptions) define(flags *flag.FlagSet) {
	o.phones.Numbers = make(map[string]string)
	flags.StringVar(&o.listen, "sip", "", "take calls of telephones, by SIP over UDP, at the IPv4 "+
		"address `HOST:PORT`, such as 192.0.2.1:5060")
	flags.StringVar(&o.host, "sip-host", "", "telephones get the IPv4 address `HOST`, where it "+
		"is another one, as behind a NAT")
	flags.StringVar(&o.audio, "rtp-ports", "", fmt.Sprintf("their audio has the even UDP ports "+
		"`FIRST-LAST` (default %d-%d)", sip.DefaultPorts.First, sip.DefaultPorts.Last))
	flags.Func("number", "calls to NUMBER are for the application of that name or id, whose -bot "+
		"takes them, as in `NUMBER=APPLICATION`; may be repeated", func(s string) error {
		number, name, ok := strings.Cut(s, "=")
		if !ok || number == "" || name == "" {
			return errors.New("must be as in NUMBER=APPLICATION")
		}
		if _, twice := o.phones.Numbers[number]; twice {
			return errors.New("this number was given before")
		}
		o.phones.Numbers[number] = name
		return nil
	})
	flags.StringVar(&o.phones.Trunk, "trunk", "", "bots' calls to phones go to the SIP server, or "+
		"the telephone, at `sip:HOST:PORT`")
	flags.Func("trunk-from", "calls through a trunk come from the address or network `CIDR`; may be "+
		"repeated (other addresses have a share of the places for calls)",
		intoPrefixes(&o.phones.TrunkFrom))
}

// apply checks the flags, and gives the service what is its.
func (o *phonesOptions) apply(to *service.Options) error {
	if o.listen == "" {
		if o.host != "" || o.audio != "" || o.phones.Trunk != "" || o.phones.TrunkFrom != nil ||
			len(o.phones.Numbers) > 0 {
			return errors.New("-sip-host, -rtp-ports, -number, -trunk and -trunk-from need -sip")
		}
		return nil
	}
	listen, err := netip.ParseAddrPort(o.listen)
	if err != nil || !listen.Addr().Is4() {
		return fmt.Errorf("-sip is %q, must be an IPv4 address and a port, as in 192.0.2.1:5060",
			o.listen)
	}
	o.phones.Listen = listen
	if o.host != "" {
		if o.phones.Host, err = netip.ParseAddr(o.host); err != nil || !o.phones.Host.Is4() {
			return fmt.Errorf("-sip-host is %q, must be an IPv4 address", o.host)
		}
	}
	if o.audio != "" {
		if o.phones.Ports, err = parsePorts(o.audio); err != nil {
			return err
		}
	}
	to.Phones = &o.phones
	return nil
}

// reachedAt is what telephones are to call, where the service listens at an address.
func (o *phonesOptions) reachedAt(at netip.AddrPort) string {
	port := strconv.Itoa(int(at.Port()))
	switch {
	case o.phones.Host.IsValid():
		return o.phones.Host.String() + ":" + port
	case at.Addr().IsUnspecified():
		return "HOST:" + port + ", HOST being an address of this machine"
	default:
		return at.String()
	}
}

// parsePorts reads FIRST-LAST.
func parsePorts(s string) (sip.Ports, error) {
	first, last, _ := strings.Cut(s, "-")
	from, err := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil || from == 0 || from%2 != 0 || to%2 != 0 || to < from {
		return sip.Ports{}, fmt.Errorf("-rtp-ports is %q, must be two even numbers, in order, as in "+
			"10000-19998", s)
	}
	return sip.Ports{First: uint16(from), Last: uint16(to)}, nil
}
