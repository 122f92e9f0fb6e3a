package bench_test

import (
	"fmt"
	"sync"
	"testing"

	"ivrqueue/bench"
)

// BenchmarkBurst gives each of 1,000 calls 10 operations at once, and waits until the last of each
// is done.
func BenchmarkBurst(b *testing.B) {
	const calls, operations = 1000, 10
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		all := openMany(b, c, calls, bench.Setting{Use: bench.Stream})
		var last sync.WaitGroup
		w, end := bench.NewWork(nothing), bench.NewWork(last.Done)
		b.ReportAllocs()
		for b.Loop() {
			last.Add(calls)
			for _, call := range all {
				for range operations - 1 {
					call.Submit(w)
				}
				call.Submit(end)
			}
			last.Wait()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls*operations), "ns/operation")
	})
}

// BenchmarkContended has one producer, then two, give operations to one call as fast as it takes
// them.
func BenchmarkContended(b *testing.B) {
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		for _, producers := range []int{1, 2} {
			b.Run(fmt.Sprintf("producers=%d", producers), func(b *testing.B) {
				call := c.Open(bench.Setting{Use: bench.Stream})
				defer call.Close()
				w, trip := bench.NewWork(nothing), bench.NewTrip(nothing)
				settle(func() { call.Do(trip) })
				b.ReportAllocs()
				b.ResetTimer()
				share(producers, b.N, func(int) { call.Submit(w) })
				call.Do(trip)
				b.StopTimer()
			})
		}
	})
}

// BenchmarkParallel has two producers make round trips, each on a call of its own.
func BenchmarkParallel(b *testing.B) {
	const producers = 2
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		calls := openMany(b, c, producers, bench.Setting{})
		work := [producers]*bench.Work{bench.NewTrip(nothing), bench.NewTrip(nothing)}
		settle(func() { calls[0].Do(work[0]) })
		b.ReportAllocs()
		b.ResetTimer()
		share(producers, b.N, func(who int) { calls[who].Do(work[who]) })
		b.StopTimer()
	})
}

// share has producers do n things between them.
func share(producers, n int, do func(who int)) {
	var all sync.WaitGroup
	for who := range producers {
		all.Go(func() {
			for i := who; i < n; i += producers {
				do(who)
			}
		})
	}
	all.Wait()
}
