package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	ivr "ivrqueue/examples/ivr"
	"ivrqueue/internal/leak"
)

// TestMain runs the tests; or it is the program itself, or a curl, for tests that run processes.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("IVR_TEST_MAIN") != "":
		ivr.Main()
	case filepath.Base(os.Args[0]) == "curl":
		os.Exit(curl(os.Args[1:], os.Stdout, os.Stderr))
	default:
		leak.Verify(m,
			// Of the NATS server, for the whole process: they stay when it has shut down.
			goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
		)
	}
}
