package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// screen shows what happens, with the seconds since it began. It is safe for concurrent use. An
// error of the writer is kept and showing goes on.
type screen struct {
	start time.Time

	mu    sync.Mutex // guards the block below
	w     io.Writer
	whole bool // bodies are shown on many lines
	dark  bool // nothing is shown that happens
	err   error
}

// show prints a line, and a body under it if there is one.
func (s *screen) show(line string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dark {
		return
	}
	s.print("%7.3f  %s\n", time.Since(s.start).Seconds(), line)
	const margin = "         "
	var text bytes.Buffer
	switch {
	case len(body) == 0:
		return
	case s.whole && json.Indent(&text, body, margin, "  ") == nil:
	case !s.whole && json.Compact(&text, body) == nil:
	default: // no JSON
		text.Reset()
		fmt.Fprintf(&text, "%q", body)
	}
	s.print("%s%s\n", margin, text.Bytes())
}

// wide shows bodies on many lines from now on.
func (s *screen) wide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole = true
}

// darken ends the show; what is said is still shown.
func (s *screen) darken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dark = true
}

func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(format, args...)
}

func (s *screen) print(format string, args ...any) {
	if _, err := fmt.Fprintf(s.w, format, args...); err != nil && s.err == nil {
		s.err = err
	}
}

// failed returns the first error of the writer.
func (s *screen) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
