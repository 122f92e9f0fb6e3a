package queue

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
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

// note is one line of the log.
type note struct{ attrs []any }

// note takes down what the logger should know.
func (q *Queue) note(what string, it *item, err error) {
	d := &q.seldom().diary
	if len(d.notes) == maxNotes {
		d.dropped++
		return
	}
	attrs := []any{slog.String("what", what), slog.String("call", q.call)}
	if it != nil {
		op := it.control.Operation()
		attrs = append(attrs,
			slog.String("operation", op.ID().String()), slog.String("kind", string(op.Kind())))
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	attrs = append(attrs, slog.Time("at", time.Now()))
	d.notes = append(d.notes, note{attrs})
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
		if d.dropped > 0 {
			n.attrs = append(n.attrs, slog.Int("dropped", d.dropped))
			d.dropped = 0
		}
		q.leave(diaryRole)
		tell := func() { l.Warn("queue: a callback went wrong", n.attrs...) }
		_ = guard(tell, func() { go q.runDiary() })
		q.enter(diaryRole)
	}
	d.notes = nil
	d.busy = false
	q.unlock(nil)
}
