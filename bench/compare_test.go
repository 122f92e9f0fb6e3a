package bench_test

import (
	"flag"
	"runtime"
	"slices"
	"sync"
	"testing"

	"ivrqueue/bench"
)

// turn says who begins. Whoever is first finds a process that is cold, and whoever follows one that
// leaves much garbage may have to clean it up: with another turn in each round, that is everybody.
var turn = flag.Int("turn", 0, "begin with the contestant of this `number`")

// inTurn returns all, beginning with the one whose turn it is.
func inTurn[T any](all []T) []T {
	first := *turn % len(all)
	return slices.Concat(all[first:], all[:first])
}

// compare runs a benchmark with each of the contestants.
func compare(b *testing.B, who []*bench.Contestant, f func(b *testing.B, c *bench.Contestant)) {
	b.Helper()
	warm()
	for _, c := range inTurn(who) {
		b.Run(c.Name, func(b *testing.B) { f(b, c) })
	}
}

// warm has the process own some memory, as one does that has run for a while: its first touch is
// nobody's cost.
var warm = sync.OnceFunc(func() {
	const size, blocks = 256, 1 << 16
	all := make([][]byte, blocks)
	for i := range all {
		all[i] = make([]byte, size)
	}
	clear(all)
	runtime.GC()
})

// nothing is the work of an operation where only what is around it counts.
func nothing() {}
