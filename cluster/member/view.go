package member

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// View is what a node knows of the cluster at one time. It never changes: [Member.View] returns
// the newest. Views of different nodes may differ for a while.
type View struct {
	nodes []nodeView // in the order of their names
}

// nodeView is one node in a view.
type nodeView struct {
	name  string
	held  Epoch    // the latest that is known to have held its lease
	dead  Epoch    // this one and all before are dead
	heirs []string // of these, in the order of their names
}

func (n *nodeView) live() bool { return n.held > n.dead }

// Live returns the names of the nodes whose epoch has begun and is not dead, in their order. This
// node is among them while its lease holds.
func (v *View) Live() (names []string) {
	for i := range v.nodes {
		if v.nodes[i].live() {
			names = append(names, v.nodes[i].name)
		}
	}
	return names
}

// Epoch returns the epoch of a live node, and false for others.
func (v *View) Epoch(node string) (Epoch, bool) {
	if n := v.find(node); n != nil && n.live() {
		return n.held, true
	}
	return 0, false
}

// Ended reports whether an epoch is dead: its node does nothing for its calls any more, and never
// will. It is false for names that are not of the cluster.
func (v *View) Ended(node string, e Epoch) bool {
	n := v.find(node)
	return n != nil && e <= n.dead
}

// Heir returns the node that is to notify of the end of a call of a dead epoch, and false if the
// epoch is not dead or no heir is known. An heir acts under its lease. All calls of an epoch are
// spread evenly over its heirs; when an heir dies, its share goes to the others and the rest stays
// where it is (rendezvous hashing).
//
// An heir goes on with the calls that it has begun to notify of if a later view names another one.
// A node that began after the death is heir only if no other is left.
func (v *View) Heir(node string, e Epoch, call [16]byte) (heir string, ok bool) {
	n := v.find(node)
	if n == nil || e > n.dead || len(n.heirs) == 0 {
		return "", false
	}
	return rendezvous(n.heirs, call), true
}

// equal reports whether two views say the same.
func (v *View) equal(other *View) bool {
	return other != nil && slices.EqualFunc(v.nodes, other.nodes, func(a, b nodeView) bool {
		return a.held == b.held && a.dead == b.dead && slices.Equal(a.heirs, b.heirs)
	})
}

func (v *View) find(node string) *nodeView {
	i, ok := slices.BinarySearchFunc(v.nodes, node, func(n nodeView, name string) int {
		return strings.Compare(n.name, name)
	})
	if !ok {
		return nil
	}
	return &v.nodes[i]
}

// rendezvous returns the name with the highest hash of name and call. Every node computes the same:
// the hash is part of the protocol.
func rendezvous(names []string, call [16]byte) (first string) {
	var highest uint64
	text := make([]byte, 0, len(call)+maxName)
	for i, name := range names {
		sum := sha256.Sum256(append(append(text, call[:]...), name...))
		if hash := binary.BigEndian.Uint64(sum[:]); i == 0 || hash > highest {
			first, highest = name, hash
		}
	}
	return first
}
