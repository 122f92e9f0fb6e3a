package queue_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"ivrqueue/internal/goroutines"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// instant is media that ends every operation inside Start.
type instant struct{}

func (instant) Start(t queue.Task) error { t.End(operation.Result{}); return nil }
func (instant) Stop(t queue.Task)        { t.End(operation.Result{}) }

// patient is media whose operations last until they are ended by somebody.
type patient struct{ current queue.Task }

func (p *patient) Start(t queue.Task) error { p.current = t; return nil }
func (p *patient) Stop(t queue.Task)        { t.End(operation.Result{}) }

// life is one operation's life on an inline queue: accepted, started, ended, and delivered to an
// observer.
func life(q *queue.Queue, m *patient, req operation.Request) {
	if _, err := q.Enqueue(context.Background(), req); err != nil {
		panic(err)
	}
	m.current.End(operation.Result{})
}

// An operation with what its queue needs to know of it is as large as a size class of the allocator:
// one word more would cost each of them 16 bytes. What few have goes into the operation's extras.
func TestAnOperationIsSmall(t *testing.T) {
	if queue.ItemSize > 192 {
		t.Errorf("%d bytes, want at most 192", queue.ItemSize)
	}
}

func TestALifeInlineIsOneAllocation(t *testing.T) {
	for name, end := range map[string]bool{"ended inside Start": true, "ended later": false} {
		events := 0
		m := &patient{}
		var media queue.Media = m
		if end {
			media = instant{}
		}
		q := newQueue(t, media, queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) { events++ })))
		req := play()
		n := testing.AllocsPerRun(1000, func() {
			if end {
				if _, err := q.Enqueue(context.Background(), req); err != nil {
					t.Fatal(err)
				}
			} else {
				life(q, m, req)
			}
		})
		if n != 1 || events != 3*1001 {
			t.Errorf("%s: %v allocations, %d events; want 1, %d", name, n, events, 3*1001)
		}
	}
}

func TestACancelAllocatesNothingPerOperation(t *testing.T) {
	// The counts are the whole process's, so the least of many is what a cancel does.
	allocs := func(depth int) uint64 {
		q := newQueue(t, &patient{}, queue.WithInlineMedia(), queue.WithMaxPending(0),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
		req := play()
		least := uint64(math.MaxUint64)
		for range 20 {
			for range depth {
				q.Enqueue(context.Background(), req)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			q.CancelAll()
			runtime.ReadMemStats(&after)
			least = min(least, after.Mallocs-before.Mallocs)
		}
		return least
	}
	few, many := allocs(10), allocs(1000)
	if many > few+2 {
		t.Errorf("%d allocations at depth 10, %d at depth 1,000", few, many)
	}
	if few > 4 { // its operation, block and end of the generation, and its delivery
		t.Errorf("%d allocations at depth 10, want at most 4", few)
	}
}

// An idle call, queue and tone stream together, before and after it has worked: at most 320 bytes,
// no goroutine, no timer. Options are made once and shared, as a service does.
func TestAnIdleCallIsSmall(t *testing.T) {
	const calls = 20_000
	type call struct {
		q     *queue.Queue
		tones tone.Stream
	}
	for name, opts := range map[string]queue.Option{
		"inline": queue.Options(queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {}))),
		"plain":  queue.Options(queue.WithInlineMedia()),
	} {
		all := make([]call, calls)
		heap := func() uint64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := goroutines.Count()
		empty := heap()
		for i := range all {
			q, err := queue.New("call", instant{}, opts)
			if err != nil {
				t.Fatal(err)
			}
			all[i].q = q
		}
		fresh := float64(heap()-empty)/calls + float64(unsafe.Sizeof(tone.Stream{}))
		req := play()
		for i := range all {
			q := all[i].q
			for range 20 {
				if _, err := q.Enqueue(context.Background(), req); err != nil {
					t.Fatal(err)
				}
			}
			sub := all[i].tones.Subscribe()
			all[i].tones.Publish(tone.Tone1)
			sub.Close()
		}
		worked := float64(heap()-empty)/calls + float64(unsafe.Sizeof(tone.Stream{}))
		if math.Round(fresh) > 320 || math.Round(worked) > 320 {
			t.Errorf("%s: %.0f bytes a call, %.0f after it has worked; want at most 320", name, fresh, worked)
		}
		if n := goroutines.Count(); n > before+10 { // a few are the runtime's
			t.Errorf("%s: %d goroutines, %d before", name, n, before)
		}
		t.Logf("%s: %.0f bytes a call, %.0f after it has worked", name, fresh, worked)
		runtime.KeepAlive(all)
	}
}

