package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
)

type flags struct {
	rounds    int
	benchtime time.Duration
	check     bool
	docs      string
	raw, from string
	profile   time.Duration
	million   int
}

func main() {
	var f flags
	flag.IntVar(&f.rounds, "rounds", 10,
		"how often the workloads are run; some take part in each second round")
	flag.DurationVar(&f.benchtime, "benchtime", 50*time.Millisecond,
		"how long each benchmark runs in a round; some run longer")
	flag.BoolVar(&f.check, "check", false, "exit with 1 if a budget is missed")
	flag.StringVar(&f.docs, "docs", "docs", "the `folder` that performance.md is written to")
	flag.StringVar(&f.raw, "raw", "", "keep what the benchmarks printed in this `file`")
	flag.StringVar(&f.from, "from", "", "read what -raw kept from this `file` instead of measuring")
	flag.DurationVar(&f.profile, "profile", 2*time.Second,
		"for how long each profile is taken")
	flag.IntVar(&f.million, "million", 1_000_000, "how many idle calls to hold at once; 0: none")
	flag.Parse()
	sans := font.Font{Typeface: "Liberation", Variant: "Sans"}
	plot.DefaultFont, plotter.DefaultFont = sans, sans
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

var errNotRoot = errors.New("run it from the root of the repository: go run ./bench/report")

func run(f flags) error {
	if _, err := os.Stat(filepath.Join("bench", "report", "main.go")); err != nil {
		return errNotRoot
	}
	raw, err := collect(f)
	if err != nil {
		return err
	}
	all, err := parse(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	verdicts := judge(all)
	printVerdicts(verdicts)
	if err := write(f.docs, all, verdicts); err != nil {
		return err
	}
	if f.check {
		return missed(verdicts)
	}
	return nil
}

// collect returns what the benchmarks print.
func collect(f flags) ([]byte, error) {
	if f.from != "" {
		return os.ReadFile(f.from)
	}
	raw := new(bytes.Buffer)
	err := runAll(f, raw)
	if f.raw != "" { // what there is, also after an error
		err = errors.Join(err, os.WriteFile(f.raw, raw.Bytes(), 0o644))
	}
	return raw.Bytes(), err
}

// runAll has everything measured that the flags ask for.
func runAll(f flags, raw *bytes.Buffer) error {
	dir, err := os.MkdirTemp("", "ivrqueue-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := compile(dir, "./bench")
	if err != nil {
		return err
	}
	if err := runRounds(binary, workloads, f.rounds, f.benchtime, raw); err != nil {
		return err
	}
	if err := runObserver(dir, f.rounds, raw); err != nil {
		return err
	}
	all, err := parse(bytes.NewReader(raw.Bytes()))
	if err != nil {
		return err
	}
	if err := runProfiles(binary, toProfile(judge(all)), f.profile, raw); err != nil {
		return err
	}
	if f.million == 0 {
		return nil
	}
	return runMillion(dir, f.million, raw)
}
