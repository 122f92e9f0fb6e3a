package member

import (
	"slices"
	"testing"
	"time"
)

// calm is a cluster in which every node holds.
func calm(t *testing.T, nodes int) *world {
	t.Helper()
	w := newWorld(1, nodes)
	w.run(6 * time.Second)
	for _, p := range w.procs {
		if !p.holds() {
			t.Fatalf("%v does not hold\n%v", p, w)
		}
	}
	return w
}

// play lets time pass, in which nothing may be violated.
func (w *world) play(t *testing.T, d time.Duration) {
	t.Helper()
	if w.run(d); w.err != nil {
		t.Fatalf("%v\n%v", w.err, w)
	}
}

// alone cuts a node off, both ways.
func (w *world) alone(node int) {
	for i := range w.nodes() {
		w.cut[node][i], w.cut[i][node] = true, true
	}
}

// oneOfThree makes one machine of three, which has run for long enough to grant.
func oneOfThree(t *testing.T) *machine {
	t.Helper()
	m := newMachine(setup{
		nodes: 3, config: "same", timing: Timing{Beat: DefaultBeat, Lease: DefaultLease, Death: DefaultDeath},
	}, 7, 100, time.Second)
	for now := time.Second; now <= 10*time.Second; now += 100 * time.Millisecond {
		m.tick(now)
	}
	return m
}

// grant is an answer to a beat.
func grant(b beat) answer {
	return answer{Boot: b.Boot, Epoch: b.Epoch, Sent: b.Sent, Verdict: granted, Nodes: make([]report, 3)}
}

func TestTheLeaseRunsFromTheSendingOfABeat(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	m.receive(1, grant(m.beat()), m.now)
	m.tick(m.now + time.Second)
	sent := m.now
	m.receive(1, grant(m.beat()), sent+900*time.Millisecond)
	if want := sent + DefaultLease; !m.held || m.until() != want {
		t.Errorf("held is %v, until %v, want %v: a lease after the beat was sent", m.held, m.until(), want)
	}
	epoch := m.epoch
	if m.tick(sent + DefaultLease - 1); !m.held {
		t.Error("the lease ended early")
	}
	if m.tick(sent + DefaultLease); m.held || m.epoch != epoch+1 {
		t.Errorf("held is %v, epoch %d after %d: the lease did not end", m.held, m.epoch, epoch)
	}
	m.receive(1, answer{Boot: 7, Epoch: epoch, Sent: m.now, Verdict: granted, Nodes: make([]report, 3)}, m.now)
	if m.held {
		t.Error("a grant brought an epoch back that had ended")
	}
}

func TestAnOlderGrantThatComesLaterChangesNothing(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	first := m.beat()
	m.tick(m.now + time.Second)
	second := m.beat()
	m.receive(1, grant(second), m.now)
	until := m.until()
	m.receive(2, grant(first), m.now)
	m.receive(1, grant(first), m.now)
	if m.until() != until {
		t.Errorf("the lease runs until %v, want %v", m.until(), until)
	}
}

// Grants of other processes, of other epochs, and of beats that were not sent yet are no grants.
func TestGrantsOfOtherBeatsAreIgnored(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*answer){
		"of another process": func(a *answer) { a.Boot++ },
		"of an epoch before": func(a *answer) { a.Epoch-- },
		"of the future":      func(a *answer) { a.Sent += time.Hour },
		"of no time":         func(a *answer) { a.Sent = 0 },
		"without a table":    func(a *answer) { a.Nodes = nil },
		"not given":          func(a *answer) { a.Verdict = notYet },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := oneOfThree(t)
			a := grant(m.beat())
			if spoil(&a); true {
				m.receive(1, a, m.now)
			}
			if m.held {
				t.Error("the lease began")
			}
		})
	}
}

