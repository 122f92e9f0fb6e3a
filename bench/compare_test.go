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

// warm has the process hold some memory, as any does that serves calls: its garbage is collected
// when there are 16 MB of it, not after every few, as in a process that holds nothing.
var warm = sync.OnceFunc(func() { hold(ownMemory) })

const ownMemory = 16 // megabytes

var held [][]byte

// hold has the process hold so much memory. It owns as much again that it has touched before: the
// first touch is nobody's cost.
func hold(megabytes int) {
	held = make([][]byte, 16*megabytes)
	for range 3 {
		for i := range held {
			held[i] = make([]byte, 1<<16)
			held[i][0] = 1
		}
	}
	runtime.GC()
}

// nothing is the work of an operation where only what is around it counts.
func nothing() {}
