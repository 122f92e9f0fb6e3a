package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// join has a node join a cluster whose others have many calls: with what it had on its disk when it
// left, and with an empty disk.
func join(ctx context.Context, c config, _ int) (saw string, wrong []string, err error) {
	const within = 5 * time.Second
	c.netns = false
	c.more = func(name string) []string {
		if name == "c" {
			return nil
		}
		return []string{"-idle", strconv.Itoa(c.joined / 2)}
	}
	t, err := newTest(c)
	if err != nil {
		return "", nil, err
	}
	defer t.close()
	t.busy = true
	start := time.Now()
	if err := t.start(ctx); err != nil {
		return "", nil, err
	}
	var fenced []string // its calls have ended
	err = t.until(ctx, 30*time.Minute, "all calls are journaled", func() bool {
		if fenced = t.fenced(); len(fenced) > 0 {
			return true
		}
		for _, p := range t.nodes {
			if s, err := p.stats(); err != nil || s.Journal.Records < c.joined || s.Journal.Waiting > 0 {
				return false
			}
		}
		return true
	})
	if err != nil || len(fenced) > 0 {
		return fmt.Sprintf("%d calls can't be made", c.joined), fenced, err
	}
	seen := []string{fmt.Sprintf("%d calls, made in %.0f s", c.joined, time.Since(start).Seconds())}
	late := t.nodes[2]
	for _, how := range []string{"with its disk", "with an empty disk"} {
		late.signal(syscall.SIGTERM)
		<-late.exited
		if how == "with an empty disk" {
			if err := os.RemoveAll(filepath.Join(t.dir, late.name)); err != nil {
				return "", nil, err
			}
		}
		pause(ctx, 5*time.Second)
		start := time.Now()
		if err := late.start(); err != nil {
			return "", nil, err
		}
		var up, lease, read time.Duration
		err := t.until(ctx, time.Minute, "the journal was read", func() bool {
			s, err := late.stats()
			now := time.Since(start)
			if err == nil && up == 0 {
				up = now
			}
			if s.Lease && lease == 0 {
				lease = now
			}
			if s.Journal.Opened && read == 0 {
				read = now
				if s.Journal.Records < c.joined {
					wrong = append(wrong, fmt.Sprintf("%s: it has %d records", how, s.Journal.Records))
				}
			}
			return lease > 0 && read > 0
		})
		if err != nil {
			return "", append(wrong, err.Error()), nil
		}
		if read > within {
			wrong = append(wrong, fmt.Sprintf("%s: read after %v, promised %v", how, read, within))
		}
		seen = append(seen, fmt.Sprintf("%s: serves after %.2f s, a lease after %.2f, the journal read "+
			"after %.2f", how, up.Seconds(), lease.Seconds(), read.Seconds()))
	}
	wrong = append(wrong, t.fenced()...)
	for _, p := range t.nodes {
		seen = append(seen, p.name+" has "+p.memory())
	}
	return strings.Join(seen, "; "), wrong, nil
}

// memory is what the process has in memory.
func (p *process) memory() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return fmt.Sprintf("%d MiB", kb>>10)
		}
	}
	return "?"
}
