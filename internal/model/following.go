package model

import (
	"errors"
	"fmt"
)

// How Done's channel, and a task's context, follow the end of an operation, step by step. Both are
// made when first asked for and put into an atomic pointer; whoever ends the operation ends what it
// finds there. Three ask at the same time as one ends.

// FollowingFlaw is a way to get it wrong.
type FollowingFlaw uint8

// The flaws.
const (
	Follows       FollowingFlaw = iota
	NoLookAgain                 // who has published it does not look whether the end has come
	NoSwap                      // who ends it does not take it out first: for Done
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
	return Explore(System[following, Move, following]{
		First: first,
		Moves: following.moves,
		Take:  following.take,
		Key:   func(f following) following { return f },
	})
}

const (
	askers = 3
	shared = -1 // the channel, or context, that was over before anyone asked
)

// following is the state. What an asker makes has its number, from 1.
type following struct {
	flaw    FollowingFlaw
	context bool

	ended   bool
	pointer int8             // 0 if there is none yet
	over    [askers + 1]int8 // how often what an asker made was ended

	threads [askers + 2]thread // the writer, the askers, and who lets go
}

type thread struct {
	step int8
	got  int8 // what it found, and in the end what it returns
	done bool
}

func (f following) moves() (all []Move) {
	for who := range int8(askers + 2) {
		t := f.threads[who]
		letGo := who == askers+1
		if t.done || letGo && (!f.context || !f.ended) {
			continue
		}
		all = append(all, Move{who: who, text: fmt.Sprintf("step %d", t.step+1)})
	}
	return all
}

func (f following) take(m Move) (following, error) {
	t := &f.threads[m.who]
	t.step++
	var err error
	switch {
	case m.who == 0 && t.step == 1:
		f.ended = true
	case m.who == 0:
		err = f.end(t, t.step-1)
	case m.who == askers+1:
		err = f.letGo(t)
	default:
		err = f.ask(t, m.who)
	}
	if err == nil {
		err = f.judge()
	}
	return f, err
}

// ask is Done, or Context.
func (f *following) ask(t *thread, own int8) error {
	switch t.step {
	case 1:
		t.got = f.pointer
		t.done = t.got != 0
	case 2: // compare and swap
		if f.pointer != 0 {
			t.step = 9
			return nil
		}
		f.pointer, t.got = own, own
		t.done = f.flaw == NoLookAgain
	case 3:
		t.done = !f.ended
	case 10: // another's
		t.got, t.done = f.pointer, true
	default:
		if f.context {
			t.done = true
			return f.finish(own, true)
		}
		err := f.end(t, t.step-3)
		if t.done {
			t.got = own
		}
		return err
	}
	return nil
}

// end is closeDone, or cancelTask: a load, and then what is to be done with what was found.
func (f *following) end(t *thread, step int8) error {
	switch {
	case step == 1:
		t.got = f.pointer
		t.done = t.got == 0
		return nil
	case f.context:
		t.done = true
		return f.finish(t.got, true)
	case step == 2:
		if t.got = f.pointer; f.flaw != NoSwap {
			f.pointer = shared
		}
		return nil
	default:
		t.done = true
		return f.finish(t.got, false)
	}
}

// letGo is LetGo: a load, a swap for the shared one, and the end of what it was swapped for.
func (f *following) letGo(t *thread) error {
	switch t.step {
	case 1:
		t.done = f.pointer == 0
	case 2:
		t.got, f.pointer = f.pointer, shared
		t.done = f.flaw == DropsUnlooked
	default:
		t.done = true
		return f.finish(t.got, true)
	}
	return nil
}

// finish closes a channel, which must be done once, or cancels a context.
func (f *following) finish(which int8, repeatable bool) error {
	switch {
	case which == shared || repeatable && f.over[which] > 0:
		return nil
	case !f.ended:
		return errors.New("over before the operation is")
	case f.over[which] > 0:
		return errors.New("closed twice")
	}
	f.over[which]++
	return nil
}

// judge: when the writer is through, what was returned is over.
func (f *following) judge() error {
	if !f.threads[0].done {
		return nil
	}
	for who := 1; who <= askers; who++ {
		t := f.threads[who]
		if t.done && t.got != shared && f.over[t.got] == 0 && !f.late(t.got) {
			return fmt.Errorf("asker %d waits for ever", who)
		}
	}
	return nil
}

// late reports whether somebody is still about to end what an asker made: itself, or who has it in
// hand.
func (f *following) late(which int8) bool {
	for _, t := range f.threads[1:] {
		if !t.done && t.got == which {
			return true
		}
	}
	return false
}
