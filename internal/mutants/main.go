package main

import (
	"context"
	"errors"
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
	atOnce := flag.Int("at-once", runtime.GOMAXPROCS(0), "try so `many` at once")
	list := flag.Bool("table", false, "try none, and list them in "+document)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *list {
		err = write(table(), document)
	} else {
		err = run(ctx, os.Stdout, choose(*only, *with), max(*atOnce, 1))
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// choose returns the mutants whose name contains only, to be killed by with if that is given.
func choose(only, with string) (chosen []mutant) {
	for _, m := range table() {
		if strings.Contains(m.name, only) {
			if with != "" {
				m.kill, m.rule = "./queue "+with, ""
			}
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// run tries mutants of the tree that it is started in.
func run(ctx context.Context, w io.Writer, chosen []mutant, atOnce int) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return errors.New("no mutant is called so")
	}
	start := time.Now()
	if err := green(ctx, chosen, root); err != nil {
		return err
	}
	survived := tryAll(ctx, w, chosen, root, atOnce)
	if survived > 0 {
		return fmt.Errorf("%d of %d mutants were not killed", survived, len(chosen))
	}
	_, err = fmt.Fprintf(w, "%d mutants, all killed, in %.0f s\n",
		len(chosen), time.Since(start).Seconds())
	return err
}

// tryAll tries so many at once, prints a line for each as soon as it has its verdict, and returns
// how many survived.
func tryAll(
	ctx context.Context, w io.Writer, all []mutant, root string, atOnce int,
) (survived int) {
	free := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range all {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			m := &all[i]
			v := m.try(ctx, root)
			word := "killed by"
			mu.Lock()
			defer mu.Unlock()
			if !v.killed {
				survived++
				word = "NOT KILLED by"
			}
			_, _ = fmt.Fprintf(w, "%-40s %s %s (%.1f s) %s\n",
				m.name, word, m.test(), v.took.Seconds(), v.note)
		})
	}
	wait.Wait()
	return survived
}
