package sip

import (
	"net/netip"
	"slices"

	sipgo "github.com/emiago/sipgo/sip"
)

// The methods that are taken, and the extension that is known.
const (
	allowed   = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"
	supported = "timer"
)

// maxRoutes is how many proxies there may be on the way.
const maxRoutes = 16

// dialog is what both ends know of a call, and how requests in it get to the peer (RFC 3261, 12).
type dialog struct {
	callID   string
	local    sipgo.FromHeader // ours, with our tag
	remote   sipgo.ToHeader   // the peer's, with its tag once there is one
	contact  sipgo.ContactHeader
	target   sipgo.Uri   // where the peer wants requests
	routes   []sipgo.Uri // the proxies on the way
	source   string      // where the peer's last message came from
	sequence uint32      // of our last request (CSeq)
}

// calledBy returns the dialog of a call that comes in, ours having this tag. Its INVITE has a
// Contact.
func calledBy(invite *sipgo.Request, tag string, contact sipgo.ContactHeader) dialog {
	d := dialog{
		callID: invite.CallID().Value(), local: invite.To().AsFrom(), remote: invite.From().AsTo(),
		contact: contact, source: invite.Source(), target: invite.Contact().Address,
	}
	d.local.Params.Add("tag", tag)
	d.routes = routesOf(invite)
	return d
}

// answeredBy completes the dialog of a call of ours: the response makes it.
func (d *dialog) answeredBy(r *sipgo.Response) {
	d.remote = *sipgo.HeaderClone(r.To()).(*sipgo.ToHeader)
	d.source = r.Source()
	if c := r.Contact(); c != nil {
		d.target = c.Address
	}
	d.routes = routesOf(r)
	slices.Reverse(d.routes)
}

// refreshedBy takes the peer's new target, if it has sent one (RFC 3261, 12.2.2).
func (d *dialog) refreshedBy(m sipgo.Message, contact *sipgo.ContactHeader) {
	d.source = m.Source()
	if contact != nil {
		d.target = contact.Address
	}
}

func routesOf(m sipgo.Message) []sipgo.Uri {
	var routes []sipgo.Uri
	for _, h := range m.GetHeaders("Record-Route") {
		if r, ok := h.(*sipgo.RecordRouteHeader); ok && len(routes) < maxRoutes {
			routes = append(routes, r.Address)
		}
	}
	return routes
}

// request returns the next request of ours in the dialog. An ACK has the number of its INVITE.
func (d *dialog) request(method sipgo.RequestMethod) *sipgo.Request {
	if method != sipgo.ACK && method != sipgo.CANCEL {
		d.sequence++
	}
	return d.numbered(method, d.sequence)
}

func (d *dialog) numbered(method sipgo.RequestMethod, sequence uint32) *sipgo.Request {
	r := sipgo.NewRequest(method, *d.target.Clone())
	r.Recipient.Headers = nil // not in a request (RFC 3261, 19.1.5)
	r.SetTransport("UDP")
	for _, uri := range d.routes {
		r.AppendHeader(&sipgo.RouteHeader{Address: *uri.Clone()})
	}
	callID := d.callID
	maxForwards := sipgo.MaxForwardsHeader(70)
	r.AppendHeader(sipgo.HeaderClone(&d.local))
	r.AppendHeader(sipgo.HeaderClone(&d.remote))
	r.AppendHeader((*sipgo.CallIDHeader)(&callID))
	r.AppendHeader(&sipgo.CSeqHeader{SeqNo: sequence, MethodName: method})
	r.AppendHeader(&maxForwards)
	r.AppendHeader(d.contact.Clone())
	if detour := d.detour(); detour != "" {
		r.SetDestination(detour)
	}
	return r
}

// detour is where requests go instead of the peer's target, if that can't be reached from here: it
// is a private address of a peer that is behind address translation. Empty: there is none.
func (d *dialog) detour() string {
	if len(d.routes) > 0 {
		return ""
	}
	target, err := netip.ParseAddr(d.target.Host)
	if err != nil {
		return ""
	}
	source, err := netip.ParseAddrPort(d.source)
	if err != nil || !astray(target, source.Addr().Unmap()) {
		return ""
	}
	return d.source
}

// astray reports whether an address from a message that came from source means another host here.
func astray(given, source netip.Addr) bool {
	switch {
	case given.IsUnspecified():
		return true
	case given.IsLoopback():
		return !source.IsLoopback()
	default:
		return isLocal(given) && !isLocal(source)
	}
}

var shared = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

func isLocal(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}
