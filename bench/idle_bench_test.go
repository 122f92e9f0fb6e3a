package bench_test

import (
	"runtime"
	"testing"

	"ivrqueue/bench"
)

// BenchmarkIdleCall is what a call costs that does nothing, after it has worked: its memory, stacks
// of goroutines included, and its goroutines. Of ours, the tone stream is a part of it, and has
// worked too.
func BenchmarkIdleCall(b *testing.B) {
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		if c == bench.Baseline {
			b.Skip("is no call")
		}
		n := 10_000
		if c.Claims.Has(bench.Sleeps) {
			n = 50_000 // calls so small that what the runtime itself takes would show
		}
		if c.Most > 0 {
			n = min(n, c.Most)
		}
		var bytes, goroutines float64
		for b.Loop() {
			calls := make([]bench.Call, n)
			before := inUse()
			for i := range calls {
				calls[i] = c.Open(bench.Setting{Use: bench.Stream})
			}
			w := bench.NewTrip(nothing)
			for _, call := range calls {
				for range 10 {
					call.Do(w)
				}
				if phone, ok := call.(interface{ Press() }); ok {
					phone.Press()
				}
			}
			after := inUse()
			bytes += (after.bytes - before.bytes) / float64(n)
			goroutines += (after.goroutines - before.goroutines) / float64(n)
			for _, call := range calls {
				call.Close()
			}
		}
		b.ReportMetric(bytes/float64(b.N), "B/call")
		b.ReportMetric(goroutines/float64(b.N), "goroutines/call")
		b.ReportMetric(0, "ns/op") // says nothing here
	})
}

type use struct{ bytes, goroutines float64 }

// inUse measures twice collected memory.
func inUse() use {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return use{float64(m.HeapAlloc + m.StackInuse), float64(runtime.NumGoroutine())}
}
