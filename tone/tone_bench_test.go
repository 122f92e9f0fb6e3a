package tone_test

import (
	"fmt"
	"testing"

	"ivrqueue/tone"
)

// BenchmarkTone publishes a tone and takes it with every subscription.
func BenchmarkTone(b *testing.B) {
	for _, n := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			var s tone.Stream
			subs := make([]*tone.Subscription, n)
			for i := range subs {
				subs[i] = s.Subscribe()
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Publish(tone.Pound)
				for _, sub := range subs {
					sub.TryNext()
				}
			}
		})
	}
}
