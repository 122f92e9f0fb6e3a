package main

import (
	"testing"

	"go.uber.org/goleak"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) {
	leak.Verify(m,
		// Of the NATS server, for the whole process: they stay when it has shut down.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}
