package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("only", "", "try those whose name contains `text`")
	with := flag.String("with", "", "try them with this `test` of ./queue in place of their own")
	table := flag.Bool("table", false, "try none, and list them in "+document)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *only, *with, *table)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tries the mutants of the tree that it is started in.
func run(ctx context.Context, w io.Writer, only, with string, table bool) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	all, err := load("internal/mutants/patches")
	if err != nil {
		return err
	}
	chosen := all[:0:0]
	for _, m := range all {
		if strings.Contains(m.name, only) {
			if with != "" {
				m.pkg, m.test, m.rule = "./queue", with, ""
			}
			chosen = append(chosen, m)
		}
	}
	if table {
		return list(all, document)
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant is called %q", only)
	}
	start := time.Now()
	if err := green(ctx, chosen, root); err != nil {
		return err
	}
	survived := 0
	for at, v := range tryAll(ctx, chosen, root) {
		m, word := &chosen[at], "killed by"
		if !v.killed {
			survived++
			word = "NOT KILLED by"
		}
		_, err := fmt.Fprintf(w, "%-36s %s %s (%.1f s) %s\n",
			m.name, word, m.test, v.took.Seconds(), v.why)
		if err != nil {
			return err
		}
	}
	if survived > 0 {
		return fmt.Errorf("%d of %d mutants were not killed", survived, len(chosen))
	}
	_, err = fmt.Fprintf(w, "%d mutants, all killed, in %.0f s\n",
		len(chosen), time.Since(start).Seconds())
	return err
}

// tryAll tries as many at once as there are processors, and returns the verdicts in order.
func tryAll(ctx context.Context, all []mutant, root string) []verdict {
	verdicts := make([]verdict, len(all))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for at := range all {
		wait.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			verdicts[at] = all[at].try(ctx, root)
		})
	}
	wait.Wait()
	return verdicts
}
