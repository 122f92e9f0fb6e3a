package queue_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// draw makes a random script: each choice is a byte, and what has no byte yet is drawn by chance. So
// the bytes that were taken are the script: played again they make the same choices, a fuzzer can
// change them, and one that fails can be shrunk without knowing what it says. Zero is the least of
// each choice, and the end of what repeats.
type draw struct {
	script []byte     // of the first choices
	chance *rand.Rand // of the others; nil: they are all zero
	taken  []byte
	said   strings.Builder // in words

	mu      sync.Mutex // guards the block below
	failure string
}

// errStopped is what a script panics with that has failed.
var errStopped = errors.New("the script has failed")

// below draws one of 0 to n-1, where n is at most 256.
func (d *draw) below(n int) int {
	choice := 0
	switch i := len(d.taken); {
	case i < len(d.script):
		choice = int(d.script[i]) % n
	case d.chance != nil:
		choice = d.chance.IntN(n)
	}
	d.taken = append(d.taken, byte(choice))
	return choice
}

// between draws a number from low to high.
func (d *draw) between(low, high int, what string) int {
	n := low + d.below(high-low+1)
	fmt.Fprintf(&d.said, " %s=%d", what, n)
	return n
}

func (d *draw) coin(what string) bool { return d.between(0, 1, what) == 1 }

// pick draws one of all.
func pick[T any](d *draw, all []T, what string) T {
	one := all[d.below(len(all))]
	fmt.Fprintf(&d.said, " %s=%v", what, one)
	return one
}

// action is what a script may do at any time.
type action struct {
	name string
	do   func(*draw)
}

// repeat takes actions, 30 on the average, at most 60. It checks before the first and after each.
func (d *draw) repeat(check func(), actions []action) {
	check()
	for range 60 {
		if d.below(30) == 0 {
			return
		}
		next := actions[d.below(len(actions))]
		fmt.Fprintf(&d.said, "\n%s", next.name)
		next.do(d)
		check()
	}
}

// Errorf says that the script has failed. The first word counts.
func (d *draw) Errorf(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == "" {
		d.failure = fmt.Sprintf(format, args...)
	}
}

// Fatalf is Errorf, and ends the script. It is for the goroutine that plays it.
func (d *draw) Fatalf(format string, args ...any) {
	d.Errorf(format, args...)
	panic(errStopped)
}

// play plays the script in a bubble. It returns why it has failed, or "".
func (d *draw) play(t *testing.T, script func(*draw)) string {
	t.Helper()
	func() {
		defer d.recovered() // that goroutines of the bubble are left
		synctest.Test(t, func(*testing.T) {
			defer d.recovered()
			script(d)
		})
	}()
	return d.failure
}

func (d *draw) recovered() {
	if v := recover(); v != nil {
		d.Errorf("%v\n%s", v, debug.Stack())
	}
}

// shrunk returns a script that fails too and is as short, and has as small choices, as could be
// found.
func (d *draw) shrunk(t *testing.T, script func(*draw)) *draw {
	t.Helper()
	best := d
	tries := 5000
	better := func(bytes []byte) bool {
		if tries--; tries < 0 {
			return false
		}
		next := &draw{script: bytes}
		if next.play(t, script) == "" || !next.simpler(best) {
			return false
		}
		best = next
		return true
	}
	for last := (*draw)(nil); last != best && tries > 0; {
		last = best
		for size := len(best.taken); size > 0; size = min(size-1, max(size/2, 8)) {
			for i := 0; i+size <= len(best.taken); {
				if !better(slices.Delete(slices.Clone(best.taken), i, i+size)) {
					i++
				}
			}
		}
		for i := 0; i < len(best.taken); i++ {
			for less := byte(0); i < len(best.taken) && less < best.taken[i]; less++ {
				smaller := slices.Clone(best.taken)
				smaller[i] = less
				if better(smaller) {
					break
				}
			}
		}
	}
	return best
}

// simpler compares by length first.
func (d *draw) simpler(than *draw) bool {
	a, b := d.taken, than.taken
	return len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0
}

// playScripts plays n random scripts whose first choices are given. The first that fails is shrunk.
func playScripts(t *testing.T, n int, script func(*draw), first ...byte) {
	t.Helper()
	for range n {
		d := &draw{script: first, chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
		if d.play(t, script) != "" {
			d = d.shrunk(t, script)
			t.Fatalf("%s\n\nthe script, which a file of testdata/fuzz plays again:%s\n\ngo test fuzz v1\n[]byte(%q)",
				d.failure, &d.said, d.taken)
		}
	}
}

// Of a long script that fails, what it takes to fail is left, with the smallest choices.
func TestAScriptThatFailsIsShrunk(t *testing.T) {
	t.Parallel()
	script := func(d *draw) {
		most, failed := 0, false
		d.repeat(func() {
			if failed {
				d.Fatalf("%d before a one", most)
			}
		}, []action{
			{"nothing", func(*draw) {}},
			{"number", func(d *draw) { most = max(most, d.between(0, 15, "n")) }},
			{"bit", func(d *draw) { failed = d.coin("of") && most >= 10 }},
		})
	}
	found := 0
	for seed := range uint64(40) {
		d := &draw{chance: rand.New(rand.NewPCG(seed, 0))}
		if d.play(t, script) == "" {
			continue
		}
		found++
		got := d.shrunk(t, script)
		if got.failure != "10 before a one" || got.said.String() != "\nnumber n=10\nbit of=1" {
			t.Errorf("seed %d: %s:%s", seed, got.failure, &got.said)
		}
	}
	if found < 20 {
		t.Errorf("%d scripts failed, want more", found)
	}
}

// A panic is a failure, and what was taken makes the same choices again.
func TestAScriptPlaysAgain(t *testing.T) {
	t.Parallel()
	script := func(d *draw) {
		if n := d.between(0, 255, "n"); n > 100 {
			panic(n)
		}
	}
	d := &draw{script: []byte{200}}
	why := d.play(t, script)
	again := &draw{script: d.taken}
	if !strings.HasPrefix(why, "200\n") || !strings.HasPrefix(again.play(t, script), "200\n") {
		t.Errorf("got %q, then %q", why, again.failure)
	}
	if d := d.shrunk(t, script); d.taken[0] != 101 {
		t.Errorf("shrunk to %v, want 101", d.taken)
	}
}
