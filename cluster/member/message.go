package member

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// beat is what a node tells all others, four times a second.
type beat struct {
	From   string        `json:"from"`
	Config string        `json:"config"` // what all nodes must have in common
	Boot   uint64        `json:"boot"`   // of the process, at random
	Epoch  Epoch         `json:"epoch"`
	Sent   time.Duration `json:"sent"`           // on the sender's clock, which only the sender reads
	Held   bool          `json:"held,omitempty"` // the lease of this epoch held
	Left   bool          `json:"left,omitempty"` // the epoch has ended, and the node goes
}

// answer is what a node tells the sender of a beat, at once.
type answer struct {
	From    string        `json:"from"`
	To      string        `json:"to"`
	Boot    uint64        `json:"boot"` // of the beat, as are the two below
	Epoch   Epoch         `json:"epoch"`
	Sent    time.Duration `json:"sent"`
	Verdict verdict       `json:"verdict"`
	Config  string        `json:"config,omitempty"` // with misconfigured
	Nodes   []report      `json:"nodes,omitempty"`  // all, in the order of their names
}

// verdict says whether a beat was granted.
type verdict uint8

const (
	granted       verdict = iota + 1
	notYet                // the granter has just started
	ended                 // the granter never grants this epoch, or not any more
	taken                 // it grants another process of this name
	misconfigured         // it was given other names or times
)

// report is what a node tells of one node.
type report struct {
	Floor Epoch   `json:"floor,omitempty"` // it never grants this epoch, nor one before
	Held  Epoch   `json:"held,omitempty"`  // the latest that is known to have held
	Died  Epoch   `json:"died,omitempty"`  // the latest that had held, of those up to the floor
	Heirs []Epoch `json:"heirs,omitempty"` // of these: by node, the epoch that is heir, or 0
}

// maxMessage bounds what is read: MaxNodes reports of MaxNodes heirs need less.
const maxMessage = 16 << 10

// maxEpoch leaves room for more epochs than a process can have.
const maxEpoch Epoch = 1<<32 - 1<<24

func (b *beat) check() error {
	switch {
	case !isName(b.From):
		return errors.New("from is no name")
	case b.Boot == 0:
		return errors.New("boot is 0")
	case b.Epoch == 0 || b.Epoch > maxEpoch:
		return fmt.Errorf("epoch is %d, must be 1 to %d", b.Epoch, maxEpoch)
	}
	return nil
}

// check checks an answer in a cluster of n nodes.
func (a *answer) check(n int) error {
	if a.Verdict == misconfigured {
		return nil
	}
	if len(a.Nodes) != n {
		return fmt.Errorf("%d nodes, must be %d", len(a.Nodes), n)
	}
	for _, r := range a.Nodes {
		if len(r.Heirs) != 0 && len(r.Heirs) != n {
			return fmt.Errorf("%d heirs, must be %d", len(r.Heirs), n)
		}
		for _, e := range append([]Epoch{r.Floor, r.Held, r.Died}, r.Heirs...) {
			if e > maxEpoch {
				return fmt.Errorf("epoch is %d, must be at most %d", e, maxEpoch)
			}
		}
	}
	return nil
}

// decode reads a message.
func decode(data []byte, into any) error {
	if len(data) > maxMessage {
		return fmt.Errorf("%d bytes, must be at most %d", len(data), maxMessage)
	}
	return json.Unmarshal(data, into)
}

// encode writes a message.
func encode(message any) []byte {
	data, err := json.Marshal(message)
	if err != nil {
		panic("member: broken invariant: " + err.Error()) // it holds numbers and names
	}
	return data
}
