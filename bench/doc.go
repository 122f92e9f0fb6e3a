// Package bench does the same work with ivrqueue, with other ways to do it, and with the least that
// it can cost, in one run.
//
// A [Contestant] is a way to have a call's operations done one after the other: ours, a queue
// written by hand to the same contract, a goroutine and a channel, a worker pool, an actor. It
// opens calls; a [Call] has operations done. Each is written as its own authors advise, and says
// what of the contract it does not do ([Contestant.Lacks]), since most do less than a queue of
// media operations has to. The tests hold each to what it claims, so that nobody wins by doing less
// than it says.
//
// The benchmarks are beside the contestants. The command in report runs them, one contestant after
// the other, round by round, and writes what comes out as tables, charts and ratios. The command in
// perfcheck compares some of them with those of an earlier commit:
//
//	go test -bench RoundTrip ./bench
//	go run ./bench/report
//	make perfcheck
//
// # Concurrency
//
// A Call's Submit may be called by several goroutines at once, everything else by one.
//
// # Errors
//
// None: whatever a contestant refuses is a mistake of the benchmark, and panics. A queue that is
// full is waited for.
//
// # Cost
//
// Times differ from machine to machine, and on a shared one from minute to minute. What is compared
// is therefore always a ratio of two times that were measured in the same round.
package bench
