package queue

import (
	"reflect"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Size of the queue's own struct, and what a drained log keeps.
const Size = unsafe.Sizeof(Queue{})

// ItemSize is the size of an operation with what its queue needs to know of it.
const ItemSize = unsafe.Sizeof(entry{})

// LogSlots returns how many slots the log has.
func (q *Queue) LogSlots() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return cap(q.machine.log.records)
}

// LogEntries returns how many entries the log holds.
func (q *Queue) LogEntries() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.machine.log.records) - q.machine.log.head
}

// LogLines returns the numbers of the cache lines that the log's slots lie on.
func (q *Queue) LogLines() (lines []uintptr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := uintptr(unsafe.Pointer(unsafe.SliceData(q.machine.log.records)))
	last := first + uintptr(cap(q.machine.log.records))*unsafe.Sizeof(record{}) - 1
	for line := first / 64; line <= last/64; line++ {
		lines = append(lines, line)
	}
	return lines
}

// Answers returns how many answers are remembered for their idempotency keys.
func (q *Queue) Answers() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.machine.cold == nil || q.machine.cold.answers == nil {
		return 0
	}
	return len(q.machine.cold.answers.byKey)
}

// Finishing returns how many timeouts are armed or under way, and how many goroutines are about to
// close what has ended.
func (q *Queue) Finishing() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.dispatch.finishing)
}

// PassSeams takes the lock and releases it, through the seams.
func (q *Queue) PassSeams() {
	q.lock(byCaller)
	q.unlock(byCaller)
}

// WithSeam has f called before the lock is taken and after it was released, with what the goroutine
// is there for: 0 for a caller or a timer, else the roles that it has.
func WithSeam(f func(as uint64)) Option {
	return func(c *config) { c.seam = func(by actor) { f(uint64(by)) } }
}

// WithTick has the watch look so often, in a bubble.
func WithTick(d time.Duration) Option { return func(c *config) { c.tickEvery = d } }

// WatchIsIdle reports whether the watch of all queues outside of bubbles has nothing to look at.
func WatchIsIdle() bool {
	processWatch.mu.Lock()
	defer processWatch.mu.Unlock()
	return !processWatch.armed
}

// InOneBubble has queues share their lists of timeouts, though they live in a bubble: in one.
func InOneBubble() Option { return func(c *config) { c.oneBubble = true } }

// ByTimeout is what the seam gets of a timeout that has fired.
const ByTimeout = uint64(byTimeout)

// ByInlineDispatcher is what it gets of a goroutine of the queue's that goes on with inline calls.
const ByInlineDispatcher = uint64(byInlineDispatcher)

// ByGroup is what it gets of a group that seals or closes its queues.
const ByGroup = uint64(byGroup)

// KeepSlots and IdleSlots bound a drained log, while operations live and when none does.
const (
	KeepSlots = keepRecords
	IdleSlots = len(log{}.first)
)

// Pretend has the queue count so many abandoned media callbacks that are under way, and goroutines
// that are about to close what has ended. What it returns takes them away again.
func (q *Queue) Pretend(stuck, finishing int) (over func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range stuck {
		q.shellState().stuck++
	}
	for range finishing {
		q.dispatch.finishing++
	}
	return func() {
		q.mu.Lock()
		for range stuck {
			q.shellState().stuck--
		}
		for range finishing {
			q.dispatch.finishing--
		}
		q.commit(byCaller, time.Now(), nil, nil)
	}
}

// Counters returns the integers that a queue consists of, by name, with their bits.
func Counters() map[string]int {
	all := map[string]int{}
	counters(reflect.TypeFor[queueState](), "", all)
	return all
}

func counters(t reflect.Type, name string, all map[string]int) {
	switch {
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr:
		all[name] = t.Bits()
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[sync.Mutex]():
		for f := range t.Fields() {
			counters(f.Type, strings.TrimPrefix(name+"."+f.Name, "."), all)
		}
	default:
	}
}
