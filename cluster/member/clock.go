package member

import "time"

// clock tells how long the machine has been running. It never runs back.
type clock struct {
	read func() time.Duration // nil but in tests
}

func (c clock) now() time.Duration {
	if c.read != nil {
		return c.read()
	}
	return bootTime()
}
