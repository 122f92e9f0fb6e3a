package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes a line for each benchmark: how long today's code takes for what the reference needs
// 1 for, the interval, what was counted, and the verdict.
func (c *check) print(out io.Writer) {
	width := 0
	for _, b := range c.both {
		width = max(width, len(b.name))
	}
	for _, b := range c.both {
		time, counts := "", []string(nil)
		for _, j := range b.judge() {
			if j.unit == timeUnit {
				time = fmt.Sprintf("%.2f× (%.2f to %.2f)", j.estimate, j.lo, j.hi)
			} else {
				counts = append(counts, j.count())
			}
		}
		_, _ = fmt.Fprintf(out, "%-*s  %-20s  %s\n", width, b.name, time,
			strings.Join(append([]string{b.word()}, counts...), ", "))
	}
	if n := c.unsure(); n > 0 {
		_, _ = fmt.Fprintf(out,
			"The machine is too busy to be sure of %d of %d: run it again when it is not.\n",
			n, len(c.both))
	}
	for _, name := range c.new {
		_, _ = fmt.Fprintf(out, "%-*s  new: the reference does not have it\n", width, name)
	}
	for _, name := range c.gone {
		_, _ = fmt.Fprintf(out, "%-*s  gone: only the reference has it\n", width, name)
	}
}

func (j *judged) count() string {
	if j.verdict == same {
		return fmt.Sprintf("%.0f %s", j.today, j.unit)
	}
	return fmt.Sprintf("%.1f → %.1f %s", j.reference, j.today, j.unit)
}

// word says the verdict, and what it is about if it is not good.
func (b *checked) word() string {
	v := b.verdict()
	if v == same {
		return "ok"
	}
	var units []string
	for _, j := range b.judge() {
		if j.verdict == v {
			units = append(units, j.unit)
		}
	}
	what := map[verdict]string{worse: "WORSE", undecided: "unsure"}[v]
	return what + " " + strings.Join(units, " ")
}

// unsure counts what was not decided.
func (c *check) unsure() (n int) {
	for _, b := range c.both {
		if b.verdict() == undecided {
			n++
		}
	}
	return n
}

// worse returns the benchmarks that became worse.
func (c *check) worse() (names []string) {
	for _, b := range c.both {
		if b.verdict() == worse {
			names = append(names, b.name)
		}
	}
	return names
}
