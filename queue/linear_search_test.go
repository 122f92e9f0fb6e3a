package queue_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// call is one of a history: what was asked and answered, and the instants of its begin and its end.
type call[In, Out any] struct {
	in           In
	out          Out
	began, ended int64
}

// search looks for an order of calls in which a sequential state gives the answers that were given:
// no call comes before one that had ended when it began. It tries one call after the other, and goes
// back where none fits (Wing and Gong's search); where it has been before, it turns round (Lowe's
// memory).
type search[S, In, Out any] struct {
	calls []call[In, Out] // by their beginnings
	step  func(S, In, Out) (fits bool, next S)
	key   func(S) string // equal for states that are equal
	until time.Time

	done []byte // a byte for each call: 1 when it is in the order
	been map[string]bool
	late bool // the time was over before it was decided
}

// linearizable reports whether there is such an order, and whether it was decided in time.
func linearizable[S, In, Out any](
	calls []call[In, Out], start S, step func(S, In, Out) (bool, S), key func(S) string, patience time.Duration,
) (found, decided bool) {
	calls = slices.Clone(calls)
	slices.SortStableFunc(calls, func(a, b call[In, Out]) int { return int(a.began - b.began) })
	s := search[S, In, Out]{
		calls: calls, step: step, key: key, until: time.Now().Add(patience),
		done: make([]byte, len(calls)), been: map[string]bool{},
	}
	found = s.from(0, start)
	return found, found || !s.late
}

// from goes on in a state; the calls before the first are done.
func (s *search[S, In, Out]) from(first int, state S) bool {
	for first < len(s.calls) && s.done[first] == 1 {
		first++
	}
	if first == len(s.calls) {
		return true
	}
	end := s.calls[first].ended // of the one that is not done and ended first: no other may begin later
	for i := first; i < len(s.calls) && s.calls[i].began <= end; i++ {
		if s.done[i] == 0 {
			end = min(end, s.calls[i].ended)
		}
	}
	for i := first; i < len(s.calls) && s.calls[i].began <= end; i++ {
		if s.done[i] == 1 {
			continue
		}
		if s.late = s.late || time.Now().After(s.until); s.late {
			return false
		}
		fits, next := s.step(state, s.calls[i].in, s.calls[i].out)
		if !fits {
			continue
		}
		s.done[i] = 1
		if at := string(s.done) + s.key(next); !s.been[at] {
			s.been[at] = true
			if s.from(first, next) {
				return true
			}
		}
		s.done[i] = 0
	}
	return false
}

// The search finds an order where one of all orders is one, and none where none is: of calls of a
// register that is read, written, and written if it is zero.
func TestTheSearchFindsAnOrderIfThereIsOne(t *testing.T) {
	t.Parallel()
	type ask struct {
		do    byte // 'r', 'w', 'z'
		value int
	}
	step := func(now int, in ask, out int) (bool, int) {
		if in.do == 'w' || in.do == 'z' && now == 0 {
			return out == now, in.value
		}
		return out == now, now
	}
	key := func(now int) string { return string(rune(now)) }
	var try func(rest []call[ask, int], now int) bool // all orders
	try = func(rest []call[ask, int], now int) bool {
		for i, c := range rest {
			others := slices.Delete(slices.Clone(rest), i, i+1)
			early := slices.ContainsFunc(others, func(o call[ask, int]) bool { return o.ended < c.began })
			if fits, next := step(now, c.in, c.out); fits && !early && try(others, next) {
				return true
			}
		}
		return len(rest) == 0
	}
	counts := map[bool]int{}
	for seed := range uint64(20_000) {
		draw := rand.New(rand.NewPCG(seed, 0))
		var calls []call[ask, int]
		for range 2 + draw.IntN(5) {
			began := draw.Int64N(12)
			calls = append(calls, call[ask, int]{
				in: ask{"rwz"[draw.IntN(3)], draw.IntN(3)}, out: draw.IntN(3),
				began: began, ended: began + 1 + draw.Int64N(8),
			})
		}
		want := try(calls, 0)
		counts[want]++
		if got, decided := linearizable(calls, 0, step, key, time.Hour); got != want || !decided {
			t.Fatalf("seed %d: %v, decided %v; want %v: %+v", seed, got, decided, want, calls)
		}
	}
	if counts[true] < 1000 || counts[false] < 1000 {
		t.Errorf("%v histories, want many of both", counts)
	}
	wait := []call[ask, int]{{in: ask{'r', 0}, out: 1, ended: 1}}
	if _, decided := linearizable(wait, 0, step, key, -1); decided {
		t.Error("it was decided before it began")
	}
}
