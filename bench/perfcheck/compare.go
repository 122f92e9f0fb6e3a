package main

import (
	"math"
	"slices"
)

// pair is what one round measured: the reference, and today's code within a second of it.
type pair struct{ reference, today float64 }

// change is how today's figures differ from the reference's, and the interval that the difference
// is in with much confidence: ratios of times, differences of counts.
type change struct{ estimate, lo, hi float64 }

// verdict is what can be said of a change.
type verdict uint8

const (
	undecided verdict = iota
	same              // not worse by what matters
	worse
)

const (
	// So many rounds there are before something is said to be worse, and before a time or a count is
	// said to be the same. To be worse takes most: it fails the check, and is rare.
	worseRounds, timeRounds, countRounds = 12, 8, 3

	// worseRatio and clearRatio say when a time is worse: the estimate is at least the first and the
	// whole interval above the second. What this is to catch is a quarter, 1.25. A decision at 1.25
	// itself would be the toss of a coin, so it is made at 1.2: an estimate of many rounds does not
	// stray further. What changes less than that is free to land.
	worseRatio, clearRatio = 1.2, 1.1

	// deviations, of a normal distribution, that 99.5 % lie within.
	deviations = 2.807
)

// judgeTime decides whether a time became worse.
func judgeTime(pairs []pair) (change, verdict) {
	logs := make([]float64, len(pairs))
	for i, p := range pairs {
		logs[i] = math.Log(p.today / p.reference)
	}
	c := shift(logs)
	c = change{math.Exp(c.estimate), math.Exp(c.lo), math.Exp(c.hi)}
	switch n := len(pairs); {
	case n >= worseRounds && c.estimate >= worseRatio && c.lo > clearRatio:
		return c, worse
	case n >= timeRounds && c.hi < worseRatio:
		return c, same
	default:
		return c, undecided
	}
}

// judgeCount decides whether a count became worse: any more are, however few. The tolerance is for
// a count that is an average over many operations.
func judgeCount(pairs []pair, tolerance float64) (change, verdict) {
	more := make([]float64, len(pairs))
	for i, p := range pairs {
		more[i] = p.today - p.reference
	}
	c := shift(more)
	switch n := len(pairs); {
	case n >= worseRounds && c.lo > tolerance:
		return c, worse
	case n >= countRounds && c.estimate <= tolerance:
		return c, same
	default:
		return c, undecided
	}
}

// shift estimates around what the values lie: the median of the averages of all pairs of them
// (Hodges and Lehmann), and of those averages the ones that bound it with 99.5 % confidence
// (Wilcoxon's signed ranks). It takes no distribution for granted and ignores rounds that went
// wrong, and it needs a third fewer rounds than the median of the values to be as exact.
func shift(values []float64) change {
	n := float64(len(values))
	averages := make([]float64, 0, len(values)*(len(values)+1)/2)
	for i, a := range values {
		for _, b := range values[i:] {
			averages = append(averages, (a+b)/2)
		}
	}
	slices.Sort(averages)
	last := len(averages) - 1
	if last < 0 {
		return change{math.NaN(), math.NaN(), math.NaN()}
	}
	ranks := n*(n+1)/4 - deviations*math.Sqrt(n*(n+1)*(2*n+1)/24)
	outside := max(0, int(ranks)) // so many averages lie outside the interval, on either side
	return change{
		estimate: (averages[last/2] + averages[last-last/2]) / 2,
		lo:       averages[outside],
		hi:       averages[last-outside],
	}
}

// median returns that of the values, which are at least one.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
