package model

import (
	"fmt"
	"strings"
)

// Explored is what an exploration found.
type Explored[M fmt.Stringer] struct {
	States int // different ones
	Moves  int // taken, from all states
	Path   []M // the shortest way to what is wrong, if anything is
	Err    error
}

// String tells how many states there are, or the counterexample.
func (e Explored[M]) String() string {
	if e.Err == nil {
		return fmt.Sprintf("%d states, %d moves: all as it must be", e.States, e.Moves)
	}
	steps := make([]string, len(e.Path))
	for i, m := range e.Path {
		steps[i] = m.String()
	}
	return fmt.Sprintf("%d states; %v, after: %s", e.States, e.Err, strings.Join(steps, " · "))
}

// System is something that moves in steps.
type System[S any, M fmt.Stringer, K comparable] struct {
	First S
	Moves func(S) []M           // that are possible
	Take  func(S, M) (S, error) // an error if what comes of it must not be
	Key   func(S) K             // equal for states that have the same future
}

// Explore takes every move in every state that can be reached, the near ones first, so that what it
// finds wrong is shown by as few moves as it takes.
func Explore[S any, M fmt.Stringer, K comparable](sys System[S, M, K]) (found Explored[M]) {
	type node struct {
		from int32
		by   M
	}
	type place struct {
		state S
		node  int32
	}
	nodes := []node{{from: -1}}
	seen := map[K]struct{}{sys.Key(sys.First): {}}
	layer := []place{{sys.First, 0}}
	for len(layer) > 0 {
		var next []place
		for _, at := range layer {
			for _, m := range sys.Moves(at.state) {
				found.Moves++
				s, err := sys.Take(at.state, m)
				if err != nil {
					for n := at.node; n > 0; n = nodes[n].from {
						found.Path = append([]M{nodes[n].by}, found.Path...)
					}
					found.Path = append(found.Path, m)
					found.States, found.Err = len(seen), err
					return found
				}
				k := sys.Key(s)
				if _, old := seen[k]; old {
					continue
				}
				seen[k] = struct{}{}
				next = append(next, place{s, int32(len(nodes))}) //nolint:gosec // memory ends before
				nodes = append(nodes, node{at.node, m})
			}
		}
		layer = next
	}
	found.States = len(seen)
	return found
}