// BenchmarkFloor is the least that a life can cost: allocate the operation, make an id, take a lock
// twice, store a state twice, read the clock twice.
func BenchmarkFloor(b *testing.B) {
	type op struct {
		id              uuid.UUID
		state           atomic.Uint32
		accepted, ended time.Time
		_               [(queue.ItemSize - 72) / 8]*byte // as large as an operation in its queue
	}
	var mu sync.Mutex
	var last *op
	b.ReportAllocs()
	for b.Loop() {
		o := new(op)
		o.id = uuid.New()
		mu.Lock()
		o.accepted = time.Now()
		o.state.Store(1)
		last = o
		mu.Unlock()
		mu.Lock()
		o.ended = time.Now()
		o.state.Store(2)
		mu.Unlock()
	}
	runtime.KeepAlive(last)
}

// BenchmarkSeams is what the seams cost where none is set: the lock taken and released
// through them, beside a lock as it is.
func BenchmarkSeams(b *testing.B) {
	b.Run("lock", func(b *testing.B) {
		var mu sync.Mutex
		for b.Loop() {
			lockAndUnlock(&mu)
		}
	})
	b.Run("through seams", func(b *testing.B) {
		q := newQueue(b, instant{})
		for b.Loop() {
			q.PassSeams()
		}
	})
}

// lockAndUnlock is a call, as the other side of the comparison is.
//
//go:noinline
func lockAndUnlock(mu *sync.Mutex) {
	mu.Lock()
	mu.Unlock() //nolint:staticcheck // it is what is measured
}

// BenchmarkLife is one operation's whole life, delivered to one observer; default is the round trip
// from Enqueue to its Ended event.
func BenchmarkLife(b *testing.B) {
	req := play()
	b.Run("inline", func(b *testing.B) {
		m := &patient{}
		q := newQueue(b, m, queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
		b.ReportAllocs()
		for b.Loop() {
			life(q, m, req)
		}
	})
	b.Run("default", func(b *testing.B) {
		ended := make(chan struct{}, 1)
		q := newQueue(b, instant{}, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Ended {
				ended <- struct{}{}
			}
		})))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := q.Enqueue(context.Background(), req); err != nil {
				b.Fatal(err)
			}
			<-ended
		}
	})
	b.Run("blocking", func(b *testing.B) {
		q := newQueue(b, queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
			return operation.Result{}, nil
		}))
		b.ReportAllocs()
		for b.Loop() {
			op, err := q.Enqueue(context.Background(), req)
			if err != nil {
				b.Fatal(err)
			}
			<-op.Done()
		}
	})
}

// BenchmarkCancelAll cancels a queue of some depth; with waiters, somebody waits for each
// operation.
func BenchmarkCancelAll(b *testing.B) {
	for _, waiters := range []bool{false, true} {
		for _, depth := range []int{1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("waiters=%v/depth=%d", waiters, depth), func(b *testing.B) {
				q := newQueue(b, &patient{}, queue.WithInlineMedia(), queue.WithMaxPending(0))
				req := play()
				var spent time.Duration
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					for range depth {
						op, err := q.Enqueue(context.Background(), req)
						if err != nil {
							b.Fatal(err)
						}
						if waiters {
							op.Done()
						}
					}
					b.StartTimer()
					start := time.Now()
					q.CancelAll()
					spent += time.Since(start)
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/float64(depth), "ns/operation")
			})
		}
	}
}
