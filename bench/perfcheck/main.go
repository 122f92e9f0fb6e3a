package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The exit status.
const (
	fine      = 0
	slower    = 1
	cannotSay = 2
)

func main() {
	var c check
	flag.IntVar(&c.rounds, "rounds", 100, "at most so many rounds of a benchmark that is undecided")
	flag.DurationVar(&c.limit, "limit", 90*time.Second,
		"no round begins after so long, but for the first few, which are always needed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, &c, ".", os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run compares the tree in root with its reference, and returns the exit status.
func run(ctx context.Context, c *check, root string, out, trouble io.Writer) int {
	c.now = time.Now
	if err := compareTrees(ctx, c, root, out); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		_, _ = fmt.Fprintln(trouble, "perfcheck:", err)
		return cannotSay
	}
	c.print(out)
	if names := c.worse(); names != nil {
		_, _ = fmt.Fprintf(trouble, "perfcheck: worse than the reference: %s\n"+
			"If that is meant, name this commit in %s with the next one, and say why.\n",
			strings.Join(names, ", "), referenceFile)
		return slower
	}
	return fine
}

// compareTrees builds both trees in a temporary folder, which it removes, and runs them in turn.
func compareTrees(ctx context.Context, c *check, root string, out io.Writer) error {
	hash, err := readReference(root)
	if err != nil {
		return fmt.Errorf("%w\nrun it from the root of the repository: make perfcheck", err)
	}
	title, err := findCommit(ctx, root, hash)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out,
		"The reference is %s.\nThis takes two minutes, or more if the machine is busy.\n",
		title)
	dir, err := os.MkdirTemp("", "ivrqueue-perfcheck-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tree, remove, err := checkOut(ctx, root, dir, hash)
	defer remove()
	if err != nil {
		return err
	}
	reference, today := filepath.Join(dir, "reference.test"), filepath.Join(dir, "today.test")
	if err := compile(ctx, tree, reference); err != nil {
		return fmt.Errorf("the reference, %s: %w", title, err)
	}
	if err := compile(ctx, root, today); err != nil {
		return err
	}
	c.reference, c.today = program(reference), program(today)
	return c.run(ctx)
}
