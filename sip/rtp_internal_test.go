package sip

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"ivrqueue/media"
	"ivrqueue/tone"
)

var (
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	one  = netip.MustParseAddrPort("192.0.2.9:4000")
	two  = netip.MustParseAddrPort("198.51.100.1:4000")
)

func TestTimestampsAreTime(t *testing.T) {
	s := sender{ssrc: 7, sequence: 65534, base: 1<<32 - 320}
	frames := []struct {
		frame  int // since noon
		stamp  uint32
		marker bool
	}{
		{0, 1<<32 - 320, true}, // the first one
		{1, 1<<32 - 160, false},
		{2, 0, false},                  // both numbers begin anew
		{10, 8 * 160, true},            // a pause
		{11, 9 * 160, false},           //
		{180_011, 180_009 * 160, true}, // an hour on hold
	}
	for i, f := range frames {
		h := s.header(noon.Add(time.Duration(f.frame)*media.FrameTime), 8)
		if h.Timestamp != f.stamp || h.Marker != f.marker || h.SSRC != 7 || h.PayloadType != 8 ||
			h.SequenceNumber != uint16(65534+i) {
			t.Errorf("frame %d: got %+v, want timestamp %d and marker %v", f.frame, h, f.stamp, f.marker)
		}
	}
}

// packet is one of RTP.
func packet(t testing.TB, payloadType uint8, timestamp uint32, payload []byte) []byte {
	t.Helper()
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: payloadType, Timestamp: timestamp, SSRC: 1,
	}, Payload: payload}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheLineLatchesOnce(t *testing.T) {
	audio := packet(t, 0, 160, make([]byte, 160))
	key := packet(t, 101, 0, []byte{5, 0, 0, 0})
	tests := []struct {
		name    string
		packets [][]byte
		from    []netip.AddrPort
		latched netip.AddrPort
		keys    int
	}{
		{"audio", [][]byte{audio}, []netip.AddrPort{two}, two, 0},
		{"a key", [][]byte{key}, []netip.AddrPort{two}, two, 1},
		{"silence", [][]byte{packet(t, 13, 0, []byte{60})}, []netip.AddrPort{two}, two, 0},
		{"another one later", [][]byte{audio, key}, []netip.AddrPort{two, one}, two, 0},
		{"no RTP", [][]byte{[]byte("hello"), audio}, []netip.AddrPort{two, one}, one, 0},
		{
			"a codec that was not agreed",
			[][]byte{packet(t, 18, 0, []byte{1}), audio},
			[]netip.AddrPort{two, one},
			one, 0,
		},
		{
			"RTCP",
			[][]byte{{0x80, 200, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 9}, audio},
			[]netip.AddrPort{two, one},
			one, 0,
		},
		{
			"without a payload",
			[][]byte{packet(t, 0, 0, nil), audio},
			[]netip.AddrPort{two, one},
			one, 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := receiver{payloads: offered()}
			keys := 0
			for i := range len(tt.packets) {
				keys += len(r.packet(noon, tt.from[i], tt.packets[i]))
			}
			if r.latched != tt.latched || keys != tt.keys {
				t.Errorf("got %v and %d keys, want %v and %d", r.latched, keys, tt.latched, tt.keys)
			}
		})
	}
}

func TestAStrangerIsNotTakenForThePeer(t *testing.T) {
	audio := packet(t, 0, 160, make([]byte, 160))
	stranger := netip.MustParseAddrPort("203.0.113.66:9")
	behind := netip.MustParseAddrPort("198.51.100.1:31000") // where the peer signals from
	late := noon.Add(patience)
	tests := []struct {
		name    string
		from    []netip.AddrPort
		at      []time.Time
		latched netip.AddrPort
	}{
		{"a stranger alone", []netip.AddrPort{stranger}, []time.Time{noon}, netip.AddrPort{}},
		{"a stranger first", []netip.AddrPort{stranger, one}, []time.Time{noon, noon}, one},
		{"a stranger second", []netip.AddrPort{one, stranger}, []time.Time{noon, late}, one},
		{"from where it signals", []netip.AddrPort{behind}, []time.Time{noon}, behind},
		{"who was first of both", []netip.AddrPort{behind, one}, []time.Time{noon, noon}, behind},
		{"from elsewhere, after a while", []netip.AddrPort{stranger}, []time.Time{late}, stranger},
		{"late, after a stranger", []netip.AddrPort{stranger, one}, []time.Time{late, late}, one},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := receiver{payloads: offered(), offered: one.Addr(), signals: two.Addr(), since: noon}
			for i, from := range tt.from {
				r.packet(tt.at[i], from, audio)
			}
			if r.latched != tt.latched {
				t.Errorf("got %v, want %v", r.latched, tt.latched)
			}
		})
	}
}

// sink is the peer's end of a line in a test.
type sink struct {
	to   []netip.AddrPort
	sent [][]byte
}

