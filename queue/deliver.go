package queue

import "math"

// Who makes the calls. There is one role of calling the media and one of telling each observer, and
// at most one goroutine has a role. A commit that makes calls due assigns the roles that nobody
// has: to a new goroutine, or, for inline callbacks, to the goroutine that committed. Whoever has a
// role keeps it until nothing is due, and takes along what others commit meanwhile. Every decision
// is made under the lock, every call without it.

// roles is a set: the media's role, the diary's, and one for each observer.
type roles uint64

const (
	mediaRole roles = 1 << iota
	diaryRole
	observerRole // the first observer's, the inline one if there is one; the others' follow
)

// borrowedCalls is how many calls are made on a goroutine that is not ours before one of ours goes
// on: a producer must not work for others for ever.
const borrowedCalls = 256

// unlock ends every critical section that changed the state. It assigns the calls that are due,
// releases the lock, lets the Done channels and contexts of what has ended follow, and makes those
// calls that are this goroutine's to make.
func (q *Queue) unlock(ended []*item) {
	if len(ended) > 0 {
		q.pins++
	}
	here, away := q.assign(0)
	if len(ended) > 0 {
		q.leave(0)
		q.spawn(away)
		for _, it := range ended {
			it.control.Finish()
		}
		q.enter(0)
		q.pins--
		var more roles
		more, away = q.assign(here)
		here |= more
	}
	if here == 0 { // the common end, without a player
		q.leave(0)
		q.spawn(away)
		return
	}
	p := player{queue: q, roles: here, away: away, calls: borrowedCalls}
	p.play()
}

// assign takes the roles that have something to do and nobody to do it, for this goroutine, which
// has the roles mine, or for goroutines to be spawned.
func (q *Queue) assign(mine roles) (here, away roles) {
	mediaTaken := q.mediaBusy && mine&mediaRole == 0
	if !q.mediaBusy && q.due() != callNone {
		q.mediaBusy = true
		if q.config.inlineMedia {
			here |= mediaRole
		} else {
			away |= mediaRole
		}
	}
	for i := range int(q.log.cursors.n) {
		c := q.log.cursors.at(i)
		if c.busy || !q.log.behind(i) {
			continue
		}
		switch inline := i == 0 && q.config.inlineObserver; {
		case inline && q.config.inlineMedia && mediaTaken:
			// Left to whoever has the media role. It may be in an inline callback further up this
			// very stack, and nobody tells events inline while a media callback is on its stack.
			// It looks again when the callback has returned.
			continue
		case inline && q.callbacks == 0:
			here |= observerRole
		default:
			away |= observerRole << i
		}
		c.busy = true
	}
	if q.rare != nil && !q.rare.diary.busy && len(q.rare.diary.notes) > 0 {
		q.rare.diary.busy = true
		away |= diaryRole
	}
	if q.closed && here|away == 0 {
		q.finish()
	}
	return here, away
}

// spawn starts a goroutine for each of the roles: the first one starts the next, before anything
// else. A processor keeps the goroutine it started last for itself and runs it next; a second one
// goes where others take it away, and then two processors share the queue's cache lines and lock.
func (q *Queue) spawn(away roles) {
	if away != 0 {
		go q.run(away)
	}
}

// run plays the first of the roles on a goroutine of our own.
func (q *Queue) run(all roles) {
	role := all & -all
	q.spawn(all &^ role)
	if role == diaryRole {
		q.runDiary()
		return
	}
	q.enter(role)
	p := player{queue: q, roles: role, calls: math.MaxInt}
	p.assign() // what was left to the media role's owner while this goroutine was on its way
	p.play()
}

// player is a goroutine that makes calls.
type player struct {
	queue *Queue
	roles roles // what it has
	away  roles // to be spawned when it next releases the lock
	calls int   // how many it may still make
}

// release gives the lock back.
func (p *player) release() {
	p.queue.leave(p.roles)
	p.queue.spawn(p.away)
	p.away = 0
}

// play makes calls until none is due. The lock is held when it is called and released when it
// returns. Events come first, so that nobody has an observer's role while in a media callback.
func (p *player) play() {
	q := p.queue
	for p.roles != 0 {
		i, behind := p.behind()
		call := callNone
		if !behind && p.roles&mediaRole != 0 {
			call = q.due()
		}
		switch {
		case (behind || call != callNone) && p.calls <= 0:
			p.handOn()
			return
		case behind:
			p.tell(i)
			// Whoever committed meanwhile has assigned what that made due, but inline events, which
			// are left to the owner of the media role: that one tells the inline observer itself.
			continue
		case call != callNone:
			p.drop(^mediaRole)
			p.callMedia(q.slot, call)
		case !q.closed:
			p.drop(^roles(0)) // what is due, somebody has: an assign has followed every change
			continue
		default:
			p.drop(^roles(0)) // the last role may be all that Done waits for
		}
		p.assign()
	}
	p.release()
}

