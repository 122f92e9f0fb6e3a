package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"

	"ivrqueue/cluster/journal"
	"ivrqueue/cluster/route"
	"ivrqueue/graph"
)

// Stats are plain counts, for whatever metrics the platform has. README.md says what each alarm
// means.
type Stats struct {
	Lease    bool     // this node may act
	Leader   bool     // this node's server leads the journal
	Keeps    bool     // it keeps its part of the journal: false when its disk is, or was, full
	Draining bool     // it takes no new calls
	Live     []string // nodes that live, as far as this one knows

	// Supporters are the nodes that grant this one its lease, itself among them: one that has just
	// started counts 3 s later. If they are no more than a majority for long, the loss of one fences
	// this node.
	Supporters int

	Deaths    uint64 // of lives of nodes that had calls
	Fenced    uint64 // times that this node has lost its lease, and ended its calls
	Inherited uint64 // calls of dead nodes that this one has begun to notify of
	Told      uint64 // of which all notifications were delivered, or given up
	GivenUp   uint64 // deliveries among them that were given up
	Unread    uint64 // calls of dead nodes whose records this one could not read, as their heir

	// Unjournaled counts requests that were answered before all other nodes, or the journal, had what
	// they changed; UnjournaledDeliveries counts deliveries that waited longer than others for that.
	Unjournaled, UnjournaledDeliveries uint64

	Journal journal.Stats
	Route   route.Stats
}

// Stats returns the counts of this moment.
func (n *Node) Stats() Stats {
	ledger := n.ledger.Stats()
	_, lease := n.owner()
	s := Stats{
		Lease: lease, Keeps: n.server == nil || n.server.keeps(), Draining: n.draining.Load(),
		Live:       n.member.Load().View().Live(),
		Supporters: n.member.Load().Supporters(),
		Deaths:     n.heir.stats.deaths.Load(), Fenced: n.heir.stats.fenced.Load(),
		Inherited: n.heir.stats.inherited.Load(), Told: n.heir.stats.told.Load(),
		GivenUp: n.heir.stats.failed.Load(), Unread: n.heir.stats.unread.Load(),
		Unjournaled: ledger.Operations, UnjournaledDeliveries: ledger.Deliveries,
		Journal: n.journal.Stats(),
	}
	if n.server != nil {
		s.Leader = len(n.options.Nodes) == 1 ||
			n.server.JetStreamIsStreamLeader("$G", n.journal.Stream())
	}
	n.mu.Lock()
	router := n.router
	n.mu.Unlock()
	if router != nil {
		s.Route = router.Stats()
	}
	return s
}

// Health returns why this node should get no new calls: nil, it should; it drains, it is closed, or
// it is out of the cluster for good, which takes an operator. It does not depend on NATS: were it
// to, one fault of NATS would take all nodes out of the load balancer, and with them calls that go
// on well without it.
func (n *Node) Health() error {
	if err := n.member.Load().Err(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if n.draining.Load() {
		return fmt.Errorf("cluster: node %s drains", n.options.Node)
	}
	return nil
}

// ServeHealth answers the question of a load balancer: 200, or 503 and why.
func (n *Node) ServeHealth(w http.ResponseWriter, r *http.Request) {
	if err := n.Health(); err != nil {
		graph.WriteError(w, r, http.StatusServiceUnavailable, "serviceNotAvailable", err.Error())
		return
	}
	w.WriteHeader(http.StatusOK)
}

// ServeStats answers with Stats, as JSON.
func (n *Node) ServeStats(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(n.Stats()) // to a client that may be gone
}
