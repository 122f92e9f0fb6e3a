package main

import (
	"fmt"
	"math"
)

// budget is what one of our costs may be at most, or a rate at least. With -short only ratios are
// compared: a budget that is a time is then compared as the ratio to something that the same round
// has measured.
type budget struct {
	id      string // "B1", and which half of it
	work    string
	unit    string
	limit   float64
	atLeast bool
	value   measure

	// usual is what it comes to with -short, and a little: it is held to that there, and the slack, so
	// that a regression of a quarter is caught though the budget has room, or is a known miss. A
	// count has none: it is held to the budget.
	usual float64
	short *ratio // nil if -short compares the same
}

// ratio is the form of a budget that takes no clock for granted.
type ratio struct {
	to    string
	value measure
}

// measure is a figure of ours in each round.
type measure func(*results) []float64

func figure(name, unit string) measure {
	return func(a *results) []float64 { return a.of(name, unit) }
}

func against(a, b measure) measure {
	return func(r *results) []float64 { return over(a(r), b(r)) }
}

func life(name string) measure { return figure("Life/"+name, "ns/op") }

// rivals are those that a life is compared with beside the bare channel.
var rivals = []string{"chanfull", "pond", "workerpool", "ants", "protoactor", "looplab"}

// fastest is the life of the rival with the lowest median.
func fastest(a *results) []float64 { return life(fastestRival(a))(a) }

func fastestRival(a *results) (name string) {
	best := math.Inf(1)
	for _, rival := range rivals {
		if m := a.median("Life/"+rival, "ns/op"); m < best {
			name, best = rival, m
		}
	}
	return name
}

const times = "×" // the unit of a ratio

func victim(form string, depth int) measure {
	return figure(fmt.Sprintf("CancelAll/inline/%sdepth=%d", form, depth), "ns/victim")
}

// perVictim is what a cancel allocates for each victim, beyond what it allocates for any.
func perVictim(a *results) []float64 {
	few, many := "CancelAll/inline/depth=100", "CancelAll/inline/depth=1000"
	return each(func(few, many float64) float64 { return max(0, (many-few)/(1000-100)) },
		a.of(few, "allocs/cancel"), a.of(many, "allocs/cancel"))
}

// budgets are ours, in order.
var budgets = []budget{
	{
		id: "B1 inline", work: "a life, inline, against the floor",
		unit: times, limit: 1.3, usual: 1.45, value: against(life("inline"), life("floor")),
	},
	{
		id: "B2 inline", work: "a life, inline, against a channel that only runs a function",
		unit: times, limit: 0.75, usual: 1.35, value: against(life("inline"), life("chan")),
	},
	{
		id: "B2 default", work: "a life, by default, against the same",
		unit: times, limit: 1.8, usual: 3.9, value: against(life("default"), life("chan")),
	},
	{
		id: "B3 inline", work: "a life, inline, against the fastest of the rivals",
		unit: times, limit: 0.4, usual: 0.8, value: against(life("inline"), fastest),
	},
	{
		id: "B3 default", work: "a life, by default, against the same",
		unit: times, limit: 0.9, usual: 2.5, value: against(life("default"), fastest),
	},
	{
		id: "B4 inline", work: "allocations of a life, inline",
		unit: "allocs", limit: 1, value: figure("Life/inline", "allocs/op"),
	},
	{
		id: "B5 depth=100", work: "CancelAll of 100, for each",
		unit: "ns", limit: 40, usual: 0.11, value: victim("", 100),
		short: &ratio{"the floor's life", against(victim("", 100), life("floor"))},
	},
	{
		id: "B5 depth=1000", work: "CancelAll of 1,000, for each",
		unit: "ns", limit: 40, usual: 0.055, value: victim("", 1000),
		short: &ratio{"the floor's life", against(victim("", 1000), life("floor"))},
	},
	{
		id: "B5 awaited=100", work: "CancelAll of 100 whose Done was asked for, for each",
		unit: "ns", limit: 60, usual: 0.19, value: victim("awaited/", 100),
		short: &ratio{"the floor's life", against(victim("awaited/", 100), life("floor"))},
	},
	{
		id: "B5 awaited=1000", work: "CancelAll of 1,000 whose Done was asked for, for each",
		unit: "ns", limit: 60, usual: 0.15, value: victim("awaited/", 1000),
		short: &ratio{"the floor's life", against(victim("awaited/", 1000), life("floor"))},
	},
	{
		id: "B5 allocations", work: "allocations of a CancelAll for each victim",
		unit: "allocs", limit: 0, value: perVictim,
	},
	{
		id: "B6 memory", work: "an idle call that has worked, tone stream included",
		unit: "B", limit: 320, value: figure("IdleCall/inline", "B/call"),
	},
	{
		id: "B6 goroutines", work: "its goroutines",
		unit: "goroutines", limit: 0, value: figure("IdleCall/inline", "goroutines/call"),
	},
	{
		id: "B7 time", work: "a tone published, and taken by one subscription",
		unit: "ns", limit: 100, usual: 1.05, value: figure("Tone/ours/subscribers=1", "ns/op"),
		short: &ratio{"two locks and a clock read", against(
			figure("Tone/ours/subscribers=1", "ns/op"), figure("Tone/floor/subscribers=1", "ns/op"))},
	},
	{
		id: "B7 allocations", work: "its allocations",
		unit: "allocs", limit: 0, value: figure("Tone/ours/subscribers=1", "allocs/op"),
	},
	{
		id: "B8 contended", work: "two producers on one queue, inline, against one",
		unit: times, limit: 1.5, usual: 1.7, value: against(
			figure("Contended/inline/producers=2", "ns/op"),
			figure("Contended/inline/producers=1", "ns/op")),
	},
	{
		id: "B8 parallel", work: "two producers, each on its own queue, inline, against two floors",
		unit: times, limit: 1.3, usual: 1.3, value: against(
			figure("Parallel/inline", "ns/op"), figure("Parallel/floor", "ns/op")),
	},
	{
		id: "B9 inline", work: "a life on one of 100,000 calls, at random, against one call",
		unit: times, limit: 4, usual: 4.4, value: against(
			figure("LiveCalls/inline/calls=100000", "ns/op"), figure("LiveCalls/inline/calls=1", "ns/op")),
	},
	{
		id: "B10 http", work: "cancelMediaProcessing over HTTP, requests/s against a bare handler's",
		unit: times, limit: 0.6, usual: 0.75, atLeast: true, value: against(
			figure("HTTPCancel/ours", "requests/s"), figure("HTTPCancel/bare", "requests/s")),
	},
	{
		id: "B11 enqueue", work: "p99.9 of Enqueue with 1,000 busy calls",
		unit: "ns", limit: 1e6, usual: 2.5, value: figure("Tails/default", "enqueue-p99.9-ns"),
		short: &ratio{"p99 against the floor's p99 under the same load", against(
			figure("Tails/default", "enqueue-p99-ns"), figure("Tails/floor", "enqueue-p99-ns"))},
	},
	{
		id: "B11 stop", work: "p99.9 from CancelAll to Stop, with the same",
		unit: "ns", limit: 1e6, usual: 2.5, value: figure("Tails/default", "stop-p99.9-ns"),
		short: &ratio{"p99 against the start of a goroutine's under the same load", against(
			figure("Tails/default", "stop-p99-ns"), figure("Tails/floor", "stop-p99-ns"))},
	},
}
