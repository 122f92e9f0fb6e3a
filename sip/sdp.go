package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"ivrqueue/media"
)

const (
	maxDescription = 16 << 10 // bytes of a session description
	maxMedia       = 16       // media in one
	maxFormats     = 64       // formats of one
)

// The payload types of RFC 3551, and ours for keys, where we make the offer.
const (
	payloadPCMU    = 0
	payloadPCMA    = 8
	payloadComfort = 13
	payloadEvents  = 101
)

var (
	errNoCodec  = errors.New("no codec in common, must be PCMU or PCMA")
	errNoStream = errors.New("no audio over RTP/AVP to an IPv4 address")
)

// session is what both ends have agreed on (RFC 3264), as far as it matters here.
type session struct {
	codec    media.Codec    // in which we send
	payload  uint8          // its payload type
	payloads payloads       // what we understand
	events   bool           // keys come by RFC 4733
	remote   netip.AddrPort // where the peer wants to be sent to
	source   netip.Addr     // where it signals from, if that is known
	sends    bool           // the peer wants to hear us; false while it holds the call
}

// payloads say what a payload type means.
type payloads [128]meaning

type meaning uint8

const (
	unknown meaning = iota
	pcmu
	pcma
	event
	comfort // noise, which is silence
)

func (p *payloads) set(payload uint8, m meaning) {
	if int(payload) < len(p) {
		p[payload] = m
	}
}

// local is what our descriptions say of us.
type local struct {
	address     netip.AddrPort // where we receive
	id, version uint64
}

// answer returns our answer to an offer, and what is agreed by it. Of the codecs the first of the
// offerer's that we have is taken, with the offerer's payload types.
func answer(offer []byte, l local) ([]byte, session, error) {
	theirs, err := parseDescription(offer)
	if err != nil {
		return nil, session{}, err
	}
	i, s, err := agree(theirs)
	if err != nil {
		return nil, session{}, err
	}
	ours := l.description()
	for k, m := range theirs.MediaDescriptions {
		if k != i { // refused: its port is 0
			refused := &sdp.MediaDescription{MediaName: m.MediaName}
			refused.MediaName.Port = sdp.RangedPort{}
			ours.MediaDescriptions = append(ours.MediaDescriptions, refused)
			continue
		}
		kinds := []uint8{s.payload}
		for payload, m := range s.payloads {
			if m == event {
				kinds = append(kinds, uint8(payload))
			}
		}
		ours.MediaDescriptions = append(ours.MediaDescriptions,
			l.audio(s.payloads, kinds, opposite(directionOf(theirs, m))))
	}
	text, err := ours.Marshal()
	return text, s, err
}

// offer returns an offer of ours.
func offer(l local) []byte {
	ours := l.description()
	ours.MediaDescriptions = []*sdp.MediaDescription{l.audio(
		offered(), []uint8{payloadPCMU, payloadPCMA, payloadEvents}, "sendrecv")}
	text, err := ours.Marshal()
	if err != nil {
		panic(err) // of what we have written ourselves
	}
	return text
}

// offered are the payload types of our offers.
func offered() payloads {
	var p payloads
	p.set(payloadPCMU, pcmu)
	p.set(payloadPCMA, pcma)
	p.set(payloadEvents, event)
	p.set(payloadComfort, comfort)
	return p
}

// accept returns what is agreed by the answer to an offer of ours.
func accept(answer []byte) (session, error) {
	theirs, err := parseDescription(answer)
	if err != nil {
		return session{}, err
	}
	_, s, err := agree(theirs)
	if err != nil {
		return session{}, err
	}
	// What we have offered may come with our numbers too (RFC 3264, 5.1).
	for payload, m := range offered() {
		if s.payloads[payload] == unknown && (m != event || s.events) {
			s.payloads[payload] = m
		}
	}
	return s, nil
}

func parseDescription(text []byte) (*sdp.SessionDescription, error) {
	if len(text) > maxDescription {
		return nil, fmt.Errorf("session description of %d bytes, must be at most %d",
			len(text), maxDescription)
	}
	d := new(sdp.SessionDescription)
	if err := d.Unmarshal(text); err != nil {
		return nil, fmt.Errorf("session description: %w", err)
	}
	if len(d.MediaDescriptions) > maxMedia {
		return nil, fmt.Errorf("session description with %d media, must be at most %d",
			len(d.MediaDescriptions), maxMedia)
	}
	return d, nil
}

