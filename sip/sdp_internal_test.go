package sip

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"ivrqueue/media"
)

var here = local{address: netip.MustParseAddrPort("192.0.2.1:10000"), id: 7, version: 1}

// describing is a description of a peer at 192.0.2.9, with these lines of media.
func describing(lines ...string) []byte {
	head := []string{"v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"}
	return []byte(strings.Join(append(head, lines...), "\r\n") + "\r\n")
}

func TestAnswer(t *testing.T) {
	const there = "192.0.2.9:4000"
	tests := []struct {
		name  string
		lines []string
		want  string // the lines of our media
		codec media.Codec
		sends bool
	}{
		{"both codecs, and keys", []string{
			"m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000",
		}, "m=audio 10000 RTP/AVP 8 101 a=rtpmap:8 PCMA/8000 a=rtpmap:101 telephone-event/8000 " +
			"a=fmtp:101 0-16 a=ptime:20 a=sendrecv", media.PCMA, true},
		{"numbers of its own", []string{
			"m=audio 4000 RTP/AVP 97 96 98", "a=rtpmap:97 opus/48000/2", "a=rtpmap:96 pcmu/8000/1",
			"a=rtpmap:98 TELEPHONE-EVENT/8000",
		}, "m=audio 10000 RTP/AVP 96 98 a=rtpmap:96 PCMU/8000 a=rtpmap:98 telephone-event/8000 " +
			"a=fmtp:98 0-16 a=ptime:20 a=sendrecv", media.PCMU, true},
		{"number 0 means something else", []string{
			"m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 GSM/8000",
		}, "m=audio 10000 RTP/AVP 8 a=rtpmap:8 PCMA/8000 a=ptime:20 a=sendrecv", media.PCMA, true},
		{"keys of another rate", []string{
			"m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/48000",
		}, "m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=sendrecv", media.PCMU, true},
		{
			"held",
			[]string{"m=audio 4000 RTP/AVP 0", "a=sendonly"},
			"m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=recvonly", media.PCMU, false,
		},
		{
			"held by the session",
			[]string{"a=inactive", "m=audio 4000 RTP/AVP 0"},
			"m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=inactive", media.PCMU, false,
		},
		{
			"held the old way",
			[]string{"m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0"},
			"m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=sendrecv", media.PCMU, false,
		},
		{
			"it only hears",
			[]string{"m=audio 4000 RTP/AVP 0", "a=recvonly"},
			"m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=sendonly", media.PCMU, true,
		},
		{"video too, and audio twice", []string{
			"m=video 4002 RTP/AVP 99", "a=rtpmap:99 H264/90000", "m=audio 4004 RTP/SAVP 0",
			"m=audio 4000 RTP/AVP 0", "m=audio 4006 RTP/AVP 8",
		}, "m=video 0 RTP/AVP 99 m=audio 0 RTP/SAVP 0 m=audio 10000 RTP/AVP 0 " +
			"a=rtpmap:0 PCMU/8000 a=ptime:20 a=sendrecv m=audio 0 RTP/AVP 8", media.PCMU, true},
		{
			"a frame size of its own",
			[]string{"m=audio 4000 RTP/AVP 0", "a=ptime:30"},
			"m=audio 10000 RTP/AVP 0 a=rtpmap:0 PCMU/8000 a=ptime:20 a=sendrecv", media.PCMU, true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, s, err := answer(describing(tt.lines...), here)
			if err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(string(text), "t=0 0\r\n")
			got = strings.TrimSpace(strings.ReplaceAll(got, "\r\n", " "))
			if got != tt.want {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
			if s.codec != tt.codec || s.sends != tt.sends {
				t.Errorf("got %v and %v, want %v and %v", s.codec, s.sends, tt.codec, tt.sends)
			}
			if !tt.sends && tt.name == "held the old way" {
				return
			}
			if s.remote.String() != there {
				t.Errorf("got %v, want %v", s.remote, there)
			}
			// What we answer is an answer.
			if _, err := accept(text); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatCannotBeAnswered(t *testing.T) {
	tests := []struct {
		name  string
		offer []byte
		want  error // nil: some other
	}{
		{"no codec in common", describing("m=audio 4000 RTP/AVP 18 9"), errNoCodec},
		{"only keys", describing("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), errNoCodec},
		{"only video", describing("m=video 4000 RTP/AVP 99"), errNoStream},
		{"only encrypted", describing("m=audio 4000 RTP/SAVP 0"), errNoStream},
		{"port 0", describing("m=audio 0 RTP/AVP 0"), errNoStream},
		{"IPv6", describing("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), errNoStream},
		{"a name", describing("m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example"), errNoStream},
		{"multicast", describing("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.0.0.1/127"), errNoStream},
		{"everybody", describing("m=audio 4000 RTP/AVP 0", "c=IN IP4 255.255.255.255"), errNoStream},
		{"this network", describing("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.1"), errNoStream},
		{"nobody yet", describing("m=audio 4000 RTP/AVP 0", "c=IN IP4 240.0.0.1"), errNoStream},
		{"nothing", nil, nil},
		{"no description", []byte("hello"), nil},
		{"too long", make([]byte, maxDescription+1), nil},
		{"too many media", describing(strings.Split(strings.Repeat("m=audio 4 RTP/AVP 0\n", 17), "\n")...), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := answer(tt.offer, here)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	text := offer(here)
	reply, s, err := answer(text, local{address: netip.MustParseAddrPort("192.0.2.9:4000")})
	if err != nil || s.codec != media.PCMU || !s.events || s.remote != here.address {
		t.Errorf("our own offer is answered by %+v, %v", s, err)
	}
	s, err = accept(reply)
	if err != nil || s.codec != media.PCMU || !s.events || !s.sends {
		t.Errorf("our own answer is accepted as %+v, %v", s, err)
	}
	// A peer that answers keys with a number of its own may send them with either.
	s, err = accept(describing("m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"))
	if err != nil || s.payloads[96] != event || s.payloads[101] != event || s.codec != media.PCMA {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, _ = accept(describing("m=audio 4000 RTP/AVP 0")); s.payloads[101] != unknown {
		t.Error("keys are taken that the peer has not agreed to")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(offer(here))
	f.Add(describing("m=video 4002 RTP/AVP 99", "m=audio 4000 RTP/AVP 8 0 101", "a=sendonly"))
	f.Fuzz(func(t *testing.T, text []byte) {
		reply, s, err := answer(text, here)
		if err != nil {
			return
		}
		if s.codec != media.PCMU && s.codec != media.PCMA || s.payloads[s.payload] == unknown {
			t.Errorf("agreed on %+v", s)
		}
		if _, err := accept(reply); err != nil && !strings.Contains(string(reply), "m=audio 10000") {
			t.Errorf("%v of our answer %q", err, reply)
		}
	})
}
