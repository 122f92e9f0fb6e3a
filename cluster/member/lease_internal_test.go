package member

import (
	"testing"
	"time"
)

func TestALeaseEndsByTheClockAlone(t *testing.T) {
	t.Parallel()
	now := time.Hour
	l := newLease("a", 1, clock{func() time.Duration { return now }})
	if l.Holds() {
		t.Error("it holds before it was extended")
	}
	l.extend(now + time.Second)
	l.extend(now)
	if now += time.Second - 1; !l.Holds() {
		t.Error("it ended early, or an older grant shortened it")
	}
	if now++; l.Holds() {
		t.Error("it holds when its time is over")
	}
	l.extend(now + time.Second)
	l.end()
	if l.Holds() {
		t.Error("it holds after its end")
	}
	<-l.Done()
}

// CLOCK_BOOTTIME, or what is in its place, goes as fast as the other clocks do.
func TestTheClockGoes(t *testing.T) {
	t.Parallel()
	start, before := time.Now(), clock{}.now()
	if before <= 0 {
		t.Errorf("it is %v, want more than 0", before)
	}
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	passed := clock{}.now() - before
	if most := time.Since(start) + time.Second; passed < 50*time.Millisecond || passed > most {
		t.Errorf("%v have passed, want 50ms to %v", passed, most)
	}
}
