// Command report measures ivrqueue beside other ways to do the same work, holds it to its budgets,
// and writes docs/performance.md with tables and charts. It is run from the root of the repository:
//
//	go run ./bench/report                  # measure, and write docs/performance.md
//	go run ./bench/report -check           # besides, exit with 1 if a budget is missed
//	go run ./bench/report -from raw.txt    # write again what -raw raw.txt has kept
//
// A budget is met or missed on the machine that it was measured on. Whether the code became slower
// is another question, and command perfcheck answers it.
//
// The benchmarks are those of package bench, compiled once. A round runs each workload in a process
// of its own, for a short time, all its contestants one after the other, and with another one first
// each time; there are many rounds. So a machine that is slow for a while is slow for all, or for
// one in a few rounds only: a ratio is taken within each round, and of the ratios the median. What
// otelqueue's observer costs is measured after them, in as many rounds.
package main
