// Command million holds a million idle calls at once, each a queue and a tone stream, then makes
// some of them active, cancels and closes them, and prints what each step costs: time, memory,
// goroutines, and how long the garbage collector held everything up.
//
//	go run ./bench/million
//	go run ./bench/million -calls 200000 -active 20000 -json million.json
package main
