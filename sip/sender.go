package sip

import (
	"time"

	"github.com/pion/rtp"

	"ivrqueue/media"
)

const (
	sampleRate   = 8000 // of G.711, and of RTP timestamps (RFC 3551)
	frameSamples = 160  // of 20 ms
)

// sender numbers the packets that we send. Timestamps are the time of the pacer's grid, also across
// what was not sent: silence, and time on hold. After each such gap, and only there, is a marker
// (RFC 3551, 4.1). There is one SSRC for the whole call.
type sender struct {
	ssrc     uint32
	sequence uint16    // of the next packet
	base     uint32    // the timestamp of the first one
	first    time.Time // its instant; zero before it
	last     time.Time
}

// header returns the header of the packet for an instant. It counts as sent.
func (s *sender) header(at time.Time, payload uint8) rtp.Header {
	if s.first.IsZero() {
		s.first = at
	}
	h := rtp.Header{
		Version: 2, Marker: !at.Equal(s.last.Add(media.FrameTime)), PayloadType: payload,
		SequenceNumber: s.sequence, SSRC: s.ssrc,
		Timestamp: s.base + uint32(position(at.Sub(s.first)+time.Second/sampleRate/2)),
	}
	s.sequence++
	s.last = at
	return h
}
