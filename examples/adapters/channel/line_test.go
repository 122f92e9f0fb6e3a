package channel_test

import (
	"bytes"
	"net"
	"sync"
)

// line is one side of a connection in memory, for bubbles, which take no socket. As with a socket,
// a write does not wait for the other side to read.
type line struct {
	net.Conn // for the methods that nobody calls

	in, out *stream
}

// newLine returns the two sides of a connection.
func newLine() (a, b net.Conn) {
	there, back := newStream(), newStream()
	return line{in: back, out: there}, line{in: there, out: back}
}

func (l line) Read(b []byte) (int, error)  { return l.in.read(b) }
func (l line) Write(b []byte) (int, error) { return l.out.write(b) }

func (l line) Close() error {
	l.in.close()
	l.out.close()
	return nil
}

// stream is one direction of a line.
type stream struct {
	mu     sync.Mutex // guards the block below
	buf    bytes.Buffer
	closed bool

	changed *sync.Cond
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.buf.Len() == 0 && !s.closed {
		s.changed.Wait()
	}
	return s.buf.Read(b) // io.EOF when closed
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	s.changed.Broadcast()
	return s.buf.Write(b)
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
}
