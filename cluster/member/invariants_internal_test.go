package member

import (
	"fmt"
	"time"
)

// living is a process that runs, or could, and what its clock says now.
type living struct {
	name    fmt.Stringer // it is asked in each instant, and named only when something is wrong
	machine *machine
	clock   time.Duration
}

// begun is an epoch that had a lease.
type begun struct {
	node  int
	epoch Epoch
}

// holds is what Holds would return: a process that is paused would be asked when it goes on.
func (l *living) holds() bool { return l.machine.held && l.clock < l.machine.until() }

// violated asks what must be true at every instant: no node acts for an epoch that another may have
// inherited, and no two processes act as one node.
func violated(all []living) error {
	for i := range all {
		owner := &all[i]
		if !owner.holds() {
			continue
		}
		for j := range all {
			other, m := &all[j], all[j].machine
			if m.peers[owner.machine.self].dead >= owner.machine.epoch {
				return fmt.Errorf("%s holds epoch %d, and %s has it dead",
					owner.name, owner.machine.epoch, other.name)
			}
			if i != j && m.self == owner.machine.self && other.holds() {
				return fmt.Errorf("%s and %s hold both", owner.name, other.name)
			}
		}
	}
	return nil
}

// unhealed asks what must be true when all has been well for a while: every node holds, every other
// epoch that ever began is dead for all, and each of its calls has one heir, who knows.
func unhealed(all []living, epochs []begun, calls [][16]byte) error {
	nodes := all[0].machine.nodes
	if len(all) != nodes {
		return fmt.Errorf("%d processes live, of %d nodes", len(all), nodes)
	}
	names := make([]string, nodes)
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	views := make([]*View, nodes)
	current := make([]Epoch, nodes)
	for i := range all {
		if views[i] = all[i].machine.view(names); !all[i].holds() {
			return fmt.Errorf("%s does not hold, with all well", all[i].name)
		}
		current[all[i].machine.self] = all[i].machine.epoch
	}
	for _, e := range epochs {
		name, ended, want := names[e.node], e.epoch != current[e.node], 0
		if ended {
			want = 1
		}
		for i, v := range views {
			if v.Ended(name, e.epoch) != ended {
				return fmt.Errorf("epoch %d of %s: ended is %v for %s", e.epoch, name, !ended, all[i].name)
			}
		}
		for _, call := range calls {
			heirs := 0
			for i, v := range views {
				if heir, ok := v.Heir(name, e.epoch, call); ok && heir == names[all[i].machine.self] {
					heirs++
				}
			}
			if heirs != want {
				return fmt.Errorf("epoch %d of %s: %d nodes tell the end of a call, want %d",
					e.epoch, name, heirs, want)
			}
		}
	}
	return nil
}
