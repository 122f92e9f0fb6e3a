package journal

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
)

// What somebody waits for is shown to the other nodes: a batch of records, by a message of core
// NATS, which each of them puts into its mirror and answers. That is one round trip, with no disk
// and no election, and the mirrors are what heirs go by. The bucket, which nodes read that come
// later, gets the newest records twice a second.
//
// A batch that is shown is compressed: its records are alike, and a fifth of the bytes go through
// the servers, which copy each several times.

// shownToken is in the subjects of batches that are shown, and in those of their answers.
const shownToken = "shown"

// morePacked is by how much a batch may be longer when it is compressed, in bytes.
const morePacked = 16

// maxPayload is how long a message of NATS may be, in bytes, whatever its servers are set to.
const maxPayload = 64 << 20

// showing is a batch that is shown.
type showing struct {
	began   time.Time
	entries []entry
	others  int      // that have it
	missing []string // that live, and have not answered
	kept    bool     // its calls were told so
	again   bool     // its calls are shown again; answers still count
}

// shower is the part of the writer that shows.
type shower struct {
	line      []*state // to be shown
	number    uint64   // of the last batch
	under     map[uint64]*showing
	began     time.Time // the last batch
	silent    []string  // live nodes that do not answer
	missed    []*state  // that a node has not got which lives: to be shown again
	buffer    []byte    // for the next batch: a message is copied when it is published
	packed    []byte    // the same, compressed
	forBucket []*state  // to be written with the next sweep
}

// relies reports whether who waits has to wait for the bucket: because it is asked for, because
// the others that live are no majority, or because one of them does not answer.
func (w *writer) relies() bool {
	if w.journal.options.Durable {
		return true
	}
	others := w.journal.others()
	if len(others) < max(1, w.journal.options.Majority) {
		return true
	}
	return slices.ContainsFunc(w.show.silent, func(name string) bool {
		return slices.Contains(others, name)
	})
}

// toShow puts a call into the line of those that are shown.
func (w *writer) toShow(s *state) {
	if !s.toShow {
		s.toShow = true
		w.show.line = append(w.show.line, s)
	}
}

// later has a call written with the next sweep.
func (w *writer) later(s *state) {
	if !s.later {
		s.later = true
		w.show.forBucket = append(w.show.forBucket, s)
	}
}

// takeLater puts the calls that wait for the sweep into the line of the bucket.
func (w *writer) takeLater() {
	for _, s := range w.show.forBucket {
		s.later = false
		w.enqueue(s)
	}
	w.show.forBucket = nil
}

// showAll begins to show what is in line, and returns when to try again if not all could begin:
// while nobody else lives, say.
func (w *writer) showAll() (wait time.Duration) {
	for len(w.show.line) > 0 {
		now := time.Now()
		if len(w.show.under) >= maxShown || len(w.journal.others()) == 0 {
			return overdue
		}
		if wait := w.show.began.Add(showEvery).Sub(now); wait > 0 {
			return wait
		}
		w.showBatch(now)
	}
	return 0
}

// showBatch shows a batch of what is in line.
func (w *writer) showBatch(now time.Time) {
	j := w.journal
	b := &showing{began: now, missing: j.others()}
	data := w.show.buffer[:0]
	payload := int(j.conn.MaxPayload()) - morePacked
	n := 0
	for most := min(maxBatch, payload-maxEntry); n < len(w.show.line) && len(data) < most; n++ {
		s := w.show.line[n]
		if s.call == nil { // nobody waits for that, but a node that missed something does not know
			if s.toShow = false; w.ofThisLife(s) {
				data = appendRecord(data, s.id, s.written, nil)
				b.entries = append(b.entries, entry{state: s, revision: s.written})
			}
			continue
		}
		epoch := w.epoch
		o, mine := w.owed(s)
		if w.epoch != epoch {
			b.entries, data = nil, data[:0]
		}
		if !mine {
			s.toShow = false
			continue
		}
		text, err := w.encode(&o, math.MaxInt)
		switch room := payload - maxEntry - len(text); {
		case o.Over || err != nil || room < 0:
			s.toShow = false
			w.enqueue(s) // the bucket does not take one that is too large either, and says so
			continue
		case room < len(data):
			w.showWhat(b, data)
			w.show.line = slices.Delete(w.show.line, 0, n)
			return
		}
		s.toShow = false
		data = appendRecord(data, s.id, o.Revision, text)
		b.entries = append(b.entries, entry{state: s, revision: o.Revision})
	}
	if w.show.line = slices.Delete(w.show.line, 0, n); len(w.show.line) == 0 {
		w.show.line = nil
	}
	w.showWhat(b, data)
}

// showWhat sends a batch to the others.
func (w *writer) showWhat(b *showing, data []byte) {
	if len(b.entries) == 0 {
		return
	}
	w.show.number++
	w.show.began, w.show.under[w.show.number] = b.began, b
	m := nats.NewMsg(w.journal.shownSubject(w.key()))
	m.Reply = w.inbox + shownToken + strconv.FormatUint(w.show.number, 10)
	w.show.buffer, w.show.packed = data, s2.Encode(w.show.packed, data)
	m.Data = w.show.packed
	_ = w.journal.conn.PublishMsg(m) // if it is lost, it is shown again, and is in the bucket
}

