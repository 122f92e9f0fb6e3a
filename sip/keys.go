package sip

import (
	"encoding/binary"

	"ivrqueue/tone"
)

const (
	eventSize  = 4  // bytes of an event in a payload (RFC 4733, 2.3)
	keptPress  = 16 // key presses that are remembered; keys last 40 ms and more, each with its pause
	longestKey = 0xffff
)

// press is a key press: its event, as RFC 4733 identifies it (2.2.1, 2.5.1.2).
type press struct {
	ssrc, timestamp uint32
	event           uint8
	ended           bool // a packet with the E bit has come
	real            bool // not room for one
}

// keys reports each key press once, at the first packet of it that comes, whichever of them that
// is: its marker, its begin or its end may be lost. The end comes three times, and a key's last
// packets may come after the first of the next.
type keys struct {
	seen [keptPress]press
	next int // where the next one is remembered
}

// packet appends the keys that a payload reports for the first time.
func (k *keys) packet(to []tone.Tone, ssrc, timestamp uint32, payload []byte) []tone.Tone {
	// One payload may have several events, one after the other in time (RFC 4733, 2.5.1.5).
	for ; len(payload) >= eventSize; payload = payload[eventSize:] {
		p := press{ssrc, timestamp, payload[0], payload[1]&0x80 != 0, true}
		if t := eventTone(p.event); t.Valid() && k.fresh(p) {
			to = append(to, t)
		}
		timestamp += uint32(binary.BigEndian.Uint16(payload[2:]))
	}
	return to
}

// fresh reports whether p is not known, and remembers it.
func (k *keys) fresh(p press) bool {
	segment := false
	for i := range k.seen {
		switch known := &k.seen[i]; {
		case !known.real || known.ssrc != p.ssrc || known.event != p.event:
		case known.timestamp == p.timestamp:
			known.ended = known.ended || p.ended
			return false
		case !known.ended && known.timestamp+longestKey == p.timestamp:
			// A key that is held down for more than eight seconds is cut in segments (2.5.1.3).
			segment = true
		}
	}
	k.seen[k.next] = p
	k.next = (k.next + 1) % keptPress
	return !segment
}

// eventTone returns the tone of an event (RFC 4733, 3.2), no tone for all others.
func eventTone(event uint8) tone.Tone {
	const chars = "0123456789*#ABCD!"
	if int(event) >= len(chars) {
		return 0
	}
	t, _ := tone.FromChar(rune(chars[event]))
	return t
}
