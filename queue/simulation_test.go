package queue_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/internal/trace"
	"ivrqueue/queue"
)

// The simulation plays scenes in a bubble, whose clock it makes a scheduler: at each seam of the
// engine, and wherever somebody of the scene begins or wakes up, he sleeps for a time that is drawn
// from the seed. Times are long and a bubble's clock counts nanoseconds, so no two wake up at once:
// the seed decides who is next, and replays.
//
//	SIM_SEEDS=5000 go test -run TestSimulation ./queue       # that many seeds
//	SIM_SEED=17    go test -run TestSimulation -v ./queue    # this one, with its trace

func TestSimulation(t *testing.T) {
	t.Parallel()
	if seed, ok := fromEnv(t, "SIM_SEED"); ok {
		simulate(t, seed, func(s *scene) {
			t.Log("the trace:\n" + trace.Format(s.Items()))
			s.judge(t)
		})
		return
	}
	for _, seed := range failedBefore(t) {
		simulate(t, seed, func(s *scene) { s.judge(t) })
	}
	first, _ := fromEnv(t, "SIM_FIRST")
	seeds, ok := fromEnv(t, "SIM_SEEDS")
	if !ok {
		seeds = 300
	}
	more := os.Getenv("SIM_MORE") != "" // go on after a failure, to see what else is violated
	items, failed := 0, 0
	for seed := first; seed < first+seeds; seed++ {
		simulate(t, seed, func(s *scene) {
			items += len(s.Items())
			if !s.judge(t) {
				t.Errorf("replay it: SIM_SEED=%d go test -run TestSimulation -v ./queue; "+
					"and add it to queue/testdata/seeds.txt", seed)
			}
		})
		if t.Failed() {
			failed++
		}
		if failed > 0 && !more || failed == 20 {
			return
		}
	}
	t.Logf("%d seeds from %d on, %d things happened in them", seeds, first, items)
}

// fromEnv reads a number from the environment.
func fromEnv(t *testing.T, name string) (uint64, bool) {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, s, err)
	}
	return n, true
}

// failedBefore returns the seeds that have found a bug once.
func failedBefore(t *testing.T) (seeds []uint64) {
	t.Helper()
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, seed)
	}
	return seeds
}

// A seed replays exactly, to the nanosecond.
func TestASeedReplays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		var a, b []string
		simulate(t, seed, func(s *scene) { a = strings.Split(trace.Format(s.Items()), "\n") })
		simulate(t, seed, func(s *scene) { b = strings.Split(trace.Format(s.Items()), "\n") })
		for at := range max(len(a), len(b)) {
			if at >= len(a) || at >= len(b) || a[at] != b[at] {
				t.Fatalf("seed %d, item %d of %d and %d:\n%s", seed, at, len(a), len(b),
					strings.Join(append(a[at:min(at+3, len(a))], b[at:min(at+3, len(b))]...), "\n"))
			}
		}
	}
}

// simulate plays the scene of a seed and has it judged in its bubble, since a queue that hangs ends
// the bubble, and the test binary.
func simulate(t *testing.T, seed uint64, judge func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const unit = time.Second
		start := time.Now()
		s := newScene(t, seed, unit, queue.InOneBubble(), queue.WithSeam(func(as uint64) {
			// The same for everyone who is here at this instant for this: there is one.
			time.Sleep(1 + time.Duration(hash(seed, uint64(time.Since(start)), as)%uint64(sceneSeam*unit)))
		}))
		s.terms.OnItsWay = sceneSeam * unit
		if !s.inline {
			s.terms.Call = 4 * sceneSeam * unit // twice into the lock, and out
		}
		s.run(t, 8)
		time.Sleep(10 * sceneSeam * unit) // who was the last to leave is still at a seam
		judge(s)
	})
}
