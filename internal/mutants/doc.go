// Mutants is the proof that the tests bite: each file in patches breaks the engine in one small
// way, and names the test that must fail with it. A mutant that survives is a hole in the tests.
//
//	go run ./internal/mutants            # all of them
//	go run ./internal/mutants -only lifo # those whose name contains it
//	go run ./internal/mutants -with TestSimulation # which of them does this test notice?
//
// A patch is what git diff prints, below a header of three lines:
//
//	what: the next operation is the one accepted last
//	rule: G1
//	kill: ./queue TestOperationsStartInTheOrderTheyWereAccepted
//
// where -race before the package says that only the race detector notices. A test whose traces are
// judged (the simulation, the stress) must name the guarantee. It is applied to copies, which go
// test -overlay puts in place of the files: the tree is not touched. A patch that no longer
// applies, or no longer compiles, fails the run as a survivor does. To make one, break the engine
// by hand, save git diff under the header, and take the change back.
package main
