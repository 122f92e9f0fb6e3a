package cluster

import (
	"time"

	"github.com/google/uuid"
)

const (
	rereadEvery = time.Minute    // it is tried again: there may be a newer record
	unreadFor   = 24 * time.Hour // for which it is left to a node that can: of a newer build, say
)

// unread are the calls whose records this node, as their heir, can't read.
type unread map[uuid.UUID]unreadCall

// unreadCall is when a record could not be read for the first and for the last time.
type unreadCall struct{ first, last time.Time }

// waits reports whether the record of a call is not to be read yet.
func (u unread) waits(call uuid.UUID, now time.Time) bool {
	c, ok := u[call]
	return ok && now.Sub(c.last) < rereadEvery
}

// note notes that a record could not be read. It reports whether that is new, and whether it has
// been so for so long that nobody will.
func (u unread) note(call uuid.UUID, now time.Time) (first, over bool) {
	c, known := u[call]
	if !known {
		c.first = now
	}
	c.last = now
	u[call] = c
	return !known, now.Sub(c.first) >= unreadFor
}

// forget forgets calls that are not tried any more: their records are gone, or another node's part.
func (u unread) forget(now time.Time) {
	for call, c := range u {
		if now.Sub(c.last) > 2*rereadEvery {
			delete(u, call)
		}
	}
}
