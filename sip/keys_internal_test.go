package sip

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ivrqueue/tone"
)

// keyPacket is a packet of a key.
type keyPacket struct {
	ssrc, timestamp uint32
	event           uint8
	ended           bool
	duration        uint16
}

func (p keyPacket) payload() []byte {
	b := []byte{p.event, 10, 0, 0}
	if p.ended {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.duration)
	return b
}

// pressing are the packets of keys of 100 ms with a pause of as long, three of each being its end.
func pressing(keys string) []keyPacket {
	var all []keyPacket
	for i := range keys {
		event := uint8(strings.IndexByte("0123456789*#ABCD!", keys[i]))
		p := keyPacket{ssrc: 9, timestamp: 5000 + uint32(i)*1600, event: event}
		for d := uint16(160); d <= 800; d += 160 {
			p.duration = d
			all = append(all, p)
		}
		p.ended = true
		all = append(all, p, p, p)
	}
	return all
}

// detect returns the keys that packets report.
func detect(packets []keyPacket) string {
	var k keys
	var heard []byte
	for _, p := range packets {
		for _, t := range k.packet(nil, p.ssrc, p.timestamp, p.payload()) {
			heard = append(heard, t.Char())
		}
	}
	return string(heard)
}

func TestEachKeyComesOnceInOrder(t *testing.T) {
	const all = "1234567890*#ABCD!5566"
	const each = 8 // packets of a key
	tests := []struct {
		name   string
		change func([]keyPacket) []keyPacket
	}{
		{"as they are", func(p []keyPacket) []keyPacket { return p }},
		{"only their ends", func(p []keyPacket) []keyPacket {
			return slices.DeleteFunc(p, func(p keyPacket) bool { return !p.ended })
		}},
		{"only their begins", func(p []keyPacket) []keyPacket {
			return slices.DeleteFunc(p, func(p keyPacket) bool { return p.duration != 160 })
		}},
		{"each packet twice", func(p []keyPacket) []keyPacket {
			var twice []keyPacket
			for _, p := range p {
				twice = append(twice, p, p)
			}
			return twice
		}},
		{"ends after the next key's begin", func(p []keyPacket) []keyPacket {
			for i := each; i+2 < len(p); i += each {
				p[i-1], p[i] = p[i], p[i-1]
				p[i-2], p[i+1] = p[i+1], p[i-2]
			}
			return p
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := detect(tt.change(pressing(all))); got != all {
				t.Errorf("got %q, want %q", got, all)
			}
		})
	}
	for seed := range uint64(200) { // a third is lost, some come twice, some late by a few
		random := rand.New(rand.NewPCG(seed, 0))
		var packets []keyPacket
		for i, p := range pressing(all) {
			if first := i%each == 0; first || random.IntN(3) > 0 {
				packets = append(packets, p)
			}
			if random.IntN(4) == 0 {
				packets = append(packets, p)
			}
		}
		for i := len(packets) - 2; i > 0; i -= 1 + random.IntN(4) {
			if packets[i].timestamp == packets[i+1].timestamp {
				packets[i], packets[i+1] = packets[i+1], packets[i]
			}
		}
		if got := detect(packets); got != all {
			t.Fatalf("seed %d: got %q, want %q", seed, got, all)
		}
	}
}

func TestWhichPacketsAreAKey(t *testing.T) {
	tests := []struct {
		name    string
		packets []keyPacket
		want    string
	}{
		{"held for 20 s, in segments", []keyPacket{
			{timestamp: 100, event: 5, duration: 0xffff},
			{timestamp: 100 + 0xffff, event: 5, duration: 0xffff},
			{timestamp: 100 + 2*0xffff, event: 5, duration: 800, ended: true},
		}, "5"},
		{"pressed again just after a segment's length", []keyPacket{
			{timestamp: 100, event: 5, duration: 0xffff, ended: true},
			{timestamp: 100 + 0xffff, event: 5, duration: 800},
		}, "55"},
		{"timestamp 0, SSRC 0, key 0", []keyPacket{{}, {}}, "0"},
		{"another stream", []keyPacket{{ssrc: 1, event: 3}, {ssrc: 2, event: 3}}, "33"},
		{"a fax tone", []keyPacket{{event: 36}}, ""},
		{"beyond all events", []keyPacket{{event: 255}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := detect(tt.packets); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	var k keys
	two := append(keyPacket{event: 1, duration: 400}.payload(), keyPacket{event: 2}.payload()...)
	if got := k.packet(nil, 1, 1, two); !slices.Equal(got, []tone.Tone{tone.Tone1, tone.Tone2}) {
		t.Errorf("got %v of a payload with two events, want 1 and 2", got)
	}
	if got := k.packet(nil, 1, 7, []byte{1, 0, 0}); len(got) > 0 {
		t.Errorf("got %v of a payload that is cut, want nothing", got)
	}
}
