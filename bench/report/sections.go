package main

import (
	"fmt"
	"math"
	"strings"

	"ivrqueue/bench"
)

// section is a workload on the page: what it is, its charts, its table.
type section struct {
	title, about string
	bench        string // the benchmark's name
	units        []string
	charts       []string // files
}

var sections = []section{
	{
		title: "Round trip of one operation", bench: "RoundTrip",
		units: []string{"ns/op", "B/op", "allocs/op"},
		about: "On one call: the operation is made, accepted, started and ended, and its waiter is\n" +
			"woken. With inline delivery the media reports after its Start has returned.",
		charts: []string{"roundtrip.svg"},
	},
	{
		title: "Bursts", bench: "Burst", units: []string{"ns/operation"},
		about: "1,000 calls get 10 operations each at once; the time is for one operation.",
	},
	{
		title: "Two producers", bench: "Contended", units: []string{"ns/op", "allocs/op"},
		about: "One producer, then two, enqueue operations on one call as fast as it accepts them.",
	},
	{
		title: "Two producers, each with a call", bench: "Parallel", units: []string{"ns/op"},
		about: "Round trips on two calls at once. Where an operation changes goroutines, one call\n" +
			"alone already needs both cores.",
	},
	{
		title: "Cancelling everything", bench: "CancelAll",
		units: []string{"ns/op", "ns/cancelled", "allocs/cancel"},
		about: "The cancel alone, by the number of operations that it ends. *Awaited*: the Done\n" +
			"channel of each exists; *asleep*: a goroutine waits on each, which the cancel has to wake;\n" +
			"*observed*: an observer gets an event for each, inline on the canceller's goroutine.",
		charts: []string{"cancel.svg"},
	},
	{
		title: "Idle calls", bench: "IdleCall", units: []string{"B/call", "goroutines/call"},
		about: "The memory of a call that has worked and is idle now, goroutine stacks included. Ours\n" +
			"includes its tone stream; the others have none.",
		charts: []string{"idle.svg"},
	},
	{
		title: "Many calls", bench: "LiveCalls", units: []string{"ns/op"},
		about: "Round trips with many live calls, each on a random one. Pools of which 100,000 do not\n" +
			"fit into memory have no figure.",
		charts: []string{"live.svg"},
	},
	{
		title: "Tones", bench: "Tone", units: []string{"ns/op", "allocs/op"},
		about: "A tone is published, and every subscription reads it. Compared with a buffered\n" +
			"channel for each subscription, and with the least: a lock and a clock read, and a lock\n" +
			"for each.",
	},
	{
		title: "Tails under load", bench: "Tails",
		units: []string{
			"enqueue-p50-ns", "enqueue-p99-ns", "enqueue-p99.9-ns",
			"stop-p50-ns", "stop-p99-ns", "stop-p99.9-ns",
		},
		about: "1,000 busy calls, each with an observer that takes 1 ms for every event, and 10,000\n" +
			"operations a second from other goroutines. Measured are an Enqueue, and the time from a\n" +
			"cancel until Stop is called. The baseline is measured under a similar load: its own round\n" +
			"trip, and the time until a started goroutine runs.",
		charts: []string{"tails.svg"},
	},
	{
		title: "Reading a state", bench: "Status", units: []string{"ns/op"},
		about: "While another goroutine makes and cancels operations without a pause.",
	},
	{
		title: "Over HTTP", bench: "HTTPCancel", units: []string{"requests/s", "B/op", "allocs/op"},
		about: "cancelMediaProcessing on loopback, one request after the other on one connection:\n" +
			"package graph's handler; a bare handler that decodes and encodes JSON of the same size; and\n" +
			"package graph's with a play that each request cancels, and the play's notification.",
	},
	{
		title: "With OpenTelemetry", bench: "Observer",
		units: []string{"ns/life", "ns/observed-life", "ns/by-hand", "×by-hand"},
		about: "The life of one operation, all inline, without an observer and with otelqueue's, on\n" +
			"the SDK with a processor that drops spans; the same span and measurements made by hand; and\n" +
			"what the observer adds, of that. Processor time, garbage collection included.",
	},
}

// words makes words of a benchmark's name.
var words = strings.NewReplacer("/", " ", "_", " ")

func (p *page) section(s section) {
	names := p.within(s.bench)
	if len(names) == 0 {
		return
	}
	p.printf("## %s\n\n%s\n\n", s.title, s.about)
	for _, c := range s.charts {
		p.chart(c, strings.ToLower(s.title))
	}
	p.printf("| |")
	for _, u := range s.units {
		p.printf(" %s |", strings.ReplaceAll(strings.TrimSuffix(u, "-ns"), "-", " "))
	}
	p.printf("\n|---|%s\n", strings.Repeat("---:|", len(s.units)))
	for _, name := range names {
		p.printf("| %s |", words.Replace(strings.TrimPrefix(name, s.bench+"/")))
		for _, u := range s.units {
			p.printf(" %s |", cell(summarize(p.all.of(name, u)), u))
		}
		p.printf("\n")
	}
	p.printf("\n")
}

// within lists what was run of a benchmark, in the order it was run in.
func (p *page) within(bench string) (names []string) {
	for _, name := range p.all.names {
		if strings.HasPrefix(name, bench+"/") {
			names = append(names, name)
		}
	}
	return names
}

// cell is a median, with its range where it has one.
func cell(v value, unit string) string {
	if math.IsNaN(v.median) {
		return "–"
	}
	u := "" // it is in the head of the column
	if strings.HasSuffix(unit, "-ns") {
		u = "ns" // from microseconds to milliseconds
	}
	figure := func(f float64) string { return strings.TrimSpace(number(f, u)) }
	if v.hi > v.lo {
		return fmt.Sprintf("%s (%s to %s)", figure(v.median), figure(v.lo), figure(v.hi))
	}
	return figure(v.median)
}

// contestants says how each is built, and what it does not do.
func (p *page) contestants() {
	p.printf("## What was compared, and what each lacks\n\n" +
		"Each is used as its authors advise, with the same work, and a test checks what it claims to\n" +
		"do. Most do less than a queue of media operations must.\n\n" +
		"| | how | what it lacks |\n|---|---|---|\n")
	for _, c := range bench.Contestants() {
		p.printf("| %s | %s | %s |\n", c.Name, c.How, c.Lacks())
	}
	p.printf("\n")
}