func TestAnEpochThatWasWithdrawnFromIsNeverGrantedAgain(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	b := beat{Config: "same", Boot: 1, Epoch: 50, Sent: 1}
	if a := m.hear(1, b, m.now); a.Verdict != granted {
		t.Fatalf("verdict %d, want granted", a.Verdict)
	}
	for m.peers[1].floor < 50 {
		if m.tick(m.now + 50*time.Millisecond); m.now > time.Minute {
			t.Fatal("it did not withdraw")
		}
	}
	if a := m.hear(1, b, m.now); a.Verdict != ended || a.Nodes[1].Floor != 50 {
		t.Errorf("verdict %d, floor %d, want ended, 50", a.Verdict, a.Nodes[1].Floor)
	}
	b.Epoch++
	if a := m.hear(1, b, m.now); a.Verdict != granted {
		t.Errorf("verdict %d of the next epoch, want granted", a.Verdict)
	}
	b.Epoch--
	if a := m.hear(1, b, m.now); a.Verdict != ended {
		t.Errorf("verdict %d of an epoch that comes back, want ended", a.Verdict)
	}
}

func TestAGranterWithdrawsADeathAfterTheLastBeat(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	at := m.now
	m.hear(1, beat{Config: "same", Boot: 1, Epoch: 50, Sent: 1}, at)
	for now := at; now < at+DefaultDeath; now += 50 * time.Millisecond {
		if m.tick(now); m.peers[1].floor >= 50 {
			t.Fatalf("it withdrew %v after the beat", now-at)
		}
	}
	if m.tick(at + DefaultDeath); m.peers[1].floor != 50 {
		t.Error("it did not withdraw")
	}
}

func TestAProcessThatHasJustStartedGrantsNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(setup{nodes: 3, config: "same", timing: Timing{DefaultBeat, DefaultLease, DefaultDeath}},
		7, 100, time.Second)
	b := beat{Config: "same", Boot: 1, Epoch: 50}
	for now := time.Second; now < time.Second+DefaultDeath; now += 100 * time.Millisecond {
		if a := m.hear(1, b, now); a.Verdict != notYet {
			t.Fatalf("verdict %d after %v, want not yet", a.Verdict, now-time.Second)
		}
	}
	if a := m.hear(1, b, time.Second+DefaultDeath); a.Verdict != granted {
		t.Errorf("verdict %d, want granted", a.Verdict)
	}
}

// A second is enough to see a death decided by two of three, each of whom is heir to its share.
func TestTheHeirsOfADeadNodeAreAllThatAreLeft(t *testing.T) {
	t.Parallel()
	for nodes := 3; nodes <= 5; nodes++ {
		w := calm(t, nodes)
		dead := w.procs[0]
		dead.kill()
		w.play(t, 5*time.Second)
		var want []Epoch
		for _, p := range w.procs {
			want = append(want, p.epoch)
		}
		want[0] = 0
		for _, p := range w.procs[1:] {
			got := p.peers[0]
			if got.dead < dead.epoch || !slices.Equal(got.heirs, want) {
				t.Errorf("%v: dead up to %d with the heirs %v, want %d with %v",
					p, got.dead, got.heirs, dead.epoch, want)
			}
		}
	}
}

func TestTheShareOfAnHeirThatDiesGoesToTheOthers(t *testing.T) {
	t.Parallel()
	w := calm(t, 5)
	w.procs[0].kill()
	w.play(t, 5*time.Second)
	w.procs[1].kill()
	w.play(t, 5*time.Second)
	want := []Epoch{0, 0, w.procs[2].epoch, w.procs[3].epoch, w.procs[4].epoch}
	for _, p := range w.procs[2:] {
		for dead := range 2 {
			if got := p.peers[dead].heirs; !slices.Equal(got, want) {
				t.Errorf("%v: the heirs of %d are %v, want %v", p, dead, got, want)
			}
		}
	}
}

