package main

import (
	"testing"

	"go.uber.org/goleak"
)

// The ants package has a pool of its own from the beginning, and never ends it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
