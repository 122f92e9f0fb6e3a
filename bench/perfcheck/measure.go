package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// compile makes a program of a tree's benchmarks. What tells one tree from the other, like its
// path, does not get into it: two equal trees make two equal programs.
func compile(ctx context.Context, tree, binary string) error {
	c := exec.CommandContext(ctx,
		"go", "test", "-c", "-trimpath", "-buildvcs=false", "-o", binary, "./bench")
	c.Dir = tree
	c.Env = append(os.Environ(), "GOWORK=", "PWD="+tree) // its own go.work
	if out, err := c.CombinedOutput(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("go test -c ./bench: %w\n%s", err, out))
	}
	return nil
}

// samples are what benchmarks have measured, by name and unit.
type samples map[string]map[string][]float64

// runner runs what is picked in one tree.
type runner func(context.Context, pick) (samples, error)

// program returns the runner of a compiled tree.
func program(binary string) runner {
	return func(ctx context.Context, p pick) (samples, error) {
		var out, trouble bytes.Buffer
		c := exec.CommandContext(ctx, binary,
			"-test.run=^$", "-test.benchmem", "-test.bench="+p.pattern, "-test.benchtime="+p.benchtime,
			fmt.Sprint("-test.count=", p.samples))
		c.Stdout, c.Stderr = &out, &trouble
		// What it has freed the system may take back when it is short of memory, not at once: else a
		// benchmark begins with the page faults that the one before has left.
		c.Env = append(os.Environ(), "GODEBUG=madvdontneed=0")
		if err := c.Run(); err != nil {
			return nil, errors.Join(ctx.Err(),
				fmt.Errorf("%s -test.bench=%s: %w\n%s%s", binary, p.pattern, err, &out, &trouble))
		}
		return parse(&out)
	}
}

// parse reads what a program of benchmarks printed.
func parse(out io.Reader) (samples, error) {
	all := samples{}
	for r := benchfmt.NewReader(out, "benchmarks"); r.Scan(); {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			name := nameOf(rec)
			if all[name] == nil {
				all[name] = map[string][]float64{}
			}
			for _, v := range rec.Values {
				if v.OrigUnit != "" {
					v.Value, v.Unit = v.OrigValue, v.OrigUnit
				}
				all[name][v.Unit] = append(all[name][v.Unit], v.Value)
			}
		}
	}
	return all, nil
}

// with returns the samples of both.
func (s samples) with(more samples) samples {
	if s == nil {
		return more
	}
	for name, units := range more {
		for unit, values := range units {
			s[name][unit] = append(s[name][unit], values...)
		}
	}
	return s
}

const timeUnit = "ns/op"

// figures are those of one benchmark in a round, by unit.
type figures map[string]float64

// figures takes the least of each: whatever else the machine and the runtime do only adds to what
// an operation costs.
func (s samples) figures() map[string]figures {
	all := map[string]figures{}
	for name, units := range s {
		all[name] = figures{}
		for unit, values := range units {
			all[name][unit] = slices.Min(values)
		}
	}
	return all
}

// nameOf returns the name of a benchmark without the number of processors.
func nameOf(rec *benchfmt.Result) string {
	base, parts := rec.Name.Parts()
	var name strings.Builder
	name.Write(base)
	for _, part := range parts {
		if part[0] != '-' {
			name.Write(part)
		}
	}
	return name.String()
}

// exactly returns the pattern of just these benchmarks.
func exactly(names []string) string {
	patterns := make([]string, len(names))
	for i, name := range names {
		patterns[i] = "^Benchmark" + strings.ReplaceAll(name, "/", "$/^") + "$"
	}
	return strings.Join(patterns, "|")
}
