package tone

import (
	"errors"
	"fmt"
	"time"
)

// TypeAhead says what becomes of the tones that were published, and not read from the subscription,
// before [Subscription.Collect] was called. The zero TypeAhead keeps them all. What is dropped is
// gone for this subscription; what is kept counts as if it were pressed when Collect is called. A
// stream keeps 256 tones: older ones that should have been kept are counted in [Collected.Lost].
type TypeAhead struct {
	policy typeAheadPolicy
	after  uint64
	since  time.Time
}

type typeAheadPolicy uint8

const (
	keepAll typeAheadPolicy = iota
	discard
	keepAfter
	keepSince
)

// KeepAll keeps every tone that was not read yet: a caller who knows the menu may type ahead.
func KeepAll() TypeAhead { return TypeAhead{} }

// Discard drops every tone that was not read yet when Collect is called. That loses the keys of a
// quick caller who answers between the prompt's start and that call: where the prompt was enqueued
// before, say by [KeepSince] from when on keys count. Discard is for a question that only Collect
// asks, and for stale keys that are to be dropped whenever they came.
func Discard() TypeAhead { return TypeAhead{policy: discard} }

// KeepAfter keeps the tones after that with this number ([Event.Seq]). No tone with a higher number
// than the last published one may be named; 0 is before the first one.
func KeepAfter(seq uint64) TypeAhead { return TypeAhead{policy: keepAfter, after: seq} }

// KeepSince keeps the tones that were published at t or later: for a question whose answer must not
// have been typed before it, and for one that is asked again, whose answer is not the rest of a
// wrong one. Take t = time.Now() before the prompt is enqueued, and no key is lost, however late
// Collect is called. Whoever must have heard the prompt begin takes prompt.Times().Started, once it
// has started. The time must not be zero, as that of a start which has not come is.
func KeepSince(t time.Time) TypeAhead { return TypeAhead{policy: keepSince, since: t} }

// drop drops what the policy does not keep. The stream's mutex is held.
func (s *Subscription) drop(t TypeAhead) error {
	st := s.stream
	switch t.policy {
	case keepAll:
		return nil
	case discard:
		s.skipTo(st.last + 1)
	case keepAfter:
		if t.after > st.last {
			return fmt.Errorf("tone: Collect: TypeAhead: KeepAfter tone %d, must be at most %d, the last",
				t.after, st.last)
		}
		s.skipTo(t.after + 1)
	case keepSince:
		if t.since.IsZero() {
			return errors.New("tone: Collect: TypeAhead: KeepSince the zero time")
		}
		for !s.closed && s.next <= st.last {
			seq, at := s.oldest()
			if !at.time.Before(t.since) {
				break
			}
			s.skipTo(seq + 1)
		}
	}
	return nil
}

// skipTo goes on with the tone of this number if that is later than the next one.
func (s *Subscription) skipTo(seq uint64) {
	if s.closed || seq <= s.next {
		return
	}
	s.next = seq
	if s.next > s.stream.last {
		s.stream.drained()
		s.settle()
	}
}
