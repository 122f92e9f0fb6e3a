//go:build !race

package queue_test

import (
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A dispatcher with a simple callback fits on the stack that a new goroutine gets, 2 KB: to move it to
// a larger one costs more than everything else that it does. Not parallel: it counts stacks.
func TestADispatcherFitsOnANewStack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would shrink them
	const calls = 2000
	for _, name := range []string{"in an observer, after the end", "in Start, after the end"} {
		t.Run(name, func(t *testing.T) {
			var arrived sync.WaitGroup
			release := make(chan struct{})
			b := &blocker{&arrived, release}
			var media queue.Media = instant{}
			var observer queue.Observer = b
			if name == "in Start, after the end" {
				media, observer = b, queue.ObserverFunc(func(queue.Event) {})
			}
			queues := make([]*queue.Queue, calls)
			for i := range queues {
				queues[i] = newQueueWithoutCleanup(t, media, queue.WithObserver(observer))
			}
			arrived.Add(calls)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, q := range queues {
				enqueue(t, q, 1)
			}
			arrived.Wait()
			runtime.ReadMemStats(&after)
			if each := (after.StackInuse - before.StackInuse) / calls; each > 3000 {
				t.Errorf("%d bytes of stack for each dispatcher, want 2048", each)
			}
			close(release)
			for _, q := range queues {
				q.Close(nil)
				<-q.Done()
			}
		})
	}
}

// blocker is an observer that blocks in Ended, and media that blocks in Start when it has told the end.
type blocker struct {
	arrived *sync.WaitGroup
	release chan struct{}
}

func (b *blocker) Observe(e queue.Event) {
	if e.Kind == queue.Ended {
		b.arrived.Done()
		<-b.release
	}
}

func (b *blocker) Start(t queue.Task) error {
	t.End(operation.Result{})
	b.arrived.Done()
	<-b.release
	return nil
}

func (b *blocker) Stop(queue.Task) {}
