package player_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ivrqueue/examples/adapters/player"
	"ivrqueue/operation"
	"ivrqueue/queue"
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

// line is a socket, or what stands in for one, that counts the frames that are sent.
type line struct {
	io.Writer

	sent atomic.Int32
}

func (l *line) Write(frame []byte) (int, error) {
	l.sent.Add(1)
	return l.Writer.Write(frame)
}

// wired is a player's media and its line, with a load that can hang.
type wired struct {
	queue.Media
	*line

	mu   sync.Mutex    // guards hung
	hung chan struct{} // closed when the load goes on; nil if it does not hang
}

func wire(p *player.Player, l *line) *wired {
	w := &wired{line: l}
	load := p.Load
	p.Load = func(ctx context.Context, uri string) ([]byte, error) {
		w.mu.Lock()
		hung := w.hung
		w.mu.Unlock()
		if hung != nil {
			select {
			case <-hung:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		return load(ctx, uri)
	}
	w.Media = p.Media()
	return w
}

// stall has every load hang from now on, until release is called.
func (w *wired) stall() (release func()) {
	hung := make(chan struct{})
	w.set(hung)
	return func() {
		w.set(nil)
		close(hung)
	}
}

func (w *wired) set(hung chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hung = hung
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
	l := &line{Writer: c}
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
