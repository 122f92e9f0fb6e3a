package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// workload is benchmarks that run in one process.
type workload struct {
	bench  string // as go test -bench takes it
	longer int    // times the benchtime
	every  int    // it takes part in each so many rounds, since to prepare it takes long
}

// workloads are everything there is. What no budget needs and takes long to prepare is run in each
// second round.
var workloads = []workload{
	{"^BenchmarkRoundTrip$", 4, 1},
	{"^BenchmarkContended$", 2, 1},
	{"^BenchmarkParallel$", 2, 1},
	{"^BenchmarkBurst$/^(default|hand)$", 2, 1},
	{"^BenchmarkBurst$/" +
		"^(inline|blocking|chan|pond|workerpool|ants|protoactor|looplab|baseline)$", 1, 2},
	{"^BenchmarkCancelAll$", 1, 1},
	{"^BenchmarkTone$", 1, 1},
	{"^BenchmarkStatus$", 1, 1},
	{"^BenchmarkHTTPCancel$", 2, 1},
	{"^BenchmarkIdleCall$", 1, 2},
	{"^BenchmarkLiveCalls$/^(inline|default|hand)$", 4, 1},
	{"^BenchmarkLiveCalls$/" +
		"^(blocking|chan|pond|workerpool|ants|protoactor|looplab|baseline)$", 1, 2},
	{"^BenchmarkTails$", 30, 1},
}

// compile makes one program of the benchmarks of a package, in the folder.
func compile(dir, pkg string) (binary string, err error) {
	binary = filepath.Join(dir, filepath.Base(pkg)+".test")
	if err := command(os.Stderr, "go", "test", "-c", "-o", binary, pkg); err != nil {
		return "", fmt.Errorf("compile the benchmarks: %w", err)
	}
	return binary, nil
}

// runRounds runs the workloads, round by round, in processes of their own, and writes what they
// print to out.
func runRounds(
	binary string, work []workload, rounds int, benchtime time.Duration, out *bytes.Buffer,
) error {
	fmt.Fprintf(out, "rounds: %d\nbenchtime: %v\n", rounds, benchtime)
	describeMachine(out)
	for round := 1; round <= rounds; round++ {
		fmt.Fprintf(out, "round: %d\n", round)
		begin := time.Now()
		for _, w := range work {
			if (round-1)%w.every != 0 {
				continue
			}
			err := command(out, binary, "-test.run=^$", "-test.bench="+w.bench,
				fmt.Sprint("-test.benchtime=", benchtime*time.Duration(w.longer)),
				fmt.Sprint("-turn=", round-1))
			if err != nil {
				return fmt.Errorf("%s: %w", w.bench, err)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %v\n",
			round, rounds, time.Since(begin).Round(100*time.Millisecond))
	}
	return nil
}

// runObserver has package otelqueue measure what its observer costs, in as many rounds. Each is too
// short for it to judge that.
func runObserver(dir string, rounds int, out *bytes.Buffer) error {
	binary, err := compile(dir, "./otelqueue")
	if err != nil {
		return err
	}
	for round := 1; round <= rounds; round++ {
		fmt.Fprintf(out, "round: %d\n", round)
		err := command(out, binary, "-test.run=^$", "-test.bench=^BenchmarkObserver$",
			"-test.benchtime=10x")
		if err != nil {
			return fmt.Errorf("observer: %w", err)
		}
	}
	return nil
}

// runMillion has the million write its figures as one more line of the results.
func runMillion(dir string, calls int, out *bytes.Buffer) error {
	file := filepath.Join(dir, "million.json")
	err := command(os.Stderr, "go", "run", "./bench/million", "-json", file,
		"-calls", strconv.Itoa(calls), "-active", strconv.Itoa(calls/10))
	if err != nil {
		return fmt.Errorf("million: %w", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return embedMillion(out, data)
}

// command runs a command to its end. What it has freed the system may take back when it is short of
// memory, not at once: else a benchmark begins with the page faults that the one before has left.
func command(out io.Writer, name string, args ...string) error {
	c := exec.CommandContext(context.Background(), name, args...)
	c.Stdout, c.Stderr = out, os.Stderr
	c.Env = append(os.Environ(), "GODEBUG=madvdontneed=0")
	return c.Run()
}
