package journal

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// bucket is what a bucket has in its slots, as JetStream keeps it.
type bucket struct {
	sequence uint64
	values   map[uint32]value
}

// value is a batch in a slot.
type value struct {
	sequence uint64
	entries  []entry
}

func (b *bucket) put(slot uint32, entries []entry) {
	b.sequence++
	b.values[slot] = value{b.sequence, slices.Clone(entries)}
}

// read returns the revisions of the calls that are not over, as one who reads the bucket sees them.
func (b *bucket) read() map[*state]uint64 {
	values := slices.SortedFunc(maps.Values(b.values), func(x, y value) int { return int(x.sequence) - int(y.sequence) })
	calls := make(map[*state]uint64)
	for _, v := range values {
		for _, e := range v.entries {
			switch {
			case calls[e.state] > e.revision:
			case e.over:
				delete(calls, e.state)
			default:
				calls[e.state] = e.revision
			}
		}
	}
	return calls
}

// slotsWorld writes, fails, cleans and erases at random.
type slotsWorld struct {
	*rand.Rand

	t      *testing.T
	now    time.Time
	slots  *slots
	bucket bucket
	calls  []*state
}

// batch writes the next revisions of some calls; some writes fail, whether they arrive or not.
func (w *slotsWorld) batch(calls []*state, end float64) {
	torn := len(w.slots.torn) > 0
	to := w.slots.take(w.now)
	if !torn && len(to.entries) > 0 && w.now.Sub(to.freed) < w.slots.wait {
		w.t.Fatalf("slot %d is overwritten %v after it came free", to.number, w.now.Sub(to.freed))
	}
	if to.needed > 0 {
		w.t.Fatalf("slot %d is overwritten, and has %d records that are needed", to.number, to.needed)
	}
	entries := make([]entry, len(calls))
	for i, c := range calls {
		if c.written++; c.failed || c.over || w.Float64() < end {
			c.failed = true // it is over, whether that is confirmed or not
		}
		entries[i] = entry{c, c.written, 100 + w.Int32N(2000), c.failed}
	}
	arrives, confirmed := w.Float64() < 0.95, w.Float64() < 0.9
	if arrives {
		w.bucket.put(to.number, entries)
	}
	if arrives && confirmed {
		w.slots.wrote(to, entries, w.now)
		return
	}
	w.slots.failed(to)
}

func (w *slotsWorld) erase(most int) (n int) {
	for _, s := range w.slots.erasable(most, w.now) {
		if n++; s.needed > 0 {
			w.t.Fatalf("slot %d is erased, and has %d records that are needed", s.number, s.needed)
		}
		delete(w.bucket.values, s.number)
		w.slots.erased(s, w.now)
	}
	return n
}

// check compares what the bucket has with what was confirmed.
func (w *slotsWorld) check() {
	w.t.Helper()
	read := w.bucket.read()
	live := 0
	for _, c := range w.calls {
		switch revision, ok := read[c]; {
		case c.revision == 0:
		case c.over && ok && !w.torn(c):
			w.t.Fatalf("revision %d of a call that is over since %d comes back", revision, c.revision)
		case !c.over && !c.failed && revision < c.revision:
			w.t.Fatalf("revision %d is read, %d was confirmed", revision, c.revision)
		}
		if c.revision > 0 && !c.over {
			live++
		}
	}
	if live != w.slots.calls {
		w.t.Fatalf("%d calls are counted, there are %d", w.slots.calls, live)
	}
}

// torn reports whether a slot whose write has failed has a record of the call: it is overwritten
// before any other.
func (w *slotsWorld) torn(c *state) bool {
	for _, s := range w.slots.torn {
		for _, e := range w.bucket.values[s.number].entries {
			if e.state == c {
				return true
			}
		}
	}
	return false
}

// Whatever is written, fails and is erased: who reads the bucket finds each call's newest record
// that was confirmed, and none of a call that is over; the room is bounded, and comes free.
func TestSlotsKeepWhatIsNeededAndNoMore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := &slotsWorld{
			Rand: rand.New(rand.NewPCG(seed, 0)), t: t, now: time.Unix(0, 0), slots: newSlots(10 * time.Second),
			bucket: bucket{values: make(map[uint32]value)},
		}
		for range 200 {
			w.now = w.now.Add(time.Duration(w.IntN(2000)) * time.Millisecond)
			var some []*state
			for range w.IntN(5) {
				c := new(state)
				w.calls = append(w.calls, c)
				some = append(some, c)
			}
			for range min(len(w.calls), w.IntN(10)) {
				if c := w.calls[w.IntN(len(w.calls))]; !c.over && !slices.Contains(some, c) {
					some = append(some, c)
				}
			}
			if len(some) > 0 {
				w.batch(some, 0.1)
			}
			if w.IntN(4) == 0 {
				w.erase(w.IntN(5))
			}
			w.check()
		}
		for range 100 { // cleaning
			if calls := w.slots.sparse(50); len(calls) > 0 {
				w.batch(calls, 0)
				w.now = w.now.Add(time.Second)
				w.check()
			}
		}
		if w.slots.bytes > 2*w.slots.live+slack {
			t.Fatalf("seed %d: %d bytes are kept of %d that are needed", seed, w.slots.bytes, w.slots.live)
		}
		for round := 0; ; round++ {
			if round == 1000 {
				t.Fatalf("seed %d: %d slots stay used", seed, len(w.slots.used))
			}
			w.now = w.now.Add(time.Minute)
			var left []*state
			for _, c := range w.calls {
				if !c.over {
					left = append(left, c)
				}
			}
			if len(left) > 0 {
				w.batch(left, 1)
			} else if w.erase(1000) == 0 {
				break
			}
			w.check()
		}
		if n := len(w.bucket.values); n > 0 || len(w.slots.used) > 0 || w.slots.bytes != 0 || w.slots.live != 0 {
			t.Fatalf("seed %d: %d values are left, %d slots, %d and %d bytes", seed, n, len(w.slots.used), w.slots.bytes, w.slots.live)
		}
	}
}

// What is superseded makes room: slots of which little is needed are written once more.
func TestSparseSlotsAreCleaned(t *testing.T) {
	t.Parallel()
	s, now := newSlots(0), time.Unix(0, 0)
	var idle []*state
	write := func(calls ...*state) {
		entries := make([]entry, len(calls))
		for i, c := range calls {
			c.written++
			entries[i] = entry{state: c, revision: c.written, size: 4000}
		}
		s.wrote(s.take(now), entries, now)
	}
	busy := []*state{{}, {}, {}, {}}
	for range 200 { // each batch has one call that stays, and four that change with each
		c := new(state)
		idle = append(idle, c)
		write(append([]*state{c}, busy...)...)
	}
	if most := 2*s.live + slack; s.bytes <= most {
		t.Fatalf("%d bytes are kept, and should be more than %d", s.bytes, most)
	}
	for calls := s.sparse(20); len(calls) > 0; calls = s.sparse(20) {
		write(calls...)
	}
	if most := 2*s.live + slack; s.bytes > most {
		t.Errorf("%d bytes are kept, more than %d", s.bytes, most)
	}
	for _, c := range idle {
		if c.at == nil || !slices.ContainsFunc(c.at.entries, func(e entry) bool { return e.state == c && e.revision == c.revision }) {
			t.Fatal("a call that stays has lost its record")
		}
	}
}
