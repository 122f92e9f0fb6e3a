package sip_test

import (
	"bytes"
	"context"
	"io/fs"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
	"ivrqueue/tone"
)

// tunes are prompts by their length.
type tunes struct{}

func (tunes) Load(context.Context, operation.Prompt) ([]int16, error) { return nil, fs.ErrNotExist }

func (tunes) LoadAudio(ctx context.Context, p operation.Prompt, c media.Codec) (media.Audio, error) {
	d, err := time.ParseDuration(p.URI)
	if err != nil {
		return media.Audio{}, err
	}
	samples := make([]int16, int(d*8000/time.Second))
	for i := range samples {
		samples[i] = 1000
	}
	return media.NewAudio(ctx, samples, 8000, c)
}

// heard is a packet that the peer has got.
type heard struct {
	rtp.Packet

	at time.Duration // since the beginning
}

// bed is a call that was answered, with a queue, and the peer's end of the line.
type bed struct {
	*peer
	*queue.Queue

	call *sip.Call
	line *socket
}

func newBed(t *testing.T, sdp string) *bed {
	t.Helper()
	return newBedAt(t, sdp, hostA, sip.Options{})
}

// newBedAt returns a bed whose peer has its audio at another host than it signals from.
func newBedAt(t *testing.T, sdp string, host netip.Addr, o sip.Options) *bed {
	t.Helper()
	engine := media.NewEngine()
	t.Cleanup(engine.Close)
	calls := make(chan *sip.Call, 1)
	o.Incoming = answering(calls)
	p, _, n := newPeer(t, o)
	line, err := n.listen(netip.AddrPortFrom(host, 4000))
	if err != nil {
		t.Fatal(err)
	}
	p.send(p.request("INVITE", 1, sdp))
	p.wants(200, "INVITE")
	p.send(p.request("ACK", 1, ""))
	b := &bed{peer: p, call: <-calls, line: line}
	<-b.call.Established()
	m, err := engine.Media(media.Call{
		Codec: sip.Codec, Sink: b.call.Line(), Source: b.call.Line(), Tones: b.call.Tones(),
		Prompts: tunes{}, Folder: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Queue, err = queue.New(b.call.ID(), m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close(nil)
		<-b.Done()
	})
	return b
}

func (b *bed) play(length string) *operation.Operation {
	b.t.Helper()
	op, err := b.Enqueue(b.t.Context(), &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: length}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return op
}

// hear waits, and returns the packets that have come meanwhile.
func (b *bed) hear(d time.Duration) []heard {
	b.t.Helper()
	var all []heard
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case d := <-b.line.in:
			h := heard{at: d.at.Sub(b.start)}
			if err := h.Unmarshal(d.data); err != nil {
				b.t.Fatal(err)
			}
			all = append(all, h)
		case <-timer.C:
			return all
		}
	}
}

// say sends a packet of ours.
func (b *bed) say(payloadType uint8, timestamp uint32, payload []byte) {
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: payloadType, Timestamp: timestamp, SSRC: 5,
	}, Payload: payload}
	data, err := p.Marshal()
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = b.line.WriteToUDPAddrPort(data, netip.AddrPortFrom(hostB, sip.DefaultPorts.First))
}

// between is a time between two frames.
const between = 1005 * time.Millisecond

// checkTimes fails the test unless timestamps are the time, and markers are where gaps were.
func checkTimes(t *testing.T, packets []heard) {
	t.Helper()
	for i, p := range packets {
		gap := true
		if i > 0 {
			before := packets[i-1]
			gap = p.at-before.at != 20*time.Millisecond
			passed := time.Duration(p.Timestamp-before.Timestamp) * time.Second / 8000
			if passed != p.at-before.at || p.SequenceNumber != before.SequenceNumber+1 || p.SSRC != before.SSRC {
				t.Errorf("packet %d: %v later its timestamp is %v later: %v", i, p.at-before.at, passed, p.Header)
			}
		}
		if p.Marker != gap || len(p.Payload) != 160 {
			t.Errorf("packet %d, marker %v, %d bytes; gap before it: %v", i, p.Marker, len(p.Payload), gap)
		}
	}
}

func TestSilenceTakesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, audioSDP)
		b.play("100ms")
		packets := b.hear(10 * time.Second)
		b.play("60ms")
		b.play("60ms")
		packets = append(packets, b.hear(time.Second)...)
		if len(packets) != 11 {
			t.Errorf("got %d packets, want 11", len(packets))
		}
		checkTimes(t, packets)
	})
}

func TestTheGoodbyeIsHeardWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, audioSDP)
		b.play("1s")
		over := make(chan error, 1)
		go func() { over <- b.call.Goodbye(t.Context(), b.Queue) }()
		packets := b.hear(time.Second + 200*time.Millisecond)
		bye := b.requested("BYE", 200)
		if err := <-over; err != nil {
			t.Error(err)
		}
		if len(packets) != 50 {
			t.Fatalf("got %d packets, want 50", len(packets))
		}
		checkTimes(t, packets)
		if after := bye.after - packets[49].at; after != media.FrameTime {
			t.Errorf("the BYE came %v after the last packet, want %v", after, media.FrameTime)
		}
		if b.call.End() != sip.HungUp {
			t.Errorf("got %v", b.call.End())
		}
	})
}

func TestHoldKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, plainSDP)
		b.play("10s")
		packets := b.hear(between)
		change := func(number int, sdp string) {
			b.send(b.request("INVITE", number, sdp))
			b.wants(200, "INVITE")
			b.send(b.request("ACK", number, ""))
			synctest.Wait()
		}
		change(2, holdSDP)
		if held := b.hear(3 * time.Second); len(held) > 0 {
			t.Errorf("got %d packets on hold, want none", len(held))
		}
		change(3, plainSDP)
		packets = append(packets, b.hear(time.Second)...)
		if len(packets) < 98 || len(packets) > 102 {
			t.Errorf("got %d packets, want about 100", len(packets))
		}
		checkTimes(t, packets)
	})
}

func TestWhoseAddressGetsTheAudio(t *testing.T) {
	victim := netip.MustParseAddr("203.0.113.9")
	tests := []struct {
		name   string
		host   netip.Addr // of the audio
		trunks []netip.Prefix
		says   bool // something comes from there
		least  int  // packets of 20 s that it gets
		most   int
	}{
		{"its own", hostA, nil, false, 990, 1001},
		{"another's", victim, nil, false, 495, 500},
		{"another's who talks", victim, nil, true, 990, 1001},
		{"a trunk another's", victim, trunk, false, 990, 1001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sdp := strings.ReplaceAll(plainSDP, "192.0.2.1", tt.host.String())
				b := newBedAt(t, sdp, tt.host, sip.Options{Trunks: tt.trunks})
				if tt.says {
					b.say(0, 800, media.PCMU.Encode(nil, loud[:]))
				}
				b.play("60s")
				if got := len(b.hear(20 * time.Second)); got < tt.least || got > tt.most {
					t.Errorf("it got %d packets, want %d to %d", got, tt.least, tt.most)
				}
			})
		})
	}
}

func TestAKeyCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, audioSDP)
		_, err := b.call.Tones().Handle(tone.All, func(tone.Event) { b.CancelAll() })
		if err != nil {
			t.Fatal(err)
		}
		op := b.play("10s")
		b.hear(between)
		b.say(101, 800, []byte{5, 10, 0, 160})
		synctest.Wait()
		if packets := b.hear(time.Second); len(packets) > 0 {
			t.Errorf("got %d packets after the key, want none", len(packets))
		}
		if r, ended := op.Result(); !ended || r.Reason != operation.Cancelled {
			t.Errorf("got %v", r.Reason)
		}
	})
}

// Nobody presses hundreds of keys a second: each may be a request to somebody's bot.
func TestKeysThatNobodyCanPressAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, audioSDP)
		var keys atomic.Int32
		_, err := b.call.Tones().Handle(tone.All, func(tone.Event) { keys.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		many := bytes.Repeat([]byte{5, 0x8a, 0, 160}, 300)
		for i := range uint32(50) {
			b.say(101, i*300*160, many)
			time.Sleep(20 * time.Millisecond)
		}
		synctest.Wait()
		if got := keys.Load(); got < 50 || got > 100 {
			t.Errorf("got %d keys of 15,000 in a second, want 50 to 100", got)
		}
		b.say(101, 1<<30, []byte{5, 10, 0, 160})
		time.Sleep(time.Second)
		before := keys.Load()
		b.say(101, 1<<30+1600, []byte{6, 10, 0, 160})
		synctest.Wait()
		if keys.Load() != before+1 {
			t.Error("a second later no key is taken")
		}
	})
}

func TestAHangUpInThePrompt(t *testing.T) {
	for _, ours := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, audioSDP)
			b.play("10s")
			b.hear(between)
			if ours {
				over := make(chan error, 1)
				go func() { over <- b.call.HangUp(context.Background()) }()
				b.requested("BYE", 200)
				if err := <-over; err != nil {
					t.Error(err)
				}
			} else {
				b.send(b.request("BYE", 2, ""))
				b.wants(200, "BYE")
			}
			if packets := b.hear(time.Second); len(packets) > 0 {
				t.Errorf("got %d packets after the end, want none", len(packets))
			}
			if _, err := b.call.Tones().Publish(tone.Tone1); err == nil {
				t.Error("the stream of tones has not ended")
			}
		})
	}
}

func TestARecordingHasWhatThePeerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, plainSDP)
		over := make(chan struct{})
		t.Cleanup(func() { <-over })
		go func() { // it talks all the time
			defer close(over)
			payload := media.PCMU.Encode(nil, loud[:])
			for i := range uint32(300) {
				b.say(0, i*160, payload)
				time.Sleep(20 * time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		op, err := b.Enqueue(t.Context(), &operation.RecordResponse{NoBeep: true, MaxDuration: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		r, err := op.Wait(t.Context())
		if err != nil || r.Reason != operation.MaxDuration {
			t.Fatalf("got %v, %v, %v", r.Reason, r.Err, err)
		}
		samples, err := media.LoadFile(r.Recording.Location)
		if err != nil {
			t.Fatal(err)
		}
		silent := 0
		for _, s := range samples {
			if s < 5000 {
				silent++
			}
		}
		if silent > 400 { // the filter's ends
			t.Errorf("got %d silent samples of %d, want none", silent, len(samples))
		}
	})
}

// loud are the samples of a frame.
var loud = func() (frame [160]int16) {
	for i := range frame {
		frame[i] = 10000
	}
	return frame
}()
