//go:build unix

package bounds

import (
	"syscall"
	"time"
)

func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it never fails for the process itself
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
