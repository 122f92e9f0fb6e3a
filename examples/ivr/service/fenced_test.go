package service_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
	"ivrqueue/sip"
	"ivrqueue/webhook"
)

// node is a node of a cluster, which may lose its calls.
type node struct{ fenced atomic.Bool }

func (*node) NewCallID() (uuid.UUID, error)  { return uuid.New(), nil }
func (n *node) Holds(uuid.UUID) bool         { return !n.fenced.Load() }
func (*node) GraphOptions() []graph.Option   { return nil }
func (*node) NotifierOption() webhook.Option { return nil }

// A node that has lost its calls goes on, so nobody but itself hangs up their telephones.
func TestAFencedNodeHangsUpItsTelephones(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{false, true} {
		n := new(node)
		r, p, c, dialed := telephoned(t, func(o *service.Options) { o.Cluster = n })
		if answered {
			r.must(202, "POST", p.path()+"/answer", "bot", answerBody(r.callback))
			wantDialed(t, dialed)
		}
		n.fenced.Store(true)
		r.service.Fenced()
		if answered {
			wantEnd(t, c, sip.PeerHungUp)
			continue
		}
		select {
		case err := <-dialed:
			if !errors.Is(err, sip.ErrDeclined) {
				t.Errorf("a telephone that rings: got %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("a telephone rings on")
		}
	}
}
