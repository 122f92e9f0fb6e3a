package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noisy are the rounds of a machine that others use: each figure is above what the code costs, by a
// few percent as a rule, and in one round of eight by up to as much again.
func noisy(r *rand.Rand, rounds int, ratio float64) []pair {
	noise := func() float64 {
		f := 1 + 0.05*r.ExpFloat64()
		if r.IntN(8) == 0 {
			f += r.Float64()
		}
		return f
	}
	pairs := make([]pair, rounds)
	for i := range pairs {
		pairs[i] = pair{noise(), ratio * noise()}
	}
	return pairs
}

// decide looks after each round, as the check does, until there is a verdict.
func decide(pairs []pair) verdict {
	for n := 1; n <= len(pairs); n++ {
		if _, v := judgeTime(pairs[:n]); v != undecided {
			return v
		}
	}
	return undecided
}

func TestAQuarterIsFoundAndNoiseIsNot(t *testing.T) {
	const runs = 1000
	for _, c := range []struct {
		ratio                float64
		sameLeast, sameMost  int
		worseLeast, worseMax int
	}{
		{0.8, runs, runs, 0, 0},
		{1, runs, runs, 0, 0},
		{1.05, runs - 5, runs, 0, 0},
		{1.25, 0, 10, runs - 10, runs},
		{1.5, 0, 0, runs, runs},
	} {
		r := rand.New(rand.NewPCG(1, math.Float64bits(c.ratio)))
		count := map[verdict]int{}
		for range runs {
			count[decide(noisy(r, 100, c.ratio))]++
		}
		if n := count[same]; n < c.sameLeast || n > c.sameMost {
			t.Errorf("%v times as slow: the same in %d of %d runs", c.ratio, n, runs)
		}
		if n := count[worse]; n < c.worseLeast || n > c.worseMax {
			t.Errorf("%v times as slow: worse in %d of %d runs", c.ratio, n, runs)
		}
	}
}

// On a machine so busy that a figure is off by a third, little can be said; nothing wrong is.
func TestMuchNoiseIsNoChange(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const runs = 1000
	count := map[verdict]int{}
	for range runs {
		pairs := make([]pair, 40)
		for i := range pairs {
			pairs[i] = pair{math.Exp(r.NormFloat64() / 3), math.Exp(r.NormFloat64() / 3)}
		}
		count[decide(pairs)]++
	}
	if count[worse] > runs/500 {
		t.Errorf("worse in %d of %d runs", count[worse], runs)
	}
}

func TestAFewRoundsDecideNothing(t *testing.T) {
	pairs := make([]pair, worseRounds)
	for i := range pairs {
		pairs[i] = pair{1, 2}
	}
	if _, v := judgeTime(pairs[1:]); v != undecided {
		t.Errorf("%d rounds: %v, want none", worseRounds-1, v)
	}
	if c, v := judgeTime(pairs); v != worse || c != (change{2, 2, 2}) {
		t.Errorf("%d rounds: %v, %+v", worseRounds, v, c)
	}
	if _, v := judgeTime(nil); v != undecided {
		t.Errorf("no round: %v", v)
	}
}

func TestAnIntervalHoldsTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	outside := 0
	const runs = 2000
	for range runs {
		values := make([]float64, 20)
		for i := range values {
			values[i] = 3 + r.NormFloat64()
		}
		c := shift(values)
		if c.lo > c.estimate || c.estimate > c.hi {
			t.Fatalf("%+v", c)
		}
		if c.lo > 3 || c.hi < 3 {
			outside++
		}
	}
	if outside > runs/100 || outside == 0 {
		t.Errorf("%d of %d intervals miss it, want 5 in 1000", outside, runs)
	}
}

func TestOneAllocationMoreIsWorse(t *testing.T) {
	rounds := func(reference, today float64, blips ...float64) (pairs []pair) {
		for range 20 - len(blips) {
			pairs = append(pairs, pair{reference, today})
		}
		for _, b := range blips {
			pairs = append(pairs, pair{b, today})
		}
		return pairs
	}
	for _, c := range []struct {
		name      string
		pairs     []pair
		tolerance float64
		want      verdict
	}{
		{"as many", rounds(1, 1), 0.5, same},
		{"one more", rounds(1, 2), 0.5, worse},
		{"one more, and the reference had a bad round", rounds(1, 2, 3), 0.5, worse},
		{"one less", rounds(2, 1), 0.5, same},
		{"none, and then one", rounds(0, 1), 0.5, worse},
		{"less than the tolerance", rounds(208, 209), 2, same},
		{"another size of memory", rounds(208, 224), 4, worse},
		{"more or fewer by chance", append(rounds(6, 9)[:10], rounds(9, 6)[:10]...), 0.5, same},
	} {
		if got, v := judgeCount(c.pairs, c.tolerance); v != c.want {
			t.Errorf("%s: %v, want %v: %+v", c.name, v, c.want, got)
		}
	}
}
