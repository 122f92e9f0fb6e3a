//go:build phones

package phonetest_test

import (
	"testing"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(watched{m}) }