func (s *sink) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) { panic("not called") }
func (s *sink) Close() error                                            { return nil }
func (s *sink) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.to, s.sent = append(s.to, to), append(s.sent, append([]byte(nil), b...))
	return len(b), nil
}

func TestWhereALineSends(t *testing.T) {
	audio := packet(t, 0, 160, make([]byte, 160))
	var none netip.AddrPort
	described := func(to netip.AddrPort, sends bool) session {
		return session{
			codec: media.PCMU, payloads: offered(), remote: to, source: two.Addr(), sends: sends,
		}
	}
	nowhere := netip.MustParseAddrPort("0.0.0.0:4000")
	three := netip.MustParseAddrPort("203.0.113.1:7000")
	var conn *sink
	tests := []struct {
		name string
		do   func(l *Line)
		want netip.AddrPort
	}{
		{"before the session", func(*Line) {}, none},
		{"as described", func(l *Line) { l.set(described(one, true)) }, one},
		{"on hold", func(l *Line) { l.set(described(one, false)) }, none},
		{"to where it has latched", func(l *Line) {
			l.set(described(one, true))
			l.in.packet(noon, two, audio)
		}, two},
		{"as before after a refresh", func(l *Line) {
			l.set(described(one, true))
			l.in.packet(noon, two, audio)
			l.set(described(one, true))
			l.set(described(one, true))
		}, two},
		{"elsewhere after a move", func(l *Line) {
			l.set(described(one, true))
			l.in.packet(noon, two, audio)
			l.set(described(three, true))
		}, three},
		{"latched anew after a move", func(l *Line) {
			l.set(described(one, true))
			l.in.packet(noon, two, audio)
			l.set(described(three, true))
			l.in.packet(noon, two, audio)
		}, two},
		{"as before after a hold of the old way", func(l *Line) {
			l.set(described(one, true))
			l.in.packet(noon, two, audio)
			l.set(described(nowhere, false))
			l.set(described(one, true))
		}, two},
		{"nowhere where a peer elsewhere can't be", func(l *Line) {
			l.set(described(netip.MustParseAddrPort("127.0.0.1:4000"), true))
		}, none},
		{"there once it has sent", func(l *Line) {
			l.set(described(netip.MustParseAddrPort("10.0.0.7:4000"), true))
			l.in.packet(noon, two, audio)
		}, two},
		{"nowhere after the end", func(l *Line) {
			l.set(described(one, true))
			l.mute()
		}, none},
		{"nowhere after the end, whatever is agreed then", func(l *Line) {
			l.mute()
			l.set(described(one, true))
		}, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn = new(sink)
			l := &Line{conn: conn, packet: make([]byte, 0, 200)}
			tt.do(l)
			if err := l.WriteFrame(noon, make([]int16, frameSamples)); err != nil {
				t.Fatal(err)
			}
			var got netip.AddrPort
			if len(conn.to) > 0 {
				got = conn.to[0]
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got.IsValid() && len(conn.sent[0]) != rtpHeader+frameSamples {
				t.Errorf("got a packet of %d bytes, want %d", len(conn.sent[0]), rtpHeader+frameSamples)
			}
		})
	}
}

// flaky is a socket whose first read fails, and that has a key then.
type flaky struct {
	sink

	reads  int
	key    []byte
	closed chan struct{}
}

func (f *flaky) Close() error {
	close(f.closed)
	return nil
}

func (f *flaky) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	switch f.reads++; f.reads {
	case 1:
		return 0, netip.AddrPort{}, syscall.ENOBUFS
	case 2:
		return copy(b, f.key), two, nil
	default:
		<-f.closed
		return 0, netip.AddrPort{}, &net.OpError{Op: "read", Net: "udp", Err: net.ErrClosed}
	}
}

func TestALineReadsOnAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tones := new(tone.Stream)
		keys := tones.Subscribe()
		conn := &flaky{key: packet(t, 101, 0, []byte{5, 0, 0, 0}), closed: make(chan struct{})}
		l := newLine(conn, tones, sender{})
		l.set(session{payloads: offered(), source: two.Addr(), sends: true})
		time.Sleep(time.Second)
		if e, ok := keys.TryNext(); !ok || e.Tone != tone.Tone5 {
			t.Errorf("got %v, %v, want the key", e.Tone, ok)
		}
		l.close()
	})
}

// frames writes so many frames, and returns how many packets were sent.
func (s *sink) frames(t *testing.T, l *Line, count int) int {
	t.Helper()
	before := len(s.sent)
	for range count {
		if err := l.WriteFrame(noon, make([]int16, frameSamples)); err != nil {
			t.Fatal(err)
		}
	}
	return len(s.sent) - before
}

func TestAnAddressThatIsSilentGetsTenSeconds(t *testing.T) {
	audio := packet(t, 0, 160, make([]byte, 160))
	described := func(l *Line, to netip.AddrPort) {
		l.set(session{codec: media.PCMU, payloads: offered(), remote: to, source: two.Addr(), sends: true})
	}
	three := netip.MustParseAddrPort("203.0.113.1:7000")
	const many = 2 * unheardFrames
	tests := []struct {
		name string
		do   func(l *Line, s *sink)
		want int // of many frames
	}{
		{"elsewhere", func(l *Line, _ *sink) { described(l, one) }, unheardFrames},
		{"elsewhere, acknowledged", func(l *Line, _ *sink) {
			described(l, one)
			l.agree()
		}, unheardFrames},
		{"where it signals from, not acknowledged", func(l *Line, _ *sink) { described(l, two) }, unheardFrames},
		{"where it signals from", func(l *Line, _ *sink) {
			described(l, two)
			l.agree()
		}, many},
		{"something has come", func(l *Line, _ *sink) {
			described(l, one)
			l.in.packet(noon, one, audio)
		}, many},
		{"it comes late", func(l *Line, s *sink) {
			described(l, one)
			s.frames(t, l, many)
			l.in.packet(noon, one, audio)
		}, many},
		{"something has come before a refresh", func(l *Line, _ *sink) {
			described(l, one)
			l.in.packet(noon, one, audio)
			described(l, one)
		}, many},
		{"a refresh alone", func(l *Line, s *sink) {
			described(l, one)
			s.frames(t, l, 100)
			described(l, one)
		}, unheardFrames - 100},
		{"another one by a move", func(l *Line, s *sink) {
			described(l, one)
			l.in.packet(noon, one, audio)
			s.frames(t, l, 100)
			described(l, three)
		}, unheardFrames},
		{"a second by a move", func(l *Line, s *sink) {
			described(l, one)
			s.frames(t, l, 100)
			described(l, three)
		}, unheardFrames - 100},
		{"after the end", func(l *Line, _ *sink) {
			l.mute()
			described(l, one)
		}, 0},
		{"without a bound", func(l *Line, _ *sink) {
			l.trial.unheard = nil
			described(l, one)
		}, many},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := newUnheard()
			s := new(sink)
			l := &Line{conn: s, packet: make([]byte, 0, 200), trial: trial{unheard: u}}
			tt.do(l, s)
			if got := s.frames(t, l, many); got != tt.want {
				t.Errorf("of %d frames it got %d, want %d", many, got, tt.want)
			}
			if l.mute(); len(u.lines) != 0 {
				t.Errorf("%v are left, want none", u.lines)
			}
		})
	}
}

func TestAnAddressThatIsSilentIsSentToByFewLines(t *testing.T) {
	u := newUnheard()
	send := func(to netip.AddrPort) (*Line, bool) {
		s := new(sink)
		l := &Line{conn: s, packet: make([]byte, 0, 200), trial: trial{unheard: u}}
		l.set(session{codec: media.PCMU, payloads: offered(), remote: to, source: two.Addr(), sends: true})
		return l, s.frames(t, l, 1) == 1
	}
	var first *Line
	for i := range unheardLines {
		l, sent := send(netip.AddrPortFrom(one.Addr(), uint16(4000+i))) // whatever the port
		if !sent {
			t.Errorf("line %d may not send", i)
		}
		first = l
	}
	if _, sent := send(one); sent {
		t.Error("one line too many sends")
	}
	if _, sent := send(netip.MustParseAddrPort("203.0.113.1:7000")); !sent {
		t.Error("a line to another address does not send")
	}
	first.in.packet(noon, one, packet(t, 0, 160, make([]byte, 160)))
	_ = first.WriteFrame(noon, make([]int16, frameSamples))
	if _, sent := send(one); !sent {
		t.Error("there is no room after one of them was heard")
	}
}

func FuzzRTP(f *testing.F) {
	f.Add(packet(f, 0, 160, make([]byte, 160)), packet(f, 101, 320, []byte{5, 0x80, 0, 160}))
	f.Add(packet(f, 8, 1<<31, make([]byte, 240)), packet(f, 13, 0, []byte{1}))
	f.Fuzz(func(_ *testing.T, a, b []byte) {
		r := receiver{payloads: offered()}
		frame := make([]int16, frameSamples)
		for i, data := range [][]byte{a, b, a, b} {
			now := noon.Add(time.Duration(i) * 20 * time.Millisecond)
			r.packet(now, one, data)
			r.source.frame(now, frame)
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	r := receiver{payloads: offered()}
	data := packet(b, 0, 0, make([]byte, 160))
	frame := make([]int16, frameSamples)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now := noon.Add(time.Duration(i) * media.FrameTime)
		data[6], data[7] = byte(i*160>>8), byte(i*160)
		data[4], data[5] = byte(i*160>>24), byte(i*160>>16)
		r.packet(now, one, data)
		r.source.frame(now, frame)
	}
}
