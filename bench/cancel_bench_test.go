package bench_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/bench"
)

// BenchmarkCancelAll cancels a call of some depth; what is timed is the cancel alone. For ours also
// where somebody has asked for the Done channel of each operation (awaited), where somebody sleeps on
// each (asleep), and where an observer gets an event of each (observed).
func BenchmarkCancelAll(b *testing.B) {
	who := []*bench.Contestant{
		bench.Inline, bench.Default, bench.Blocking, bench.Hand, bench.LoopLab,
	}
	compare(b, who, func(b *testing.B, c *bench.Contestant) {
		for _, depth := range []int{1, 10, 100, 1000} {
			at := fmt.Sprintf("depth=%d", depth)
			b.Run(at, func(b *testing.B) { cancelAll(b, c, cancelled{depth: depth}) })
			if c != bench.Inline && c != bench.Default {
				continue
			}
			for _, form := range []cancelled{
				{name: "awaited", depth: depth, awaited: true},
				{name: "asleep", depth: depth, awaited: true, asleep: true},
				{name: "observed", depth: depth, observed: true},
			} {
				b.Run(form.name+"/"+at, func(b *testing.B) { cancelAll(b, c, form) })
			}
		}
	})
}

// cancelled says what is cancelled.
type cancelled struct {
	name                      string
	depth                     int
	awaited, asleep, observed bool
}

func cancelAll(b *testing.B, c *bench.Contestant, form cancelled) {
	b.Helper()
	s := bench.Setting{Use: bench.Held}
	if form.observed {
		s.Use = bench.Watched
	}
	call := c.Open(s).(bench.Canceller)
	defer call.Close()
	w := bench.NewWork(nothing)
	var sleepers sync.WaitGroup
	fill := func() {
		for range form.depth {
			op := call.Hold(w, form.awaited)
			if form.asleep {
				done := op.(interface{ Done() <-chan struct{} }).Done()
				sleepers.Go(func() { <-done })
			}
		}
		call.Settle()
	}
	var spent time.Duration
	for b.Loop() {
		fill()
		begin := time.Now()
		n := call.CancelAll()
		spent += time.Since(begin)
		if n != form.depth {
			b.Fatalf("%d ended, want %d", n, form.depth)
		}
		sleepers.Wait()
		call.Settle()
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/op")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*form.depth), "ns/cancelled")

	var before, after runtime.MemStats
	least := ^uint64(0) // the counts are the whole process's, and others allocate now and then
	for range 3 {
		fill()
		runtime.ReadMemStats(&before)
		call.CancelAll()
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
		sleepers.Wait()
		call.Settle()
	}
	b.ReportMetric(float64(least), "allocs/cancel")
}

// BenchmarkStatus reads a state while another goroutine makes and cancels operations.
func BenchmarkStatus(b *testing.B) {
	compare(b, []*bench.Contestant{bench.Inline, bench.Hand, bench.LoopLab},
		func(b *testing.B, c *bench.Contestant) {
			call := c.Open(bench.Setting{Use: bench.Held}).(bench.Canceller)
			defer call.Close()
			var current atomic.Pointer[bench.Op]
			var over atomic.Bool
			w := bench.NewWork(nothing)
			op := call.Hold(w, false)
			current.Store(&op)
			var canceller sync.WaitGroup
			canceller.Go(func() {
				for !over.Load() {
					call.CancelAll()
					op := call.Hold(w, false)
					current.Store(&op)
				}
			})
			for b.Loop() {
				(*current.Load()).Status()
			}
			over.Store(true)
			canceller.Wait()
		})
}