// assign takes the roles that are to be played here, and notes those that are not.
func (p *player) assign() {
	here, away := p.queue.assign(p.roles)
	p.roles |= here
	p.away |= away
}

// behind returns an observer that this player is to tell something.
func (p *player) behind() (int, bool) {
	for i := range int(p.queue.log.cursors.n) {
		if p.roles&(observerRole<<i) != 0 && p.queue.log.behind(i) {
			return i, true
		}
	}
	return 0, false
}

// drop gives up roles.
func (p *player) drop(which roles) {
	which &= p.roles
	p.roles &^= which
	if which&mediaRole != 0 {
		p.queue.mediaBusy = false
	}
	for i := range int(p.queue.log.cursors.n) {
		if which&(observerRole<<i) != 0 {
			p.queue.log.cursors.at(i).busy = false
		}
	}
}

// handOn gives the roles to goroutines of ours, and releases the lock: the goroutine has made as
// many calls as it may, or a callback has exited it.
func (p *player) handOn() {
	here, away := p.queue.assign(p.roles)
	p.away |= p.roles | here | away
	p.roles = 0
	p.release()
}

// tell makes calls of one observer.
func (p *player) tell(i int) {
	q := p.queue
	var s share
	q.log.take(i, &s)
	p.release()
	returned := false
	defer func() {
		if !returned {
			p.observerFailed(i, &s, recover())
		}
	}()
	observer := q.config.observers[i]
	e := Event{Queue: q, Call: q.call}
	for p.calls > 0 && s.next(&e) {
		p.calls--
		if f, ok := observer.(ObserverFunc); ok {
			f(e) // the common form; its method would copy the event once more, onto a small stack
		} else {
			observer.Observe(e)
		}
	}
	returned = true
	q.enter(p.roles)
	q.advance(i, &s)
}

// observerFailed is told by a deferred function that an observer panicked, or, with nil, that it is
// exiting its goroutine. What is left of the share is taken again.
func (p *player) observerFailed(i int, s *share, panicked any) {
	q := p.queue
	err := failure(panicked)
	q.enter(p.roles)
	q.advance(i, s)
	if panicked != nil {
		q.note("an observer panicked", nil, err)
		p.assign()
		return
	}
	q.note("an observer exited its goroutine", nil, nil)
	p.handOn()
}

// callMedia makes one call of the media.
func (p *player) callMedia(it *item, call mediaCall) {
	q := p.queue
	p.calls--
	q.callbacks++
	if call == callStart {
		it.media |= startEntered
	} else {
		it.media |= stopEntered
	}
	media, task := q.media, Task{Turn{it.control.Operation(), it}, q}
	p.release()
	returned := false
	defer func() {
		if !returned {
			p.mediaFailed(media, task, call, recover())
		}
	}()
	var err error
	if call == callStart {
		err = media.Start(task)
	} else {
		media.Stop(task)
	}
	returned = true
	q.enter(p.roles)
	p.returned(media, task, call, err)
}

// mediaFailed is told by a deferred function that a media callback panicked, or, with nil, that it
// is exiting its goroutine.
func (p *player) mediaFailed(media Media, t Task, call mediaCall, panicked any) {
	err := failure(panicked)
	p.queue.enter(p.roles)
	p.returned(media, t, call, err)
	if panicked == nil {
		p.handOn()
	}
}

// returned books that a media callback has returned, or what it did instead.
func (p *player) returned(media Media, t Task, call mediaCall, err error) {
	q, it := p.queue, t.item
	q.callbacks--
	if isFault(err) {
		q.note("media "+fault(err), it, err)
	}
	if it.media.has(givenUp) {
		p.roles &^= mediaRole // it was taken from this goroutine
		if call == callStart && err == nil && !it.media.has(reported) {
			p.stopLate(media, t)
		}
		return
	}
	var c clock
	ended := q.returned(it, call, err, &c)
	q.settle(&c)
	if !ended || !it.control.Awaited() {
		return
	}
	q.pins++
	p.release()
	it.control.Finish()
	q.enter(p.roles)
	q.pins--
}

// stopLate is for a Start that returned after its media was given up: it hears Stop, for its own
// task, and the queue has no part in it.
func (p *player) stopLate(media Media, t Task) {
	q := p.queue
	t.item.media |= stopEntered | stopReturned
	q.callbacks++
	p.release()
	failed := guard(func() { media.Stop(t) }, func() {
		q.enter(p.roles)
		q.callbacks--
		p.handOn()
	})
	q.enter(p.roles)
	q.callbacks--
	if failed != nil {
		q.note("media panicked", t.item, failed)
	}
}
