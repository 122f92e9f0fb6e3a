package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// call is a call as a platform holds it.
type call struct {
	queue *queue.Queue
	tones tone.Stream
}

// player is media that plays until it is stopped. All calls share it: it has no state.
type player struct{}

func (player) Start(queue.Task) error { return nil }
func (player) Stop(t queue.Task)      { t.End(operation.Result{}) }

// run takes calls from their beginning to their end and reports each step.
func run(n, active int, tell func(Step)) *Report {
	r := &Report{Calls: n, Active: active}
	all := make([]call, n)
	g := newGauge()
	step := func(name string, do func()) {
		s := g.step(name, do)
		r.Steps = append(r.Steps, s)
		tell(s)
	}
	options := queue.Options(queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})))
	hello := &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}}
	busy := all[:active]

	made := 0
	for next := 1000; made < n; next *= 10 {
		next = min(next, n)
		step(fmt.Sprintf("calls %d to %d made", made+1, next), func() {
			for i := range all[made:next] {
				all[made+i].queue = must(queue.New("call", player{}, options))
			}
			g.calls = next
		})
		made = next
		r.Growth = append(r.Growth, Growth{made, r.Steps[len(r.Steps)-1].Heap})
	}
	step(fmt.Sprintf("%d of them play", active), func() {
		for i := range busy {
			must(busy[i].queue.Enqueue(context.Background(), hello))
		}
		settle(busy)
	})
	step("and are pressed a key", func() {
		for i := range busy {
			sub := busy[i].tones.Subscribe()
			must(busy[i].tones.Publish(tone.Pound))
			sub.TryNext()
			sub.Close()
		}
	})
	step("and are cancelled", func() {
		for i := range busy {
			busy[i].queue.CancelAll()
		}
		settle(busy)
	})
	step("all are closed", func() {
		for i := range all {
			all[i].tones.End()
			all[i].queue.Close(nil)
		}
		for i := range all {
			<-all[i].queue.Done()
		}
		for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > g.goroutines; {
			if time.Now().After(end) {
				break // the step says so
			}
			runtime.Gosched() // some are on their way out
		}
	})
	step("and let go", func() {
		for i := range all {
			all[i].queue = nil
		}
		g.calls = 0
	})
	runtime.KeepAlive(all)
	return r
}

// settle waits until nothing is on its way any more.
func settle(calls []call) {
	for i := range calls {
		for {
			if s := calls[i].queue.Snapshot(); s.Stopping == nil && s.Undelivered == 0 {
				break
			}
			runtime.Gosched()
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
