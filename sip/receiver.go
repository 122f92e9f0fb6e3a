package sip

import (
	"net/netip"
	"time"

	"github.com/pion/rtp"

	"ivrqueue/media"
	"ivrqueue/tone"
)

// maxPayload is how long a packet's audio may be, 200 ms; telephones send 10 to 60.
const maxPayload = sampleRate / 5

// patience is how long packets are waited for from where the peer is known to be, before others may
// be the peer's.
const patience = 2 * time.Second

// receiver takes what comes to a line's port. It latches on to where the first packet comes from
// that is one of the session's, whatever port, or address, the peer's description says, since many
// are behind address translation: what comes from elsewhere is dropped, and we send there. Anybody
// can send to a port that he guesses, so the addresses that the peer has given, and signals from,
// come first, and win over another that was latched on to.
type receiver struct {
	payloads payloads
	offered  netip.Addr     // by the session description
	signals  netip.Addr     // from where the peer's SIP comes
	since    time.Time      // of the session
	latched  netip.AddrPort // zero before the first packet
	source   jitter
	keys     keys

	samples []int16     // room for those of a packet
	pressed []tone.Tone // room for its keys
}

// packet takes a packet that came now, and returns the keys that it reports; they are valid until
// the next one.
func (r *receiver) packet(now time.Time, from netip.AddrPort, data []byte) []tone.Tone {
	if !r.may(now, from) {
		return nil
	}
	var p rtp.Packet
	if p.Unmarshal(data) != nil || p.Version != 2 || int(p.PayloadType) >= len(r.payloads) {
		return nil
	}
	kind := r.payloads[p.PayloadType]
	if kind == unknown || len(p.Payload) == 0 {
		return nil
	}
	r.latched = from
	switch kind {
	case pcmu:
		r.audio(now, &p, media.PCMU)
	case pcma:
		r.audio(now, &p, media.PCMA)
	case event:
		r.pressed = r.keys.packet(r.pressed[:0], p.SSRC, p.Timestamp, p.Payload)
		return r.pressed
	case comfort, unknown: // silence is what is not there
	}
	return nil
}

// may reports whether a packet from there may be the peer's.
func (r *receiver) may(now time.Time, from netip.AddrPort) bool {
	switch {
	case from == r.latched:
		return true
	case r.expects(from):
		return !r.latched.IsValid() || !r.expects(r.latched)
	default:
		return !r.latched.IsValid() && now.Sub(r.since) >= patience
	}
}

// expects reports whether the peer is known to be there.
func (r *receiver) expects(at netip.AddrPort) bool {
	return at.Addr() == r.offered || at.Addr() == r.signals
}

func (r *receiver) audio(now time.Time, p *rtp.Packet, c media.Codec) {
	if len(p.Payload) > maxPayload {
		return
	}
	r.samples = c.Decode(r.samples[:0], p.Payload)
	r.source.put(now, p.SSRC, p.Timestamp, r.samples)
}
