package queue

import "unsafe"

// Size of the queue's own struct, and what a drained log keeps.
const Size = unsafe.Sizeof(Queue{})

// LogSlots returns how many slots the log has.
func (q *Queue) LogSlots() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return cap(q.log.entries)
}

// LogEntries returns how many entries the log holds.
func (q *Queue) LogEntries() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.log.entries) - int(q.log.head)
}

// Timers returns how many timeouts are armed.
func (q *Queue) Timers() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.timers)
}

// KeepSlots and IdleSlots bound a drained log, while operations live and when none does.
const (
	KeepSlots = keepSlots
	IdleSlots = idleSlots
)
