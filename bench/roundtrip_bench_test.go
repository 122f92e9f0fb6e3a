package bench_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ivrqueue/bench"
)

// BenchmarkRoundTrip is the round trip of one operation: made, accepted, started, ended, and whoever
// waits for it told.
func BenchmarkRoundTrip(b *testing.B) {
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		call, w := c.Open(bench.Setting{}), bench.NewTrip(nothing)
		defer call.Close()
		settle(func() { call.Do(w) })
		b.ReportAllocs()
		for b.Loop() {
			call.Do(w)
		}
	})
}

// BenchmarkLiveCalls is the same where many calls live, and whose turn it is, is chance: what is
// touched is not in the cache.
func BenchmarkLiveCalls(b *testing.B) {
	compare(b, bench.Contestants(), func(b *testing.B, c *bench.Contestant) {
		for _, n := range []int{1, 1000, 100_000} {
			if c.Most > 0 && n > c.Most {
				continue
			}
			b.Run(fmt.Sprintf("calls=%d", n), func(b *testing.B) {
				calls := openMany(b, c, n, bench.Setting{})
				w := bench.NewTrip(nothing)
				for _, call := range calls { // each has worked before
					call.Do(w)
				}
				chance := rand.New(rand.NewPCG(1, 2))
				for b.Loop() {
					calls[chance.IntN(n)].Do(w)
				}
			})
		}
	})
}

// openMany opens calls that the end of the benchmark closes.
func openMany(b *testing.B, c *bench.Contestant, n int, s bench.Setting) []bench.Call {
	b.Helper()
	calls := make([]bench.Call, n)
	for i := range calls {
		calls[i] = c.Open(s)
	}
	b.Cleanup(func() {
		for _, call := range calls {
			call.Close()
		}
	})
	return calls
}
