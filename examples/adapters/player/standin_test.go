package player_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"ivrqueue/examples/adapters/player"
	"ivrqueue/operation"
)

// phone is the far end of a line: it hears every frame that comes in on a UDP socket of the
// loopback interface.
type phone struct {
	socket net.PacketConn
	heard  chan byte // the first byte of each frame
}

// newPhone makes a phone that the end of the test hangs up.
func newPhone(t testing.TB) *phone {
	t.Helper()
	socket, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{socket, make(chan byte, 1000)} // more than any test sends
	over := make(chan struct{})
	go func() {
		defer close(over)
		var frame [2 * player.FrameBytes]byte
		for {
			n, _, err := socket.ReadFrom(frame[:])
			if err != nil {
				return
			}
			if n != player.FrameBytes {
				t.Errorf("a frame of %d bytes", n)
			}
			p.heard <- frame[0]
		}
	}()
	t.Cleanup(func() {
		_ = socket.Close()
		<-over
	})
	return p
}

// hears waits for n frames and returns their first bytes.
func (p *phone) hears(ctx context.Context, t testing.TB, n int) string {
	t.Helper()
	var b strings.Builder
	for range n {
		select {
		case f := <-p.heard:
			b.WriteByte(f)
		case <-ctx.Done():
			t.Fatalf("heard %q, want %d frames", b.String(), n)
		}
	}
	return b.String()
}

// line is a socket that counts the frames that are sent.
type line struct {
	net.Conn

	sent atomic.Int32
}

func (l *line) Write(frame []byte) (int, error) {
	l.sent.Add(1)
	return l.Conn.Write(frame)
}

// dial makes a line to the phone, and a player on it, whose prompts are named after what they are
// made of: "aab" is two frames of a and one of b.
func dial(t testing.TB, p *phone) (*player.Player, *line) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "udp", p.socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	l := &line{Conn: c}
	return &player.Player{Line: l, Load: load}, l
}

func load(ctx context.Context, uri string) ([]byte, error) {
	switch uri {
	case "missing":
		return nil, fmt.Errorf("load: %w", operation.NotDownloadable)
	case "stuck":
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case "empty":
		return nil, nil
	}
	var samples []byte
	for _, name := range uri {
		samples = append(samples, strings.Repeat(string(name), player.FrameBytes)...)
	}
	return samples, nil
}
