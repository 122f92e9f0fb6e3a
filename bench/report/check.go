package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// verdict is how a budget came out.
type verdict struct {
	budget *budget
	unit   string
	got    value
	limit  float64 // the budget's own
	bound  float64 // what it is held to: the limit, or a known miss, or what is usual and the slack
	known  *miss
	ok     bool
}

// judge compares what was measured with the budgets. slack is in percent.
func judge(all *results, short bool, slack float64) []verdict {
	verdicts := make([]verdict, 0, len(budgets))
	for i := range budgets {
		b := &budgets[i]
		v := verdict{budget: b, unit: b.unit, limit: b.limit, known: knownMiss(b.id)}
		measured := b.value
		v.bound = v.limit
		if v.known != nil {
			v.bound = v.known.held
		}
		if short && b.usual != 0 {
			v.bound = b.usual
		}
		if short && b.short != nil {
			v.unit, measured = times, b.short.value
		}
		v.got = summarize(measured(all))
		rounding := 0.005 // a count of allocations is an average over many
		if v.unit == "B" {
			rounding = 0.5 // and so are bytes
		}
		switch {
		case b.atLeast:
			v.bound /= 1 + slack/100
			v.ok = v.got.median >= v.bound-rounding
		case isCount(v.unit):
			v.ok = v.got.median <= v.bound+rounding // slack is for what a machine can blur
		default:
			v.bound *= 1 + slack/100
			v.ok = v.got.median <= v.bound+rounding
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func isCount(unit string) bool { return unit == "allocs" || unit == "goroutines" || unit == "B" }

// printVerdicts prints one line for each budget: its name, what was measured, the budget, the word.
func printVerdicts(verdicts []verdict) {
	for _, v := range verdicts {
		fmt.Printf("%-16s %9s %9s  %-6s  %s\n", v.budget.id, number(v.got.median, v.unit),
			v.sign()+number(v.bound, v.unit), v.word(), v.note())
	}
}

func (v *verdict) sign() string {
	if v.budget.atLeast {
		return "≥"
	}
	return "≤"
}

func (v *verdict) word() string {
	if v.ok {
		return "ok"
	}
	return "MISSED"
}

// note tells what else there is to know: the spread, what it was compared with, a known miss.
func (v *verdict) note() string {
	notes := []string{fmt.Sprintf("%s to %s", number(v.got.lo, v.unit), number(v.got.hi, v.unit))}
	if v.unit != v.budget.unit {
		notes = append(notes, "× "+v.budget.short.to)
	}
	if v.known != nil {
		notes = append(notes, fmt.Sprintf("a known miss, the budget is %s%s",
			v.sign(), number(v.limit, v.unit)))
	}
	return "(" + strings.Join(notes, "; ") + ")"
}

// missed returns an error that names the budgets missed, or nil.
func missed(verdicts []verdict) error {
	var names []string
	for _, v := range verdicts {
		if !v.ok {
			names = append(names, v.budget.id)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("budgets missed: %s", strings.Join(names, ", "))
}

// number writes a figure with its unit, to three digits.
func number(f float64, unit string) string {
	switch {
	case math.IsNaN(f):
		return "nothing"
	case unit == "ns" && f >= 1e6:
		return digits(f/1e6) + " ms"
	case unit == "ns" && f >= 1e4:
		return digits(f/1e3) + " µs"
	case unit == times:
		return digits(f) + times
	case unit == "allocs", unit == "goroutines":
		return strconv.FormatFloat(f, 'f', -1, 32)
	default:
		return digits(f) + " " + unit
	}
}

func digits(f float64) string {
	switch {
	case f != 0 && f < 1:
		return fmt.Sprintf("%.2f", f)
	case f < 10:
		return fmt.Sprintf("%.3g", f)
	case f < 1000:
		return fmt.Sprintf("%.0f", f)
	default:
		return thousands(int(math.Round(f)))
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
