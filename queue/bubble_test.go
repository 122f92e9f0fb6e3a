package queue_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// Whatever is done in bubbles, queues outside have their watch and their timeouts: a timer that began
// in a bubble would end with it. Options are shared by all of them, and one queue was made outside, has
// worked there, and works on in a bubble; another one lives in a bubble decades after its beginning.
func TestBubblesTakeNoClockAway(t *testing.T) { //nolint:paralleltest // others would arm the timers first
	shared := queue.Options(quiet, queue.WithStopTimeout(20*time.Millisecond), queue.WithRunTimeout(time.Hour))
	stuck := make(chan struct{})
	defer close(stuck)
	silent := func() *queuetest.Media { return &queuetest.Media{OnStop: func(queue.Task) {}} }

	m := silent()
	outside, err := queue.New("outside", m, shared)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, outside, 1)
	if _, err := m.WaitStarted(within(t), 1); err != nil {
		t.Fatal(err)
	}
	for !queue.WatchIsIdle() {
		runtime.Gosched()
	}
	for _, q := range []*queue.Queue{outside, nil} {
		synctest.Test(t, func(t *testing.T) {
			if q == nil {
				time.Sleep(30 * 365 * 24 * time.Hour)
				if q, err = queue.New("decades", silent(), shared); err != nil {
					t.Fatal(err)
				}
				enqueue(t, q, 1)
				synctest.Wait()
			}
			q.CancelAll()
			synctest.Wait()
		})
	}

	// The watch: an observer that does not return holds up nothing else.
	q := newQueue(t, ender(), shared, queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-stuck })))
	if _, err := enqueue(t, q, 1)[0].Wait(within(t)); err != nil {
		t.Errorf("the watch: %v", err)
	}

	// The stop timeout: media that does not report is abandoned.
	m = silent()
	if q, err = queue.New("call", m, shared); err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, 1)
	if _, err := m.WaitStarted(within(t), 1); err != nil {
		t.Fatal(err)
	}
	q.CancelAll()
	enqueue(t, q, 1)
	if _, err := m.WaitStarted(within(t), 2); err != nil {
		t.Errorf("the stop timeout: %v", err)
	}
	q.Close(nil)
}
