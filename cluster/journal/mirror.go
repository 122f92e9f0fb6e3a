package journal

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
)

// Epoch is one life of a node, by its name.
type Epoch struct {
	Node  string
	Epoch uint32
}

// mirror is the bucket in memory.
type mirror struct {
	mu     sync.Mutex // guards everything below
	epochs map[Epoch]*mirrored
	turned time.Time // when the ended calls of before were last forgotten
}

// rememberEnded is for how long at least the mirror remembers that a call has ended. The end may
// have passed by on its way to a bucket that did not get it, since its leader or the call's node
// has died: what the bucket has of the call then must not bring it back. It is longer than
// JetStream is away.
const rememberEnded = 5 * time.Minute

// mirrored is what there is of one life. It stays, without a record, until the life is removed.
type mirrored struct {
	records map[uuid.UUID]record
	bodies  map[uuid.UUID]map[uuid.UUID][]byte // those with keys of their own, by call and post
	ended   [2]map[uuid.UUID]struct{}          // ended calls: since the last turn, and before
}

// record is what is mirrored of a call. It is JSON until somebody needs it.
type record struct {
	revision uint64
	text     string
}

// turn forgets the calls that ended long before now. It is called again and again.
func (m *mirror) turn(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.turned) < rememberEnded {
		return
	}
	m.turned = now
	for _, all := range m.epochs {
		all.ended[1], all.ended[0] = all.ended[0], nil
	}
}

// of returns what there is of the life of a key.
func (m *mirror) of(k key) *mirrored {
	e := Epoch{k.node, k.epoch}
	all := m.epochs[e]
	if all == nil {
		all = &mirrored{
			records: make(map[uuid.UUID]record),
			bodies:  make(map[uuid.UUID]map[uuid.UUID][]byte),
		}
		if m.epochs == nil {
			m.epochs = make(map[Epoch]*mirrored)
		}
		m.epochs[e] = all
	}
	return all
}

// apply applies a value that has passed by, or that was read from the bucket and may be older than
// what has passed by.
//
// It reports whether the value was whole.
func (m *mirror) apply(k key, v []byte, erased bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.of(k)
	switch {
	case k.writer != "":
		return eachRecord(v, all.put) // a marker has none
	case erased:
		if delete(all.bodies[k.call], k.post); len(all.bodies[k.call]) == 0 {
			delete(all.bodies, k.call)
		}
	case !all.hasEnded(k.call):
		if all.bodies[k.call] == nil {
			all.bodies[k.call] = make(map[uuid.UUID][]byte)
		}
		all.bodies[k.call][k.post] = bytes.Clone(v)
	}
	return true
}

// put notes a record, if it is newer than what is known of the call.
func (a *mirrored) put(call uuid.UUID, revision uint64, text []byte) {
	switch r, ok := a.records[call]; {
	case ok && (r.revision > revision || r.revision == revision && len(text) > 0):
	case len(text) == 0:
		delete(a.records, call)
		delete(a.bodies, call)
		if a.ended[0] == nil {
			a.ended[0] = make(map[uuid.UUID]struct{})
		}
		a.ended[0][call] = struct{}{}
	case !a.hasEnded(call):
		a.records[call] = record{revision, string(text)}
	}
}

func (a *mirrored) hasEnded(call uuid.UUID) bool {
	for _, ended := range a.ended {
		if _, ok := ended[call]; ok {
			return true
		}
	}
	return false
}

// list returns the lives that were seen.
func (m *mirror) list() []Epoch {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.epochs))
}

// remove forgets a life.
func (m *mirror) remove(e Epoch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.epochs, e)
}

// calls returns the calls of a life.
func (m *mirror) calls(e Epoch) []uuid.UUID {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.epochs[e]
	if all == nil {
		return nil
	}
	return slices.Collect(maps.Keys(all.records))
}

// has reports whether a call of an owner has a record.
func (m *mirror) has(o callid.Owner, call uuid.UUID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e, all := range m.epochs { // few
		if e.Epoch == o.Epoch && callid.Of(e.Node) == o.Node {
			if _, ok := all.records[call]; ok {
				return true
			}
		}
	}
	return false
}

// owed reads the record of a call, with the bodies that lie elsewhere. One whose body is missing is
// left out: it was erased, so it has arrived.
func (m *mirror) owed(e Epoch, call uuid.UUID) (o graph.Owed, err error) {
	m.mu.Lock()
	var text string
	var bodies map[uuid.UUID][]byte
	if all := m.epochs[e]; all != nil {
		text, bodies = all.records[call].text, maps.Clone(all.bodies[call])
	}
	m.mu.Unlock()
	if text == "" {
		return o, fmt.Errorf("journal: no record of call %s", call)
	}
	if o, err = readRecord(text); err != nil {
		return o, fmt.Errorf("journal: the record of call %s: %w", call, err)
	}
	o.CallID = call
	for i := range o.Posts {
		if p := &o.Posts[i]; len(p.Body) == 0 {
			p.Body = bodies[p.ID]
		}
	}
	o.Posts = slices.DeleteFunc(o.Posts, func(p graph.OwedPost) bool { return len(p.Body) == 0 })
	return o, nil
}

func (m *mirror) size() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, all := range m.epochs {
		n += len(all.records)
	}
	return n
}
