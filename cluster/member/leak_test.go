package member_test

import (
	"flag"
	"testing"

	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // they wait for leases; the command line has the last word
	leak.Verify(m)
}
