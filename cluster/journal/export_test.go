package journal

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
)

// OwnKey is the size from which on a body has a key of its own.
const OwnKey = ownKey

// BatchKey writes the key of a batch.
func BatchKey(node string, epoch uint32, writer string, slot uint32) string {
	return key{node: node, epoch: epoch, writer: writer, slot: slot}.String()
}

// AgreeTime is how long heirs wait for the others.
const AgreeTime = agreeTimeout

// BodyKey writes the key of a body.
func BodyKey(node string, epoch uint32, call, post uuid.UUID) string {
	return key{node: node, epoch: epoch, call: call, post: post}.String()
}

// ParseKey reads a key, and writes it again.
func ParseKey(s string) (string, bool) {
	k, err := parseKey(s)
	if err != nil {
		return "", false
	}
	return k.String(), true
}

// AppendRecord appends a record to a batch.
func AppendRecord(batch []byte, call uuid.UUID, revision uint64, text []byte) []byte {
	return appendRecord(batch, call, revision, text)
}

// EachRecord calls f with the records of a batch.
func EachRecord(batch []byte, f func(call uuid.UUID, revision uint64, text []byte)) bool {
	return eachRecord(batch, f)
}

// WriteRecord writes the record of what a call owes.
func WriteRecord(o *graph.Owed, most int) ([]byte, error) {
	var text bytes.Buffer
	err := writeRecord(&text, o, most)
	return text.Bytes(), err
}

// ReadRecord reads one.
func ReadRecord(text string) (graph.Owed, error) { return readRecord(text) }

// Bodies is how many bodies with keys of their own the mirror has of a call.
func (j *Journal) Bodies(e Epoch, call uuid.UUID) int {
	j.mirror.mu.Lock()
	defer j.mirror.mu.Unlock()
	if all := j.mirror.epochs[e]; all != nil {
		return len(all.bodies[call])
	}
	return 0
}

// Tracked is of how many calls and slots the writer remembers something.
func (j *Journal) Tracked() int { return int(j.tracked.Load()) }

// ReuseAfter returns options by which a slot that is free may be overwritten after d.
func (o Options) ReuseAfter(d time.Duration) Options {
	o.reuse = d
	return o
}

// Patient returns options by which other nodes are waited for as long as it takes: the machine may
// be held up.
func (o Options) Patient() Options {
	o.agree, o.silent = time.Hour, time.Hour
	return o
}

// Put has the mirror of one node alone get a record.
func (j *Journal) Put(e Epoch, call uuid.UUID, revision uint64, text []byte) {
	j.mirror.apply(key{node: e.Node, epoch: e.Epoch, writer: e.Node},
		appendRecord(nil, call, revision, text), false)
}

// PutBody has it get a body with a key of its own.
func (j *Journal) PutBody(e Epoch, call, post uuid.UUID, body []byte) {
	j.mirror.apply(key{node: e.Node, epoch: e.Epoch, call: call, post: post}, body, false)
}
