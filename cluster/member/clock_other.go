//go:build !linux

package member

import "time"

var started = time.Now()

// bootTime is the monotonic clock, which need not go on while the machine is suspended.
func bootTime() time.Duration { return time.Since(started) + 1 }
