package queue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"ivrqueue/internal/model"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// toldEvent is an event that the model tells.
type toldEvent struct {
	model.Event

	at time.Time
}

// watcher is an observer of a script.
type watcher struct {
	fault int

	mu     sync.Mutex // guards the block below
	events []queue.Event
}

// Observe takes the event down, and then goes wrong now and then.
func (w *watcher) Observe(e queue.Event) {
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
	switch {
	case w.fault == 1 && e.Seq%3 == 0:
		panic(errPanic)
	case w.fault == 2 && e.Seq%3 == 1:
		runtime.Goexit()
	}
}

// apply has the model take one step.
func (s *scripted) apply(step model.Step) model.Outcome {
	before := s.model
	var out model.Outcome
	s.model, out = s.model.Apply(step)
	for _, e := range out.Events {
		s.told = append(s.told, toldEvent{e, s.at})
		if e.Kind != queue.Ended {
			continue
		}
		j := s.jobs[e.Op]
		j.end = e.Result
		switch step.Do {
		case model.CancelAll, model.Interrupt, model.Close:
			j.end.Position = 0 // all have one result
		default:
		}
	}
	if s.model.Timer() != model.NoTimer &&
		(s.model.Timer() != before.Timer() || s.model.Slot() != before.Slot()) {
		d := scriptStopTimeout
		if s.model.Timer() == model.RunTimer {
			d = scriptRunTimeout
		}
		s.deadline = s.at.Add(d)
	}
	return out
}

// agree compares the answers of a step.
func (s *scripted) agree(step model.Step, got answer, want model.Outcome) {
	if !errors.Is(got.err, want.Err) || (got.err == nil) != (want.Err == nil) {
		s.t.Fatalf("%v: %v, want %v", step, got.err, want.Err)
	}
	if step.Do == model.Interrupt && s.jobs[step.Op].quietly {
		return // no receipt
	}
	s.same(step.String()+": victims", got.victims, want.Victims)
}

// same compares operations with their numbers.
func (s *scripted) same(what string, got []*operation.Operation, want []model.Op) {
	if !slices.Equal(s.numbers(got), want) && len(got)+len(want) > 0 {
		s.t.Fatalf("%s: %v, want %v", what, s.numbers(got), want)
	}
}

func (s *scripted) numbers(ops []*operation.Operation) (all []model.Op) {
	for _, op := range ops {
		all = append(all, s.numberOf(op))
	}
	return all
}

// numberOf returns an operation's number; zero for none of the script's.
func (s *scripted) numberOf(op *operation.Operation) model.Op {
	for n, j := range s.jobs {
		if op != nil && j.op == op {
			return n
		}
	}
	return 0
}

// compare holds everything that can be seen of the queue against the model.
func (s *scripted) compare() {
	got, want := s.queue.Snapshot(), &s.model
	one := func(op *operation.Operation) []*operation.Operation {
		if op == nil {
			return nil
		}
		return []*operation.Operation{op}
	}
	number := func(op model.Op) []model.Op {
		if op == 0 {
			return nil
		}
		return []model.Op{op}
	}
	s.same("running", one(got.Running), number(want.Running()))
	s.same("stopping", one(got.Stopping), number(want.Stopping()))
	s.same("waiting", got.Waiting, want.Waiting())
	if got.Sealed != want.Sealed() || got.Closed != want.Closed() {
		s.t.Fatalf("sealed, closed: %v, %v, want %v, %v", got.Sealed, got.Closed, want.Sealed(), want.Closed())
	}
	if got.Abandoned != want.Abandoned() || got.LateReports != want.Late() {
		s.t.Fatalf("%d abandoned, %d late; want %d, %d", got.Abandoned, got.LateReports, want.Abandoned(), want.Late())
	}
	if got.Undelivered != 0 {
		s.t.Fatalf("%d untold, want 0: the observers have returned", got.Undelivered)
	}
	if isClosed(s.queue.Done()) != want.Done() {
		s.t.Fatalf("done: %v, want %v", !want.Done(), want.Done())
	}
	for n := model.Op(1); n <= s.last; n++ {
		s.compareOne(s.jobs[n])
	}
	for i, w := range s.watchers {
		s.compareEvents(i, w)
	}
	s.handOver()
}

// handOver tells the race detector that what the script has read comes before what a timer's
// goroutine writes next: that time stands still until then does not tell it.
func (s *scripted) handOver() {
	s.turn.Lock()
	s.turn.Unlock() //nolint:staticcheck // empty on purpose
}

// compareOne compares what is to be read of an operation.
func (s *scripted) compareOne(j *job) {
	n, op := j.number, j.op
	if got, want := op.Status(), s.model.Status(n); got != want {
		s.t.Fatalf("%d is %v, want %v", n, got, want)
	}
	got, ended := op.Result()
	why := s.model.Reason(n)
	if ended != (why != 0) || !sameResult(got, j.end) {
		s.t.Fatalf("result of %d: %+v %v, want %+v", n, got, ended, j.end)
	}
	if err := op.Err(); (err != nil) != (why.Status() == operation.Failed) || err != nil && !errors.Is(err, why) {
		s.t.Fatalf("error of %d: %v, want %v", n, err, why)
	}
	if got := !op.Times().Ended.IsZero(); got != ended {
		s.t.Fatalf("%d has the time of its end: %v, want %v", n, got, ended)
	}
	if j.done != nil && isClosed(j.done) != ended {
		s.t.Fatalf("Done of %d is closed: %v, want %v", n, !ended, ended)
	}
	if j.task != (queue.Task{}) && j.task.Live() == ended {
		s.t.Fatalf("%d is live: %v, want %v", n, ended, !ended)
	}
	if j.ctx != nil && (ended && !errors.Is(context.Cause(j.ctx), why) || !ended && j.ctx.Err() != nil) {
		s.t.Fatalf("cause of %d's context: %v, want %v", n, context.Cause(j.ctx), why)
	}
}

func sameResult(got, want operation.Result) bool {
	sameErr := got.Err == nil && want.Err == nil || want.Err != nil && errors.Is(got.Err, want.Err)
	got.Err, want.Err = nil, nil
	return sameErr && got == want
}

// compareEvents compares what an observer was told with what the model tells.
func (s *scripted) compareEvents(who int, w *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, got := range w.events {
		if i == len(s.told) {
			s.t.Fatalf("observer %d was told %v of %d, want no event", who, got.Kind, s.numberOf(got.Operation))
		}
		want := s.told[i]
		if got.Seq != uint64(i+1) || got.Kind != want.Kind || s.numberOf(got.Operation) != want.Op ||
			!got.Time.Equal(want.at) || !sameResult(got.Result, want.Result) || got.CallID() != "call" {
			s.t.Fatalf("event %d for observer %d: %v of %d, %+v at %v; want %v of %d, %+v at %v", i+1, who,
				got.Kind, s.numberOf(got.Operation), got.Result, got.Time, want.Kind, want.Op, want.Result, want.at)
		}
	}
	if len(w.events) < len(s.told) {
		want := s.told[len(w.events)]
		s.t.Fatalf("observer %d was not told %v of %d", who, want.Kind, want.Op)
	}
}
