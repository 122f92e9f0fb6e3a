package queue

import (
	"context"
	"time"

	"ivrqueue/operation"
)

// Prepare is called on a goroutine of its own, and not by a dispatcher: it takes as long as a
// download does, and nothing waits for it. The goroutine exists while there is something to
// prepare.

// preparations is what a queue knows of them, whose media prepares.
type preparations struct {
	list   []*preparation // whose context has not ended, or whose Prepare has not returned
	active bool           // a goroutine prepares
}

// busy reports whether a Prepare is under way; p may be nil.
func (p *preparations) busy() bool { return p != nil && (p.active || len(p.list) > 0) }

// preparation is one operation that is prepared, or was.
type preparation struct {
	entry     *entry
	end       context.CancelCauseFunc
	ended     bool        // the context
	calling   bool        // Prepare has not returned
	abandoned bool        // it took too long, and its goroutine is not the active one any more
	timer     *time.Timer // abandons it; nil unless the context ended before it returned
}

// over reports whether nothing can happen any more.
func (p *preparation) over() bool { return p.ended && !p.calling && p.timer == nil }

// Actors, for tests.
const (
	byPreparer   actor = 1 << 57
	byAbandoning actor = 1 << 56
)

// syncPrepare ends the contexts of those that do not wait any more, and sees to it that a goroutine
// prepares what is to be. It is for media that does.
func (q *Queue) syncPrepare() {
	m := &q.machine
	if m.cold != nil && m.cold.shell.prepare != nil {
		q.endPreparations()
	}
	if m.toPrepare() == nil {
		return
	}
	s := q.shellState()
	if s.prepare == nil {
		s.prepare = new(preparations)
	}
	if !s.prepare.active {
		s.prepare.active = true
		go q.prepareNext()
	}
}

// endPreparations ends the contexts of those that do not wait any more. None but our own code runs
// by that: the contexts have no parents that end.
func (q *Queue) endPreparations() {
	s := q.machine.cold.shell.prepare
	rest := s.list[:0]
	for _, p := range s.list {
		if !p.ended && p.entry.operation().Status() != operation.NotStarted {
			p.ended = true
			p.end(p.cause())
			if p.calling {
				p.timer = time.AfterFunc(q.stopTimeoutOf(p.entry), func() { q.abandonPrepare(p) })
			}
		}
		if !p.over() {
			rest = append(rest, p)
		}
	}
	clear(s.list[len(rest):])
	if s.list = rest; len(rest) == 0 {
		s.list = nil
	}
}

// cause is why the context ends.
func (p *preparation) cause() error {
	if r := p.entry.control.Reason(); r != 0 {
		return r
	}
	return ErrStarted
}

// prepareNext prepares what is to be prepared now.
//
//nolint:contextcheck,nolintlint // it has the operation's, whoever has changed the state
func (q *Queue) prepareNext() {
	q.lock(byPreparer)
	e := q.machine.toPrepare()
	if e == nil { // it has begun, or ended
		q.machine.cold.shell.prepare.active = false
		q.closeDone()
		q.unlock(byPreparer)
		return
	}
	q.machine.prepareEntered(e)
	p := &preparation{entry: e, calling: true}
	ctx, end := context.WithCancelCause(e.operation().DetachedContext())
	p.end = end
	s := q.machine.cold.shell.prepare
	s.list = append(s.list, p)
	media := q.media.(Preparer) //nolint:forcetypeassert // New has looked
	q.unlock(byPreparer)

	returned := false
	defer func() {
		var err error
		if !returned {
			err = failure(recover())
		}
		q.prepareReturned(p, err)
	}()
	media.Prepare(ctx, e.operation())
	returned = true
}

// prepareReturned books that Prepare has returned, or, with an error, what it did instead.
func (q *Queue) prepareReturned(p *preparation, err error) {
	q.lock(byPreparer)
	if !p.abandoned {
		p.calling = false
		q.machine.cold.shell.prepare.active = false
	}
	if p.timer != nil && p.timer.Stop() {
		p.timer = nil // else it is on its way, and sees to the rest
	}
	if err != nil {
		q.warn("media "+fault(err)+" in Prepare", p.entry, err)
	}
	q.commit(byPreparer, time.Now(), nil, nil)
}

// abandonPrepare is called when a Prepare has not returned in time.
func (q *Queue) abandonPrepare(p *preparation) {
	q.lock(byAbandoning)
	p.timer = nil
	if p.calling {
		p.calling, p.abandoned = false, true
		q.machine.cold.shell.prepare.active = false
		q.warn("media abandoned in Prepare", p.entry, nil)
	}
	q.commit(byAbandoning, time.Now(), nil, nil)
}