// Death, and a beat or two, whatever the clocks say.
func TestADeathIsDecidedInTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := newWorld(seed, 3)
		w.jumps = true // rates differ by little
		for _, p := range w.procs {
			p.offset += time.Duration(float64(w.now) * (p.rate - 1))
			p.rate = 1
		}
		w.play(t, 6*time.Second)
		epoch := w.procs[1].epoch
		w.procs[1].kill()
		w.play(t, DefaultDeath+2*DefaultBeat)
		for _, i := range []int{0, 2} {
			if w.procs[i].peers[1].dead < epoch {
				t.Errorf("seed %d: %v has not decided", seed, w.procs[i])
			}
		}
	}
}

func TestAMinorityIsFencedWithinALease(t *testing.T) {
	t.Parallel()
	w := calm(t, 5)
	w.alone(0)
	w.cut[0][1], w.cut[1][0] = false, false // two of five
	w.cut[1] = []bool{false, false, true, true, true}
	for i := 2; i < 5; i++ {
		w.cut[i][1] = true
	}
	w.play(t, 2700*time.Millisecond) // clocks may be slow
	for i, p := range w.procs {
		if p.holds() != (i > 1) {
			t.Errorf("%v: holds is %v", p, p.holds())
		}
	}
}

func TestAFencedNodeReturnsWithANewEpoch(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	p := w.procs[0]
	epoch := p.epoch
	p.pause(10 * time.Second)
	w.play(t, 9*time.Second)
	if p.holds() {
		t.Error("it holds while it is paused")
	}
	w.play(t, 3*time.Second)
	if !p.holds() || p.epoch <= epoch {
		t.Errorf("holds is %v, with epoch %d after %d", p.holds(), p.epoch, epoch)
	}
	w.checkHealed()
	if w.err != nil {
		t.Error(w.err)
	}
}

// It did not listen, so it cannot know that they were silent.
func TestAPausedGranterWithdrawsFromNobody(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	w.procs[0].pause(10 * time.Second)
	w.play(t, 15*time.Second)
	for _, p := range w.procs[1:] {
		if floor := w.procs[0].peers[p.name].floor; floor >= p.epoch {
			t.Errorf("%v was withdrawn from, epoch %d", p, p.epoch)
		}
	}
}

// Who restarts nodes one after the other waits until all support all: what a process that has gone
// has granted does not count, and the one after it grants nothing for 3 s.
func TestANodeThatHasRestartedSupportsNobodyYet(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*proc){"closed": (*proc).leaves, "killed": (*proc).kill} {
		w := calm(t, 3)
		end(w.procs[1])
		w.startAgain(1)
		w.play(t, time.Second)
		if a, c := w.procs[0].supporters(), w.procs[2].supporters(); a != 2 || c != 2 {
			t.Errorf("%s: after a second: %d and %d supporters, want 2 and 2", name, a, c)
		}
		w.play(t, 10*time.Second)
		if a, c, b := w.procs[0].supporters(), w.procs[2].supporters(), w.procs[3].supporters(); a+b+c != 9 {
			t.Errorf("%s: in the end: %d, %d and %d supporters, want 3 each", name, a, b, c)
		}
	}
}

// One direction of a link is enough for a grant to be lost, and the third node is enough to live.
func TestANodeLivesWithOneSupporter(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	epochs := []Epoch{w.procs[0].epoch, w.procs[1].epoch, w.procs[2].epoch}
	w.cut[0][1] = true
	w.play(t, 20*time.Second)
	w.cut[0][1], w.cut[1][0] = true, true
	w.play(t, 20*time.Second)
	if a, c := w.procs[0].supporters(), w.procs[2].supporters(); a != 2 || c != 3 {
		t.Errorf("%d and %d supporters, want 2 and 3", a, c)
	}
	for i, p := range w.procs {
		if !p.holds() || p.epoch != epochs[i] {
			t.Errorf("%v: holds is %v, epoch %d after %d", p, p.holds(), p.epoch, epochs[i])
		}
	}
}

func TestAFarewellIsADeathAtOnce(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	p := w.procs[0]
	epoch := p.epoch
	p.leaves()
	w.play(t, 2*DefaultBeat)
	for _, q := range w.procs[1:] {
		if q.peers[0].dead < epoch || q.live(0) {
			t.Errorf("%v has not decided", q)
		}
	}
}

