// Package bounds measures what foreign bytes cost whoever decodes them. It is for the fuzz targets
// and tests that hold a decoder to a bound on memory and time.
//
// # Concurrency
//
// Both figures are the whole process's, so nothing else should be at work meanwhile.
package bounds

import (
	"runtime"
	"time"
)

// Measure runs f and returns how many bytes were allocated on the heap meanwhile, freed ones
// included, and how much processor time the process took. Processor time, since a machine that is
// busy with something else is no fault of the decoder's; where the system does not tell it, it is
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
