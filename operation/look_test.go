package operation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
)

// What ends by itself, just before everything else is cancelled, is never seen as cancelled, and
// never without its result: the reading protocol, on as many processors as there are.
func TestWhatHasEndedIsNeverSeenCancelled(t *testing.T) { // alone, since its readers spin
	want := operation.Result{Reason: operation.StopTone, Position: time.Second}
	spec := operation.Spec{Request: &operation.PlayPrompt{}, Context: context.Background()}
	const rounds = 4000
	type round struct {
		control         operation.Control
		generation, all operation.Generation
	}
	all := make([]round, rounds)
	for i := range all {
		all[i].control.Init(spec)
		all[i].control.Accept(&all[i].generation, time.Time{})
		if i%2 == 1 {
			all[i].generation.Link(&all[i].all)
		}
		if err := all[i].control.Start(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	next := make([]chan struct{}, rounds) // closed when the reader is at it
	for i := range next {
		next[i] = make(chan struct{})
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range all {
			<-next[i]
			if err := all[i].control.End(&want, time.Time{}); err != nil {
				t.Error(err)
			}
			if i%2 == 1 {
				all[i].all.End(operation.Cancelled, nil, time.Time{}, 0)
			} else {
				all[i].generation.End(operation.Cancelled, nil, time.Time{}, 0)
			}
		}
	})
	defer writer.Wait()
	for i := range all {
		op := all[i].control.Operation()
		close(next[i])
		for {
			if s := op.Status(); s == operation.Failed {
				t.Errorf("round %d: failed, want completed", i)
			}
			got, ended := op.Result()
			if !ended {
				continue
			}
			if got != want {
				t.Errorf("round %d: %+v, want %+v", i, got, want)
			}
			break
		}
	}
}
