package queue

import (
	"reflect"
	"strings"
	"sync"
	"unsafe"
)

// Size of the queue's own struct, and what a drained log keeps.
const Size = unsafe.Sizeof(Queue{})

// ItemSize is the size of an operation with what its queue needs to know of it.
const ItemSize = unsafe.Sizeof(item{})

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
	return len(q.log.entries) - q.toldToAll()
}

// LogLines returns the numbers of the cache lines that the log's slots lie on.
func (q *Queue) LogLines() (lines []uintptr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := uintptr(unsafe.Pointer(unsafe.SliceData(q.log.entries)))
	last := first + uintptr(cap(q.log.entries))*unsafe.Sizeof(entry{}) - 1
	for line := first / 64; line <= last/64; line++ {
		lines = append(lines, line)
	}
	return lines
}

// Finishing returns how many timeouts are armed or under way, and how many goroutines are about to
// close what has ended.
func (q *Queue) Finishing() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.finishing)
}

// PassSeams takes the lock and releases it, through the seams.
func (q *Queue) PassSeams() {
	q.enter(0)
	q.leave(0)
}

// WithSeam has f called before the lock is taken and after it was released, with what the goroutine
// is there for: 0 for a caller or a timer, else the roles that it has.
func WithSeam(f func(as uint64)) Option {
	return func(c *config) { c.seam = func(as roles) { f(uint64(as)) } }
}

// KeepSlots and IdleSlots bound a drained log, while operations live and when none does.
const (
	KeepSlots = keepSlots
	IdleSlots = idleSlots
)

// Pretend has the queue count n media callbacks on some stacks, and n goroutines that are about to
// close what has ended. What it returns takes them away again.
func (q *Queue) Pretend(callbacks, finishing int) (over func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range callbacks {
		q.callbacks++
	}
	for range finishing {
		q.finishing++
	}
	return func() {
		q.mu.Lock()
		for range callbacks {
			q.callbacks--
		}
		for range finishing {
			q.finishing--
		}
		q.unlock(nil)
	}
}

// Counters returns the integers that a queue consists of, by name, with their bits.
func Counters() map[string]int {
	all := map[string]int{}
	counters(reflect.TypeFor[Queue](), "", all)
	return all
}

func counters(t reflect.Type, name string, all map[string]int) {
	switch {
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr:
		all[name] = t.Bits()
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[sync.Mutex]():
		for i := range t.NumField() {
			f := t.Field(i)
			counters(f.Type, strings.TrimPrefix(name+"."+f.Name, "."), all)
		}
	default:
	}
}
