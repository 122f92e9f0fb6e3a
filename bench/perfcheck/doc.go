// Command perfcheck fails if something became slower by a quarter, on whatever machine it runs. It
// compares with an earlier commit of this repository, never with figures from elsewhere. It is run
// from the root of the repository:
//
//	make perfcheck
//
// The file bench/reference names the commit. The command checks it out in a temporary git worktree,
// compiles the benchmarks of both trees, and runs the two programs in turn (reference, today,
// today, reference, and the other way round) in many short rounds. Of a tree's samples in a round
// the fastest counts, since whatever else a machine does only adds. So a round gives one ratio for
// each benchmark, of figures that were measured within a second or two: a machine that is busy for
// a while is busy for both. Rounds are repeated for what is not decided yet, within a limit of
// time. What was said to be worse is measured once more, and is worse if that says so, too. What
// stays undecided is reported as unsure and does not fail.
//
// Times are compared with an interval ([compare]), allocations and bytes exactly, but for what a
// count that is an average blurs. A benchmark that only one of the two trees has is reported and
// not judged.
//
// # Errors
//
// Exit status 1 means that something became worse. Exit status 2 means that nothing could be said:
// there is no git, the reference commit is missing, as in a shallow clone, a tree does not compile
// or a benchmark fails.
package main
