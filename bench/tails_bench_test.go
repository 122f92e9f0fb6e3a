package bench_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"ivrqueue/bench"
)

// A service under load: calls that are busy, each with an observer that takes its time over every
// event, and 10,000 operations a second that come from somewhere.
const (
	busyCalls  = 1000
	busyEvery  = time.Millisecond
	busyAtOnce = 10
	probeEvery = 200 * time.Microsecond // or as soon as the machine's timers can
	probes     = 5                      // at once
	busyMemory = 64                     // megabytes: two seconds of audio for each call
)

// BenchmarkTails measures the percentiles, under such load, of an Enqueue and of the time from a
// cancel to its Stop. The baseline is what the machine does: the time of a mutex and a clock read, and
// the time until a goroutine runs that was started.
func BenchmarkTails(b *testing.B) {
	warm()
	hold(busyMemory)
	b.Cleanup(func() { hold(ownMemory) })
	type busy struct {
		name string
		open func(*bench.Stopwatch) bench.BusyCall
	}
	for _, c := range inTurn([]busy{
		{"default", bench.BusyDefault}, {"hand", bench.BusyHand}, {"baseline", bench.BusyBaseline},
	}) {
		b.Run(c.name, func(b *testing.B) {
			var stops bench.Stopwatch
			calls := make([]bench.BusyCall, busyCalls)
			for i := range calls {
				calls[i] = c.open(&stops)
			}
			over := make(chan struct{})
			var load sync.WaitGroup
			load.Go(func() { makeBusy(calls, over) })
			for range busyCalls { // until most are at something
				calls[rand.IntN(busyCalls)].Enqueue()
			}
			stops.Take()

			enqueues := make([]time.Duration, 0, 1<<16)
			for b.Loop() {
				time.Sleep(probeEvery)
				for range probes {
					call := calls[rand.IntN(busyCalls)]
					begin := time.Now()
					call.Enqueue()
					enqueues = append(enqueues, time.Since(begin))
					calls[rand.IntN(busyCalls)].CancelAll()
				}
			}
			close(over)
			load.Wait()
			for _, call := range calls {
				call.Close() // returns when its last Stop was called
			}
			percentiles(b, "enqueue", enqueues)
			percentiles(b, "stop", stops.Take())
			b.ReportMetric(0, "ns/op") // mostly sleep
		})
	}
}

func makeBusy(calls []bench.BusyCall, over <-chan struct{}) {
	tick := time.NewTicker(busyEvery)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		for range busyAtOnce {
			calls[rand.IntN(len(calls))].Enqueue()
		}
	}
}

func percentiles(b *testing.B, what string, all []time.Duration) {
	b.Helper()
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	for _, p := range []struct {
		name string
		part float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}} {
		at := all[min(int(p.part*float64(len(all))), len(all)-1)]
		b.ReportMetric(float64(at.Nanoseconds()), what+"-"+p.name+"-ns")
	}
}
