package queuetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// script is a request of the tests' own: do nothing for a while.
type script struct {
	length time.Duration // negative: until stopped
	fails  bool
	loops  bool // of no length: again and again, until the queue is sealed
}

func (script) Kind() operation.Kind { return "script" }
func (script) Validate() error      { return nil }

var errScript = errors.New("script says so")

const (
	length = 20 * time.Millisecond
	frame  = 5 * time.Millisecond
)

// harness is what the suite needs to know of media that does scripts.
func harness(newMedia func(t testing.TB) queue.Media) queuetest.Harness {
	request := func(s script) func() operation.Request {
		return func() operation.Request { return s }
	}
	return queuetest.Harness{
		New:          newMedia,
		Ends:         request(script{length: length}),
		Lasts:        request(script{length: -1}),
		EndsAtOnce:   request(script{}),
		Fails:        request(script{fails: true}),
		Loops:        request(script{length: -1, loops: true}),
		BlockBackend: func(m queue.Media) func() { return backEndOf(m).stall() },
		FramesSent:   func(m queue.Media) int { return int(backEndOf(m).heard.Load()) },
	}
}

// harnessOf is the harness of media with a fault.
func harnessOf(f fault) queuetest.Harness {
	h := harness(faulty(f))
	if f.remote() {
		h.MaxTail = -1
	}
	h.Pauses, h.Prepares = true, true
	return h
}

// easy is the easy form of media: a function that waits.
type easy struct {
	queue.Media

	end *backEnd
}

func (m easy) backEnd() *backEnd { return m.end }

func blocking(testing.TB) queue.Media {
	end := new(backEnd)
	return easy{end: end, Media: queue.Blocking(func(
		ctx context.Context, t queue.Active,
	) (operation.Result, error) {
		if err := end.wait(ctx); err != nil {
			return operation.Result{}, err
		}
		s, _ := t.Request().(script)
		if s.fails {
			return operation.Result{}, errScript
		}
		pace := time.NewTicker(frame)
		defer pace.Stop()
		for begun := time.Now(); (!s.loops || !t.LastLoop()) && (s.length < 0 || time.Since(begun) < s.length); {
			if !t.Live() {
				return operation.Result{}, t.Err()
			}
			end.heard.Add(1)
			select {
			case <-pace.C:
			case <-ctx.Done():
				return operation.Result{}, context.Cause(ctx)
			}
		}
		return operation.Result{}, nil
	})}
}
