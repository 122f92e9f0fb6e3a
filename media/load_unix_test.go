//go:build unix

package media_test

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// punctual is a sink that notes how late its frames are. All of them are written by one goroutine.
type punctual struct{ late *[]time.Duration }

func (p punctual) WriteFrame(at time.Time, _ []int16) error {
	*p.late = append(*p.late, time.Since(at))
	return nil
}

// BenchmarkCallsAtOnce has calls play at once on one engine, a second for each iteration, and reports
// how late their frames are and what a call costs. Run it with -benchtime 10x.
func BenchmarkCallsAtOnce(b *testing.B) {
	for _, calls := range []int{1, 1000, 4000} {
		b.Run(fmt.Sprintf("calls=%d", calls), func(b *testing.B) {
			music := memory{"music": noise(1, 4*media.Rate)}
			late := make([]time.Duration, 0, calls*50*(b.N+2))
			before, heap := cpu(b), heapInUse()
			engine := media.NewEngine()
			queues := make([]*queue.Queue, calls)
			for i := range queues {
				media, err := engine.Media(media.Call{
					Sink: punctual{&late}, Prompts: music,
				})
				if err != nil {
					b.Fatal(err)
				}
				if queues[i], err = queue.New("call", media); err != nil {
					b.Fatal(err)
				}
				request := &operation.PlayPrompt{Prompts: prompts("music"), Loop: true}
				if _, err := queues[i].Enqueue(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
			for range b.N {
				time.Sleep(time.Second)
			}
			used, held := cpu(b)-before, heapInUse()-heap
			for _, q := range queues {
				q.Close(nil)
				<-q.Done()
			}
			engine.Close()
			slices.Sort(late)
			at := func(q float64) float64 { return float64(late[int(q*float64(len(late)-1))].Microseconds()) / 1000 }
			b.ReportMetric(at(0.5), "ms-p50")
			b.ReportMetric(at(0.99), "ms-p99")
			b.ReportMetric(at(1), "ms-worst")
			b.ReportMetric(float64(used.Microseconds())/float64(b.N)/float64(calls), "µs-cpu/call/s")
			b.ReportMetric(float64(held)/float64(calls), "B/call")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpu is the time that this process has had of all processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
