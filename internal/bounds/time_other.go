//go:build !unix

package bounds

import "time"

var start = time.Now()

func processorTime() time.Duration { return time.Since(start) }
