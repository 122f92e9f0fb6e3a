package main

import (
	"testing"

	"go.uber.org/goleak"

	"ivrqueue/internal/leak"
)

// The ants package has a pool of its own from the beginning, and never ends it.
func TestMain(m *testing.M) { leak.Verify(m, goleak.IgnoreCurrent()) }
