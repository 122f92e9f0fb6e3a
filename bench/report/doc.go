// Command report measures ivrqueue beside other ways to do the same work, holds it to its budgets,
// and writes docs/performance.md with tables and charts. It is run from the root of the repository:
//
//	go run ./bench/report                  # measure, and write docs/performance.md
//	go run ./bench/report -check           # besides, fail if a budget is missed
//	go run ./bench/report -short -check    # two minutes, ratios only, writes nothing
//	go run ./bench/report -from raw.txt    # write again what -raw raw.txt has kept
//
// The benchmarks are those of package bench, compiled once. In each round every one runs once, in a
// process of its own, so that a machine that is slow for a while is slow for all. A ratio is taken
// within each round, and of the ratios the median.
package main
