package tone

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// MaxParticipant is how many bytes the name of a participant may have.
const MaxParticipant = 256

// Event is a tone that was published.
type Event struct {
	// Seq numbers the tones of a call: 1, 2, 3, without gaps. It is Graph's sequenceId.
	Seq uint64

	// Lost is how many tones, of whatever value, this subscription lost right before this one
	// because it lagged by more than 256.
	Lost uint64

	Time        time.Time // when it was published
	Tone        Tone
	Participant string // who pressed the key, if it is known
}

// Stream is a call's stream of tones. Its zero value is ready; it must not be copied. End ends it;
// a stream that is not ended holds nothing but memory.
type Stream struct {
	mu sync.Mutex // guards everything below, and all of the subscriptions

	last  uint64        // sequence number of the tone published last
	slots *[]slot       // the ring: tone n is in slot n modulo its length, a power of two
	subs  *Subscription // those that may still get tones
	ended bool
}

// slot is a tone in the ring.
type slot struct {
	time        time.Time
	participant string
	tone        Tone
}

// Sizes of the ring: what it begins with, what it may keep once everybody has read everything, and
// how far a subscription may lag.
const (
	firstSlots = 2
	keepSlots  = 8
	maxSlots   = 256
)

// String says how many tones were published, for logs: what is given to package fmt would be read
// without the lock otherwise, keys and all.
func (s *Stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return fmt.Sprintf("tone stream, ended after %d tones", s.last)
	}
	return fmt.Sprintf("tone stream, %d tones so far", s.last)
}

// Publish gives the tone the next sequence number and to every subscription, and returns the
// number. It does not wait. It is an error if t is no tone, and [ErrEnded] after the end. A number
// in place of a constant is another key, Publish(5) that of [Tone4]: see [FromChar].
func (s *Stream) Publish(t Tone) (uint64, error) { return s.PublishFrom("", t) }

// PublishFrom is Publish with the participant who pressed the key, in at most [MaxParticipant]
// bytes: a longer one is an error. For as long as the tone may be read, the stream keeps the text,
// and a longer one that it is a part of.
func (s *Stream) PublishFrom(participant string, t Tone) (uint64, error) {
	if !t.Valid() {
		return 0, t.invalid()
	}
	if n := len(participant); n > MaxParticipant {
		return 0, fmt.Errorf("tone: participant of %d bytes, must have at most %d", n, MaxParticipant)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, ErrEnded
	}
	s.last++
	if s.subs == nil {
		return s.last, nil // it can never be read
	}
	s.makeRoom()
	ring := *s.slots
	ring[s.last%uint64(len(ring))] = slot{s.now(), participant, t}
	for sub := s.subs; sub != nil; sub = sub.below {
		sub.offer(t)
	}
	return s.last, nil
}

// now reads the clock. While the tone before is still in the ring, the time passed since then is
// enough, from the monotonic clock alone: 30 ns instead of 57, of a tone's 105 (BenchmarkTone in
// bench). Each 64th tone reads the wall clock again, which somebody may have set.
func (s *Stream) now() time.Time {
	ring := *s.slots
	before := ring[(s.last-1)%uint64(len(ring))].time
	if before.IsZero() || s.last%64 == 0 {
		return time.Now()
	}
	return before.Add(time.Since(before))
}

// makeRoom makes or grows the ring, so that the newest tone overwrites one that all have read, or
// the oldest that may be kept.
func (s *Stream) makeRoom() {
	if s.slots == nil {
		ring := make([]slot, firstSlots)
		s.slots = &ring
		return
	}
	old := *s.slots
	n := uint64(len(old))
	if n == maxSlots || s.last <= n || s.lowest() > s.last-n {
		return
	}
	ring := make([]slot, 2*n)
	for seq := s.last - n; seq < s.last; seq++ {
		ring[seq%(2*n)] = old[seq%n]
	}
	*s.slots = ring
}

// lowest returns the number of the oldest tone that some subscription has not read.
func (s *Stream) lowest() uint64 {
	lowest := s.last + 1
	for sub := s.subs; sub != nil; sub = sub.below {
		lowest = min(lowest, sub.next)
	}
	return lowest
}

// drained drops a ring that is not needed.
func (s *Stream) drained() {
	if s.slots == nil || s.subs != nil && (len(*s.slots) <= keepSlots || s.lowest() <= s.last) {
		return
	}
	s.slots = nil
}

// End ends the stream with the call: nothing is published any more. What is left can still be read;
// then subscriptions say [ErrEnded]. To end it again does nothing.
func (s *Stream) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for sub := s.subs; sub != nil; {
		below := sub.below // sub may leave the list
		sub.settle()
		sub = below
	}
}

// Subscribe returns a subscription that is pulled: it gets every tone published from now on. Close
// it when it is not needed any more; the end of the stream ends it too.
func (s *Stream) Subscribe() *Subscription {
	sub := &Subscription{stream: s}
	s.add(sub)
	return sub
}

// Handle calls f with every tone of the set that is published from now on, in order, one at a time,
// on a goroutine of the stream's own that exists only while there are tones. f may block (then it
// lags, and no other does), and call everything of stream and handler that does not wait. A tone
// on which it panics or exits its goroutine counts as handled; [log/slog]'s default logger gets a
// warning, without the tone. The set must not be empty and f not nil.
func (s *Stream) Handle(set Set, f func(Event)) (*Handler, error) {
	switch {
	case f == nil:
		return nil, errors.New("tone: Handle: nil function")
	case set&All == 0:
		return nil, errors.New("tone: Handle: empty set")
	case set&^All != 0:
		return nil, errors.New("tone: Handle: set has what is no tone")
	}
	h := &Handler{Subscription{stream: s, set: set, handled: true, handle: f}}
	s.add(&h.sub)
	return h, nil
}

func (s *Stream) add(sub *Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.next = s.last + 1
	if sub.over = s.ended; sub.over {
		return
	}
	sub.below, s.subs = s.subs, sub
}

// remove takes a subscription from the list, if it is there.
func (s *Stream) remove(sub *Subscription) {
	for at := &s.subs; *at != nil; at = &(*at).below {
		if *at == sub {
			*at, sub.below = sub.below, nil
			s.drained()
			return
		}
	}
}
