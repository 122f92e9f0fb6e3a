package cluster

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
)

// Lives is of how many owners something is kept.
func (n *Node) Lives() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.lives)
}

// DrainJournal waits until everything is written.
func (n *Node) DrainJournal() error { return n.journal.Drain(context.Background()) }

// StopJournal takes JetStream off the node's server, as a disk that stays full does.
func (n *Node) StopJournal(tb testing.TB) {
	tb.Helper()
	n.unkeep()
	if err := n.server.DisableJetStream(); err != nil {
		tb.Fatal(err)
	}
}

// Knows reports whether the node has heard of an operation of a call, which is another's.
func (n *Node) Knows(owner string, call uuid.UUID, clientContext string) bool {
	id, _ := callid.OwnerOf(call)
	owed, err := n.journal.Owed(journal.Epoch{Node: owner, Epoch: id.Epoch}, call)
	return err == nil && slices.ContainsFunc(owed.Operations, func(o graph.OwedOperation) bool {
		return o.ClientContext == clientContext
	})
}

// Owes reports whether the node has a record of a call, which is another's.
func (n *Node) Owes(call uuid.UUID) bool {
	owner, ok := callid.OwnerOf(call)
	return ok && n.journal.Has(owner, call)
}

// Show shows the node, and others that are connected with it, what the calls of another node owe, as
// that one does.
func (n *Node) Show(owner callid.Owner, name string, owed map[uuid.UUID]graph.Owed) error {
	records := make(map[uuid.UUID]string)
	for call, o := range owed {
		text, err := json.Marshal(&o)
		if err != nil {
			return err
		}
		records[call] = string(text)
	}
	return n.ShowRecords(owner, name, records)
}

// ShowRecords is Show, of records as they are.
func (n *Node) ShowRecords(owner callid.Owner, name string, records map[uuid.UUID]string) error {
	var batch []byte
	for call, text := range records {
		batch = append(batch, call[:]...)
		batch = binary.AppendUvarint(batch, 1)
		batch = append(binary.AppendUvarint(batch, uint64(len(text))), text...)
	}
	subject := fmt.Sprintf("ivrqueue_%s.shown.%s.%d", n.options.Cluster, name, owner.Epoch)
	if err := n.conn.FlushTimeout(time.Minute); err != nil { // the server knows what the node hears
		return err
	}
	conn, err := connect(&n.options, n.server) // another: nobody gets what is his own
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Request(subject, s2.Encode(nil, batch), time.Minute)
	return err
}

// Connect connects as a node does to servers that are there.
func Connect(o Options) (*nats.Conn, error) { return connect(&o, nil) }

// Reaches reports whether requests come to another node: a route between their servers may be made
// when both have a lease, by a third one.
func (n *Node) Reaches(other *Node) bool {
	if n == other {
		return true
	}
	o, ok := other.owner()
	subject := fmt.Sprintf("%s.node.%x.%d.rest", n.subject(), uint16(o.Node), o.Epoch)
	_, err := n.conn.Request(subject, nil, time.Second)
	return ok && err == nil
}

// BreakJournal has the node's server take it that its disk is full.
func (n *Node) BreakJournal() { n.server.Errorf("Critical write error: %v", "of the test") }

// NewServerLog is the log of a node's own server; broken is called when something can't be written.
func NewServerLog(logger *slog.Logger, broken func()) server.Logger {
	return &serverLog{
		logger: logger, failed: make(chan string, 1), broken: broken, said: make(map[string]time.Time),
	}
}

// Cut takes the node off the network, as a partition does: its server and its connection are gone.
func (n *Node) Cut() {
	n.conn.Close()
	if n.server != nil {
		n.unkeep()
		natsserver.Stop(n.server.Server)
	}
}
