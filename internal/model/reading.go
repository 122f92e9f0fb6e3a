package model

import "fmt"

// How an operation is read without a lock, step by step: a step is one atomic load or store. There
// are three operations of one generation. The writer, of which the queue's lock makes one, ends the
// first by itself, and then those that live by their generation. Readers ask about any of them.

// ReadingFlaw is a way to get the protocol wrong.
type ReadingFlaw uint8

// The flaws.
const (
	NoFlaw       ReadingFlaw = iota
	NoSecondLook             // the operation's own word is not looked at again
	NoGeneration             // the generation is not looked at
	ShownTooSoon             // the word that shows an end is stored before the result
	OneByOne                 // a cancel ends its victims one after the other
)

// ExploreReading explores every order of the steps of the writer and of two readers with so many
// readings each. What they read must be linearizable, and what shows an end must be there.
func ExploreReading(readings int8, flaw ReadingFlaw) Explored[Move] {
	first := reading{flaw: flaw}
	first.readers[0].left, first.readers[1].left = readings, readings
	first.legal.add(possible{})
	return Explore(System[reading, Move, reading]{
		First: first,
		Moves: reading.moves,
		Take:  reading.take,
		Key:   func(r reading) reading { return r },
	})
}

// Move is a step of one of those who take part in a protocol.
type Move struct {
	who  int8 // 0 is the writer, then the readers
	op   int8
	live bool // it asks Live, not Status and Result
	text string
}

// String tells who does what.
func (m Move) String() string {
	if m.who == 0 {
		return "writer " + m.text
	}
	return fmt.Sprintf("reader %d %s", m.who, m.text)
}

// answer is what a reading says.
type answer uint8

const (
	noAnswer answer = iota
	alive
	completed
	cancelled
	over // completed or cancelled: Live says no
)

// reading is the state: what is in memory, how far everybody is, and which orders of the calls are
// still possible.
type reading struct {
	flaw   ReadingFlaw
	words  [3]answer // each operation's own; alive is zero here
	result bool      // of the first, written
	ended  bool      // the generation's word
	at     bool      // the generation's time, written
	writer int8      // steps it has taken

	readers [2]reader
	legal   possibilities
}

type reader struct {
	left int8
	step int8 // 0: it is not at it
	op   int8
	live bool
	word answer // as it was loaded last
}

const writerSteps = 8

func (r reading) moves() (all []Move) {
	if r.writer < writerSteps {
		all = append(all, Move{who: 0, text: fmt.Sprintf("step %d", r.writer+1)})
	}
	for i, rd := range r.readers {
		who := int8(i + 1) //nolint:gosec // 1 or 2
		switch {
		case rd.step > 0:
			all = append(all, Move{who: who, text: fmt.Sprintf("step %d of %d", rd.step+1, rd.op+1)})
		case rd.left > 0:
			for op := range int8(3) {
				all = append(all, Move{who: who, op: op, text: fmt.Sprintf("looks at %d", op+1)},
					Move{who: who, op: op, live: true, text: fmt.Sprintf("asks whether %d is live", op+1)})
			}
		}
	}
	return all
}

func (r reading) take(m Move) (reading, error) {
	var err error
	if m.who == 0 {
		err = r.write()
	} else {
		err = r.read(int(m.who-1), m)
	}
	return r, err
}

// write is the writer's next step: the first four are an end by itself, the others a cancel.
func (r *reading) write() error {
	r.writer++
	soon := r.flaw == ShownTooSoon
	switch r.writer {
	case 1:
		r.legal.call(0, r)
	case 2:
		r.result, r.words[0] = !soon, map[bool]answer{true: completed}[soon]
	case 3:
		r.result, r.words[0] = true, completed
	case 4, 8:
		return r.legal.returned(0, noAnswer)
	case 5:
		r.legal.call(0, r)
	case 6:
		r.at = true
		if r.flaw == OneByOne {
			r.words[1] = cancelled
		}
	case 7:
		if r.flaw == OneByOne {
			r.words[2] = cancelled
		} else {
			r.ended = true
		}
	}
	return nil
}

// read is a reader's next step.
func (r *reading) read(i int, m Move) error {
	rd := &r.readers[i]
	rd.step++
	switch rd.step {
	case 1: // the call
		rd.left--
		rd.op, rd.live = m.op, m.live
		r.legal.call(i+1, r)
		return nil
	case 2:
		if rd.word = r.words[rd.op]; rd.word != noAnswer {
			return r.answer(i, rd.word)
		}
		return nil
	case 3:
		if !r.ended || r.flaw == NoGeneration {
			return r.answer(i, alive)
		}
		if rd.live || r.flaw == NoSecondLook {
			return r.answer(i, cancelled)
		}
		return nil
	default:
		if rd.word = r.words[rd.op]; rd.word != noAnswer {
			return r.answer(i, rd.word)
		}
		return r.answer(i, cancelled)
	}
}

// answer ends a reading.
func (r *reading) answer(i int, a answer) error {
	rd := &r.readers[i]
	live := rd.live
	*rd = reader{left: rd.left}
	switch {
	case live && a != alive:
		a = over
	case a == completed && !r.result:
		return fmt.Errorf("reader %d sees an end without its result", i+1)
	case a == cancelled && !r.at:
		return fmt.Errorf("reader %d sees an end without its time", i+1)
	}
	return r.legal.returned(i+1, a)
}
