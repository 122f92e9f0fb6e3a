package member

import "time"

// Remaining returns how long the lease runs yet: at most the lease's time, less since the beat was
// sent that a majority has granted. It is zero or less once the lease has run out.
func (l *Lease) Remaining() time.Duration {
	return time.Duration(l.until.Load()) - l.clock.now()
}
