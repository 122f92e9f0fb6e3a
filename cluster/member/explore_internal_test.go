package member

import (
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The explorer plays everything that can happen in a cluster of three nodes within a few steps, with
// a few faults in any order, and asks after each message whether the invariants hold; and from every
// state that it reaches in the end, whether all nodes come to hold again when all is well.
//
// A step is a beat of every node. A lease is two steps, and a death three, so that a step decides.
//
//	EXPLORE=deep go test -run TestTheExplorer ./cluster/member # three faults in place of two

const exploredNodes = 3

// modelName is the name of a node, by its index.
type modelName int

func (n modelName) String() string { return string(rune('a' + n)) }

// model is a cluster that is explored.
type model struct {
	now    time.Duration
	nodes  [exploredNodes]modelNode
	cut    [exploredNodes][exploredNodes]bool
	late   []letter // messages that were held up
	hold   int      // the node whose messages are being held up, or -1
	epochs map[begun]bool
	boots  uint64
	err    error
}

// modelNode is a node that is explored.
type modelNode struct {
	machine *machine // nil if it was killed
	ahead   time.Duration
	paused  bool
	unread  []letter
}

// letter is a beat or an answer under way.
type letter struct {
	from, to int
	beat     beat
	answer   answer
}

// fault is something that may happen between two steps.
type fault struct {
	kind     faultKind
	from, to int
}

type faultKind uint8

const (
	isCut     faultKind = iota + 1 // one direction of a link
	isAlone                        // both directions of all links of a node
	isHealed                       // all links
	isPaused                       // a node
	isResumed                      // that which is paused
	isKilled                       // a node
	isStarted                      // one that was killed
	isLeft                         // a node says farewell
	isHeldUp                       // the messages of a node from now on
	isLate                         // those that were held up come
	isAhead                        // a clock jumps by a step, once
)

func (f fault) String() string {
	names := [...]string{
		isCut: "cut", isAlone: "alone", isHealed: "healed", isPaused: "paused", isResumed: "resumed",
		isKilled: "killed", isStarted: "started", isLeft: "left", isHeldUp: "held up", isLate: "late",
		isAhead: "ahead",
	}
	return fmt.Sprintf("%s %d>%d", names[f.kind], f.from, f.to)
}

// newModel makes a cluster in which all nodes hold.
func newModel() *model {
	c := &model{hold: -1, epochs: map[begun]bool{}, now: 1}
	for i := range c.nodes {
		c.start(i)
	}
	for range 8 {
		c.step()
	}
	return c
}

func (c *model) start(node int) {
	c.boots++
	s := setup{self: node, nodes: exploredNodes, config: "same", timing: Timing{Beat: 1, Lease: 2, Death: 3}}
	n := &c.nodes[node]
	n.paused, n.unread = false, nil
	n.machine = newMachine(s, c.boots, Epoch(100+c.now), c.clock(node))
}

func (c *model) clock(node int) time.Duration { return c.now + c.nodes[node].ahead }

// step lets every node beat once.
func (c *model) step() {
	c.now++
	for i := range c.nodes {
		if n := &c.nodes[i]; n.machine != nil && !n.paused {
			if b, due := n.machine.tick(c.clock(i)); due {
				c.publish(i, b)
			}
			c.check()
		}
	}
}

func (c *model) publish(from int, b beat) {
	for to := range c.nodes {
		if to != from {
			c.send(letter{from: from, to: to, beat: b})
		}
	}
}

func (c *model) send(l letter) {
	switch {
	case c.cut[l.from][l.to]:
	case c.hold == l.from:
		c.late = append(c.late, l)
	default:
		c.arrive(l)
	}
}

func (c *model) arrive(l letter) {
	n := &c.nodes[l.to]
	switch {
	case n.machine == nil:
	case n.paused:
		n.unread = append(n.unread, l)
	case l.beat.Boot != 0:
		a := n.machine.hear(l.from, l.beat, c.clock(l.to))
		c.check()
		c.send(letter{from: l.to, to: l.from, answer: a})
	default:
		n.machine.receive(l.from, l.answer, c.clock(l.to))
		c.check()
	}
}

// living returns the processes that live.
func (c *model) living() (all []living) {
	for i := range c.nodes {
		if m := c.nodes[i].machine; m != nil {
			all = append(all, living{modelName(i), m, c.clock(i)})
		}
	}
	return all
}

func (c *model) check() {
	all := c.living()
	for i := range all {
		if all[i].machine.held {
			c.epochs[begun{all[i].machine.self, all[i].machine.epoch}] = true
		}
	}
	if c.err == nil {
		c.err = violated(all)
	}
}

// faults returns what may happen now.
func (c *model) faults() (all []fault) {
	cuts := 0
	for i := range c.nodes {
		n := &c.nodes[i]
		for j := range c.nodes {
			if i != j && c.cut[i][j] {
				cuts++
			} else if i != j {
				all = append(all, fault{isCut, i, j})
			}
		}
		all = append(all, fault{isAlone, i, i})
		switch {
		case n.machine == nil:
			all = append(all, fault{isStarted, i, i})
			continue
		case n.paused:
			all = append(all, fault{isResumed, i, i})
		default:
			all = append(all, fault{isPaused, i, i}, fault{isLeft, i, i})
		}
		all = append(all, fault{isKilled, i, i})
		if c.hold < 0 && len(c.late) == 0 {
			all = append(all, fault{isHeldUp, i, i})
		}
		if c.nodes[0].ahead+c.nodes[1].ahead+c.nodes[2].ahead == 0 {
			all = append(all, fault{isAhead, i, i})
		}
	}
	if cuts > 0 {
		all = append(all, fault{isHealed, 0, 0})
	}
	if c.hold >= 0 {
		all = append(all, fault{isLate, 0, 0})
	}
	return all
}

// apply makes a fault happen.
func (c *model) apply(f fault) {
	n := &c.nodes[f.from]
	switch f.kind {
	case isCut:
		c.cut[f.from][f.to] = true
	case isAlone:
		for i := range c.nodes {
			c.cut[f.from][i], c.cut[i][f.from] = true, true
		}
	case isHealed:
		c.cut = [exploredNodes][exploredNodes]bool{}
	case isPaused:
		n.paused = true
	case isResumed:
		unread := n.unread
		n.paused, n.unread = false, nil
		for _, l := range unread {
			c.arrive(l)
		}
	case isKilled:
		n.machine, n.paused, n.unread = nil, false, nil
	case isStarted:
		c.start(f.from)
	case isLeft:
		b := n.machine.leave(c.clock(f.from))
		c.publish(f.from, b)
		n.machine = nil
	case isHeldUp:
		c.hold = f.from
	case isLate:
		late := c.late
		c.hold, c.late = -1, nil
		for _, l := range late {
			c.arrive(l)
		}
	case isAhead:
		n.ahead = 1
	}
}

// heal ends all faults, and lets time pass.
func (c *model) heal() {
	if c.hold >= 0 {
		c.apply(fault{kind: isLate})
	}
	c.apply(fault{kind: isHealed})
	for i := range c.nodes {
		if c.nodes[i].machine == nil {
			c.start(i)
		} else if c.nodes[i].paused {
			c.apply(fault{isResumed, i, i})
		}
	}
	for range 16 {
		c.step()
	}
	if c.err == nil {
		c.err = unhealed(c.living(), slices.Collect(maps.Keys(c.epochs)), exploredCalls)
	}
}

var exploredCalls = [][16]byte{{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}}

func (c *model) clone() *model {
	d := *c
	d.late = slices.Clone(c.late)
	d.epochs = maps.Clone(c.epochs)
	for i := range d.nodes {
		n := &d.nodes[i]
		n.unread = slices.Clone(n.unread)
		if n.machine != nil {
			n.machine = n.machine.clone()
		}
	}
	return &d
}

// clone copies a machine. TestTheCloneKnowsEveryField says what it must know.
func (m *machine) clone() *machine {
	n := *m
	n.grants, n.refusals = slices.Clone(m.grants), slices.Clone(m.refusals)
	n.supports = slices.Clone(m.supports)
	n.peers, n.answers = slices.Clone(m.peers), slices.Clone(m.answers)
	for i := range n.peers {
		n.peers[i].heirs = slices.Clone(m.peers[i].heirs)
		n.answers[i].floors = slices.Clone(m.answers[i].floors)
	}
	return &n
}

var modelSeed = maphash.MakeSeed()

// key is equal for states that are equal, boots counted.
func (c *model) key(left int) uint64 {
	var h maphash.Hash
	h.SetSeed(modelSeed)
	fmt.Fprint(&h, left, c.now, c.cut, c.late, c.hold, c.boots)
	for i := range c.nodes {
		n := &c.nodes[i]
		fmt.Fprint(&h, n.ahead, n.paused, n.unread, n.machine == nil)
		if n.machine != nil {
			fmt.Fprint(&h, *n.machine)
		}
	}
	return h.Sum64()
}

// explore plays so many steps with so many faults, and returns how many states it found.
func explore(steps, faults int) (states int, path []string, err error) {
	seen := map[uint64]bool{}
	var visit func(c *model, steps, left int, path []string) ([]string, error)
	visit = func(c *model, steps, left int, path []string) ([]string, error) {
		k := c.key(left)
		if c.err != nil {
			return path, c.err
		}
		if seen[k] {
			return nil, nil
		}
		seen[k] = true
		if left > 0 && steps > 0 { // a fault that nothing follows shows nothing
			for _, f := range c.faults() {
				d := c.clone()
				d.apply(f)
				if p, err := visit(d, steps, left-1, append(path, f.String())); err != nil {
					return p, err
				}
			}
		}
		c = c.clone()
		if steps == 0 {
			c.heal()
			return append(path, "healed"), c.err
		}
		c.step()
		return visit(c, steps-1, left, append(path, "step"))
	}
	path, err = visit(newModel(), steps, faults, nil)
	return len(seen), path, err
}

func TestTheExplorerFindsNothing(t *testing.T) {
	t.Parallel()
	steps, faults := 9, 2
	if os.Getenv("EXPLORE") == "deep" {
		steps, faults = 9, 3
	}
	states, path, err := explore(steps, faults)
	t.Logf("%d states", states)
	if err != nil {
		t.Fatalf("%v, after: %s", err, strings.Join(path, " · "))
	}
}