// mirrored takes the answer of another node: it has a batch.
func (w *writer) mirrored(number, by string) {
	n, err := strconv.ParseUint(number, 10, 64)
	b := w.show.under[n]
	if i := slices.Index(w.show.silent, by); i >= 0 {
		w.show.silent = slices.Delete(w.show.silent, i, i+1)
		if len(w.show.silent) == 0 {
			w.showMissed(len(w.show.missed))
		}
	}
	if err != nil || b == nil {
		return
	}
	i := slices.Index(b.missing, by)
	if i < 0 {
		return
	}
	b.missing = slices.Delete(b.missing, i, i+1)
	w.showLost(n, by)
	if b.others++; b.others == w.journal.options.Majority {
		for _, e := range b.entries {
			if e.state.call != nil {
				e.state.call.Sent(e.revision)
			}
		}
	}
	w.judge(n, b)
}

// showLost has batches shown again at once that a node has not got: it has answered to a later one,
// and answers come in order.
func (w *writer) showLost(before uint64, by string) {
	lost := false
	for number, b := range w.show.under {
		if number < before && !b.again && slices.Contains(b.missing, by) {
			b.again, lost = true, true
			w.showAgain(b)
		}
	}
	if lost {
		w.showMissed(len(w.show.missed))
	}
}

// judge says that what a batch has is kept, if all others that live and answer have it: a majority.
func (w *writer) judge(number uint64, b *showing) {
	waits := slices.ContainsFunc(b.missing, func(name string) bool {
		return !slices.Contains(w.show.silent, name)
	})
	if b.others < w.journal.options.Majority {
		return
	}
	if len(b.missing) == 0 {
		delete(w.show.under, number)
	}
	if waits || b.kept || w.journal.options.Durable {
		return
	}
	b.kept = true
	w.journal.shown.Add(uint64(len(b.entries)))
	w.journal.options.Ledger.Waive(false)
	for _, e := range b.entries {
		if e.state.call != nil {
			e.state.call.Kept(e.revision)
		}
	}
}

// sweepShown looks after batches that have not been answered by all. Nobody waits any longer for a
// node that has not answered in time. What too few have is shown again, and so is what a node has
// missed that lives: it may be the heir.
func (w *writer) sweepShown(now time.Time) {
	live := w.journal.others()
	isDead := func(name string) bool { return !slices.Contains(live, name) }
	w.show.silent = slices.DeleteFunc(w.show.silent, isDead)
	for number, b := range w.show.under {
		b.missing = slices.DeleteFunc(b.missing, isDead)
		if now.Sub(b.began) >= w.journal.options.silent && !b.again {
			for _, name := range b.missing {
				if !slices.Contains(w.show.silent, name) {
					w.show.silent = append(w.show.silent, name)
				}
			}
		}
		w.judge(number, b)
		if _, under := w.show.under[number]; !under {
			continue
		}
		if now.Sub(b.began) >= writeTimeout && !b.again {
			b.again = true
			w.showAgain(b)
		}
		if now.Sub(b.began) >= answersLate {
			delete(w.show.under, number)
		}
	}
	w.showMissed(256) // one that is silent is asked by this, too
}

// showAgain has the calls of a batch shown again.
func (w *writer) showAgain(b *showing) {
	tooFew := b.others < w.journal.options.Majority
	for _, e := range b.entries {
		switch s := e.state; {
		case tooFew:
			w.toShow(s)
			w.enqueue(s)
		case !s.missed && (s.call != nil || len(w.show.missed) < maxMissed):
			s.missed = true
			w.show.missed = append(w.show.missed, s)
		}
	}
}

// showMissed puts calls that a node has missed into the line, at most so many.
func (w *writer) showMissed(most int) {
	n := min(most, len(w.show.missed))
	for _, s := range w.show.missed[:n] {
		s.missed = false
		w.toShow(s)
	}
	if w.show.missed = slices.Delete(w.show.missed, 0, n); len(w.show.missed) == 0 {
		w.show.missed = nil
	}
}

// owed returns what a call owes at the moment. It is not mine if others are to deliver it, or if
// the call's id is none of this cluster's.
func (w *writer) owed(s *state) (o graph.Owed, mine bool) {
	j := w.journal
	o = s.call.Owes()
	switch owner, ok := callid.OwnerOf(o.CallID); {
	case !ok || owner.Node != callid.Of(j.options.Node):
		j.foreign.Add(1)
		s.call.Kept(o.Revision) // never, but nobody should wait for it
	case !j.options.Holds(owner): // others deliver what it owes
		s.call.Sent(o.Revision) // nothing may be delivered here, and nothing should wait to be
	default:
		if s.id = o.CallID; owner.Epoch != w.epoch {
			w.live(owner.Epoch)
		}
		return o, true
	}
	delete(w.calls, s.call)
	return o, false
}

// shownSubject is where the batches of a life are shown.
func (j *Journal) shownSubject(k key) string {
	return j.options.Bucket + "." + shownToken + "." + strings.TrimSuffix(k.prefix(), ".")
}

// others are the names of the other nodes that live.
func (j *Journal) others() []string {
	if j.options.Others == nil {
		return nil
	}
	return j.options.Others()
}

// see puts what another node shows into the mirror, and answers. It is called by one goroutine.
func (j *Journal) see(m *nats.Msg) {
	parts := strings.Split(m.Subject, ".")
	if len(parts) != 4 || parts[2] == j.options.Node {
		return
	}
	epoch, err := strconv.ParseUint(parts[3], 10, 32)
	if err != nil || epoch == 0 {
		return
	}
	life := uint32(epoch) //nolint:gosec // it was parsed as one
	if n, err := s2.DecodedLen(m.Data); err != nil || n > maxPayload {
		return
	}
	batch, err := s2.Decode(j.unpacked, m.Data)
	if err != nil {
		return
	}
	j.unpacked = batch
	k := key{node: parts[2], epoch: life, writer: parts[2]}
	if j.mirror.apply(k, batch, false) && m.Reply != "" {
		_ = j.conn.Publish(m.Reply, []byte(j.options.Node)) // if it is lost, it is shown again
	}
}
