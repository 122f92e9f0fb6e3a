package bench_test

import (
	"flag"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

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

// hold has the process hold so much memory. It owns twice as much again that it has touched before:
// the first touch is nobody's cost.
func hold(megabytes int) {
	const block, page = 1 << 16, 1 << 12
	held = make([][]byte, megabytes<<20/block)
	for range 3 {
		for i := range held {
			held[i] = make([]byte, block)
			for at := 0; at < block; at += page {
				held[i][at] = 1
			}
		}
	}
	runtime.GC()
}

// settle does something for a while before it is measured: until the memory that it uses has gone
// round, and the runtime has given back to the system what the benchmark before has left.
func settle(do func()) {
	const so, often = 40 * time.Millisecond, 100
	for begin := time.Now(); time.Since(begin) < so; {
		for range often {
			do()
		}
	}
}

// nothing is the work of an operation where only what is around it counts.
func nothing() {}
