package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

const (
	inTime = 3 * time.Second // for a call that behaves; it takes 0.7 s
	most   = 256 << 20       // bytes of the service's memory, at its peak
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		os.Exit(1)
	}
}

// run tries all attacks, or those whose names have one of these words in them. One that goes
// through does not hide another, unless the service has ended.
func run(ctx context.Context, words []string) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	through := 0
	for _, a := range attacks {
		in := func(word string) bool { return strings.Contains(a.name, word) }
		if len(words) > 0 && !slices.ContainsFunc(words, in) {
			continue
		}
		w.slowest = 0
		w.service.forget()
		began := time.Now()
		err := a.run(w)
		peak, alive := w.service.peak()
		if err == nil && peak > most {
			err = fmt.Errorf("the service had %d MiB, must be at most %d", peak>>20, most>>20)
		}
		said := "holds"
		if err != nil {
			said = "GOES THROUGH: " + err.Error()
			through++
		}
		fmt.Printf("%-44s %5.1f s, slowest call %4d ms, peak %3d MiB: %s\n", a.name,
			time.Since(began).Seconds(), w.slowest.Milliseconds(), peak>>20, said)
		if !alive {
			return fmt.Errorf("%s: the service has ended\n%s", a.name, w.service.log.tail())
		}
	}
	if err := w.service.end(); err != nil {
		return fmt.Errorf("the service does not end as it should: %w\n%s", err, w.service.log.tail())
	}
	if through > 0 {
		return fmt.Errorf("%d of %d attacks go through", through, len(attacks))
	}
	return nil
}
