package queue_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"ivrqueue/internal/trace"
	"ivrqueue/queue"
)

// stressUnit is small, so that in a scene of real time as much happens at once as possible.
const stressUnit = 20 * time.Microsecond

// TestStress plays scenes in real time, several at once, with real goroutines: what the machine makes
// of them is judged as in the simulation.
//
//	STRESS_SCENES=20000 go test -race -cpu 1,2,4 -run TestStress ./queue
func TestStress(t *testing.T) {
	t.Parallel()
	scenes, ok := fromEnv(t, "STRESS_SCENES")
	if !ok {
		scenes = 200
	}
	const atOnce = 8
	var all sync.WaitGroup
	seeds := make(chan uint64)
	for range atOnce {
		all.Go(func() {
			for seed := range seeds {
				if s := stress(t, seed); !s.judge(t) {
					t.Logf("its trace:\n%s", trace.Format(s.Items()))
				}
			}
		})
	}
	for n := range scenes {
		if t.Failed() {
			break
		}
		seeds <- n
	}
	close(seeds)
	all.Wait()
}

// stress plays the scene of a seed in real time; in every other one goroutines give way at the seams.
func stress(t *testing.T, seed uint64) *scene {
	t.Helper()
	var opts []queue.Option
	if seed%2 == 0 {
		opts = append(opts, queue.WithSeam(func(uint64) {
			if rand.IntN(4) == 0 {
				runtime.Gosched()
			}
		}))
	}
	s := newScene(t, seed, stressUnit, opts...)
	s.run(t, 8)
	return s
}
