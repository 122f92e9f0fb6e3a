package queue

import (
	"time"

	"ivrqueue/operation"
)

// A caller that got no answer, since the network lost it, calls again. With an idempotency key the
// second call gets the answer of the first, and changes nothing.

// maxKeptReceipts bounds the operations in the receipts that a queue remembers, save for those of
// the last one, so that a few keys do not keep thousands of operations.
const maxKeptReceipts = 1024

// keyed says what a call with an idempotency key was.
type keyed struct {
	key  string
	call calls          // one
	kind operation.Kind // of the request
}

// answer is what the first call with a key was answered.
type answer struct {
	keyed

	operation *operation.Operation // that was accepted, or the own one of a cancel
	cancelled []*entry
	at        time.Time
	next      *answer // given after this one
}

// answers are the last ones, as many as the configuration says, in the order in which they were
// given.
type answers struct {
	byKey         map[string]*answer
	first, last   *answer
	inTheReceipts int // operations
}

// repeats returns the answer of the call that a call with the same key repeats, or nil if it is the
// first. It drops answers that are too old.
func (m *machine) repeats(k *keyed, at time.Time) (*answer, error) {
	if m.cold == nil || m.cold.answers == nil {
		return nil, nil //nolint:nilnil // there is no answer, and nothing is wrong
	}
	all := m.cold.answers
	for all.first != nil && at.Sub(all.first.at) >= m.config.keyAge {
		all.dropFirst()
	}
	a := all.byKey[k.key]
	if a != nil && (a.call != k.call || a.kind != k.kind) {
		return nil, ErrKeyReused
	}
	return a, nil
}

// remember keeps the answer of a first call for those that repeat it, and drops the oldest ones if
// there are too many.
func (m *machine) remember(
	k *keyed, op *operation.Operation, cancelled []*entry, at time.Time,
) {
	c := m.coldState()
	if c.answers == nil {
		c.answers = &answers{byKey: map[string]*answer{}}
	}
	all, a := c.answers, &answer{keyed: *k, operation: op, cancelled: cancelled, at: at}
	all.byKey[a.key] = a
	if all.last == nil {
		all.first = a
	} else {
		all.last.next = a
	}
	all.last = a
	all.inTheReceipts += len(a.cancelled)
	for len(all.byKey) > m.config.maxKeys ||
		all.inTheReceipts > maxKeptReceipts && all.first != all.last {
		all.dropFirst()
	}
}

func (all *answers) dropFirst() {
	a := all.first
	if all.first = a.next; all.first == nil {
		all.last = nil
	}
	delete(all.byKey, a.key)
	all.inTheReceipts -= len(a.cancelled)
}
