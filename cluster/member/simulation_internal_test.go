package member

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// The simulation plays a cluster for minutes of its time, with every fault that a seed draws, and
// asks after each input whether the promises hold. Then all is well again, and every node must hold.
//
//	MEMBER_SEEDS=5000 go test -run TestSimulation ./cluster/member    # that many seeds
//	MEMBER_SEED=17    go test -run TestSimulation -v ./cluster/member # this one, with its trace

func TestSimulation(t *testing.T) {
	t.Parallel()
	if seed := fromEnv(t, "MEMBER_SEED", 0); seed != 0 {
		w := simulate(seed)
		t.Logf("%v", w)
		if w.err != nil {
			t.Error(w.err)
		}
		return
	}
	first := fromEnv(t, "MEMBER_FIRST", 1)
	epochs := 0
	for seed := first; seed < first+fromEnv(t, "MEMBER_SEEDS", 150); seed++ {
		w := simulate(seed)
		epochs += len(w.begun)
		if w.err != nil {
			t.Fatalf("%v\nreplay it: MEMBER_SEED=%d go test -run TestSimulation -v ./cluster/member",
				w.err, seed)
		}
	}
	t.Logf("%d epochs began", epochs)
}

// A hunt plays what is rare in a simulation, and dangerous: the links of one owner come and go, and
// its granters restart, as close in time as a lease is long.
func TestTheHunt(t *testing.T) {
	t.Parallel()
	if seed := fromEnv(t, "MEMBER_HUNT", 0); seed != 0 {
		w := hunt(seed)
		t.Logf("%v", w)
		if w.err != nil {
			t.Error(w.err)
		}
		return
	}
	first := fromEnv(t, "MEMBER_FIRST", 1)
	for seed := first; seed < first+4*fromEnv(t, "MEMBER_SEEDS", 150); seed++ {
		if w := hunt(seed); w.err != nil {
			t.Fatalf("%v\nreplay it: MEMBER_HUNT=%d go test -run TestTheHunt -v ./cluster/member", w.err, seed)
		}
	}
}

// hunt plays what a seed draws.
func hunt(seed uint64) *world {
	w := newWorld(seed, 3)
	w.run(6 * time.Second)
	for range 40 {
		granter := 1 + w.rand.IntN(2)
		switch w.rand.IntN(6) {
		case 0, 1:
			w.log("a does not reach %c", 'a'+granter)
			w.cut[0][granter] = true
		case 2, 3:
			w.log("a reaches %c", 'a'+granter)
			w.cut[0][granter] = false
		case 4:
			up := w.rand.IntN(2) == 0
			w.log("b and c are apart: %v", !up)
			w.cut[1][2], w.cut[2][1] = !up, !up
		default:
			for _, p := range w.living() {
				if p.name == granter {
					p.kill()
					w.after(w.duration(200*time.Millisecond), func() { w.startAgain(granter) })
				}
			}
		}
		w.run(w.duration(1200 * time.Millisecond))
	}
	w.heal()
	w.run(20 * time.Second)
	if w.err == nil {
		w.checkHealed()
	}
	return w
}

func TestASeedReplays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		if a, b := simulate(seed+1).String(), simulate(seed+1).String(); a != b {
			t.Errorf("seed %d does not replay", seed+1)
		}
	}
}

func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, s, err)
	}
	return n
}

// simulate plays what a seed draws.
func simulate(seed uint64) *world {
	w := newWorld(seed, []int{3, 3, 3, 4, 5, 1}[seed%6])
	w.run(time.Second + w.duration(5*time.Second))
	for end := w.now + 90*time.Second; w.now < end && w.err == nil; {
		w.fault()
		w.run(w.duration([]time.Duration{200 * time.Millisecond, 2 * time.Second, 8 * time.Second}[w.rand.IntN(3)]))
	}
	w.heal()
	w.run(40 * time.Second) // pauses of 10 s may be under way, and messages that are late
	if w.err == nil {
		w.checkHealed()
	}
	return w
}

// fault draws a fault, or the end of one.
func (w *world) fault() {
	living := w.living()
	var p *proc
	if len(living) > 0 {
		p = living[w.rand.IntN(len(living))]
	}
	from, to := w.rand.IntN(w.nodes()), w.rand.IntN(w.nodes())
	switch kind := w.rand.IntN(14); {
	case kind <= 1:
		w.log("all links are up")
		for _, row := range w.cut {
			clear(row)
		}
	case kind == 2:
		w.log("%c does not reach %c", 'a'+from, 'a'+to)
		w.cut[from][to] = true
	case kind == 3:
		w.log("%c and %c are apart", 'a'+from, 'a'+to)
		w.cut[from][to], w.cut[to][from] = true, true
	case kind == 4:
		w.log("%c is alone", 'a'+from)
		for i := range w.nodes() {
			w.cut[from][i], w.cut[i][from] = true, true
		}
	case kind == 5:
		w.log("%c is not heard", 'a'+from)
		for i := range w.nodes() {
			w.cut[from][i] = true
		}
	case kind == 6:
		w.log("%c hears nothing", 'a'+from)
		for i := range w.nodes() {
			w.cut[i][from] = true
		}
	case kind == 7:
		w.loss, w.late, w.twice = 0.5*w.rand.Float64(), 0.3*w.rand.Float64(), 0.2*w.rand.Float64()
		w.log("%.2f of messages are lost, %.2f late, %.2f doubled", w.loss, w.late, w.twice)
	case kind == 8:
		w.loss, w.late, w.twice = 0, 0, 0
		w.log("no messages are lost")
	case p == nil:
	case kind <= 9 && !p.paused:
		p.pause(w.duration(10 * time.Second))
	case kind <= 11:
		if kind == 11 && !p.paused {
			p.leaves()
		} else {
			p.kill()
		}
		w.after(w.duration(8*time.Second), func() {
			w.startAgain(p.name)
		})
	case kind == 12:
		if by := w.duration(6 * time.Second); w.jumps && w.now > p.jumped+w.timing.Death {
			w.log("the clock of %v jumps by %v", p, by)
			p.offset, p.jumped = p.offset+by, w.now
		}
	default:
		for _, q := range living {
			if !q.paused {
				q.pause(w.duration(4 * time.Second))
			}
		}
	}
}
