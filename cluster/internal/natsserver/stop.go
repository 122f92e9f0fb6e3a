// Package natsserver stops NATS servers that run inside a process which goes on.
package natsserver

import (
	"context"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience is how long Settle waits for requests at the most. To make a stream takes some
// milliseconds.
const patience = time.Second

// Settle waits until a server has served the requests for JetStream that have come to it, for a
// second or until ctx ends. A stream that it makes while it shuts down is in no list of what must
// be closed: the stream's file and a goroutine stay for good.
func Settle(ctx context.Context, s *server.Server) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for serves(s) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// serves reports whether a request for JetStream is being served, or waits for that. When JetStream
// was off and on again, NATS counts a request that comes and goes as one less, so it is not known.
func serves(s *server.Server) bool {
	info, err := s.Jsz(nil)
	return err == nil && int64(info.API.Inflight) > 0 //nolint:gosec // it was made of such a one
}

// Stop settles a server, shuts it down, and returns when it has.
func Stop(ctx context.Context, s *server.Server) {
	Settle(ctx, s)
	s.Shutdown()
	s.WaitForShutdown()
}
