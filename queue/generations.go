package queue

import (
	"time"

	"ivrqueue/operation"
)

// The live operations of a queue belong to one generation, so that one atomic store ends them all.
// When the first protected one comes, there is a second generation, of those that are protected,
// and the first one is linked to it: then there is a store for each of the two instants that there
// can be. The end of the first ends the unprotected ones, the end of the second ends all.

// generationOf returns the generation that an operation joins.
func (m *machine) generationOf(e *entry) *operation.Generation {
	if e.protected {
		return m.protectedGeneration()
	}
	if m.generation == nil {
		m.generation = new(operation.Generation)
		if m.cold != nil && m.cold.protected != nil {
			m.generation.Link(m.cold.protected)
		}
	}
	return m.generation
}

// protectedGeneration returns that of the protected operations, which it begins if there is none.
func (m *machine) protectedGeneration() *operation.Generation {
	c := m.coldState()
	if c.protected == nil {
		c.protected = new(operation.Generation)
		if m.generation != nil {
			m.generation.Link(c.protected)
		}
	}
	return c.protected
}

// endGeneration ends the live operations, or, if some are to be spared, those that are not
// protected: by one store.
func (m *machine) endGeneration(how ending, at time.Time, position time.Duration) {
	ends := m.generation
	if m.cold != nil && m.cold.protected != nil && !how.spare {
		ends = m.cold.protected // and the other one, by its link
		m.cold.protected = nil
	}
	m.generation = nil
	ends.End(how.why, how.by, at, position)
}

// protectedWaiting counts the protected operations that wait.
func (m *machine) protectedWaiting() (n int) {
	if m.cold == nil || m.cold.protected == nil {
		return 0
	}
	for e := m.waiting.head; e != nil; e = e.next {
		if e.protected {
			n++
		}
	}
	return n
}
