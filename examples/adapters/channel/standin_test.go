package channel_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// standIn is one channel of a back end in the manner of FreeSWITCH, on a loopback socket or a line
// in memory. It plays one file after the other, in the order of the commands, and reports the end of
// each, but not of which. What a playback does is in its file: "short" ends soon, "long" goes on
// until a break, "deaf" takes the break and goes on until the test lets it go, "lost" ends soon,
// and "mute" at a break, without a report; anything else cannot be opened.
type standIn struct {
	adapter net.Conn    // the adapter's side
	begun   chan string // each playback's file, when it is first heard

	mu      sync.Mutex // guards the block below
	conn    net.Conn
	playing []string // the first one is heard
	timer   *time.Timer
	broken  bool // the first one got a break
	ended   int
	begunAt time.Time     // of the first one
	heard   time.Duration // of those before
	hung    chan struct{} // closed when it goes on; nil if it does not hang
	unsaid  []string      // meanwhile
}

const shortly = 20 * time.Millisecond

// newStandIn makes a channel that the end of the test hangs up.
func newStandIn(t testing.TB) *standIn {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	adapter, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return standInOn(t, adapter, conn)
}

// standInOn is newStandIn on a connection of which it has the second side.
func standInOn(t testing.TB, adapter, conn net.Conn) *standIn {
	t.Helper()
	s := &standIn{adapter: adapter, conn: conn, begun: make(chan string, 100)} // more than a test plays
	over := make(chan struct{})
	go func() {
		defer close(over)
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			s.take(lines.Text())
		}
	}()
	t.Cleanup(func() {
		s.hangUp()
		<-over
	})
	return s
}

// hangUp ends the connection.
func (s *standIn) hangUp() { _ = s.conn.Close() }

// say writes a line, now or when it goes on. The lock is held, so that lines come in order.
func (s *standIn) say(format string, args ...any) {
	line := fmt.Sprintf(format+"\n", args...)
	if s.hung != nil {
		s.unsaid = append(s.unsaid, line)
		return
	}
	_, _ = fmt.Fprint(s.conn, line)
}

// stall has it take no command and say nothing until release is called. What plays goes on.
func (s *standIn) stall() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = make(chan struct{})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.hung)
		s.hung = nil
		_, _ = fmt.Fprint(s.conn, strings.Join(s.unsaid, ""))
		s.unsaid = nil
	}
}

// take does a command.
func (s *standIn) take(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.hung != nil {
		hung := s.hung
		s.mu.Unlock()
		<-hung
		s.mu.Lock()
	}
	switch command, file, _ := strings.Cut(line, " "); {
	case command == "status" && len(s.playing) == 0:
		s.say("+OK idle")
	case command == "status":
		s.say("+OK busy")
	case command == "break" && len(s.playing) == 0:
		s.say("-ERR nothing plays")
	case command == "break":
		s.say("+OK")
		s.broken = true
		if s.playing[0] != "deaf" {
			s.end("break")
		}
	case !slices.Contains(strings.Fields("short long deaf lost mute"), file):
		s.say("-ERR cannot open %s", file)
	default:
		s.say("+OK")
		s.playing = append(s.playing, file)
		if len(s.playing) == 1 {
			s.begin()
		}
	}
}

// begin has the first one heard.
func (s *standIn) begin() {
	s.begun <- s.playing[0]
	s.begunAt = time.Now()
	if file := s.playing[0]; file == "short" || file == "lost" {
		var timer *time.Timer
		timer = time.AfterFunc(shortly, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.timer == timer {
				s.end("done")
			}
		})
		s.timer = timer
	}
}

// end ends the first one and begins the next.
func (s *standIn) end(how string) {
	s.timer, s.broken = nil, false
	s.ended++
	s.heard += time.Since(s.begunAt)
	file := s.playing[0]
	s.playing = s.playing[1:]
	if file != "lost" && file != "mute" {
		s.say("EVENT ch-1 PLAYBACK_STOP %s", how)
	}
	if len(s.playing) > 0 {
		s.begin()
	}
}

// letGo ends a deaf one, and reports whether it got a break.
func (s *standIn) letGo(how string) (broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	broken = s.broken
	s.end(how)
	return broken
}

// through returns how many playbacks have ended.
func (s *standIn) through() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// heardFor returns for how many milliseconds something was heard.
func (s *standIn) heardFor() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	if len(s.playing) > 0 {
		heard += time.Since(s.begunAt)
	}
	return int(heard.Milliseconds())
}
