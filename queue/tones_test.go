package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// G9: a stuck, cancelled, interrupted, full or closed queue, and stuck observers, are nothing to
// the tones.
func TestTonesFlowWhateverTheQueueDoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var stream tone.Stream
		sub := stream.Subscribe()
		release := make(chan struct{})
		stuck := queue.ObserverFunc(func(queue.Event) { <-release })
		m := &queuetest.Media{OnStart: func(queue.Task) error { <-release; return nil }, OnStop: func(queue.Task) { <-release }}
		q := newQueue(t, m, queue.WithMaxPending(2), queue.WithObserver(stuck))
		defer close(release)
		press := func(when string) {
			t.Helper()
			seq, err := stream.Publish(tone.Pound)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if e, ok := sub.TryNext(); !ok || e.Seq != seq || e.Tone != tone.Pound || e.Lost != 0 {
				t.Errorf("%s: got %+v, %v", when, e, ok)
			}
		}
		press("idle")
		enqueue(t, q, 3)
		synctest.Wait()
		press("stuck and full")
		q.CancelAll()
		press("cancelled")
		q.Interrupt(t.Context(), play())
		press("interrupted")
		q.Close(nil)
		press("closed")
		time.Sleep(time.Minute)
		press("abandoned")
		stream.End()
	})
}
