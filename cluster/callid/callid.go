// Package callid writes into the id of a call who has it, so that any node of a cluster knows
// where a request belongs without asking.
//
// An id is a UUID of version 8 (RFC 9562, 5.8): 16 bits of the node's name, hashed; 32 bits of the
// node's epoch; and 74 random bits, which make it as hard to guess as it must be: an application
// that has another's id gets the answer that there is no such call, and nothing else.
package callid

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/google/uuid"
)

// Owner is who has a call: one life of one node. It is comparable.
type Owner struct {
	Node  Node
	Epoch uint32 // of the node; never 0
}

// Node is a node in an id: its name, hashed.
type Node uint16

// Of returns the node with this name: 16 bits of the 64-bit FNV-1a hash, which is part of what the
// nodes of a cluster agree on. Two names may have the same; see Check.
func Of(name string) Node {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	sum := h.Sum64()
	return Node(sum ^ sum>>16 ^ sum>>32 ^ sum>>48) //nolint:gosec // its lowest bits
}

// Check returns an error that names two of the names that have the same Node. Such a cluster can't
// be: give one of them another name.
func Check(names []string) error {
	seen := make(map[Node]string, len(names))
	for _, name := range names {
		if other, ok := seen[Of(name)]; ok {
			return fmt.Errorf("callid: the names %.80q and %.80q can't be told apart in an id: "+
				"one must be another", other, name)
		}
		seen[Of(name)] = name
	}
	return nil
}

// New returns an id of a new call of the owner.
func New(o Owner) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint16(id[0:], uint16(o.Node))
	binary.BigEndian.PutUint32(id[2:], o.Epoch)
	_, _ = rand.Read(id[6:])  // never fails
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id
}

// OwnerOf returns who has the call with this id, and false for an id that New has not made.
func OwnerOf(id uuid.UUID) (Owner, bool) {
	if id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		return Owner{}, false
	}
	o := Owner{
		Node:  Node(binary.BigEndian.Uint16(id[0:])),
		Epoch: binary.BigEndian.Uint32(id[2:]),
	}
	return o, o.Epoch != 0
}
