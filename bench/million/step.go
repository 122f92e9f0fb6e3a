package main

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// Report is what a run has measured.
type Report struct {
	Calls  int
	Active int
	Steps  []Step
	Growth []Growth // while the calls were made
}

// Step is one thing that was done, and what there was after it.
type Step struct {
	Name       string
	Time       time.Duration
	Heap       uint64  // bytes, collected, for the calls there are
	PerCall    float64 // of it
	Goroutines int     // beyond those before the first call
	Pauses     uint32  // of the garbage collector, while the step was done
	LongestGC  time.Duration
	PausedGC   time.Duration // in all
}

// Growth is the memory when there were so many calls.
type Growth struct {
	Calls int
	Heap  uint64
}

// String is the step as a line.
func (s Step) String() string {
	return fmt.Sprintf("%-30s %8v %7.1f MB %6.1f B/call %3d goroutines  GC: %d, longest %v, all %v",
		s.Name, s.Time.Round(time.Millisecond), float64(s.Heap)/1e6, s.PerCall, s.Goroutines,
		s.Pauses, s.LongestGC.Round(time.Microsecond), s.PausedGC.Round(time.Microsecond))
}

// gauge measures steps. What there was before the first call, and where the calls are to be put, is
// not counted, but the place of each call that there is.
type gauge struct {
	calls      int // that there are
	heap       uint64
	goroutines int
}

func newGauge() *gauge {
	g := new(gauge)
	g.heap, g.goroutines = g.memory(), runtime.NumGoroutine()
	return g
}

// memory is what is held once the garbage is gone.
func (g *gauge) memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc - min(g.heap, m.HeapAlloc)
}

// step does something, and measures what it cost and what it left.
func (g *gauge) step(name string, do func()) Step {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	do()
	s := Step{Name: name, Time: time.Since(begin)}
	runtime.ReadMemStats(&after)
	s.Pauses = after.NumGC - before.NumGC
	s.PausedGC = time.Duration(after.PauseTotalNs - before.PauseTotalNs)
	for n := before.NumGC; n < after.NumGC && after.NumGC-n <= uint32(len(after.PauseNs)); n++ {
		pause := time.Duration(after.PauseNs[n%uint32(len(after.PauseNs))])
		s.LongestGC = max(s.LongestGC, pause)
	}
	s.Goroutines = runtime.NumGoroutine() - g.goroutines
	s.Heap = g.memory() + uint64(g.calls)*uint64(unsafe.Sizeof(call{}))
	if g.calls > 0 {
		s.PerCall = float64(s.Heap) / float64(g.calls)
	}
	return s
}