// agree returns the medium that can be had, and how.
func agree(d *sdp.SessionDescription) (int, session, error) {
	err := errNoStream
	for i, m := range d.MediaDescriptions {
		if m.MediaName.Media != "audio" || m.MediaName.Port.Value == 0 ||
			strings.Join(m.MediaName.Protos, "/") != "RTP/AVP" {
			continue
		}
		remote, ok := addressOf(d, m)
		if !ok {
			continue
		}
		s := session{remote: remote}
		if !s.choose(m) {
			err = errNoCodec
			continue
		}
		direction := directionOf(d, m)
		held := remote.Addr().IsUnspecified() // the old way of holding (RFC 3264, 8.4)
		s.sends = !held && (direction == "sendrecv" || direction == "recvonly")
		return i, s, nil
	}
	return 0, session{}, err
}

// choose takes the first codec of a medium that we have, and the number of its keys.
func (s *session) choose(m *sdp.MediaDescription) bool {
	names := mapOf(m)
	chosen := false
	for _, format := range m.MediaName.Formats[:min(len(m.MediaName.Formats), maxFormats)] {
		number, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		payload := uint8(number)
		switch kind := meaningOf(payload, names[payload]); kind {
		case pcmu, pcma:
			s.payloads.set(payload, kind)
			if !chosen {
				chosen, s.payload, s.codec = true, payload, codecOf(kind)
			}
		case event:
			s.payloads.set(payload, event)
			s.events = true
		case comfort, unknown:
		}
	}
	s.payloads.set(payloadComfort, comfort)
	return chosen
}

// mapOf returns what the payload types of a medium are, by its attributes rtpmap.
func mapOf(m *sdp.MediaDescription) map[uint8]string {
	names := make(map[uint8]string)
	for _, a := range m.Attributes[:min(len(m.Attributes), 4*maxFormats)] {
		number, name, found := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !found {
			continue
		}
		if payload, err := strconv.ParseUint(number, 10, 7); err == nil {
			names[uint8(payload)] = strings.ToUpper(strings.TrimSpace(name))
		}
	}
	return names
}

// meaningOf returns what a payload type is, by its name, or by its number where it has none.
func meaningOf(payload uint8, name string) meaning {
	switch strings.TrimSuffix(name, "/1") { // one channel, which need not be said
	case "PCMU/8000":
		return pcmu
	case "PCMA/8000":
		return pcma
	case "TELEPHONE-EVENT/8000":
		return event
	case "":
		switch payload {
		case payloadPCMU:
			return pcmu
		case payloadPCMA:
			return pcma
		}
	}
	return unknown
}

func codecOf(m meaning) media.Codec {
	if m == pcma {
		return media.PCMA
	}
	return media.PCMU
}

// addressOf returns where a medium is to be sent to.
func addressOf(d *sdp.SessionDescription, m *sdp.MediaDescription) (netip.AddrPort, bool) {
	c := m.ConnectionInformation
	if c == nil {
		c = d.ConnectionInformation
	}
	if c == nil || c.Address == nil || c.NetworkType != "IN" || c.AddressType != "IP4" {
		return netip.AddrPort{}, false
	}
	address, err := netip.ParseAddr(c.Address.Address)
	port := m.MediaName.Port.Value
	if err != nil || !isHost(address) || port < 1 || port > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(address, uint16(port)), true
}

// isHost reports whether an address can be that of one host, or of none, which holds.
func isHost(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	first := a.As4()[0]
	return a.IsUnspecified() || first != 0 && first < 224 // else broadcast, multicast, reserved
}

var directions = []string{"sendrecv", "sendonly", "recvonly", "inactive"}

// directionOf returns a medium's direction, that of its session if it has none.
func directionOf(d *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, attributes := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attributes {
			if slices.Contains(directions, a.Key) {
				return a.Key
			}
		}
	}
	return "sendrecv"
}

// opposite returns the direction of the answer to an offer of that direction (RFC 3264, 6.1).
func opposite(direction string) string {
	switch direction {
	case "sendonly":
		return "recvonly"
	case "recvonly":
		return "sendonly"
	default:
		return direction
	}
}

// description returns ours, without media.
func (l local) description() *sdp.SessionDescription {
	address := l.address.Addr().String()
	return &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: l.id, SessionVersion: l.version,
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: address,
		},
		SessionName: "-",
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: address},
		},
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
}

// audio returns our medium, of payload types that mean this.
func (l local) audio(p payloads, kinds []uint8, direction string) *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.address.Port())},
		Protos: []string{"RTP", "AVP"},
	}}
	for _, payload := range kinds {
		number := strconv.Itoa(int(payload))
		m.MediaName.Formats = append(m.MediaName.Formats, number)
		switch p[payload] {
		case pcmu:
			m.WithValueAttribute("rtpmap", number+" PCMU/8000")
		case pcma:
			m.WithValueAttribute("rtpmap", number+" PCMA/8000")
		case event:
			m.WithValueAttribute("rtpmap", number+" telephone-event/8000")
			m.WithValueAttribute("fmtp", number+" 0-16")
		case unknown, comfort:
		}
	}
	m.WithValueAttribute("ptime", "20")
	return m.WithPropertyAttribute(direction)
}
