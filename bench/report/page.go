package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// write writes performance.md, and the charts in a folder beside it.
func write(docs string, all *results, verdicts []verdict) error {
	dir := filepath.Join(docs, "performance")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range charts(all, verdicts) {
		if err := c.save(filepath.Join(dir, c.file)); err != nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
	}
	p := &page{all: all, verdicts: verdicts}
	p.write()
	return os.WriteFile(filepath.Join(docs, "performance.md"), p.out.Bytes(), 0o644)
}

// page is performance.md as it grows.
type page struct {
	out      bytes.Buffer
	all      *results
	verdicts []verdict
}

func (p *page) write() {
	p.printf("# What it costs\n\n" +
		"<!-- Written by go run ./bench/report. Do not edit. -->\n\n" +
		"*For those who ask whether it is fast enough, and compared with what.*\n\n" +
		"Everything here was measured in one run: the library, other ways to do the same work, and\n" +
		"the least that the work can cost. Figures are medians, with their 95 %% confidence intervals\n" +
		"in brackets. A ratio is computed in each round, and its median reported, so that a machine\n" +
		"that is slow for a while is slow for both sides. [Do it yourself](#do-it-yourself).\n\n")
	p.machine()
	p.budgets()
	p.misses()
	for _, s := range sections {
		p.section(s)
	}
	p.million()
	p.profiles()
	p.contestants()
	p.printf("## Do it yourself\n\n```sh\n" +
		"go run ./bench/report                  # measure, and write this page\n" +
		"go test -bench RoundTrip ./bench       # one workload, by itself\n" +
		"go run ./bench/million                 # a million idle calls, step by step\n" +
		"make perfcheck                         # is something slower than it was?\n```\n")
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// chart shows a picture.
func (p *page) chart(file, alt string) { p.printf("![%s](performance/%s)\n\n", alt, file) }

func (p *page) machine() {
	m := p.all.machine
	p.printf("Measured on: %s, %s cores, %s of memory, %s/%s, kernel %s, %s; "+
		"%d rounds\nof %s a benchmark. Its load average was %s when it began: %s\n\n",
		m["cpu"], m["cores"], m["memory"], m["goos"], m["goarch"], m["kernel"], m["go"],
		p.all.rounds, m["benchtime"], m["load"], shared(m["load"], m["cores"]))
}

// shared says in words what a load average means for the figures.
func shared(load, cores string) string {
	l, err := strconv.ParseFloat(load, 64)
	n, err2 := strconv.ParseFloat(cores, 64)
	switch {
	case err != nil || err2 != nil:
		return "whether others used it is not known."
	case l > n:
		return "others kept it busy, so\nfigures that need two cores or wake a goroutine are less " +
			"certain than their ranges say."
	case l > n/4:
		return "others used it too."
	default:
		return "it had nothing else to do."
	}
}

func (p *page) budgets() {
	p.printf("## The budgets\n\n" +
		"`hand` is written by hand to the same contract, as a good engineer would: a goroutine and a\n" +
		"channel for each call, with ids, states, times, ordered events and an atomic cancel. It does\n" +
		"not isolate callbacks, and an idle call holds a goroutine. The verdicts are those of this\n" +
		"machine.\n\n")
	p.chart("budgets.svg", "each cost as a part of its budget")
	p.printf("| | work | measured | budget | |\n|---|---|---:|---:|---|\n")
	for _, v := range p.verdicts {
		word := v.word()
		if !v.met {
			word = "**missed**"
		}
		p.printf("| %s | %s | %s (%s to %s) | %s | %s |\n", v.name(), v.work,
			number(v.got.median, v.unit), number(v.got.lo, v.unit), number(v.got.hi, v.unit),
			v.bound(), word)
	}
	baseline := summarize(against(
		figure("RoundTrip/inline", "ns/op"), figure("RoundTrip/baseline", "ns/op"))(p.all))
	p.printf("\nAn inline round trip takes %s (%s to %s) of the baseline's time, the least that\n"+
		"it can cost: allocate the operation, `uuid.New`, two lock/unlock pairs, two state stores, two\n"+
		"clock reads. No other ratio differs as much between machines.\n\n",
		number(baseline.median, times), number(baseline.lo, times), number(baseline.hi, times))
}

func (p *page) million() {
	m := p.all.million
	if m == nil {
		return
	}
	p.printf("## %s calls at once\n\n", thousands(m.Calls))
	p.printf("Calls as a platform has them: a queue and a tone stream each, shared options,\n" +
		"default delivery, one observer. Memory is measured after garbage collection.\n\n")
	p.chart("growth.svg", "memory against the number of calls")
	p.printf("| step | time | memory | a call | goroutines left | GC pauses | longest | in all |\n" +
		"|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range m.Steps {
		p.printf("| %s | %s | %s MB | %s | %d | %d | %s | %s |\n", s.Name,
			number(float64(s.Time), "ns"), digits(float64(s.Heap)/1e6), number(s.PerCall, "B"),
			s.Goroutines, s.Pauses, number(float64(s.LongestGC), "ns"), number(float64(s.PausedGC), "ns"))
	}
	p.printf("\n")
}
