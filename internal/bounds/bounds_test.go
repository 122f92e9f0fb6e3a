package bounds_test

import (
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ivrqueue/internal/bounds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var kept []byte

// Not parallel: what is measured is the process.
func TestMeasureCountsWorkAndNotWaiting(t *testing.T) {
	allocated, took := bounds.Measure(func() {
		kept = make([]byte, 1<<20)
		for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
			runtime.KeepAlive(kept)
		}
	})
	if allocated < 1<<20 || allocated > 2<<20 || took <= 0 {
		t.Errorf("%d bytes and %v for a mebibyte and 50 ms of work", allocated, took)
	}
	waiting := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() { close(waiting) })
	if _, took = bounds.Measure(func() { <-waiting }); took > 150*time.Millisecond {
		t.Errorf("%v of processor time for waiting", took)
	}
}
