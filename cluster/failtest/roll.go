package main

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"ivrqueue/cluster/callid"
)

// roll restarts all nodes under load, one after the other, as README.md says: each is asked to end,
// drains, leaves, and is begun anew with its name.
func roll(ctx context.Context, c config, _ int) (saw string, wrong []string, err error) {
	c.netns = false
	t, err := newTest(c)
	if err != nil {
		return "", nil, err
	}
	defer t.close()
	if err := t.start(ctx); err != nil {
		return "", nil, err
	}
	pause(ctx, 4*time.Second)
	l := t.startLoad(ctx, c.bots, 10)
	deadlines := make(map[callid.Node]time.Time)
	cut := 0
	l.cut = func(c *loadCall, ended time.Time, subcode int) string {
		owner, _ := callid.OwnerOf(c.id)
		early := deadlines[owner.Node].Sub(ended)
		cut++
		switch {
		case subcode != 8572:
			return fmt.Sprintf("it ended with %d", subcode)
		case early > 0:
			return fmt.Sprintf("%v before its node's deadline", early)
		}
		return ""
	}
	pause(ctx, 5*time.Second)
	var leave, lease latencies
	for _, p := range t.nodes {
		start := time.Now()
		deadlines[callid.Of(p.name)] = start.Add(c.drain)
		p.signal(syscall.SIGTERM)
		if status := p.health(ctx); status != http.StatusServiceUnavailable {
			pause(ctx, 100*time.Millisecond) // the signal was slower
			if status = p.health(ctx); status != http.StatusServiceUnavailable {
				wrong = append(wrong, fmt.Sprintf("node %s drains, and its health is %d", p.name, status))
			}
		}
		<-p.exited
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			wrong = append(wrong, fmt.Sprintf("node %s has ended with %d", p.name, code))
		}
		leave = append(leave, time.Since(start))
		start = time.Now()
		if err := p.start(); err != nil {
			return "", nil, err
		}
		leased := func() bool {
			s, err := p.stats()
			return err == nil && s.Lease
		}
		if err := t.until(ctx, time.Minute, "it has a lease", leased); err != nil {
			return "", nil, err
		}
		lease = append(lease, time.Since(start))
		if err := t.supported(ctx); err != nil {
			return "", nil, err
		}
	}
	pause(ctx, 3*time.Second)
	wrong = append(append(t.fenced(), wrong...), l.finish()...)
	if cut == 0 {
		wrong = append(wrong, "no call has lasted until its node's deadline")
	}
	return fmt.Sprintf("%s; drained for %v: gone after %.1f to %.1f s, a lease %.1f to %.1f s after "+
		"the start; %d calls ended at the deadline, with 8572; play p99 %.0f ms, cancel %.0f, "+
		"told %.0f after the answer, at most %.0f; held up for %.1f s", l, c.drain,
		leave.at(0).Seconds(), leave.at(100).Seconds(), lease.at(0).Seconds(),
		lease.at(100).Seconds(), cut, ms(l.plays.all().at(99)), ms(l.cancels.all().at(99)),
		ms(l.told.all().at(99)), ms(l.told.all().at(100)), t.held.soFar().Seconds()), wrong, nil
}

// supported waits until each node has the support of all.
func (t *test) supported(ctx context.Context) error {
	return t.until(ctx, time.Minute, "all nodes support each other", func() bool {
		for _, p := range t.nodes {
			s, err := p.stats()
			if err != nil || !s.Lease || s.Supporters < len(t.nodes) || !s.Journal.Opened {
				return false
			}
		}
		return true
	})
}
