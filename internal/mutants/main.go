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
	only := flag.String("only", "", "try those whose name, or test, contains `text`")
	with := flag.String("with", "", "try them with this `test` of ./queue in place of their own")
	// Some tests wait in real time: meanwhile others compile.
	atOnce := flag.Int("at-once", 2*runtime.GOMAXPROCS(0), "try so `many` at once")
	part := flag.String("part", "1/1", "try the `k/n`th part: with 2/3 the second, the fifth ...")
	list := flag.Bool("table", false, "try none, and list them in "+document)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *list {
		err = write(table(), document)
	} else {
		var chosen []mutant
		if chosen, err = partOf(choose(*only, *with), *part); err == nil {
			err = run(ctx, os.Stdout, chosen, max(*atOnce, 1))
		}
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// choose returns the mutants whose name, or test, contains only, to be killed by with if that is
// given.
func choose(only, with string) (chosen []mutant) {
	for _, m := range table() {
		if strings.Contains(m.name+" "+m.kill, only) {
			if with != "" {
				m.kill, m.rule = "./queue "+with, ""
			}
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// partOf returns the kth, k+nth, k+2nth mutant and so on, for a CI that has no time for all of
// them: other commits have other parts tried. part is k/n.
func partOf(all []mutant, part string) (chosen []mutant, err error) {
	var k, n int
	if _, err := fmt.Sscanf(part, "%d/%d", &k, &n); err != nil || k < 1 || k > n {
		return nil, fmt.Errorf("-part is %q, must be k/n with 1 ≤ k ≤ n", part)
	}
	for i := k - 1; i < len(all); i += n {
		chosen = append(chosen, all[i])
	}
	return chosen, nil
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
	took, err := green(ctx, chosen, root)
	if err != nil {
		return err
	}
	survived := tryAll(ctx, w, chosen, root, took, atOnce)
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
	ctx context.Context, w io.Writer, all []mutant, root string, took map[string]time.Duration,
	atOnce int,
) (survived int) {
	free := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i := range all {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			m := &all[i]
			v := m.try(ctx, root, took[m.kill])
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
