package model

import "errors"

// errNotLinear says that there is no order of the calls in which all answers are right.
var errNotLinear = errors.New("not linearizable")

// possible is one way in which it may have been so far: which calls have taken effect, and which of
// those that have not returned yet were among them, with what answer.
type possible struct {
	ended, cancelled bool // the first operation by itself, all that lived by a cancel
	wrote            bool
	answers          [2]answer
}

// possibilities is a set of them. When it is empty, no order is left.
type possibilities [4]uint64

func (p possible) number() uint {
	n := uint(p.answers[0])<<2 | uint(p.answers[1])
	for _, b := range []bool{p.ended, p.cancelled, p.wrote} {
		n <<= 1
		if b {
			n++
		}
	}
	return n
}

func (s *possibilities) add(p possible) { s[p.number()/64] |= 1 << (p.number() % 64) }

func (s *possibilities) has(p possible) bool { return s[p.number()/64]>>(p.number()%64)&1 == 1 }

// each calls f with every member.
func (s possibilities) each(f func(possible)) {
	for a := range answer(4) {
		for b := range answer(4) {
			for n := range 8 {
				p := possible{n&1 != 0, n&2 != 0, n&4 != 0, [2]answer{a, b}}
				if s.has(p) {
					f(p)
				}
			}
		}
	}
}

// call books that a call has begun: from now on until it returns it may take effect, before or
// after any other that is under way.
func (s *possibilities) call(_ int, r *reading) {
	for before := (possibilities{}); before != *s; {
		before = *s
		before.each(func(p possible) { s.effects(p, r) })
	}
}

// effects adds what is possible if one more call takes effect.
func (s *possibilities) effects(p possible, r *reading) {
	if underWay := r.writer % 4; underWay != 0 && !p.wrote {
		next := p
		next.wrote = true
		if r.writer < 4 {
			next.ended = true
		} else {
			next.cancelled = true
		}
		s.add(next)
	}
	for i, rd := range r.readers {
		if rd.step == 0 || p.answers[i] != noAnswer {
			continue
		}
		next := p
		switch {
		case rd.op == 0 && p.ended:
			next.answers[i] = completed
		case p.cancelled:
			next.answers[i] = cancelled
		default:
			next.answers[i] = alive
		}
		s.add(next)
	}
}

// returned books that a call has returned: it has taken effect, with this answer.
func (s *possibilities) returned(who int, a answer) error {
	var left possibilities
	s.each(func(p possible) {
		switch {
		case who == 0 && p.wrote:
			p.wrote = false
		case who > 0 && (p.answers[who-1] == a || a == over && p.answers[who-1] > alive):
			p.answers[who-1] = noAnswer
		default:
			return
		}
		left.add(p)
	})
	*s = left
	if left == (possibilities{}) {
		return errNotLinear
	}
	return nil
}
