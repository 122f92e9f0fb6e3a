package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// full fills the disk under the journal of a node, under load: that of its leader, that of another
// one, or two disks, so that there is no journal. Each node has a small disk of its own, in memory.
func full(ctx context.Context, c config, round int) (saw string, wrong []string, err error) {
	if os.Geteuid() != 0 {
		return "", nil, errRoot
	}
	c.netns = false
	t, err := newTest(c)
	if err != nil {
		return "", nil, err
	}
	defer t.close()
	for _, p := range t.nodes {
		dir := filepath.Join(t.dir, p.name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return "", nil, err
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128m"); err != nil {
			return "", nil, fmt.Errorf("no disk can be mounted: %w", err)
		}
		defer func() {
			p.kill()
			_ = syscall.Unmount(dir, syscall.MNT_DETACH) // else the folder stays
		}()
	}
	if err := t.start(ctx); err != nil {
		return "", nil, err
	}
	pause(ctx, 4*time.Second)
	victim, others, err := t.choose(ctx, round%3 != 1)
	if err != nil {
		return "", nil, err
	}
	victims, what := []*process{victim}, "the leader's disk"
	switch round % 3 {
	case 1:
		what = "another's disk"
	case 2:
		what = "two disks"
		victims = append(victims, others[0])
	}
	began := time.Now()
	l := t.startLoad(ctx, c.bots, 0)
	pause(ctx, 5*time.Second)

	at := time.Now()
	filling, empty := context.WithCancel(ctx)
	defer empty()
	filled := make(chan error, len(victims))
	for _, p := range victims {
		go func() { filled <- fill(filling, filepath.Join(t.dir, p.name, "filler")) }()
	}
	meanwhile, err := t.makeCalls(victim, t.nodes[1:], 50)
	if err != nil {
		return "", nil, fmt.Errorf("calls of a node whose disk is full: %w", err)
	}
	noticed := t.until(ctx, 30*time.Second, "nodes say that their disk is full", func() bool {
		for _, p := range victims {
			if s, err := p.stats(); err != nil || s.Keeps {
				return false
			}
		}
		return true
	})
	noticedAfter := time.Since(at)
	if noticed != nil {
		wrong = append(wrong, noticed.Error())
	}
	pause(ctx, time.Until(at.Add(c.away)))
	counts, awake, err := t.awayCounts()
	if err != nil {
		return "", nil, err
	}
	over := time.Now()
	switch {
	case len(victims) == 1 && awake < len(t.nodes):
		wrong = append(wrong, fmt.Sprintf("one disk is full, and the journal is available on %d nodes",
			awake))
	case len(victims) == 2 && awake > 0:
		wrong = append(wrong, fmt.Sprintf("there is no journal, and on %d nodes it is available", awake))
	case len(victims) == 2 && counts[2] == 0:
		wrong = append(wrong, "no counter says that the journal is away")
	}
	stopped := ""
	if len(victims) == 1 { // it dies while its disk is full: one owner, then the other
		wrong = append(append(t.fenced(), wrong...), l.finish()...)
		t.calls = 200
		r, err := t.roundWith(ctx, "stop", victim, others)
		if err != nil {
			return "", nil, err
		}
		wrong = append(wrong, r.wrong...)
		stopped = fmt.Sprintf("; then it was stopped, %v", r)
		if n := t.missing(meanwhile); n > 0 {
			wrong = append(wrong, fmt.Sprintf("of %d of the calls that were made meanwhile not everything "+
				"was told", n))
		}
	}
	empty()
	for range victims {
		if err := <-filled; err != nil {
			return "", nil, err
		}
	}
	back := time.Now()
	keep := func() bool {
		for _, p := range t.nodes {
			s, err := p.stats()
			if err != nil || !s.Keeps || !s.Lease || !s.Journal.Available || s.Journal.Waiting > 100 {
				return false
			}
		}
		return true
	}
	if err := t.until(ctx, time.Minute, "all is well when there is room", keep); err != nil {
		for _, p := range t.nodes {
			s, e := p.stats()
			fmt.Printf("   %s: %+v %v\n", p.name, s, e)
		}
		return "", append(wrong, err.Error()), nil
	}
	well := time.Since(back)
	if len(victims) == 2 {
		pause(ctx, 3*time.Second)
		wrong = append(append(t.fenced(), wrong...), l.finish()...)
	}
	for node, n := range l.sick {
		wrong = append(wrong, fmt.Sprintf("node %s: its health was %d times not 200", node, n))
	}
	needed, err := t.isNeeded(ctx, victim, others[len(others)-1])
	if err != nil {
		return "", append(wrong, err.Error()), nil
	}
	during, before := l.plays.between(at, over), l.plays.between(began, at)
	return fmt.Sprintf("%s full for %v: %s; noticed after %.1f s; meanwhile play p99 %.0f ms "+
		"(before: %.0f), cancel %.0f, told %.0f after the answer; unjournaled %d requests, "+
		"%d deliveries%s; well %.1f s after there was room; with it and without another one the "+
		"journal is written after %.1f s; held up for %.1f s",
		what, c.away, l, noticedAfter.Seconds(), ms(during.at(99)), ms(before.at(99)),
		ms(l.cancels.between(at, over).at(99)), ms(l.told.between(at, over).at(99)), counts[0], counts[1],
		stopped, well.Seconds(), needed.Seconds(), t.held.soFar().Seconds()), wrong, nil
}

// isNeeded kills another node, so that the journal is written only if the victim keeps its part of
// it. It returns after how long it was.
func (t *test) isNeeded(ctx context.Context, victim, other *process) (time.Duration, error) {
	before, err := victim.stats()
	if err != nil {
		return 0, err
	}
	other.kill()
	at := time.Now()
	rest := make([]*process, 0, len(t.nodes))
	for _, p := range t.nodes {
		if p != other {
			rest = append(rest, p)
		}
	}
	calls, err := t.makeCalls(victim, rest, 20)
	if err != nil {
		return 0, fmt.Errorf("calls, when another node was killed: %w", err)
	}
	err = t.until(ctx, 20*time.Second, "the journal is written by two", func() bool {
		s, err := victim.stats()
		return err == nil && s.Journal.Available && s.Journal.Waiting == 0 &&
			s.Journal.Written >= before.Journal.Written+uint64(len(calls))
	})
	if err != nil {
		return 0, err
	}
	took := time.Since(at)
	t.endCalls(victim, calls)
	return took, other.start()
}

// fill fills a disk by a file, and keeps it full until ctx ends; then the file is gone.
func fill(ctx context.Context, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer os.Remove(path) //nolint:errcheck // the disk goes, too
	defer f.Close()       //nolint:errcheck // it is full
	for chunk := make([]byte, 64<<10); ctx.Err() == nil; {
		switch _, err := f.Write(chunk); {
		case errors.Is(err, syscall.ENOSPC):
			pause(ctx, 20*time.Millisecond)
			chunk = chunk[:4<<10]
		case err != nil:
			return err
		}
	}
	return nil
}
