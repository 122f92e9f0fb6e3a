package bench_test

import (
	"testing"

	"go.uber.org/goleak"

	"ivrqueue/bench"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		bench.StopActors()
	}))
}
