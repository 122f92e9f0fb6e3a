package bench_test

import (
	"fmt"
	"testing"

	"ivrqueue/bench"
	"ivrqueue/tone"
)

// BenchmarkTone publishes a tone, and takes it with every subscription.
func BenchmarkTone(b *testing.B) {
	warm()
	type keypad struct {
		name string
		open func(subscribers int) bench.Keypad
	}
	for _, c := range inTurn([]keypad{
		{"ours", bench.Keys}, {"chan", bench.ChanKeys}, {"baseline", bench.BaselineKeys},
	}) {
		for _, n := range []int{0, 1, 10} {
			b.Run(fmt.Sprintf("%s/subscribers=%d", c.name, n), func(b *testing.B) {
				pad := c.open(n)
				b.ReportAllocs()
				for b.Loop() {
					if got := pad(tone.Pound); got != n {
						b.Fatalf("%d subscriptions got the tone, want %d", got, n)
					}
				}
			})
		}
	}
}