func TestAProcessThatWasRestartedGetsItsNameBack(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	old := w.procs[0]
	old.kill()
	p := w.start(0)
	w.play(t, time.Second)
	if p.held {
		t.Error("it holds while the other may")
	}
	w.play(t, 5*time.Second)
	if !p.holds() || p.epoch <= old.epoch {
		t.Errorf("holds is %v, epoch %d after %d", p.holds(), p.epoch, old.epoch)
	}
	if w.checkHealed(); w.err != nil {
		t.Error(w.err)
	}
}

// What it left is told by those that were there, not by the process that has taken its place.
func TestAProcessThatWasRestartedIsNoHeirOfItsOwn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		w := newWorld(seed*6, 3)
		w.play(t, 8*time.Second)
		w.procs[0].kill()
		w.play(t, time.Second)
		p := w.start(0)
		for w.now < time.Minute && !p.held {
			w.play(t, 10*time.Millisecond)
		}
		w.play(t, time.Second)
		for _, q := range w.living() {
			if heirs := q.peers[0].heirs; heirs[0] != 0 || heirs[1] == 0 || heirs[2] == 0 {
				t.Errorf("seed %d: the heirs are %v for %v", seed*6, heirs, q)
			}
		}
	}
}

func TestTheSecondOfTwoWithOneNameFails(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	first := w.procs[0]
	epoch := first.epoch
	second := w.start(0)
	w.play(t, 20*time.Second)
	if second.failure != taken {
		t.Errorf("the second has failure %d, want taken", second.failure)
	}
	if !first.holds() || first.epoch != epoch {
		t.Errorf("the first: holds is %v, epoch %d after %d", first.holds(), first.epoch, epoch)
	}
	if second.heldTo != 0 {
		t.Error("the second had a lease")
	}
}

// All are restarted, and each gets a late beat of what the others were: none can grant the others'
// names, nor, while its own is taken, withdraw from anybody.
func TestNamesThatWaitForEachOtherComeFree(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	old := slices.Clone(w.procs)
	for _, p := range old {
		p.kill()
	}
	for _, p := range old {
		q := w.start(p.name)
		for _, other := range old {
			if other.name != p.name {
				q.hear(other.name, other.beat(), q.clock())
			}
		}
	}
	w.play(t, 10*time.Second)
	if w.checkHealed(); w.err != nil {
		t.Errorf("%v\n%v", w.err, w)
	}
}

// Two that begin at once hear each other, and whoever has no lease by then gets none.
func TestOfTwoWithOneNameThatBeginAtOnceOneHolds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		w := newWorld(6*seed, 3)
		if seed%2 == 0 { // the others are there already
			w.procs[0].kill()
			w.play(t, 8*time.Second)
			w.start(0)
		}
		w.start(0)
		w.play(t, 30*time.Second)
		failed := 0
		for _, p := range w.procs {
			if p.failure == taken {
				failed++
			}
		}
		if failed == 0 {
			t.Errorf("seed %d: none of the two has failed", 6*seed)
		}
		if other := w.procs[1]; !other.holds() {
			t.Errorf("seed %d: %v does not hold", 6*seed, other)
		}
	}
}

// Two processes must not grant as one node: that without a lease does not.
func TestAProcessWhoseNameIsTakenGrantsNothing(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	b := beat{Config: "same", Boot: 1, Epoch: 50}
	if a := m.hear(0, beat{Config: "same", Boot: 8, Epoch: 90}, m.now); a.Verdict != taken {
		t.Errorf("verdict %d on a beat of the other, want taken", a.Verdict)
	}
	if a := m.hear(1, b, m.now); a.Verdict != notYet {
		t.Errorf("verdict %d after a beat of the other, want not yet", a.Verdict)
	}
	m = oneOfThree(t)
	refused := grant(m.beat())
	refused.Verdict = taken
	m.receive(2, refused, m.now)
	if a := m.hear(1, b, m.now); a.Verdict != notYet {
		t.Errorf("verdict %d after a refusal, want not yet", a.Verdict)
	}
	m = oneOfThree(t)
	m.receive(2, grant(m.beat()), m.now)
	if a := m.hear(0, beat{Config: "same", Boot: 8, Epoch: 90}, m.now); a.Verdict != taken {
		t.Errorf("verdict %d of one that holds, want taken", a.Verdict)
	}
	if a := m.hear(1, b, m.now); a.Verdict != granted {
		t.Errorf("verdict %d of one that holds, want granted", a.Verdict)
	}
}

