package queue_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"

	"ivrqueue/internal/trace"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// sceneOptional is the scene's media with every optional call, which go wrong too.
type sceneOptional struct{ sceneMedia }

func (m sceneOptional) Pause(t queue.Task)  { m.optional(t, trace.PauseOperation, 4) }
func (m sceneOptional) Resume(t queue.Task) { m.optional(t, trace.ResumeOperation, 5) }

func (m sceneOptional) EndLoop(t queue.Task) {
	m.optional(t, trace.EndLoop, 6)
	if f, _ := t.Value().(fault); f.kind == neverEnds {
		m.s.end(t)
	}
}

func (m sceneOptional) optional(t queue.Task, what trace.Method, number uint64) {
	s := m.s
	defer s.entered()()
	s.Add(trace.Item{What: trace.OptionalEntered, Method: what, Op: t.ID()})
	defer s.Add(trace.Item{What: trace.OptionalReturned, Method: what, Op: t.ID()})
	s.mu.Lock()
	s.optional[t.ID()]++ // they may be called again and again, and each draws ids of its own
	number += 10 * s.optional[t.ID()]
	s.mu.Unlock()
	draw := s.draws(t.Active, number)
	switch draw.IntN(8) {
	case 0:
		panic("x")
	case 1:
		s.reEnter(draw)
	case 2:
		s.end(t)
	case 3:
		if !s.inline {
			s.sleep(draw, 2*sceneStopTimeout)
		}
	case 4:
		if !s.inline {
			runtime.Goexit()
		}
	default:
	}
}

// Prepare works for a while, until it is through, or its context ends.
func (m sceneOptional) Prepare(ctx context.Context, op *operation.Operation) {
	s := m.s
	defer s.entered()()
	s.Add(trace.Item{What: trace.PrepareEntered, Op: op.ID()})
	id := op.ID()
	draw := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(id[:8]), 7))
	wrong := false
	defer func() {
		s.Add(trace.Item{What: trace.PrepareReturned, Op: op.ID(), Failed: wrong})
	}()
	switch draw.IntN(6) {
	case 0:
		panic("x")
	case 1:
		runtime.Goexit()
	case 2:
		s.reEnter(draw)
	case 3:
		<-ctx.Done()
		s.sleep(draw, 1)
		wrong = op.Status() == operation.NotStarted
	default:
		s.sleep(draw, 2)
	}
}
