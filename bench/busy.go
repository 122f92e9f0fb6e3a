package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ivrqueue/bench/hand"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// What a busy call is like: a play lasts so long, and its observer takes its time over each event.
const (
	playTime    = 50 * time.Millisecond
	observeTime = time.Millisecond
)

// BusyCall is a call of a service under load.
type BusyCall interface {
	Enqueue() // of an operation that plays for a while; if there is no room, none
	CancelAll()
	Close()
}

// Stopwatch collects the times from a CancelAll until Stop was called. What the end of the call
// stops does not count: so whoever closes the calls first has the last of them too.
type Stopwatch struct {
	mu    sync.Mutex
	times []time.Duration
}

func (s *Stopwatch) add(d time.Duration) {
	s.mu.Lock()
	s.times = append(s.times, d)
	s.mu.Unlock()
}

// Take returns what was collected, and begins anew.
func (s *Stopwatch) Take() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times
	s.times = nil
	return times
}

// stamp is when a call was cancelled last.
type stamp struct{ at atomic.Pointer[time.Time] }

func (s *stamp) now() {
	now := time.Now()
	s.at.Store(&now)
}

func (s *stamp) since() time.Duration { return time.Since(*s.at.Load()) }

// BusyDefault is a call of ours with default delivery.
func BusyDefault(stops *Stopwatch) BusyCall {
	c := &busyDefault{work: NewWork(func() {}), stops: stops}
	c.line = busyManner.open(c, Setting{})
	return c
}

var busyManner = newManner(
	queue.ObserverFunc(func(queue.Event) { time.Sleep(observeTime) }), queue.WithObserver)

type busyDefault struct {
	line

	work      *Work
	stops     *Stopwatch
	cancelled stamp
	playing   atomic.Pointer[time.Timer]
}

func (c *busyDefault) Start(t queue.Task) error {
	c.playing.Store(time.AfterFunc(playTime, func() { t.End(operation.Result{}) }))
	return nil
}

func (c *busyDefault) Stop(t queue.Task) {
	if r, _ := t.Result(); r.Reason == operation.Cancelled {
		c.stops.add(c.cancelled.since())
	}
	c.playing.Load().Stop()
	t.End(operation.Result{})
}

func (c *busyDefault) Enqueue() {
	_, err := c.queue.Enqueue(context.Background(), c.work)
	if err != nil && !errors.Is(err, queue.ErrFull) {
		panic(err)
	}
}

func (c *busyDefault) CancelAll() {
	c.cancelled.now()
	c.queue.CancelAll()
}

// BusyHand is the same with the queue written by hand.
func BusyHand(stops *Stopwatch) BusyCall {
	c := &busyHand{work: NewWork(func() {})}
	play := func(o *hand.Op) operation.Reason {
		played := time.NewTimer(playTime)
		defer played.Stop()
		select {
		case <-o.Done():
			if o.Reason() == operation.Cancelled {
				stops.add(c.cancelled.since())
			}
		case <-played.C:
		}
		return operation.Succeeded
	}
	c.queue = hand.New(play, func(hand.Event) { time.Sleep(observeTime) })
	return c
}

type busyHand struct {
	queue     *hand.Queue
	work      *Work
	cancelled stamp
}

func (c *busyHand) Enqueue() {
	if _, err := c.queue.Enqueue(c.work); err != nil && !errors.Is(err, hand.ErrFull) {
		panic(err)
	}
}

func (c *busyHand) CancelAll() {
	c.cancelled.now()
	c.queue.CancelAll()
}

func (c *busyHand) Close() { c.queue.Close() }

// BusyBaseline is what the machine does under a load of its kind: an operation is a goroutine that
// sleeps as an observer does, and a cancel starts a goroutine.
func BusyBaseline(stops *Stopwatch) BusyCall { return &busyBaseline{stops: stops} }

type busyBaseline struct {
	stops    *Stopwatch
	baseline baseline
	all      sync.WaitGroup
}

var baselineWork = NewWork(func() {})

func (c *busyBaseline) Enqueue() {
	c.baseline.Submit(baselineWork)
	c.all.Go(func() {
		for range 3 { // events
			time.Sleep(observeTime)
		}
	})
}

func (c *busyBaseline) CancelAll() {
	begin := time.Now()
	c.all.Go(func() { c.stops.add(time.Since(begin)) })
}

func (c *busyBaseline) Close() { c.all.Wait() }
