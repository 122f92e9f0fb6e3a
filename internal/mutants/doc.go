// Mutants is the proof that the tests bite: each row of its table breaks the engine in one small
// way, and names the test that must fail with it. A mutant that survives is a hole in the tests.
//
//	go run ./internal/mutants            # all of them
//	go run ./internal/mutants -only lifo # those whose name contains it
//	go run ./internal/mutants -with TestSimulation # which of them does this test notice?
//
// A row (table_*.go) replaces a text of a file, which must be there exactly once, by another one.
// It does so in copies, which go test -overlay puts in place of the files: the tree is not touched.
// A row whose text is not there any more, or that no longer compiles, fails the run as a survivor
// does. A test whose traces are judged (the simulation) must name the guarantee.
//
// To add one: break the engine by hand, see the test fail, take the change back, and write down
// what it was.
package main
