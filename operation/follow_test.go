package operation_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/operation"
)

// When a cancel has returned, Done and context of what it ended are over for whoever asks, though
// another one is in the middle of asking.
func TestWhoeverAsksAfterACancelSeesTheEndAtOnce(t *testing.T) { // alone, since they spin
	for name, ask := range map[string]func(c *operation.Control) (over bool){
		"Done": func(c *operation.Control) bool {
			select {
			case <-c.Operation().Done():
				return true
			default:
				return false
			}
		},
		"Context": func(c *operation.Control) bool { return c.Operation().Context().Err() != nil },
	} {
		t.Run(name, func(t *testing.T) {
			spec := operation.Spec{Request: &operation.PlayPrompt{}, Context: context.Background()}
			open, rounds := 0, 0
			for start := time.Now(); time.Since(start) < 300*time.Millisecond; rounds++ {
				var c operation.Control
				var g operation.Generation
				c.Init(spec)
				c.Accept(&g, start)
				var ready, run atomic.Bool
				asked := make(chan struct{})
				go func() {
					defer close(asked)
					ready.Store(true)
					for !run.Load() {
						_ = c.Live()
					}
					ask(&c)
				}()
				for !ready.Load() {
					_ = c.Live()
				}
				run.Store(true)
				for range rounds % 64 {
					_ = c.Live()
				}
				g.End(operation.Cancelled, nil, start, 0) // what CancelAll does
				if c.HasWaiters() {
					c.NotifyDone()
				}
				for range 4 { // while the other one may be anywhere in it
					if !ask(&c) {
						open++
						break
					}
				}
				<-asked
			}
			if open > 0 {
				t.Errorf("%s was open after the cancel in %d of %d rounds", name, open, rounds)
			}
		})
	}
}

// The same state without chance: a reader has published a channel, and a context, but not looked
// again yet; the cancel has not seen them; another one finds them.
func TestWhoFindsWhatAnotherHasMadeLooksToo(t *testing.T) {
	t.Parallel()
	var c operation.Control
	var g operation.Generation
	c.Init(operation.Spec{Request: &operation.PlayPrompt{}, Context: context.Background()})
	c.Accept(&g, time.Now())
	first, ctx := c.Operation().Done(), c.Operation().Context()
	g.End(operation.Cancelled, nil, time.Now(), 0) // without Finish
	for name, done := range map[string]<-chan struct{}{
		"Done": c.Operation().Done(), "Context": c.Operation().Context().Done(), "the first Done": first, "the first context": ctx.Done(),
	} {
		select {
		case <-done:
		default:
			t.Errorf("%s is open", name)
		}
	}
}

// A reader makes its channel while the operation is ended. Either the reader sees the end, or who
// ends it sees the reader: the channel is closed, without another question.
func TestNoReaderIsForgotten(t *testing.T) { // alone, since they spin
	spec := operation.Spec{Request: &operation.PlayPrompt{}, Context: context.Background()}
	var at [2]atomic.Int64 // the round that each of the two is in
	var control *operation.Control
	var got <-chan struct{}
	over := false
	meet := func(me int, round int64) {
		at[me].Store(round)
		spins := 0
		for at[1-me].Load() < round {
			if spins++; spins%1000 == 0 {
				runtime.Gosched()
			}
		}
	}
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		for round := int64(1); ; round += 2 {
			meet(0, round)
			if over {
				return
			}
			for range round / 2 % 16 {
				_ = control.Live()
			}
			got = control.Operation().Done()
			meet(0, round+1)
		}
	}()
	rounds, forgotten := int64(0), 0
	for start := time.Now(); ; rounds++ {
		var g operation.Generation
		control = new(operation.Control)
		control.Init(spec)
		control.Accept(&g, start)
		over = time.Since(start) > 300*time.Millisecond
		meet(1, 2*rounds+1)
		if over {
			break
		}
		for range rounds / 16 % 16 {
			_ = control.Live()
		}
		g.End(operation.Cancelled, nil, start, 0)
		if control.HasWaiters() {
			control.NotifyDone()
		}
		meet(1, 2*rounds+2)
		select {
		case <-got:
		default:
			forgotten++
		}
	}
	<-reader
	if forgotten > 0 {
		t.Errorf("Done stays open in %d of %d rounds", forgotten, rounds)
	}
}
