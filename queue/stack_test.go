//go:build !race

package queue_test

import (
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A dispatcher with a simple callback fits on the stack that a new goroutine gets, 2 KB: to move it
// to a larger one costs more than everything else that it does. Not parallel: it counts stacks.
func TestADispatcherFitsOnANewStack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would shrink them
	for _, name := range []string{"in an observer, after the end", "in Start, after the end"} {
		t.Run(name, func(t *testing.T) {
			least := uint64(math.MaxUint64)
			for range 5 { // a machine that is busy preempts goroutines, which takes stack too
				least = min(least, stackOfADispatcher(t, name == "in Start, after the end"))
			}
			if least > 3000 {
				t.Errorf("%d bytes of stack for each dispatcher, want 2048", least)
			}
		})
	}
}

// stackOfADispatcher returns how much stack a dispatcher has whose callback blocks, on average.
func stackOfADispatcher(t *testing.T, inStart bool) uint64 {
	t.Helper()
	const calls = 500
	var arrived sync.WaitGroup
	release := make(chan struct{})
	b := &blocker{&arrived, release}
	var media queue.Media = instant{}
	var observer queue.Observer = b
	if inStart {
		media, observer = b, queue.ObserverFunc(func(queue.Event) {})
	}
	queues := make([]*queue.Queue, calls)
	for i := range queues {
		queues[i] = newQueueWithoutCleanup(t, media, queue.WithObserver(observer))
	}
	arrived.Add(calls)
	defer startWithSmallStacks()()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, q := range queues {
		enqueue(t, q, 1)
	}
	arrived.Wait()
	runtime.ReadMemStats(&after)
	close(release)
	for _, q := range queues {
		q.Close(nil)
		<-q.Done()
	}
	return (after.StackInuse - before.StackInuse) / calls
}

// startWithSmallStacks has goroutines begin with the least stack, whatever tests ran before: a
// collection takes away the stacks of those that have ended, and makes the average of those that it
// finds the size of new ones (adaptivestackstart of GODEBUG). It holds until what it returns is
// called.
func startWithSmallStacks() (over func()) {
	parked := make(chan struct{})
	for range 10_000 {
		go func() { <-parked }()
	}
	runtime.GC()
	runtime.GC()
	return func() { close(parked) }
}

// blocker is an observer that blocks in Ended, and media that blocks in Start when it has reported
// the end.
type blocker struct {
	arrived *sync.WaitGroup
	release chan struct{}
}

func (b *blocker) Observe(e queue.Event) {
	var room [observerRoom]byte
	if e.Kind == queue.Ended {
		b.arrived.Done()
		<-b.release
	}
	keep(room[:])
}

func (b *blocker) Start(t queue.Task) error {
	var room [mediaRoom]byte
	t.End(operation.Result{})
	keep(room[:])
	b.arrived.Done()
	<-b.release
	return nil
}

func (b *blocker) Stop(queue.Task) {}

// What callbacks may have on the stack besides, in bytes: an observer when it sends on a channel,
// media when it reports the end.
const (
	observerRoom = 96
	mediaRoom    = 96
)

// keep has room stay on the stack.
//
//go:noinline
func keep(room []byte) { room[0] = 1 }
