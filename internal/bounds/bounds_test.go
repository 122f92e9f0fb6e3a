package bounds_test

import (
	"testing"
	"time"

	"ivrqueue/internal/bounds"
	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

var kept []byte

// Not parallel: what is measured is the process.
func TestMeasureCountsWorkAndNotWaiting(t *testing.T) {
	allocated, took := bounds.Measure(func() {
		kept = make([]byte, 1<<20)
		for i := range 50 << 20 { // work, since time may pass without any
			kept[i%len(kept)]++
		}
	})
	if allocated < 1<<20 || allocated > 2<<20 || took <= 0 {
		t.Errorf("%d bytes and %v for a mebibyte and much work", allocated, took)
	}
	waiting := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() { close(waiting) })
	if _, took = bounds.Measure(func() { <-waiting }); took > 150*time.Millisecond {
		t.Errorf("%v of processor time for waiting", took)
	}
}
