package queue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// scriptClock is the timeout that the bare machine wants armed, and when it fires. The run timeout
// looks four times in its length, and fires at the fourth look in a row that finds no progress.
type scriptClock struct {
	armed    queue.Input
	since    time.Time
	looks    int // since then
	idle     int
	progress bool // since the last look
}

// follow arms or disarms it.
func (c *scriptClock) follow(b *queue.Bare) {
	armed, since, _ := b.Timeout()
	if armed != c.armed || !since.Equal(c.since) {
		*c = scriptClock{armed: armed, since: since}
	}
}

// due returns when it is to fire, or to look.
func (c *scriptClock) due() (at time.Time, armed bool) {
	switch c.armed.Do {
	case queue.DoStopTimeout:
		return c.since.Add(scriptStopTimeout), true
	case queue.DoRunTimeout:
		return c.since.Add(time.Duration(c.looks+1) * scriptRunTimeout / 4), true
	default:
		return at, false
	}
}

// progressed is for when media reports progress.
func (c *scriptClock) progressed(op queue.Op) { c.progress = c.progress || op == c.armed.Op }

// look is for when it is due. It returns the input that comes of it, if it fires. Progress that is
// reported after the end means nothing.
func (c *scriptClock) look(b *queue.Bare) (in queue.Input, fires bool) {
	if c.armed.Do == queue.DoStopTimeout {
		return c.armed, true
	}
	c.looks++
	if c.idle++; c.progress && b.Running() == c.armed.Op {
		c.idle = 0
	}
	c.progress = false
	return c.armed, c.idle == 4
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

// apply gives the bare machine an input.
func (s *scripted) apply(step queue.Input) queue.Output {
	out, err := s.bare.Apply(step, s.at)
	if err != nil {
		s.draw.Fatalf("%v", err)
	}
	s.events = append(s.events, out.Events...)
	s.clock.follow(s.bare.Bare)
	return out
}

// agree compares the answers of a step.
func (s *scripted) agree(step queue.Input, got answer, want queue.Output) {
	if !errors.Is(got.err, want.Err) || (got.err == nil) != (want.Err == nil) {
		s.draw.Fatalf("%v: %v, want %v", step, got.err, want.Err)
	}
	if step.Do == queue.DoInterrupt && s.jobs[step.Op].quietly {
		return // no receipt
	}
	s.same(step.String()+": cancelled", got.cancelled, want.Cancelled)
}

// same compares operations with their numbers.
func (s *scripted) same(what string, got []*operation.Operation, want []queue.Op) {
	if !slices.Equal(s.numbers(got), want) && len(got)+len(want) > 0 {
		s.draw.Fatalf("%s: %v, want %v", what, s.numbers(got), want)
	}
}

func (s *scripted) numbers(ops []*operation.Operation) (all []queue.Op) {
	for _, op := range ops {
		all = append(all, s.numberOf(op))
	}
	return all
}

// numberOf returns an operation's number; zero for none of the script's.
func (s *scripted) numberOf(op *operation.Operation) queue.Op {
	for n, j := range s.jobs {
		if op != nil && j.op == op {
			return n
		}
	}
	return 0
}

// compare holds everything that can be seen of the queue against the bare machine.
func (s *scripted) compare() {
	got, want := s.queue.Snapshot(), s.bare
	one := func(op *operation.Operation) []*operation.Operation {
		if op == nil {
			return nil
		}
		return []*operation.Operation{op}
	}
	number := func(op queue.Op) []queue.Op {
		if op == 0 {
			return nil
		}
		return []queue.Op{op}
	}
	s.same("running", one(got.Running), number(want.Running()))
	s.same("stopping", one(got.Stopping), number(want.Stopping()))
	s.same("waiting", got.Waiting, want.Waiting())
	if got.Sealed != want.Sealed() || got.Closed != want.Closed() {
		s.draw.Fatalf("sealed, closed: %v, %v, want %v, %v", got.Sealed, got.Closed, want.Sealed(), want.Closed())
	}
	if abandoned, late := want.Counts(); got.Abandoned != abandoned || got.LateReports != late {
		s.draw.Fatalf("%d abandoned, %d late; want %d, %d", got.Abandoned, got.LateReports, abandoned, late)
	}
	if got.Undelivered != 0 {
		s.draw.Fatalf("%d undelivered, want 0: the observers have returned", got.Undelivered)
	}
	if isClosed(s.queue.Done()) != want.Drained() {
		s.draw.Fatalf("done: %v, want %v", !want.Drained(), want.Drained())
	}
	for n := queue.Op(1); n <= s.last; n++ {
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
	n, op, bare := j.number, j.op, s.bare.Operation(j.number)
	if got, want := op.Status(), bare.Status(); got != want {
		s.draw.Fatalf("%d is %v, want %v", n, got, want)
	}
	got, ended := op.Result()
	want, _ := bare.Result()
	why := want.Reason
	if ended != (why != 0) || !sameResult(got, want) {
		s.draw.Fatalf("result of %d: %+v %v, want %+v", n, got, ended, want)
	}
	cause, known := op.Cause()
	cause.Kind = "" // the bare machine knows no requests
	if want, is := bare.Cause(); cause != want || known != is {
		s.draw.Fatalf("%d was ended by %+v, want %+v", n, cause, want)
	}
	if got, want := op.Times(), bare.Times(); !got.Accepted.Equal(want.Accepted) ||
		!got.Started.Equal(want.Started) || !got.Ended.Equal(want.Ended) {
		s.draw.Fatalf("times of %d: %v, want %v", n, got, want)
	}
	if got, want := op.Position(), bare.Position(); got != want {
		s.draw.Fatalf("position of %d: %v, want %v", n, got, want)
	}
	if err := op.Err(); (err != nil) != (why.Status() == operation.Failed) || err != nil && !errors.Is(err, why) {
		s.draw.Fatalf("error of %d: %v, want %v", n, err, why)
	}
	if j.done != nil && isClosed(j.done) != ended {
		s.draw.Fatalf("Done of %d is closed: %v, want %v", n, !ended, ended)
	}
	if j.task != (queue.Task{}) && j.task.Live() == ended {
		s.draw.Fatalf("%d is live: %v, want %v", n, ended, !ended)
	}
	if j.ctx != nil && (ended && !errors.Is(context.Cause(j.ctx), why) || !ended && j.ctx.Err() != nil) {
		s.draw.Fatalf("cause of %d's context: %v, want %v", n, context.Cause(j.ctx), why)
	}
}

func sameResult(got, want operation.Result) bool {
	sameErr := got.Err == nil && want.Err == nil || want.Err != nil && errors.Is(got.Err, want.Err)
	got.Err, want.Err = nil, nil
	return sameErr && got == want
}

// compareEvents compares what an observer got with what the bare machine delivers.
func (s *scripted) compareEvents(who int, w *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, got := range w.events {
		if i == len(s.events) {
			s.draw.Fatalf("observer %d got %v of %d, want no event", who, got.Kind, s.numberOf(got.Operation))
		}
		want := s.events[i]
		if got.Seq != want.Seq || got.Kind != want.Kind || s.numberOf(got.Operation) != s.bare.Number(want.Operation) ||
			!got.Time.Equal(want.Time) || !sameResult(got.Result(), want.Result()) || got.CallID() != "call" {
			s.draw.Fatalf("event %d for observer %d: %v of %d, %+v at %v; want %v of %d, %+v at %v", i+1, who,
				got.Kind, s.numberOf(got.Operation), got.Result(), got.Time,
				want.Kind, s.bare.Number(want.Operation), want.Result(), want.Time)
		}
	}
	if len(w.events) < len(s.events) {
		want := s.events[len(w.events)]
		s.draw.Fatalf("observer %d did not get %v of %d", who, want.Kind, s.bare.Number(want.Operation))
	}
}
