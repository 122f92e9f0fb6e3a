package queue_test

import (
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ivrqueue/internal/trace"
	"ivrqueue/queue"
)

// soakAtOnce is how many calls live at once in a soak.
const soakAtOnce = 16

// TestSoak has calls live and die with every fault, for as long as SOAK says, and looks whether
// anything is left: as many ends as operations, a flat heap, no goroutine. It runs alone, before
// the tests that run in parallel.
//
//	make soak SOAK=10m
func TestSoak(t *testing.T) { //nolint:paralleltest // it counts goroutines and bytes
	lasts, long := 300*time.Millisecond, os.Getenv("SOAK")
	if long != "" {
		var err error
		if lasts, err = time.ParseDuration(long); err != nil {
			t.Fatalf("SOAK: %v", err)
		}
	}
	var s soak
	start := time.Now()
	s.run(t, start.Add(lasts/4)) // what is made once is made by then
	before := heap()
	s.run(t, start.Add(lasts))
	const slack = 512 << 10 // a soak of ten minutes has more calls than that has bytes
	after := heap()
	collected(func() bool { // the watch may have the last calls for a tick
		after = heap()
		return after > before+slack
	})
	t.Logf("%d calls, %d operations accepted, %d ended; heap %d KiB after a quarter of the time, %d at the end",
		s.calls.Load(), s.accepted.Load(), s.ended.Load(), before>>10, after>>10)
	if a, e := s.accepted.Load(), s.ended.Load(); a != e || a == 0 {
		t.Errorf("%d operations were accepted, %d ends delivered", a, e)
	}
	if after > before+slack {
		t.Errorf("the heap has grown from %d bytes to %d", before, after)
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
	leaked(t, long != "")
}

// soak counts over all calls.
type soak struct {
	next                   atomic.Uint64 // seed
	calls, accepted, ended atomic.Int64
}

// run plays scenes until then, several at once.
func (s *soak) run(t *testing.T, until time.Time) {
	t.Helper()
	var all sync.WaitGroup
	for range soakAtOnce {
		all.Go(func() {
			for first := true; first || time.Now().Before(until) && !t.Failed(); first = false {
				call := newScene(t, 1<<32+s.next.Add(1), stressUnit)
				call.run(t, 8)
				call.judge(t)
				s.count(call.Items())
			}
		})
	}
	all.Wait()
}

func (s *soak) count(items []trace.Item) {
	s.calls.Add(1)
	for at := range items {
		switch i := &items[at]; {
		case i.What == trace.Returned && !i.Failed &&
			i.Method.Accepts():
			s.accepted.Add(1)
		case i.What == trace.Delivering && i.Who == 0 && i.Event == queue.Ended:
			s.ended.Add(1)
		}
	}
}

// heap returns the bytes that are reachable.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// leaked fails if the collector proves that a goroutine is blocked for ever. Go offers that profile
// with GOEXPERIMENT=goroutineleakprofile, which make soak sets.
func leaked(t *testing.T, needed bool) {
	t.Helper()
	p := pprof.Lookup("goroutineleak")
	if p == nil {
		if needed {
			t.Error("a long soak needs GOEXPERIMENT=goroutineleakprofile")
		}
		return
	}
	var b bytes.Buffer
	if err := p.WriteTo(&b, 1); err != nil { // looks for them, too
		t.Fatal(err)
	}
	if n := p.Count(); n > 0 {
		t.Errorf("%d goroutines are blocked for ever:\n%s", n, &b)
	}
	t.Logf("%d goroutines are blocked for ever", p.Count())
}