// The word of a node that has withdrawn counts for a lease, as a grant does: the node may have
// restarted since, and grant.
func TestAnOldWordOfADeathDoesNotCount(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	a := grant(m.beat())
	a.Nodes[2].Floor = 50
	m.receive(1, a, m.now)
	for range 200 {
		m.tick(m.now + 50*time.Millisecond)
	}
	if m.peers[2].floor != 50 || m.peers[2].dead != 0 {
		t.Errorf("floor %d, dead %d, want 50, 0: one of three is no majority", m.peers[2].floor, m.peers[2].dead)
	}
	a.Sent = m.now
	if m.receive(1, a, m.now); m.peers[2].dead != 50 {
		t.Errorf("dead %d, want 50", m.peers[2].dead)
	}
}

// It may have been declared dead before it began.
func TestAnEpochThatGetsNoLeaseInTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	m := oneOfThree(t)
	b, epoch := m.beat(), m.epoch
	m.tick(m.began + DefaultLease)
	m.receive(1, grant(b), m.now)
	if m.epoch != epoch+1 || m.held {
		t.Errorf("held is %v, with epoch %d after %d", m.held, m.epoch, epoch)
	}
}

func TestANodeThatIsConfiguredDifferentlyFails(t *testing.T) {
	t.Parallel()
	w := calm(t, 3)
	w.procs[0].kill()
	p := w.start(0)
	p.config = "other"
	w.play(t, 20*time.Second)
	if p.failure != misconfigured || p.theirs != "same" {
		t.Errorf("failure %d, theirs %q, want misconfigured, same", p.failure, p.theirs)
	}
	for _, q := range w.procs[1:3] {
		if !q.holds() || q.failure != 0 {
			t.Errorf("%v: holds is %v, failure %d", q, q.holds(), q.failure)
		}
	}
}

// Nobody remembers an epoch that a journal has, after all have restarted; and its node is gone.
func TestAnEpochThatWasSeenIsDeclaredDead(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 3)
	w.procs[0].kill()
	for _, p := range w.procs[1:] {
		p.saw(0, 77, p.clock())
	}
	w.play(t, 10*time.Second)
	for _, p := range w.procs[1:] {
		got := p.peers[0]
		if got.dead != 77 || got.heirs[0] != 0 || got.heirs[1]+got.heirs[2] == 0 ||
			!slices.Equal(got.heirs, w.procs[1].peers[0].heirs) {
			t.Errorf("%v: dead up to %d, heirs %v", p, got.dead, got.heirs)
		}
	}
	p := w.start(0)
	p.epoch = 70 // its clock was set back
	w.play(t, 10*time.Second)
	if !p.holds() || p.epoch <= 77 {
		t.Errorf("holds is %v, epoch %d, want more than 77", p.holds(), p.epoch)
	}
}

func TestASingleNodeHoldsForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 1)
	p := w.procs[0]
	if !p.holds() {
		t.Error("it does not hold at once")
	}
	epoch := p.epoch
	p.pause(time.Hour)
	w.play(t, 2*time.Hour)
	if !p.holds() || p.epoch != epoch {
		t.Errorf("holds is %v, epoch %d after %d", p.holds(), p.epoch, epoch)
	}
	p.leaves()
	if p.held {
		t.Error("it holds after its farewell")
	}
}
