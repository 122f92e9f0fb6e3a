package sip

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

const anInvite = "INVITE sip:ivr@192.0.2.1 SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK1\r\n" +
	"From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:ivr@192.0.2.1>\r\nCall-ID: 1\r\n" +
	"CSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.9>\r\nContent-Length: 0\r\n\r\n"

// writes is a socket that keeps what is written.
type writes struct {
	net.PacketConn

	to   []string
	text []string
}

func (w *writes) WriteTo(b []byte, to net.Addr) (int, error) {
	w.to, w.text = append(w.to, to.String()), append(w.text, string(b))
	return len(b), nil
}

func newGate(conn net.PacketConn, invites, requests int) *gate {
	return &gate{
		conn: conn, invites: newSharedBucket(invites, nil),
		calls: newSharedBucket(requests, nil), requests: newSharedBucket(requests, nil),
		refusals: newSharedBucket(requests, nil),
		refuses:  func(netip.Addr) bool { return false },
		known:    func(sipgo.Message) *bucket { return nil },
		parser:   sipgo.NewParser(),
	}
}

// A flood of INVITEs whose source is forged would have the answers sent to somebody else.
func TestRefusalsAreBounded(t *testing.T) {
	conn := new(writes)
	g := newGate(conn, 1, 10)
	g.refuses = func(netip.Addr) bool { return true }
	other := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.7:5060"))
	for range 100 {
		g.admit(noon, source, []byte(anInvite))
	}
	if len(conn.text) != 5 {
		t.Errorf("a source got %d answers, want 5, half of what there is in a second", len(conn.text))
	}
	g.admit(noon, other, []byte(anInvite))
	g.admit(noon.Add(time.Second), source, []byte(anInvite))
	if len(conn.text) != 7 {
		t.Errorf("another source, and the same one a second later, got %d answers, want 2", len(conn.text)-5)
	}
	bye := strings.NewReplacer("INVITE", "BYE", "To: <sip:ivr@192.0.2.1>", "To: <sip:ivr@192.0.2.1>;tag=b")
	if !g.admit(noon, source, []byte(bye.Replace(anInvite))) {
		t.Error("what is refused has taken the place of other requests")
	}
}

var source = net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.9:5999"))

func TestTooManyInvitesGet503(t *testing.T) {
	conn := new(writes)
	g := newGate(conn, 4, 4) // a source has half
	for i, want := range []bool{true, true, false, false} {
		if got := g.admit(noon, source, []byte(anInvite)); got != want {
			t.Errorf("INVITE %d: got %v, want %v", i, got, want)
		}
	}
	if len(conn.text) != 2 || conn.text[0] != conn.text[1] ||
		!strings.HasPrefix(conn.text[0], "SIP/2.0 503 ") || conn.to[0] != "192.0.2.9:5062" {
		t.Errorf("got %q to %q, want the same 503 twice, to where the Via says", conn.text, conn.to)
	}
	if !g.admit(noon.Add(500*time.Millisecond), source, []byte(anInvite)) {
		t.Error("half a second later one more is not taken")
	}
	withPort := strings.Replace(anInvite, ";branch", ";rport;branch", 1)
	g.refuses = func(netip.Addr) bool { return true }
	if g.admit(noon.Add(time.Minute), source, []byte(withPort)) || conn.to[2] != source.String() {
		t.Errorf("a refusal went to %q, want to where it came from, as rport asks", conn.to[2])
	}
	own := newBucket(1)
	g.known = func(sipgo.Message) *bucket { return &own }
	if !g.admit(noon.Add(time.Minute), source, []byte(anInvite)) {
		t.Error("an INVITE that is repeated is refused")
	}
}

func TestWhatTheStackGets(t *testing.T) {
	bye := strings.NewReplacer("INVITE", "BYE", "To: <sip:ivr@192.0.2.1>", "To: <sip:ivr@192.0.2.1>;tag=b")
	tests := []struct {
		name, text string
		want       bool
	}{
		{"an INVITE", anInvite, true},
		{"a BYE", bye.Replace(anInvite), true},
		{"a second request in a second", bye.Replace(anInvite), false},
		{"an ACK of no call besides", strings.ReplaceAll(anInvite, "INVITE", "ACK"), false},
		{"a response to no call's", "SIP/2.0 200 OK\r\n" + anInvite[strings.Index(anInvite, "\r\n")+2:], false},
		{"without From", strings.Replace(anInvite, "From", "X-From", 1), false},
		{"without Via", strings.Replace(anInvite, "Via", "X-Via", 1), false},
		{"without Call-ID", strings.Replace(anInvite, "Call-ID", "X-Call-ID", 1), false},
		{"without CSeq", strings.Replace(anInvite, "CSeq", "X-CSeq", 1), false},
		{"another method in CSeq", strings.Replace(anInvite, "1 INVITE", "1 BYE", 1), false},
		{"a keep-alive", "\r\n\r\n", false},
		{"nothing", "", false},
		{"noise", "\x00\xff\x17", false},
	}
	g := newGate(new(writes), 100, 1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := g.admit(noon, source, []byte(tt.text)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzGate(f *testing.F) {
	f.Add([]byte(anInvite))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		g := newGate(new(writes), 1, 1)
		g.admit(noon, source, data)
		g.admit(noon, source, data)
	})
}

func TestDetour(t *testing.T) {
	tests := []struct{ target, source, want string }{
		{"sip:a@192.0.2.9", "198.51.100.1:5060", ""},
		{"sip:a@10.0.0.7:5062", "198.51.100.1:1024", "198.51.100.1:1024"},
		{"sip:a@100.64.3.1", "198.51.100.1:1024", "198.51.100.1:1024"},
		{"sip:a@10.0.0.7", "10.0.0.1:5060", ""},
		{"sip:a@127.0.0.1:5062", "10.0.0.1:5060", "10.0.0.1:5060"},
		{"sip:a@127.0.0.1:5062", "127.0.0.1:5060", ""},
		{"sip:a@0.0.0.0", "127.0.0.1:5060", "127.0.0.1:5060"},
		{"sip:a@phone.example", "198.51.100.1:1024", ""},
	}
	for _, tt := range tests {
		uri, err := parseURI(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&dialog{target: uri, source: tt.source}).detour(); got != tt.want {
			t.Errorf("%s sent by %s: got %q, want %q", tt.target, tt.source, got, tt.want)
		}
	}
	behind := dialog{source: "198.51.100.1:1024", routes: make([]sipgo.Uri, 1)}
	if behind.target, _ = parseURI("sip:a@10.0.0.7"); behind.detour() != "" {
		t.Error("a call with a proxy on its way takes a detour")
	}
}

func TestAShareIsOfEachSecond(t *testing.T) {
	b := newSharedBucket(4, nil)
	for second := range 10 {
		taken := 0
		for range 4 {
			if b.take(noon.Add(time.Duration(second)*time.Second), one.Addr(), 1) {
				taken++
			}
		}
		if taken != 2 {
			t.Errorf("second %d: a source took %d, want 2", second, taken)
		}
	}
}
