//go:build phones

package phonetest_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// machine is an eye on how late this process gets a processor, as the telephones beside it do.
type machine struct{ worst, lost atomic.Int64 } // nanoseconds

// watchMachine looks until the test has ended.
func watchMachine(t *testing.T) *machine {
	t.Helper()
	m := new(machine)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // as a telephone's
		const each = 5 * time.Millisecond
		tick := time.NewTimer(each)
		defer tick.Stop()
		for at := time.Now(); ; at = time.Now() {
			tick.Reset(each)
			select {
			case <-tick.C:
				late := time.Since(at) - each
				m.worst.Store(max(m.worst.Load(), int64(late)))
				if late > 100*time.Millisecond { // half of what the engine makes up for
					m.lost.Add(int64(late))
				}
			case <-over:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(over)
		<-done
	})
	return m
}

// late is how late at the worst.
func (m *machine) late() time.Duration { return time.Duration(m.worst.Load()) }

// steady reports whether a telephone's packets came in time, as far as that is up to the machine: what
// a jitter buffer holds makes up for 40 ms, of which the telephone's own timing takes a half.
func (m *machine) steady() bool { return m.late() < 20*time.Millisecond }

func (m *machine) String() string {
	return fmt.Sprintf("the machine was held up for %v", m.late().Round(time.Millisecond))
}
