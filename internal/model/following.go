package model

import (
	"errors"
	"fmt"
)

// How Done's channel, and a task's context, follow the end of an operation, step by step. Both are
// made when first asked for and put into an atomic pointer; whoever ends the operation ends what it
// finds there. Three ask at the same time as one ends. When the end has followed, what was given
// out before is over, and whoever asks from then on gets what is over.

// FollowingFlaw is a way to get it wrong.
type FollowingFlaw uint8

// The flaws.
const (
	Follows       FollowingFlaw = iota
	NoLookAgain                 // who has published it does not look whether the end has come
	FoundUnlooked               // who has found another's does not look
	NoSwap                      // who ends it does not take it out first: for Done
	NoWait                      // who ends it does not wait for a reader who closes it: for Done
	DropsUnlooked               // what is let go is not ended by who lets it go: for contexts
)

// ExploreDone explores Done against the end of its operation.
func ExploreDone(flaw FollowingFlaw) Explored[Move] {
	return exploreFollowing(following{flaw: flaw})
}

// ExploreContext explores a task's context against the end of its operation, and against its being
// let go, which may come before its end has followed.
func ExploreContext(flaw FollowingFlaw) Explored[Move] {
	return exploreFollowing(following{flaw: flaw, context: true})
}

func exploreFollowing(first following) Explored[Move] {
	for who := range first.threads {
		first.threads[who].at = loads
	}
	first.threads[writer].at = ends
	return Explore(System[following, Move, following]{
		First: first,
		Moves: following.moves,
		Take:  following.take,
		Key:   func(f following) following { return f },
	})
}

const (
	askers = 3
	writer = 0
	letter = askers + 1 // who lets go
	shared = -1         // the channel, or context, that was over before anyone asked
)

// place is what a thread does next.
type place int8

const (
	through   place = iota // nothing any more
	ends                   // the writer stores the end
	loads                  // the pointer
	publishes              // by compare and swap
	reloads                // what another one has published
	looks                  // whether the end has come
	locks                  // a reader, before it closes
	waits                  // the writer, until no reader has the lock
	swaps                  // the pointer for the shared one
	finishes               // closes, or cancels, what it has
	unlocks
)

// following is the state.
type following struct {
	flaw    FollowingFlaw
	context bool

	ended   bool
	locked  bool
	pointer int8             // whose channel or context is there; 0 if there is none yet
	over    [askers + 1]int8 // how often what an asker made was ended

	threads [askers + 2]thread
}

type thread struct {
	at     place
	got    int8 // what it has, and in the end what it returns
	hand   int8 // what it has taken out, to end it
	before bool // it has returned before the end
	after  bool // it has begun after the end had followed
}

func (f following) moves() (all []Move) {
	for who := range int8(askers + 2) {
		t := f.threads[who]
		switch {
		case t.at == through,
			who == letter && (!f.context || !f.ended),
			f.locked && (t.at == locks || t.at == waits):
			continue
		}
		all = append(all, Move{who: who, text: fmt.Sprintf("step %d", t.at)})
	}
	return all
}

func (f following) take(m Move) (following, error) {
	t := &f.threads[m.who]
	var err error
	switch m.who {
	case writer:
		err = f.end(t)
	case letter:
		err = f.letGo(t)
	default:
		err = f.ask(t, m.who)
		t.before = t.before || t.at == through && !f.ended
	}
	if err == nil {
		err = f.judge()
	}
	return f, err
}

// ask is Done, or Context.
func (f *following) ask(t *thread, own int8) error {
	switch t.at {
	case loads:
		t.after = f.threads[writer].at == through
		if t.got, t.at = f.pointer, looks; t.got == 0 {
			t.at = publishes
		} else if f.flaw == FoundUnlooked {
			t.at = through
		}
	case publishes:
		if f.pointer != 0 {
			t.at = reloads
			return nil
		}
		f.pointer, t.got, t.at = own, own, looks
		if f.flaw == NoLookAgain {
			t.at = through
		}
	case reloads:
		t.got, t.at = f.pointer, looks
		if f.flaw == FoundUnlooked {
			t.at = through
		}
	case looks:
		switch {
		case t.got == shared || !f.ended:
			t.at = through
		case f.context:
			t.hand, t.at = t.got, finishes
		default:
			t.at = locks
		}
	case locks:
		f.locked, t.at = true, swaps
	case swaps:
		t.hand, t.at = f.pointer, finishes
		if f.flaw != NoSwap {
			f.pointer = shared
		}
	case finishes:
		if t.at = unlocks; f.context {
			t.at = through
		}
		return f.finish(t.hand)
	case unlocks:
		f.locked, t.at = false, through
	default:
	}
	return nil
}

// end is the end itself, and Finish.
func (f *following) end(t *thread) error {
	switch t.at {
	case ends:
		f.ended, t.at = true, loads
	case loads:
		t.hand, t.at = f.pointer, swaps
		switch {
		case t.hand == 0:
			t.at = through
		case f.context:
			t.at = finishes
		}
	case swaps:
		t.hand, t.at = f.pointer, finishes
		if f.flaw != NoSwap {
			f.pointer = shared
		}
		if t.hand == shared {
			if t.at = waits; f.flaw == NoWait {
				t.at = through
			}
		}
	case waits:
		t.at = through
	case finishes:
		t.at = through
		return f.finish(t.hand)
	default:
	}
	return nil
}

// letGo is LetGo: a load, a swap for the shared one, and the end of what it was swapped for. The
// engine does it under its lock, which who ends takes again before it says that the end has
// followed: so the writer is not through before it.
func (f *following) letGo(t *thread) error {
	switch t.at {
	case loads:
		if t.at = swaps; f.pointer == 0 {
			t.at = through
		}
	case swaps:
		t.hand, f.pointer, t.at = f.pointer, shared, finishes
		if f.flaw == DropsUnlooked {
			t.at = through
		}
	case finishes:
		t.at = through
		return f.finish(t.hand)
	default:
	}
	return nil
}

// finish closes a channel, which must be done once, or cancels a context.
func (f *following) finish(which int8) error {
	switch {
	case which == shared || f.context && f.over[which] > 0:
		return nil
	case !f.ended:
		return errors.New("over before the operation is")
	case f.over[which] > 0:
		return errors.New("closed twice")
	}
	f.over[which]++
	return nil
}

// judge: when the end has followed, what was returned before it is over, and so is what is returned
// to who asks from then on. Who asks in between may have to wait, but not for ever.
func (f *following) judge() error {
	if f.threads[writer].at != through || f.inTheMiddle(letter) {
		return nil
	}
	for who := 1; who <= askers; who++ {
		t := f.threads[who]
		if t.at != through || t.got == shared || f.over[t.got] > 0 {
			continue
		}
		switch {
		case t.before:
			return fmt.Errorf("asker %d has what it got before the end, and it is not over", who)
		case t.after:
			return fmt.Errorf("asker %d got what is not over after the end had followed", who)
		case !f.late(t.got):
			return fmt.Errorf("asker %d waits for ever", who)
		}
	}
	return nil
}

// inTheMiddle reports whether a thread has taken something out and not yet ended it.
func (f *following) inTheMiddle(who int) bool { return f.threads[who].at == finishes }

// late reports whether somebody is still about to end what an asker made: itself, or who has it in
// hand.
func (f *following) late(which int8) bool {
	for _, t := range f.threads[1:] {
		if t.at != through && (t.got == which || t.hand == which) {
			return true
		}
	}
	return false
}
