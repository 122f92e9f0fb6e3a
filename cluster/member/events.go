package member

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
)

// events delivers to the observer and to the logger, in order, on a goroutine that exists only
// while there is something to deliver. Code of others runs nowhere else.
type events struct {
	observer func(Event) // may be nil
	logger   *slog.Logger
	live     []string // what was logged last, by run

	mu      sync.Mutex // guards the block below
	waiting []Event
	running bool
	last    bool          // nothing more will come
	done    chan struct{} // closed when the last has been delivered
}

// add adds an event. A view takes the place of one before it that was not delivered.
func (e *events) add(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.waiting); n > 0 && ev.Kind == Changed && e.waiting[n-1].Kind == Changed {
		e.waiting[n-1] = ev
		return
	}
	e.waiting = append(e.waiting, ev)
	if !e.running {
		e.running = true
		go e.run()
	}
}

// end says that nothing more will come.
func (e *events) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = true
	if !e.running {
		close(e.done)
	}
}

// run delivers until there is nothing left. If the observer or the logger exits the goroutine,
// another one goes on.
func (e *events) run() {
	through := false
	defer func() {
		if !through {
			go e.run()
		}
	}()
	for {
		ev, ok := e.next()
		if !ok {
			break
		}
		e.deliver(ev)
	}
	through = true
}

func (e *events) next() (ev Event, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		e.running, e.waiting = false, nil
		if e.last {
			close(e.done)
		}
		return Event{}, false
	}
	ev = e.waiting[0]
	e.waiting[0] = Event{}
	e.waiting = e.waiting[1:]
	return ev, true
}

// deliver tells the observer first: it may have calls to end. A panic ends only its own call.
func (e *events) deliver(ev Event) {
	if e.observer != nil {
		if v, stack := caught(func() { e.observer(ev) }); v != nil {
			_, _ = caught(func() {
				e.logger.Error("member: observer panicked",
					slog.String("event", ev.Kind.String()), slog.String("panic", fmt.Sprint(v)),
					slog.String("stack", string(stack)))
			})
		}
	}
	_, _ = caught(func() { e.log(ev) })
}

func (e *events) log(ev Event) {
	switch ev.Kind {
	case Began:
		e.logger.Info("member: epoch began", epochOf(ev.Lease))
	case Fenced:
		e.logger.Warn("member: epoch ended", epochOf(ev.Lease))
	case Changed:
		if live := ev.View.Live(); !slices.Equal(live, e.live) {
			e.live = live
			e.logger.Info("member: other nodes live", slog.Any("live", live))
		}
	case Failed:
		e.logger.Error("member: failed", slog.String("error", ev.Err.Error()))
	}
}

func epochOf(l *Lease) slog.Attr { return slog.Uint64("epoch", uint64(l.epoch)) }

// caught returns what f panicked with, and where, or nil.
func caught(f func()) (value any, stack []byte) {
	defer func() {
		if value = recover(); value != nil {
			stack = debug.Stack()
		}
	}()
	f()
	return nil, nil
}
