package queue

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"ivrqueue/operation"
)

// A logger is a callback too, and may block: what it is to know waits in a list until a dispatcher
// calls it.

// maxWarnings bounds the warnings of a queue whose logger blocks.
const maxWarnings = 16

// warnings is what the logger has yet to get.
type warnings struct {
	list    []warning
	dropped int

	// The last operation whose Stop panicked or exited before its media was abandoned, and that fault.
	stopped *entry
	fault   error
}

// warning is one line of the log.
type warning struct {
	what    string
	entry   *entry // or nil
	err     error  // or nil
	at      time.Time
	dropped int // before it
}

// pending reports whether there are any; w may be nil.
func (w *warnings) pending() bool { return w != nil && len(w.list) > 0 }

// warn adds a warning. It calls no method of err, nor of the operation's request.
func (q *Queue) warn(what string, e *entry, err error) {
	if q.dispatch.done { // of media that was abandoned
		return
	}
	s := q.shellState()
	if s.warnings == nil {
		s.warnings = new(warnings)
	}
	w := s.warnings
	if len(w.list) == maxWarnings {
		w.dropped++
		return
	}
	w.list = append(w.list, warning{what: what, entry: e, err: err, at: time.Now()})
}

// stopFailed keeps what Stop did instead of returning, which was warned of.
func (q *Queue) stopFailed(e *entry, fault error) {
	if w := q.shellState().warnings; w != nil && !e.media.has(abandoned) {
		w.stopped, w.fault = e, fault
	}
}

// faultInStop returns what Stop did for an operation instead of returning, or nil.
func (q *Queue) faultInStop(e *entry) error {
	cold := q.machine.cold
	if cold == nil || cold.shell.warnings == nil || cold.shell.warnings.stopped != e {
		return nil
	}
	return cold.shell.warnings.fault
}

// next takes the first one out.
func (w *warnings) next() warning {
	first := w.list[0]
	if w.list = w.list[1:]; len(w.list) == 0 {
		w.list = nil
	}
	first.dropped, w.dropped = w.dropped, 0
	return first
}

// log writes the warning, without a lock.
func (w *warning) log(l *slog.Logger, callID string) {
	if l == nil {
		l = slog.Default()
	}
	attrs := []any{slog.String("call", callID)}
	if w.entry != nil {
		op := w.entry.operation()
		attrs = append(attrs,
			slog.String("operation", op.ID().String()), slog.String("kind", kindOf(op)))
	}
	if w.err != nil {
		attrs = append(attrs, slog.Any("error", w.err))
	}
	if p, ok := w.err.(*PanicError); ok && p != nil { //nolint:errorlint // one of ours
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	if w.dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", w.dropped))
	}
	attrs = append(attrs, slog.Time("at", w.at))
	l.Warn("queue: "+w.what, attrs...) //nolint:sloglint // one of a few words of ours
}

// kindOf asks the request for its kind, or says that it panicked.
func kindOf(op *operation.Operation) (kind string) {
	defer func() {
		if v := recover(); v != nil {
			kind = fmt.Sprintf("%T panicked", op.Request())
		}
	}()
	return string(op.Kind())
}

// failure makes an error of what recover has returned after a callback, nil if the callback exited
// its goroutine (runtime.Goexit, or FailNow of a test).
func failure(recovered any) error {
	if recovered == nil {
		return ErrExited
	}
	return &PanicError{recovered, debug.Stack()}
}

// isFault reports whether err is what failure has made of a callback.
func isFault(err error) bool {
	if p, ok := err.(*PanicError); ok && p != nil { //nolint:errorlint // ours, and never unwrapped
		return true
	}
	return err == ErrExited //nolint:errorlint // the same
}

// fault says what the callback did.
func fault(err error) string {
	if err == ErrExited { //nolint:errorlint // one of ours
		return "exited its goroutine"
	}
	return "panicked"
}
