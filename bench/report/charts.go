package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
)

// chart is a picture: what is on it, and how large it is.
type chart struct {
	file          string
	plot          *plot.Plot
	legend        *plot.Legend // of lines and parts
	width, height float64      // in centimetres
}

// lineChart has no plot if there is nothing to draw.
func lineChart(file, title, x, y string, all []line) chart {
	if all = slices.DeleteFunc(all, func(l line) bool { return len(l.points) == 0 }); len(all) == 0 {
		return chart{}
	}
	p, legend := lines(title, x, y, all)
	return chart{file, p, legend, wide, 10}
}

func barChart(file, title, unit string, bars []bar) chart {
	if len(bars) == 0 {
		return chart{}
	}
	return chart{file, barsPlot(title, unit, bars), nil, wide, 1.8 + 0.72*float64(len(bars)+1)}
}

func stackedChart(file, title, unit string, bars []string, lengths [][]float64) chart {
	if len(bars) == 0 {
		return chart{}
	}
	parts := make([]string, len(purposes))
	for i, p := range purposes {
		parts[i] = p.name
	}
	p, legend := stackedPlot(title, unit, bars, parts, lengths)
	return chart{file, p, legend, wide, 8}
}

const wide = 20

// charts draws everything that was measured and has a chart.
func charts(all *results, verdicts []verdict) []chart {
	drawn := []chart{
		budgetsChart(verdicts),
		barsOf(all, "roundtrip.svg", "Round trip of one operation", "RoundTrip", "ns/op", "ns"),
		profileChart(all),
		barsOf(all, "idle.svg", "Memory of an idle call", "IdleCall", "B/call", "B"),
		lineChart("cancel.svg", "CancelAll, by how many it ends", "operations ended", "ns for each",
			[]line{
				lineOf(all, "inline", "CancelAll/inline/depth=%s", "ns/cancelled"),
				lineOf(all, "inline, awaited", "CancelAll/inline/awaited/depth=%s", "ns/cancelled"),
				lineOf(all, "default", "CancelAll/default/depth=%s", "ns/cancelled"),
				lineOf(all, "hand", "CancelAll/hand/depth=%s", "ns/cancelled"),
				lineOf(all, "looplab", "CancelAll/looplab/depth=%s", "ns/cancelled"),
			}),
		lineChart("live.svg", "A round trip, by how many calls live", "calls, visited at random", "ns",
			liveLines(all)),
		tailsChart(all),
	}
	if all.million != nil {
		drawn = append(drawn, growthChart(all.million))
	}
	return slices.DeleteFunc(drawn, func(c chart) bool { return c.plot == nil })
}

// contestantsOf returns who was measured with a benchmark, in order.
func contestantsOf(all *results, bench string) (who []string) {
	for _, name := range all.names {
		rest, ok := strings.CutPrefix(name, bench+"/")
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(rest, "/")
		if !slices.Contains(who, first) {
			who = append(who, first)
		}
	}
	return who
}

// barsOf is a chart of a benchmark that has one figure for each contestant, the least on top.
func barsOf(all *results, file, title, bench, unit, show string) chart {
	var bars []bar
	for _, who := range contestantsOf(all, bench) {
		v := all.median(bench+"/"+who, unit)
		if !math.IsNaN(v) {
			bars = append(bars, bar{who, v, number(v, show), colorOf(who)})
		}
	}
	slices.SortFunc(bars, func(a, b bar) int {
		if a.length > b.length {
			return -1
		}
		return 1
	})
	return barChart(file, title, show, bars)
}

// budgetsChart shows each cost as a part of its budget.
func budgetsChart(verdicts []verdict) chart {
	var bars []bar
	for _, v := range slices.Backward(verdicts) {
		if v.limit == 0 || math.IsNaN(v.got.median) {
			continue // nothing allowed: there is no part of it
		}
		part, color := v.got.median/v.limit, good
		if v.atLeast {
			part = v.limit / v.got.median
		}
		if part > 1 {
			color = bad
		}
		label := fmt.Sprintf("%s of %s", number(v.got.median, v.unit), number(v.limit, v.unit))
		bars = append(bars, bar{v.name(), part * 100, label, color})
	}
	c := barChart("budgets.svg", "What is used of each budget", "% of the budget", bars)
	if c.plot != nil {
		c.plot.Add(mark(100, len(bars)))
	}
	return c
}

func liveLines(all *results) (drawn []line) {
	for _, who := range contestantsOf(all, "LiveCalls") {
		drawn = append(drawn, lineOf(all, who, "LiveCalls/"+who+"/calls=%s", "ns/op"))
	}
	return drawn
}

// tailsChart shows the percentiles of the time until Stop is called.
func tailsChart(all *results) chart {
	var drawn []line
	for _, who := range contestantsOf(all, "Tails") {
		for _, what := range []string{"enqueue", "stop"} {
			l := line{name: who + ", " + what, color: colorOf(who), dashed: what == "enqueue"}
			for i, p := range []string{"p50", "p99", "p99.9"} {
				l.add(float64(i), all.median("Tails/"+who, what+"-"+p+"-ns")/1e3)
			}
			drawn = append(drawn, l)
		}
	}
	c := lineChart("tails.svg", "Tails with 1,000 busy calls", "", "µs", drawn)
	if c.plot == nil {
		return c
	}
	p := c.plot
	p.X.Scale, p.X.Tick.Marker = plot.LinearScale{}, plot.ConstantTicks([]plot.Tick{
		{Value: 0, Label: "p50"}, {Value: 1, Label: "p99"}, {Value: 2, Label: "p99.9"},
	})
	p.X.Min, p.X.Max = -0.1, 2.1
	return c
}

// growthChart shows the memory of so many calls, beside what the budget allows.
func growthChart(m *million) chart {
	ours := line{name: "measured", color: accent}
	budget := line{name: "320 B a call", color: bad, dashed: true}
	for _, g := range m.Growth {
		ours.add(float64(g.Calls), float64(g.Heap)/1e6)
		budget.add(float64(g.Calls), float64(g.Calls)*320/1e6)
	}
	return lineChart("growth.svg", "Memory of idle calls", "calls", "MB", []line{ours, budget})
}
