package service

import (
	"context"

	"ivrqueue/graph"
	"ivrqueue/operation"
)

// What a service does as a node of a cluster.

// Graph returns the handler of the calls, for the node to deliver by.
func (s *Service) Graph() *graph.Handler { return s.handler }

// Fenced ends the calls that are not this node's any more: others notify their bots, so nothing is
// sent for them from here.
func (s *Service) Fenced() {
	for _, c := range s.all() {
		if !s.options.Cluster.Holds(c.id) {
			c.end(operation.ShutDown, shutDown())
		}
	}
}

// Drain waits until the calls that there are have ended by themselves, or ctx has: then it is time
// for Shutdown. They go on as ever. A node that drains takes no new ones.
func (s *Service) Drain(ctx context.Context) {
	for _, c := range s.all() {
		select {
		case <-c.queue.Done():
		case <-ctx.Done():
			return
		}
	}
}

// all returns the calls that there are.
func (s *Service) all() []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]*call, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, c)
	}
	return calls
}
