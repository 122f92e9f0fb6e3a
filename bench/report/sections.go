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
		about: "On one call: the operation is made, accepted, started and ended, and whoever waits\n" +
			"for it is told. Inline the media reports after its Start has returned.",
		charts: []string{"roundtrip.svg"},
	},
	{
		title: "Bursts", bench: "Burst", units: []string{"ns/operation"},
		about: "1,000 calls are given 10 operations each at once; the time is that of one operation.",
	},
	{
		title: "Two producers", bench: "Contended", units: []string{"ns/op", "allocs/op"},
		about: "One producer, then two, give operations to one call as fast as it takes them.",
	},
	{
		title: "Two producers, each with a call", bench: "Parallel", units: []string{"ns/op"},
		about: "Round trips on two calls at once. Where the operation changes goroutines, both cores\n" +
			"are needed already for one of them.",
	},
	{
		title: "Cancelling everything", bench: "CancelAll",
		units: []string{"ns/op", "ns/cancelled", "allocs/cancel"},
		about: "The cancel alone, by the number of operations that it ends. *Awaited*: somebody has\n" +
			"asked for the Done channel of each; *asleep*: a goroutine waits on each, which the cancel\n" +
			"has to wake; *observed*: an observer gets an event of each, inline from the canceller itself.",
		charts: []string{"cancel.svg"},
	},
	{
		title: "Idle calls", bench: "IdleCall", units: []string{"B/call", "goroutines/call"},
		about: "What a call costs that has worked and does nothing now, stacks of goroutines\n" +
			"included. Ours with its tone stream; the others have none.",
		charts: []string{"idle.svg"},
	},
	{
		title: "Many calls", bench: "LiveCalls", units: []string{"ns/op"},
		about: "Round trips where many calls live, each time on another one, by chance. Pools of\n" +
			"which 100,000 do not fit have no figure there.",
		charts: []string{"live.svg"},
	},
	{
		title: "Tones", bench: "Tone", units: []string{"ns/op", "allocs/op"},
		about: "A tone is published, and taken by every subscription. Beside ours: a buffered channel\n" +
			"for each subscription; and the least, a lock and a clock read, and a lock for each.",
	},
	{
		title: "Tails under load", bench: "Tails",
		units: []string{
			"enqueue-p50-ns", "enqueue-p99-ns", "enqueue-p99.9-ns",
			"stop-p50-ns", "stop-p99-ns", "stop-p99.9-ns",
		},
		about: "1,000 busy calls, each with an observer that takes 1 ms over every event, 10,000\n" +
			"operations a second from elsewhere, and probes: an Enqueue, and the time from a cancel\n" +
			"until Stop is called. The baseline is what the machine does under a like load: its own\n" +
			"round trip, and the time until a goroutine runs that was started.",
		charts: []string{"tails.svg"},
	},
	{
		title: "Reading a state", bench: "Status", units: []string{"ns/op"},
		about: "While another goroutine makes and cancels operations without pause.",
	},
	{
		title: "Over HTTP", bench: "HTTPCancel", units: []string{"requests/s", "B/op", "allocs/op"},
		about: "cancelMediaProcessing on loopback, one request after the other on one connection: our\n" +
			"graph handler; a bare handler that decodes and encodes JSON of the same size; and ours with\n" +
			"a play that each request cancels, and a notification of that.",
	},
}

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
		p.printf("| %s |", strings.ReplaceAll(strings.TrimPrefix(name, s.bench+"/"), "/", " "))
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

// contestants tells how each is built, and what it does not do.
func (p *page) contestants() {
	p.printf("## Who was compared, and what each does not do\n\n" +
		"Each is written as its authors advise, uses the same work again and again, and is held by a\n" +
		"test to what it claims. Most do less than a queue of media operations has to.\n\n" +
		"| | how | does not do |\n|---|---|---|\n")
	for _, c := range bench.Contestants() {
		p.printf("| %s | %s | %s |\n", c.Name, c.How, c.Lacks())
	}
	p.printf("\n")
}
