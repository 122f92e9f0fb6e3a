package queue_test

import (
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// A dispatcher that was detached, and goes on when its callback has returned at last, is watched
// like any other: the next callback that blocks holds up no event either.
func TestADispatcherThatHasRejoinedIsWatched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var gates []chan struct{}
		media := &queuetest.Media{OnStart: func(task queue.Task) error {
			task.End(operation.Result{})
			gate := make(chan struct{})
			gates = append(gates, gate)
			<-gate
			return nil
		}}
		ended := 0
		q := newQueue(t, media, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Ended {
				ended++
			}
		})))
		enqueue(t, q, 3)
		for want := 1; want <= 3; want++ {
			idle()
			if len(gates) != want || ended != want {
				t.Fatalf("in callback %d the observer got %d ends", len(gates), ended)
			}
			close(gates[want-1])
		}
	})
}
