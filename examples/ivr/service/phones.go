package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ivrqueue/graph"
	"ivrqueue/sip"
)

// Phones are how a service is reached by telephones, and reaches them.
type Phones struct {
	// Listen is the IPv4 address and the UDP port for SIP. Required.
	Listen netip.AddrPort

	// Host is the IPv4 address that telephones get, where it is another one than Listen's, as
	// behind a NAT. Default: that of Listen; of 0.0.0.0, the one from which each is reached.
	Host netip.Addr

	// Ports are those of the audio. Default: sip.DefaultPorts.
	Ports sip.Ports

	// Numbers are the applications whose bots take calls, by name or id, by the number that was
	// called: letters, digits and -_.+ as in "+15550100". Each must be among Bots.
	Numbers map[string]string

	// Trunk is where calls to telephones go, as in "sip:192.0.2.7:5060". Empty: bots can't call any.
	Trunk string

	// TrunkFrom are the IPv4 addresses that calls through trunks come from, besides that of Trunk if
	// it is an address and no name. All others have a share of the places, as sip.Options has it.
	TrunkFrom []netip.Prefix
}

// trunks returns the addresses of all trunks.
func (p *Phones) trunks() []netip.Prefix {
	host, _, _ := strings.Cut(p.trunk(), ":")
	address, err := netip.ParseAddr(host)
	if err != nil {
		return p.TrunkFrom
	}
	return append(slices.Clip(p.TrunkFrom), netip.PrefixFrom(address, address.BitLen()))
}

// trunk returns the host, and perhaps the port, of the trunk.
func (p *Phones) trunk() string { return strings.TrimPrefix(p.Trunk, "sip:") }

// isNumber reports whether s can be the user part of a URI without an escape.
func isNumber(s string) bool {
	const most = 64
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') &&
			!strings.ContainsRune("-_.+", r)
	})
}

// checkPhones checks what of the telephones package sip does not.
func (o *Options) checkPhones() error {
	p := o.Phones
	for _, number := range slices.Sorted(maps.Keys(p.Numbers)) {
		name := p.Numbers[number]
		app, known := o.application(name)
		switch {
		case !isNumber(number):
			return fmt.Errorf("service: Phones.Numbers has %.80q, must be 1 to 64 of letters, digits "+
				"and -_.+", number)
		case !known:
			return fmt.Errorf("service: Phones.Numbers[%q] is %.80q, must be the name or the id of an "+
				"application", number, name)
		case o.bot(app) == "":
			return fmt.Errorf("service: Phones.Numbers[%q] is %.80q, whose bot is not among Bots",
				number, name)
		}
	}
	if p.Trunk != "" && !isTrunk(p.Trunk) {
		return fmt.Errorf("service: Phones.Trunk is %.80q, must be as in sip:192.0.2.7:5060", p.Trunk)
	}
	return nil
}

// isTrunk reports whether s is a SIP URI of a host, with or without a port, and of nothing else.
func isTrunk(s string) bool {
	s, ok := strings.CutPrefix(s, "sip:")
	host, port, hasPort := strings.Cut(s, ":")
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		ok = ok && err == nil && n > 0
	}
	return ok && isHost(host) && !strings.ContainsAny(host, "@/?#;[]") && !strings.Contains(port, ":")
}

// application returns the application of a name or an id. One whose tokens an issuer makes is known
// by its id alone.
func (o *Options) application(nameOrID string) (graph.Application, bool) {
	for _, app := range o.Tokens {
		if app.Name == nameOrID || app.ID == nameOrID {
			return graph.Application{ID: app.ID, Name: app.Name}, true
		}
	}
	return graph.Application{ID: nameOrID, Name: nameOrID}, o.Issuer != "" && nameOrID != ""
}

// bot returns the callback address at which an application's calls are announced; empty if there is
// none.
func (o *Options) bot(app graph.Application) string {
	return cmp.Or(o.Bots[app.Name], o.Bots[app.ID])
}

// listen has telephones reach the service.
func (s *Service) listen() error {
	p := s.options.Phones
	agent, err := sip.Listen(sip.Options{
		Listen: p.Listen, Host: p.Host, Ports: p.Ports, Trunks: p.trunks(),
		Incoming: s.comesIn, Logger: s.options.Logger,
	})
	if err != nil {
		return fmt.Errorf("service: Phones: %w", err)
	}
	s.agent = agent
	return nil
}

// PhoneAddress returns where telephones reach the service; the zero AddrPort if they don't.
func (s *Service) PhoneAddress() netip.AddrPort {
	if s.agent == nil {
		return netip.AddrPort{}
	}
	return s.agent.Addr()
}

// hangUpAll hangs up all telephones. What it returns waits until they know, or ctx has ended.
func (s *Service) hangUpAll(ctx context.Context) (wait func() error) {
	if s.agent == nil {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() { ended <- s.agent.Shutdown(ctx) }()
	return func() error {
		err := <-ended
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.work.Wait() // every call of the agent's has ended
		return err
	}
}

// spawn runs f on a goroutine that Shutdown waits for, unless there is nothing more to be done.
func (s *Service) spawn(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.work.Go(f)
	}
}

// comesIn is for package sip: a telephone calls.
func (s *Service) comesIn(telephone *sip.Call) {
	number := telephone.To().User
	name, ok := s.options.Phones.Numbers[number]
	if !ok {
		s.options.Logger.Info("nobody has the number", slog.String("number", shown(number)),
			slog.String("sip", shown(telephone.ID())))
		_ = telephone.Reject(notFound)
		return
	}
	app, _ := s.options.application(name)
	from := telephone.From()
	const most = 256
	c, err := s.newCall(context.Background(), s.handler.Attach, graph.Attachment{
		Application: app.ID, CallbackURI: s.options.bot(app), State: graph.State{Call: graph.Incoming},
		Resource: incomingResource(app, clip(cmp.Or(from.User, from.URI), most), clip(from.Name, most)),
	}, telephone)
	if err != nil {
		s.options.Logger.Error("a call could not come in", slog.Any("error", err))
		_ = telephone.Reject(unavailable)
		return
	}
	_ = telephone.Ring() // if the bot has not decided yet
	c.follow()
}

// follow notifies the bot of a telephone's call, until it has ended.
func (c *call) follow() {
	select {
	case <-c.sip.Established():
		c.awaitAnswerNotified()
		c.establish()
		<-c.sip.Done()
	case <-c.sip.Done():
	}
	c.mu.Lock()
	result := c.planned
	c.mu.Unlock()
	if result == (graph.ResultInfo{}) {
		result = resultOfEnd(c.sip.End(), c.cameIn)
	}
	c.end(nil, result)
}

// awaitAnswerNotified waits until the bot knows that a call that came in is answered.
func (c *call) awaitAnswerNotified() {
	if !c.cameIn {
		return
	}
	select {
	case <-c.taken:
	case <-c.sip.Done():
	}
}

// shown is how what a telephone has said gets into the log, which escapes it: short.
func shown(s string) string {
	const most = 128
	return clip(s, most)
}

// clip makes text of what a telephone has said, of at most so many bytes.
func clip(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
