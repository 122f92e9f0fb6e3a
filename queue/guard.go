package queue

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"ivrqueue/operation"
)

// Every callback is followed by a deferred function that tells apart whether
// it returned, panicked, or exited its goroutine (runtime.Goexit, or FailNow of a test). In the
// latter case deferred functions are the last that runs on the goroutine, so whoever holds a role
// hands it on there.

// failure makes an error of what recover has returned, nil if it was an exit.
func failure(recovered any) error {
	if recovered == nil {
		return ErrExited
	}
	return &PanicError{recovered, debug.Stack()}
}

// guard calls what is called seldom. It returns nil if the callback returned, and a *PanicError if
// it panicked. If it exited, guard does not return either: exited is the last that runs of it. The
// calls of a common life have the same in line, where it needs less of a small stack.
func guard(callback, exited func()) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = failure(v)
			return
		}
		exited()
	}()
	callback()
	returned = true
	return nil
}

// diary is what the logger is to be told: a logger is a callback too, and may block.
type diary struct {
	notes   []note
	dropped int
	busy    bool // a goroutine is telling the logger
}

// maxNotes bounds the diary of a queue whose logger blocks.
const maxNotes = 16

// note is one line of the log. What it holds is code of others, which is asked when the logger is
// told, without the lock.
type note struct {
	what string
	op   *operation.Operation // nil if it is about none
	err  error                // nil if there is none
	at   time.Time
}

// note takes down what the logger should know.
func (q *Queue) note(what string, it *item, err error) {
	d := &q.seldom().diary
	if len(d.notes) == maxNotes {
		d.dropped++
		return
	}
	n := note{what: what, err: err, at: time.Now()}
	if it != nil {
		n.op = it.control.Operation()
	}
	d.notes = append(d.notes, n)
}

// attrs spells the note out.
func (n *note) attrs(call string, dropped int) []any {
	attrs := []any{slog.String("what", n.what), slog.String("call", call)}
	if n.op != nil {
		attrs = append(attrs,
			slog.String("operation", n.op.ID().String()), slog.String("kind", kindOf(n.op)))
	}
	if n.err != nil {
		attrs = append(attrs, slog.Any("error", n.err))
	}
	if p, ok := n.err.(*PanicError); ok && p != nil { //nolint:errorlint // one of ours
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	attrs = append(attrs, slog.Time("at", n.at))
	if dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", dropped))
	}
	return attrs
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

// runDiary tells the logger, on a goroutine of its own.
func (q *Queue) runDiary() {
	l := q.config.logger
	if l == nil {
		l = slog.Default()
	}
	q.enter(diaryRole)
	d := &q.rare.diary
	for len(d.notes) > 0 {
		n := d.notes[0]
		d.notes = d.notes[1:]
		dropped := d.dropped
		d.dropped = 0
		q.leave(diaryRole)
		tell := func() { l.Warn("queue: a callback went wrong", n.attrs(q.call, dropped)...) }
		_ = guard(tell, func() { go q.runDiary() })
		q.enter(diaryRole)
	}
	d.notes = nil
	d.busy = false
	q.unlock(nil)
}
