package queue_test

import (
	"math/bits"
	"testing"
	"testing/synctest"

	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Counters are as wide as what they count. These tests look inside, since to count that far takes
// gigabytes.

// Beside 65,536 goroutines that have yet to close what they ended, Done is open.
func TestDoneWaitsForMoreGoroutinesThan16BitsCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, &queuetest.Media{})
		enqueue(t, q, 2)
		synctest.Wait()
		over := q.Pretend(0, 1<<16)
		q.Close(nil)
		synctest.Wait()
		if isClosed(q.Done()) {
			t.Error("Done is closed while 65,536 cancels have yet to close what they ended")
		}
		over()
		synctest.Wait()
		if !isClosed(q.Done()) {
			t.Error("Done is open, though nothing is under way")
		}
	})
}

// Beside 65,536 media callbacks on some stacks, events are not delivered inline.
func TestMoreCallbacksThan16BitsCountAreSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		q := newQueue(t, &queuetest.Media{},
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) { <-release })))
		over := q.Pretend(1<<16, 0)
		enqueued := make(chan struct{})
		go func() {
			defer close(enqueued)
			enqueue(t, q, 1)
		}()
		synctest.Wait()
		if !isClosed(enqueued) {
			t.Error("the event was delivered inline, under a media callback")
		}
		over()
		close(release)
	})
}

// What counts operations, or what is delivered of them, is as wide as a word; what counts goroutines
// and timers has 32 bits.
func TestWhatCountsOperationsIsAsWideAsMemory(t *testing.T) {
	t.Parallel()
	narrow := map[string]int{
		"dispatch.held": 32, "dispatch.detached": 32, // sets
		"dispatch.finishing": 32,                      // goroutines and timers
		"dispatch.calls":     16, "dispatch.seen": 16, // may wrap: they are only compared
		"dispatch.current": 8, "dispatch.clock": 8, "machine.phase": 8, "machine.timeout": 8, // names
		"machine.serves": 8, // a set
	}
	all := queue.Counters()
	for name, n := range all {
		if n < bits.UintSize && n != narrow[name] {
			t.Errorf("%s has %d bits", name, n)
		}
	}
	for _, name := range []string{"machine.log.leading.next", "machine.waiting.n", "dispatch.finishing"} {
		if all[name] == 0 {
			t.Errorf("%s is missing: %v", name, all)
		}
	}
}
