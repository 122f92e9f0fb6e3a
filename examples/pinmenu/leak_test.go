package main

import (
	"testing"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }
