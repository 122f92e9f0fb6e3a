package tone_test

import (
	"context"
	"fmt"
	"testing"
	"time"

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

// BenchmarkCollect collects the answer to a menu that was typed ahead, and compiles the menu.
func BenchmarkCollect(b *testing.B) {
	const expr = `1|12|\*9`
	b.Run("menu", func(b *testing.B) {
		var s tone.Stream
		sub := s.Subscribe()
		o := tone.CollectOptions{
			Pattern: tone.MustCompilePattern(expr), FirstTimeout: time.Second, InterDigitTimeout: time.Second,
		}
		b.ReportAllocs()
		for b.Loop() {
			s.Publish(tone.Star)
			s.Publish(tone.Tone9)
			sub.Collect(context.Background(), o)
		}
	})
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tone.CompilePattern(expr)
		}
	})
}
