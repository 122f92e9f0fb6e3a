package member

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"ivrqueue/internal/foreign"
)

// Times and limits.
const (
	DefaultBeat  = 250 * time.Millisecond
	DefaultLease = 2 * time.Second
	DefaultDeath = 3 * time.Second

	MaxNodes = 15 // of a cluster
	maxName  = 64 // bytes of the name of a node
)

// Timing is how fast a cluster notices a death. All of its nodes must have the same.
type Timing struct {
	Beat  time.Duration // between two beats; at least 10 ms
	Lease time.Duration // from the sending of a beat that a majority granted; at least 4 beats
	Death time.Duration // from a node's last beat until others withdraw; at least 1½ leases
}

// Option configures a member. Of those of a kind the last counts; a wrong one is an error of New,
// wherever it stands.
type Option func(*config)

// config is what a member is made of. It never changes.
type config struct {
	self   int      // the index of this node
	names  []string // of all nodes, in order
	common string   // what all nodes must have in common, in words
	timing Timing

	subject  string
	first    Epoch
	listen   time.Duration // until the first epoch comes
	observer func(Event)
	logger   *slog.Logger
	clock    clock
	errs     []error
}

// wrong notes an error of an option, for New to return.
func (c *config) wrong(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("member: "+format, args...))
}

// WithObserver sets who gets the events: on one goroutine of the member's own, in order, one call
// at a time. It may block, which delays its own events only; panic, exit its goroutine, and call
// back. Default: nobody, also for nil.
func WithObserver(o func(Event)) Option { return func(c *config) { c.observer = o } }

// WithLogger sets where the member warns: of an observer that panicked, of epochs that were fenced
// and nodes that died. Defaults to [slog.Default], also for nil.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) {
		if foreign.NoHandler(l) {
			c.wrong("WithLogger: a logger without a handler")
		}
		c.logger = l
	}
}

// WithTiming sets the times. Ends of calls of a dead node are delivered after Death and a beat
// or two. Default: [DefaultBeat], [DefaultLease], [DefaultDeath].
func WithTiming(t Timing) Option {
	return func(c *config) {
		switch {
		case t.Beat < 10*time.Millisecond || t.Beat > time.Minute:
			c.wrong("WithTiming: Beat is %v, must be 10ms to 1m", t.Beat)
		case t.Lease < 4*t.Beat || t.Lease > time.Hour:
			c.wrong("WithTiming: Lease is %v, must be at least 4 beats (%v) and at most 1h",
				t.Lease, 4*t.Beat)
		case t.Death < t.Lease+t.Lease/2 || t.Death > 2*time.Hour:
			c.wrong("WithTiming: Death is %v, must be at least 1½ leases (%v) and at most 2h",
				t.Death, t.Lease+t.Lease/2)
		}
		c.timing = t
	}
}

// WithSubject sets the first part of the NATS subjects that the nodes of this cluster use, so that
// clusters can share servers: letters, digits, '-' and '_', at most 64. Default: "ivrqueue".
func WithSubject(s string) Option {
	return func(c *config) {
		if !isName(s) {
			c.wrong("WithSubject: %q must be 1 to %d letters, digits, '-' or '_'", clip(s), maxName)
		}
		c.subject = s
	}
}

// WithFirstEpoch sets the least epoch that this process may begin with, for those who know of
// epochs that must not come again: 1 to 4,278,190,080. Default: the Unix time of the next second,
// before which there is no lease, save for a single node.
func WithFirstEpoch(e Epoch) Option {
	return func(c *config) {
		if e == 0 || e > maxEpoch {
			c.wrong("WithFirstEpoch: %d, must be 1 to %d", e, maxEpoch)
		}
		c.first = e
	}
}

// newConfig applies the options and checks everything.
func newConfig(name string, nodes []string, options []Option) (*config, error) {
	c := &config{
		names:   slices.Sorted(slices.Values(nodes)),
		timing:  Timing{Beat: DefaultBeat, Lease: DefaultLease, Death: DefaultDeath},
		subject: "ivrqueue",
	}
	for _, o := range options {
		if o != nil {
			o(c)
		}
	}
	c.checkNames(name)
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	if c.first == 0 {
		c.first, c.listen = nextEpoch(time.Now())
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	c.common = fmt.Sprintf("nodes %s, beat %v, lease %v, death %v", strings.Join(c.names, " "),
		c.timing.Beat, c.timing.Lease, c.timing.Death)
	return c, nil
}

// nextEpoch returns the next second, and how long it takes to come. A process has no lease before,
// so that one which is started when this one has had calls begins with a later epoch.
func nextEpoch(now time.Time) (Epoch, time.Duration) {
	next := now.Truncate(time.Second).Add(time.Second)
	return Epoch(min(max(next.Unix(), 1), 3<<30)), next.Sub(now) // until 2072
}

func (c *config) checkNames(name string) {
	switch n := len(c.names); {
	case n == 0 || n == 2:
		c.wrong("nodes: %d names: a cluster has 1 node, or 3 to %d: the loss of one of two would be "+
			"the loss of the majority", n, MaxNodes)
	case n > MaxNodes:
		c.wrong("nodes: %d names, at most %d", n, MaxNodes)
	}
	for i, other := range c.names[:min(len(c.names), MaxNodes+1)] {
		switch {
		case !isName(other):
			c.wrong("nodes: %q must be 1 to %d letters, digits, '-' or '_'", clip(other), maxName)
		case i > 0 && other == c.names[i-1]:
			c.wrong("nodes: %q is there twice", other)
		}
	}
	var ok bool
	if c.self, ok = slices.BinarySearch(c.names, name); !ok {
		c.wrong("name: %q is not among the nodes", clip(name))
	}
}

// isName reports whether s can be a part of a NATS subject, of ours.
func isName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// clip bounds what of a bad value is quoted.
func clip(s string) string { return s[:min(len(s), 2*maxName)] }
