package graph

import (
	"container/list"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// A shelf holds the operations of a call that the bot can still read: those that live, in the order
// in which they came, and those that have ended, for some time and up to some number.
type shelf struct {
	store *store

	// Guarded by store.mu.
	order  list.List // of *shelved
	byID   map[uuid.UUID]*list.Element
	ended  int
	closed bool
}

// shelved is an operation on a shelf.
type shelved struct {
	operation *operation.Operation
	shelf     *shelf
	end       *list.Element // in the store's order of ends, once it has ended
}

// store bounds the shelves of all calls together.
type store struct {
	keepFor     time.Duration
	keepPerCall int
	keepInAll   int

	mu   sync.Mutex // guards everything below, and the shelves
	ends list.List  // of *list.Element of a shelf's order: those that ended, the oldest first
}

// ticket makes sure that an operation is put on its shelf once, by whoever comes first: the request
// that made it or the event that it was accepted. The later one may be so late that the operation
// has ended and left the shelf again.
type ticket struct{ used bool } // guarded by store.mu

// add puts an operation on the shelf. One that was not made by a request has no ticket.
func (s *shelf) add(op *operation.Operation, t *ticket) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.byID[op.ID()] != nil || t != nil && t.used {
		return
	}
	if t != nil {
		t.used = true
	}
	s.put(op)
}

// addEnded puts an operation on the shelf that was born completed.
func (s *shelf) addEnded(op *operation.Operation) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.put(op)
	s.lend(s.byID[op.ID()])
}

// end notes that an operation has ended: from now on its place on the shelf is lent. It reports
// whether the operation was there.
func (s *shelf) end(op *operation.Operation) bool {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	at := s.byID[op.ID()]
	s.lend(at)
	return at != nil
}

func (s *shelf) put(op *operation.Operation) {
	if s.closed {
		return
	}
	if s.byID == nil {
		s.byID = make(map[uuid.UUID]*list.Element)
	}
	s.byID[op.ID()] = s.order.PushBack(&shelved{operation: op, shelf: s})
}

func (s *shelf) lend(at *list.Element) {
	if at == nil {
		return
	}
	at.Value.(*shelved).end = s.store.ends.PushBack(at)
	s.ended++
	for at := s.order.Front(); at != nil && s.ended > s.store.keepPerCall; {
		next := at.Next()
		if at.Value.(*shelved).end != nil {
			s.remove(at)
		}
		at = next
	}
	for s.store.ends.Len() > s.store.keepInAll {
		oldest := s.store.ends.Front().Value.(*list.Element)
		oldest.Value.(*shelved).shelf.remove(oldest)
	}
	s.store.expire()
}

// expire takes from all shelves what has been there for its time.
func (st *store) expire() {
	for e := st.ends.Front(); e != nil; e = st.ends.Front() {
		at := e.Value.(*list.Element)
		sh := at.Value.(*shelved)
		if time.Since(sh.operation.Times().Ended) < st.keepFor {
			return
		}
		sh.shelf.remove(at)
	}
}

func (s *shelf) remove(at *list.Element) {
	sh := s.order.Remove(at).(*shelved)
	delete(s.byID, sh.operation.ID())
	if sh.end != nil {
		s.store.ends.Remove(sh.end)
		s.ended--
	}
}

// get returns the operation with this id.
func (s *shelf) get(id uuid.UUID) *operation.Operation {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.expire()
	if at := s.byID[id]; at != nil {
		return at.Value.(*shelved).operation
	}
	return nil
}

// all returns the operations in their order.
func (s *shelf) all() []*operation.Operation {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.expire()
	ops := make([]*operation.Operation, 0, s.order.Len())
	for at := s.order.Front(); at != nil; at = at.Next() {
		ops = append(ops, at.Value.(*shelved).operation)
	}
	return ops
}

// close empties the shelf for good.
func (s *shelf) close() {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.closed = true
	for s.order.Len() > 0 {
		s.remove(s.order.Front())
	}
}
