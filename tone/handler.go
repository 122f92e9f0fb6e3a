package tone

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
)

// Handler is a function that gets the tones of a stream as they come. [Stream.Handle] makes it;
// Close, or the end of the stream, end it. It must not be copied; the methods of the zero Handler
// panic.
type Handler struct{ sub Subscription }

// String says how far it has come, for logs, and reads with the lock: see [Stream.String].
func (h *Handler) String() string { return "tone handler, " + h.sub.place() }

// Lost returns how many tones, of whatever value, were lost in all because the function lagged.
func (h *Handler) Lost() uint64 { return h.sub.Lost() }

// Err returns nil while there may be tones to come, then [ErrEnded] or [ErrClosed].
func (h *Handler) Err() error { return h.sub.Err() }

// Close ends the handler. It does not wait: a call of the function may be under way, which Done
// shows; no other begins. To close it again does nothing.
func (h *Handler) Close() { h.sub.Close() }

// Done returns a channel that is closed when the handler was closed, or has got the last tone of an
// ended stream, and no call of its function is under way.
func (h *Handler) Done() <-chan struct{} { return h.sub.Done() }

// run handles tones until there are none. If the function, or the logger, exits the goroutine
// (runtime.Goexit, or FailNow of a test), another one goes on.
func (s *Subscription) run() {
	through := false
	defer func() {
		if !through {
			go s.run()
		}
	}()
	for {
		e, ok := s.take()
		if !ok {
			break
		}
		s.call(e)
	}
	through = true
}

// take returns the next tone of the set, or releases the role of handling them.
func (s *Subscription) take() (Event, bool) {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	for {
		var e Event
		if !s.read(&e) {
			s.running = false
			s.settle()
			return Event{}, false
		}
		s.skipped += e.Lost
		if s.set.Contains(e.Tone) {
			e.Lost, s.skipped = s.skipped, 0
			return e, true
		}
	}
}

// call calls the function. It returns if that returned or panicked.
func (s *Subscription) call(e Event) {
	returned := false
	defer func() {
		if returned {
			return
		}
		warn(e.Seq, recover())
	}()
	s.handle(e)
	returned = true
}

// warn logs what the handler did instead of returning. It names the tone's number, the type of the
// panic and where it was, but not the tone, nor the panic's value, which may hold it: a tone may be
// a digit of somebody's PIN. The logger is somebody else's code as well; if it panics, that
// is dropped.
func warn(seq uint64, panicked any) {
	defer func() { _ = recover() }()
	what := "exited its goroutine"
	if panicked != nil {
		what = fmt.Sprintf("panicked with a %T", panicked)
	}
	slog.LogAttrs(context.Background(), slog.LevelWarn, "tone: a handler did not return",
		slog.String("what", what), slog.Uint64("seq", seq), slog.String("stack", stack()))
}

// stack returns where the handler was. debug.Stack would show the arguments of each function too,
// and an Event among them is the key that was pressed.
func stack() string {
	var b strings.Builder
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)]) // without those of ours
	for {
		frame, more := frames.Next()
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			return b.String()
		}
	}
}
