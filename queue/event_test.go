package queue_test

import (
	"context"
	"testing"
	"testing/synctest"

	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// An observer of several queues knows them apart, whatever their call ids are.
func TestAnEventNamesItsQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := make(map[*queue.Queue]int)
		all := make(chan queue.Event, 100)
		observer := queue.ObserverFunc(func(e queue.Event) { all <- e })
		want := make(map[*queue.Queue]int)
		for n := range 3 {
			q, err := queue.New("same", new(queuetest.Media), queue.WithObserver(observer))
			if err != nil {
				t.Fatal(err)
			}
			for range n {
				if _, err := q.Enqueue(context.Background(), play()); err != nil {
					t.Fatal(err)
				}
			}
			q.Close(nil)
			<-q.Done()
			want[q] = n + 1 // accepted, and closed
		}
		close(all)
		for e := range all {
			if e.Kind == queue.Accepted || e.Kind == queue.Closed {
				events[e.Queue]++
			}
		}
		for q, n := range want {
			if events[q] != n {
				t.Errorf("%d events, want %d", events[q], n)
			}
		}
		if len(events) != len(want) {
			t.Errorf("events of %d queues, want %d", len(events), len(want))
		}
	})
}
