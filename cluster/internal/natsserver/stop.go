// Package natsserver stops NATS servers that run inside a process which goes on.
package natsserver

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience is how long Settle waits for requests at the most. To make a stream takes some
// milliseconds.
const patience = time.Second

// Settle waits until a server has served the requests for JetStream that have come to it, for a
// second at the most. A stream that it makes while it shuts down is in no list of what must be
// closed: the stream's file and a goroutine stay for good.
func Settle(s *server.Server) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for over := time.Now().Add(patience); serves(s) && time.Now().Before(over); {
		<-look.C
	}
}

// serves reports whether a request for JetStream is being served, or waits for that. When JetStream
// was off and on again, NATS counts a request that comes and goes as one less, so it is not known.
func serves(s *server.Server) bool {
	info, err := s.Jsz(nil)
	return err == nil && int64(info.API.Inflight) > 0 //nolint:gosec // it was made of such a one
}

// Stop settles a server, shuts it down, and returns when it has.
func Stop(s *server.Server) {
	Settle(s)
	s.Shutdown()
	s.WaitForShutdown()
}
