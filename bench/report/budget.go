package main

import "fmt"

// budget is what one of our costs may be at most, or a rate at least.
type budget struct {
	id, part string // "B4", and which part of it
	work     string
	unit     string
	limit    float64
	atLeast  bool
	value    measure
	profiles []string // the benchmarks whose profiles say why, if it is missed; none for memory held
}

// measure is a figure of ours in each round.
type measure func(*results) []float64

func figure(name, unit string) measure {
	return func(a *results) []float64 { return a.of(name, unit) }
}

func against(a, b measure) measure {
	return func(r *results) []float64 { return over(a(r), b(r)) }
}

// larger is the larger of two figures in each round.
func larger(a, b measure) measure {
	return func(r *results) []float64 {
		return each(func(a, b float64) float64 { return max(a, b) }, a(r), b(r))
	}
}

// perEnded is what a cancel of 1,000 allocates for each operation beyond what a cancel of 100 does.
func perEnded(form string) measure {
	name := "CancelAll/inline/" + form + "depth="
	return func(a *results) []float64 {
		return each(func(few, many float64) float64 { return max(0, (many-few)/(1000-100)) },
			a.of(name+"100", "allocs/cancel"), a.of(name+"1000", "allocs/cancel"))
	}
}

const times = "×" // the unit of a ratio

// ratio is the budget of one benchmark's time against another's.
func ratio(id, part, work string, limit float64, ours, other string) budget {
	return budget{
		id: id, part: part, work: work, unit: times, limit: limit,
		value:    against(figure(ours, "ns/op"), figure(other, "ns/op")),
		profiles: []string{ours, other},
	}
}

// count is the budget of something that is counted.
func count(id, part, work string, limit float64, name, unit, counted string) budget {
	return budget{
		id: id, part: part, work: work, unit: counted, limit: limit, value: figure(name, unit),
		profiles: []string{allocationsOf + name},
	}
}

// budgets are ours, in order.
var budgets = []budget{
	ratio("B1", "", "round trip of one operation, inline, of hand's",
		0.6, "RoundTrip/inline", "RoundTrip/hand"),
	ratio("B2", "", "the same, default delivery", 1.25, "RoundTrip/default", "RoundTrip/hand"),
	ratio("B3", "time", "the same, Blocking", 2, "RoundTrip/blocking", "RoundTrip/hand"),
	count("B3", "allocations", "its allocations", 3, "RoundTrip/blocking", "allocs/op", "allocs"),
	ratio("B4", "one producer", "one producer as fast as the call takes it, default, of hand's",
		1, "Contended/default/producers=1", "Contended/hand/producers=1"),
	ratio("B4", "burst", "1,000 calls × 10 operations, default, of hand's",
		1, "Burst/default", "Burst/hand"),
	cancel(1), count("B5", "1, allocations", "its allocations", 3,
		"CancelAll/inline/depth=1", "allocs/cancel", "allocs"),
	cancel(10), count("B5", "10, allocations", "its allocations", 3,
		"CancelAll/inline/depth=10", "allocs/cancel", "allocs"),
	ended("", 100, 30), ended("", 1000, 30),
	ended("awaited/", 100, 50), ended("awaited/", 1000, 50),
	{
		id: "B6", part: "allocations", work: "allocations for each, Done asked for or not",
		unit: "allocs", limit: 0, value: larger(perEnded(""), perEnded("awaited/")),
		profiles: []string{allocationsOf + "CancelAll/inline/awaited/depth=1000"},
	},
	{
		id: "B7", part: "memory", work: "an idle call that has worked, queue and tone stream; " +
			"it would include a timer",
		unit: "B", limit: 320, value: figure("IdleCall/inline", "B/call"),
	},
	{
		id: "B7", part: "goroutines", work: "its goroutines, inline or default",
		unit: "goroutines", limit: 0,
		value: larger(figure("IdleCall/inline", "goroutines/call"),
			figure("IdleCall/default", "goroutines/call")),
	},
	count("B8", "number", "allocations of an operation, inline", 1,
		"RoundTrip/inline", "allocs/op", "allocs"),
	count("B8", "size", "their size", 208, "RoundTrip/inline", "B/op", "B"),
	ratio("B9", "time", "a tone published and taken, of a buffered channel's",
		0.75, "Tone/ours/subscribers=1", "Tone/chan/subscribers=1"),
	count("B9", "allocations", "its allocations", 0, "Tone/ours/subscribers=1", "allocs/op", "allocs"),
	ratio("B10", "one queue", "two producers on one queue, inline, of hand's",
		1, "Contended/inline/producers=2", "Contended/hand/producers=2"),
	ratio("B10", "two queues", "two producers, each on its own, inline, of hand's",
		0.5, "Parallel/inline", "Parallel/hand"),
	ratio("B11", "inline", "round trip on a random one of 100,000 calls, inline, of hand's",
		0.4, "LiveCalls/inline/calls=100000", "LiveCalls/hand/calls=100000"),
	ratio("B11", "default", "the same, default delivery",
		0.5, "LiveCalls/default/calls=100000", "LiveCalls/hand/calls=100000"),
	{
		id: "B12", work: "cancelMediaProcessing over HTTP, requests/s, of a bare handler's",
		unit: times, limit: 0.8, atLeast: true, value: against(
			figure("HTTPCancel/ours", "requests/s"), figure("HTTPCancel/bare", "requests/s")),
		profiles: []string{"HTTPCancel/ours", "HTTPCancel/bare"},
	},
	tail("enqueue", "p99.9 of Enqueue with 1,000 busy calls and slow observers, of the baseline's"),
	tail("stop", "p99.9 from CancelAll to Stop with the same, of the start of a goroutine"),
}

func cancel(depth int) budget {
	name := func(who string) string { return fmt.Sprintf("CancelAll/%s/depth=%d", who, depth) }
	return ratio("B5", thousands(depth), fmt.Sprintf("CancelAll of %d, of hand's", depth),
		1.2, name("inline"), name("hand"))
}

// ended is the budget of a large cancel's time for each operation that it ends.
func ended(form string, depth int, limit float64) budget {
	name := fmt.Sprintf("CancelAll/inline/%sdepth=%d", form, depth)
	b := budget{
		id: "B6", part: thousands(depth),
		work: fmt.Sprintf("CancelAll of %s, for each", thousands(depth)),
		unit: "ns", limit: limit, value: figure(name, "ns/cancelled"), profiles: []string{name},
	}
	if form != "" {
		b.part += ", Done"
		b.work = fmt.Sprintf("the same of %s whose Done was asked for", thousands(depth))
	}
	return b
}

func tail(of, work string) budget {
	return budget{
		id: "B13", part: of, work: work, unit: times, limit: 1.5, value: against(
			figure("Tails/default", of+"-p99.9-ns"), figure("Tails/baseline", of+"-p99.9-ns")),
		profiles: []string{"Tails/default", "Tails/baseline"},
	}
}

// name is the budget's, with the part.
func (b *budget) name() string {
	if b.part == "" {
		return b.id
	}
	return b.id + " " + b.part
}
