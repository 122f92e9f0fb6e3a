// Package bounds measures what foreign bytes cost whoever decodes them. It is for the fuzz targets
// and tests that hold a decoder to a bound on memory and time.
//
// # Concurrency
//
// Both figures are the whole process's, so nothing else should be at work meanwhile.
package bounds

import (
	"runtime"
	"testing"
	"time"
)

// Measure runs f and returns how many bytes were allocated on the heap meanwhile, freed ones
// included, and how much processor time the process took. Processor time, since a machine that is
// busy with something else is no fault of the decoder's; where the system does not report it, it is
// time.
func Measure(f func()) (allocated uint64, took time.Duration) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := processorTime()
	f()
	took = processorTime() - began
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, took
}

// Proportionate runs f on something that somebody else has sent, and fails the test if it costs
// more than in proportion: so many bytes for each one sent and a mebibyte, kept or not, and,
// generously, processor time.
func Proportionate(tb testing.TB, sent, perByte int, f func()) {
	tb.Helper()
	got, took := Measure(f)
	if most := uint64(1<<20 + perByte*sent); got > most {
		tb.Errorf("%d bytes are allocated for %d, want at most %d", got, sent, most)
	}
	if most := 5*time.Second + time.Duration(sent)*time.Microsecond; took > most {
		tb.Errorf("%v for %d bytes, want at most %v", took, sent, most)
	}
}
