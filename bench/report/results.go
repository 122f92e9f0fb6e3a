package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// results is what was measured: for each series its values, by round.
type results struct {
	series  map[series][]float64
	names   []string // of the benchmarks, in the order they were run in
	rounds  int
	machine map[string]string // go, cores, cpu, memory, …
	million *million          // nil if it was not run
}

// series names what was measured: a benchmark, and a unit.
type series struct{ name, unit string }

// million is what the command of this name writes.
type million struct {
	Calls, Active int
	Steps         []struct {
		Name                string
		Time                time.Duration
		Heap                uint64
		PerCall             float64
		Goroutines          int
		Pauses              uint32
		LongestGC, PausedGC time.Duration
	}
	Growth []struct {
		Calls int
		Heap  uint64
	}
}

const millionKey = "million"

// embedMillion writes the million's figures as a line of configuration, which is what the format
// has for anything else.
func embedMillion(out *bytes.Buffer, data []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return err
	}
	// A line of configuration counts for the benchmarks after it, so one follows.
	fmt.Fprintf(out, "%s: %s\nBenchmarkMillion 1 0 ns/op\n", millionKey, &line)
	return nil
}

// parse reads what the benchmarks printed.
func parse(raw io.Reader) (*results, error) {
	all := &results{series: map[series][]float64{}, machine: map[string]string{}}
	for r := benchfmt.NewReader(raw, "results"); r.Scan(); {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			if err := all.add(rec); err != nil {
				return nil, err
			}
		}
	}
	if len(all.series) == 0 {
		return nil, errors.New("no results")
	}
	return all, nil
}

func (a *results) add(rec *benchfmt.Result) error {
	for _, c := range rec.Config {
		switch c.Key {
		case millionKey:
			return json.Unmarshal(c.Value, &a.million)
		case "pkg", "round":
		default:
			a.machine[c.Key] = strings.TrimSpace(string(c.Value))
		}
	}
	round, err := strconv.Atoi(rec.GetConfig("round"))
	if err != nil {
		return fmt.Errorf("results without a round: %w", err)
	}
	a.rounds = max(a.rounds, round)
	base, _, _ := strings.Cut(rec.Name.String(), "-") // the last part is GOMAXPROCS
	if !slices.Contains(a.names, base) {
		a.names = append(a.names, base)
	}
	for _, v := range rec.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		s := series{base, unit}
		for len(a.series[s]) < round {
			a.series[s] = append(a.series[s], math.NaN())
		}
		a.series[s][round-1] = value
	}
	return nil
}

// of returns a series by round.
func (a *results) of(name, unit string) []float64 { return a.series[series{name, unit}] }

// value is a median with its spread.
type value struct{ median, lo, hi float64 }

// summarize takes the median of the rounds and, where there are enough of them, the range that it
// is in with 95 % confidence, else the range of all.
func summarize(values []float64) value {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return value{math.NaN(), math.NaN(), math.NaN()}
	}
	sample := benchmath.NewSample(values, &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, 0.95)
	v := value{s.Center, s.Lo, s.Hi}
	if math.IsInf(v.lo, 0) || math.IsInf(v.hi, 0) {
		v.lo, v.hi = slices.Min(values), slices.Max(values)
	}
	return v
}

// median returns that of a series.
func (a *results) median(name, unit string) float64 { return summarize(a.of(name, unit)).median }

// each combines series round by round.
func each(f func(a, b float64) float64, as, bs []float64) []float64 {
	out := make([]float64, min(len(as), len(bs)))
	for i := range out {
		out[i] = f(as[i], bs[i])
	}
	return out
}

// over returns the ratios of two series, round by round.
func over(as, bs []float64) []float64 {
	return each(func(a, b float64) float64 { return a / b }, as, bs)
}
