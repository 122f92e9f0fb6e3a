package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// verdict is how a budget came out.
type verdict struct {
	*budget

	got value
	met bool
}

// judge compares what was measured with the budgets. What was not measured is missed.
func judge(all *results) []verdict {
	verdicts := make([]verdict, len(budgets))
	for i := range budgets {
		v := verdict{budget: &budgets[i]}
		v.got = summarize(v.value(all))
		rounding := 0.0
		switch v.unit {
		case "allocs", "goroutines":
			rounding = 0.005 // a count is an average over many
		case "B":
			rounding = 0.5
		}
		if v.atLeast {
			v.met = v.got.median >= v.limit
		} else {
			v.met = v.got.median <= v.limit+rounding
		}
		verdicts[i] = v
	}
	return verdicts
}

// printVerdicts prints one line for each budget: its name, what was measured, the budget, the word.
func printVerdicts(verdicts []verdict) {
	for _, v := range verdicts {
		fmt.Printf("%-18s %9s %9s  %-6s  (%s to %s)\n", v.name(), number(v.got.median, v.unit),
			v.bound(), v.word(), number(v.got.lo, v.unit), number(v.got.hi, v.unit))
	}
}

// bound writes the budget.
func (v *verdict) bound() string {
	if v.atLeast {
		return "≥" + number(v.limit, v.unit)
	}
	return "≤" + number(v.limit, v.unit)
}

func (v *verdict) word() string {
	if v.met {
		return "met"
	}
	return "missed"
}

// missed returns an error that names the budgets missed, or nil.
func missed(verdicts []verdict) error {
	var names []string
	for _, v := range verdicts {
		if !v.met {
			names = append(names, v.name())
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
