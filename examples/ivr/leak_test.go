package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	ivr "ivrqueue/examples/ivr"
)

// TestMain runs the tests; or it is the program itself, or a curl, for tests that run processes.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("IVR_TEST_MAIN") != "":
		ivr.Main()
	case filepath.Base(os.Args[0]) == "curl":
		os.Exit(curl(os.Args[1:], os.Stdout, os.Stderr))
	default:
		goleak.VerifyTestMain(m)
	}
}
