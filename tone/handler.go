package tone

import (
	"log/slog"
	"runtime/debug"
)

// run handles tones until there are none.
func (s *Subscription) run() {
	for {
		e, ok := s.take()
		if !ok {
			return
		}
		s.call(e)
	}
}

// take returns the next tone of the set, or gives up the role of handling them.
func (s *Subscription) take() (Event, bool) {
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	for {
		e, ok := s.read()
		if !ok {
			s.running = false
			s.settle()
			return Event{}, false
		}
		s.untold += e.Lost
		if s.set.Contains(e.Tone) {
			e.Lost, s.untold = s.untold, 0
			return e, true
		}
	}
}

// call calls the function. If that panics, this goroutine goes on; if it exits the goroutine
// (runtime.Goexit, or FailNow of a test), another one does.
func (s *Subscription) call(e Event) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			s.tell("tone: a handler panicked", v)
			return
		}
		go s.run()
	}()
	s.handle(e)
	returned = true
}

// tell logs, never with the tone: it may be a digit of somebody's PIN. The logger is somebody
// else's code as well, and may do what the handler did.
func (s *Subscription) tell(what string, panicked any) {
	stack := debug.Stack()
	returned := false
	defer func() {
		if !returned && recover() == nil {
			go s.run()
		}
	}()
	slog.Default().Warn(what, slog.Any("panic", panicked), slog.String("stack", string(stack)))
	returned = true
}
