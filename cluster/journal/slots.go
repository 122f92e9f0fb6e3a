package journal

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
)

// slots are where the batches of one life lie, and what is needed of them. A slot whose records are
// all superseded is free, and another batch overwrites it: so nothing has to be erased.
//
// What makes that right: of each call the newest record is in a slot that is not free. That a call
// is over is a record too, and needed for as long as another slot has an older record of the call,
// or whoever reads the bucket would take that one for true. A slot is free for a while before it is
// overwritten, so that who reads the bucket meanwhile finds in it what it has not found elsewhere.
type slots struct {
	wait time.Duration // from free to overwritten

	next uint32
	used map[*slot]struct{} // with something that is needed
	free []*slot            // in the order in which they came to be
	torn []*slot            // whose last write has failed: nobody knows what they have

	bytes, live int // of the records in used slots, and of those that are needed
	calls       int // with a record that was confirmed, and not over
}

// slot is one of them.
type slot struct {
	number  uint32
	entries []entry // what the last write that was confirmed has put there
	bytes   int     // of them
	live    int     // of those that are needed
	needed  int     // how many that are
	freed   time.Time
}

// entry is a record in a batch.
type entry struct {
	state    *state
	revision uint64
	size     int32
	over     bool
}

// state is what is known of a call with records in the bucket.
type state struct {
	call     *graph.Call // nil when it owes nothing any more
	id       uuid.UUID
	written  uint64 // the newest revision in a batch
	revision uint64 // of the newest record that was confirmed
	over     bool   // which says that it owes nothing any more
	queued   bool   // it is in line to be written
	toShow   bool   // it is in line to be shown
	later    bool   // it is to be written with the next sweep
	missed   bool   // a node has not got it, and it is to be shown again
	failed   bool   // its last write has failed
	at       *slot  // where the newest record is; nil if none is needed
	size     int32  // of that
	copies   int32  // in all slots
	bodies   map[uuid.UUID]bool
}

func newSlots(wait time.Duration) *slots {
	return &slots{wait: wait, used: make(map[*slot]struct{})}
}

// take returns the slot for the next batch.
func (s *slots) take(now time.Time) *slot {
	switch {
	case len(s.torn) > 0:
		return pop(&s.torn)
	case len(s.free) > 0 && now.Sub(s.free[0].freed) >= s.wait:
		return pop(&s.free)
	}
	s.next++
	return &slot{number: s.next}
}

func pop(from *[]*slot) *slot {
	first := (*from)[0]
	*from = slices.Delete(*from, 0, 1)
	return first
}

// wrote notes that a batch is in its slot, in the place of what was there.
func (s *slots) wrote(to *slot, entries []entry, now time.Time) {
	s.erased(to, now)
	to.entries = entries
	for _, e := range entries {
		to.bytes += int(e.size)
	}
	s.used[to] = struct{}{}
	s.bytes += to.bytes
	to.needed++ // until all are in
	for _, e := range entries {
		c := e.state
		c.copies++
		if e.revision < c.revision { // confirmed before it, though written later
			continue
		}
		s.drop(c, now)
		s.count(c, &e)
		if c.revision, c.over = e.revision, e.over; e.over && c.copies == 1 {
			continue
		}
		c.at, c.size = to, e.size
		to.needed++
		to.live += int(e.size)
		s.live += int(e.size)
	}
	s.release(to, 0, now)
}

// count counts a call whose record is confirmed.
func (s *slots) count(c *state, e *entry) {
	was, is := c.revision > 0 && !c.over, !e.over
	switch {
	case is && !was:
		s.calls++
	case was && !is:
		s.calls--
	}
}

// failed notes that a write has failed.
func (s *slots) failed(to *slot) { s.torn = append(s.torn, to) }

// erased notes that what a slot had is not there any more.
func (s *slots) erased(from *slot, now time.Time) {
	for _, e := range from.entries {
		c := e.state
		if c.copies--; c.copies == 1 && c.over { // no other slot has an older record of it
			s.drop(c, now)
		}
	}
	from.entries, from.bytes = nil, 0
}

// drop notes that the newest record of a call is not needed any more.
func (s *slots) drop(c *state, now time.Time) {
	if c.at == nil {
		return
	}
	at, size := c.at, int(c.size)
	c.at, c.size = nil, 0
	s.live -= size
	s.release(at, size, now)
}

// release notes that one record less is needed of a slot.
func (s *slots) release(of *slot, size int, now time.Time) {
	of.live -= size
	if of.needed--; of.needed > 0 {
		return
	}
	delete(s.used, of)
	s.bytes -= of.bytes
	of.freed = now
	s.free = append(s.free, of)
}

// erasable takes slots out that nobody has overwritten, to be erased.
func (s *slots) erasable(most int, now time.Time) []*slot {
	taken := s.torn[:min(most, len(s.torn))]
	s.torn = slices.Clone(s.torn[len(taken):])
	n := 0
	for n < len(s.free) && len(taken)+n < most && now.Sub(s.free[n].freed) >= s.wait {
		n++
	}
	taken = slices.Concat(taken, s.free[:n])
	s.free = slices.Delete(s.free, 0, n)
	return taken
}

// slack is how many bytes of superseded records lie in used slots before they are cleaned.
const slack = 1 << 20

// sparse returns calls whose records are to be written once more, so that their slots come free: at
// most so many, and none while less than half of what lies there is superseded.
func (s *slots) sparse(most int) (calls []*state) {
	if s.bytes <= 2*s.live+slack {
		return nil
	}
	for of := range s.used {
		if 2*of.live > of.bytes {
			continue
		}
		for _, e := range of.entries {
			if e.state.at == of {
				calls = append(calls, e.state)
			}
		}
		if len(calls) >= most {
			break
		}
	}
	return calls
}
