package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

var (
	errScript = errors.New("of a script")
	errPanic  = errors.New("panic of a script")
)

// act is what media does in a callback.
type act int

const (
	returns act = iota
	ends
	endsTwice
	fails
	panicsInside
	endsAndPanics
	exitsInside
	blocksInside
	endsAndBlocks
	callsBack
)

// job is what media is to do with an operation, and what became of it. It is drawn before the
// operation is asked for, and comes to the media as the operation's value.
type job struct {
	number  queue.Op
	s       *scripted
	quietly bool // it interrupts by barging in, without a receipt
	start   act
	stop    act
	result  operation.Result // that it reports
	failure operation.Result // what comes of the error that its Start returns
	nested  []queue.Input    // what its Start calls
	answers []answer

	gate  chan struct{} // closed when it may return
	where queue.Do      // the input that its return will be, if it blocks in a callback

	stoppedLate bool // its Start returned when it had been abandoned

	fault error // what its Stop did instead of returning

	// What it was given.
	op   *operation.Operation
	done <-chan struct{} // taken at once, or nil
	task queue.Task
	ctx  context.Context // taken in Start, or nil
	asks bool            // it does
}

// job draws one.
func (s *scripted) job(d *draw, n queue.Op, mayNest bool) *job {
	starts := []act{returns, returns, ends, endsTwice, fails, panicsInside, endsAndPanics}
	stops := []act{ends, ends, returns, endsTwice, panicsInside, endsAndPanics}
	if mayNest {
		starts = append(starts, callsBack)
	}
	if !s.form.inlineMedia {
		starts = append(starts, exitsInside, blocksInside, endsAndBlocks)
		stops = append(stops, exitsInside, blocksInside, endsAndBlocks)
	}
	j := &job{
		s: s, number: n, gate: make(chan struct{}),
		start:   pick(d, starts, "start"),
		stop:    pick(d, stops, "stop"),
		quietly: d.coin("quietly"),
		asks:    d.coin("asks"),
		result:  drawResult(d),
	}
	switch j.start {
	case fails:
		j.failure = pick(d, []operation.Result{
			{Reason: operation.Unspecified, Err: errScript},
			{Reason: operation.BadFormat, Err: fmt.Errorf("x: %w", operation.BadFormat)},
			{Reason: operation.Unspecified, Err: operation.StopTone}, // not one of a failure
		}, "failure")
	case panicsInside, endsAndPanics:
		j.failure = operation.Result{Reason: operation.Panicked, Err: errPanic}
	case exitsInside:
		j.failure = operation.Result{Reason: operation.Panicked, Err: queue.ErrExited}
	case callsBack:
		for range d.between(1, 3, "calls") {
			j.nested = append(j.nested, s.call(d))
		}
	default:
	}
	return j
}

func drawResult(d *draw) operation.Result {
	return pick(d, []operation.Result{
		{},
		{Position: 3 * time.Second},
		{Reason: operation.StopTone, Recording: operation.Recording{Location: "https://x", Duration: time.Second}},
		{Reason: operation.PromptFailed, Err: errScript},
		{Err: fmt.Errorf("y: %w", operation.BeepFailed)},
		{Err: errScript},
		{Reason: 200},
	}, "result")
}

// call draws what media calls from inside Start.
func (s *scripted) call(d *draw) queue.Input {
	switch d.between(0, 9, "call") {
	case 0, 1, 2:
		step := queue.Input{Do: queue.DoEnqueue, Op: s.number()}
		s.jobs[step.Op] = s.job(d, step.Op, false)
		return step
	case 3, 4:
		step := queue.Input{Do: queue.DoInterrupt, Op: s.number()}
		s.jobs[step.Op] = s.job(d, step.Op, false)
		return step
	case 5, 6:
		return queue.Input{Do: queue.DoCancelAll}
	case 7, 8:
		return queue.Input{Do: queue.DoCancel, ID: s.any(d)}
	default:
		return queue.Input{Do: queue.DoClose, Result: drawCause(d)}
	}
}

// accepted takes what there is to be had of an operation as soon as it is there.
func (j *job) accepted(op *operation.Operation) {
	j.op = op
	if j.asks {
		j.done = op.Done()
	}
}

// scriptMedia does what the jobs say.
type scriptMedia struct{ s *scripted }

func (m scriptMedia) Start(t queue.Task) error {
	m.s.handOver()
	j := t.Value().(*job)
	j.task = t
	if j.asks {
		j.ctx = t.Context()
	}
	if j.start == callsBack {
		for _, step := range j.nested {
			j.answers = append(j.answers, j.s.ask(step))
		}
		return nil
	}
	return j.do(j.start, j.failure.Err)
}

func (m scriptMedia) Stop(t queue.Task) {
	m.s.handOver()
	for _, j := range m.s.jobs { // its Value may be released, if it was abandoned
		if j.task == t {
			_ = j.do(j.stop, nil)
			return
		}
	}
	panic("Stop of what it got no Start for")
}

func (j *job) do(a act, err error) error {
	switch a {
	case ends, endsAndPanics, endsAndBlocks:
		j.task.End(j.result)
	case endsTwice:
		j.task.End(j.result)
		j.task.Fail(errScript)
	default:
	}
	switch a {
	case fails:
		return err
	case panicsInside, endsAndPanics:
		panic(errPanic)
	case exitsInside:
		runtime.Goexit()
	case blocksInside, endsAndBlocks:
		<-j.gate
	default:
	}
	return nil
}

// open lets it return.
func (j *job) open() {
	select {
	case <-j.gate:
	default:
		close(j.gate)
	}
}

func (j *job) blocked() bool { return j.where != 0 }

// predict gives the bare machine an input, and then all that the media does of itself about it.
func (s *scripted) predict(step queue.Input) queue.Output {
	out := s.apply(step)
	s.callbacks()
	return out
}

// callbacks gives the bare machine all callbacks that are due.
func (s *scripted) callbacks() {
	for due, ok := s.bare.Due(); ok; due, ok = s.bare.Due() {
		s.apply(due)
		s.callback(due)
	}
}

// callback gives the bare machine what the job says that is done in a callback.
func (s *scripted) callback(due queue.Input) {
	j := s.jobs[due.Op]
	a, back := j.start, queue.DoReturnStart
	if due.Do == queue.DoEnterStop {
		a, back = j.stop, queue.DoReturnStop
	}
	switch a {
	case ends, endsAndPanics, endsAndBlocks:
		s.reported(due.Op, j.result)
	case endsTwice:
		s.reported(due.Op, j.result)
		s.reported(due.Op, operation.Result{Err: errScript})
	case callsBack:
		if len(j.answers) < len(j.nested) {
			s.draw.Fatalf("the Start of %d was not called, or has not returned", due.Op)
		}
		for i, step := range j.nested {
			s.agree(step, j.answers[i], s.apply(step))
		}
	default:
	}
	switch a {
	case blocksInside, endsAndBlocks:
		if !isClosed(j.gate) {
			j.where = back
			return
		}
	default:
	}
	s.returned(j, back)
}

// returned gives the bare machine the return of a callback. That of a Stop that came late is
// nobody's business.
func (s *scripted) returned(j *job, back queue.Do) {
	j.where = 0
	if j.stoppedLate {
		return
	}
	if back == queue.DoReturnStop {
		switch j.stop {
		case panicsInside, endsAndPanics:
			j.fault = errPanic
		case exitsInside:
			j.fault = queue.ErrExited
		default:
		}
	}
	failed := back == queue.DoReturnStart && j.failure.Err != nil
	out := s.apply(queue.Input{Do: back, Op: j.number, Failed: failed, Result: j.failure})
	if out.StopLate {
		j.stoppedLate = true
		s.callback(queue.Input{Do: queue.DoEnterStop, Op: j.number})
	}
}

// report has media report the end of an operation that it knows: in time, twice, or late.
func (s *scripted) report(d *draw) {
	j := s.known(d)
	if j == nil {
		return
	}
	r := drawResult(d)
	if d.coin("fail") {
		j.task.Fail(r.Err)
		r = operation.Result{Reason: operation.ReasonOf(r.Err), Err: r.Err}
	} else {
		j.task.End(r)
	}
	s.settle()
	s.reported(j.number, r)
	s.callbacks()
}

// reported gives the bare machine a report. Those that come after Done are not delivered, once all media
// that was abandoned has reported.
func (s *scripted) reported(op queue.Op, r operation.Result) {
	if !s.bare.Drained() || s.bare.Owed() {
		s.apply(queue.Input{Do: queue.DoReport, Op: op, Result: r})
	}
}

// progress has media report how far it is.
func (s *scripted) progress(d *draw) {
	j := s.known(d)
	if j == nil {
		return
	}
	at := time.Duration(d.between(1, 5, "at")) * time.Second
	j.task.Progress(at)
	s.clock.progressed(j.number)
	s.predict(queue.Input{Do: queue.DoProgress, Op: j.number, Result: operation.Result{Position: at}})
}

// known draws an operation whose Start was entered, if there is one.
func (s *scripted) known(d *draw) *job {
	var all []*job
	for n := queue.Op(1); n <= s.last; n++ {
		if j := s.jobs[n]; j.task != (queue.Task{}) {
			all = append(all, j)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1-d.between(0, len(all)-1, "whose")]
}

// unblock has a callback that blocks return, if there is one.
func (s *scripted) unblock(*draw) {
	for n := queue.Op(1); n <= s.last; n++ {
		if j := s.jobs[n]; j.blocked() {
			s.release(j)
			return
		}
	}
}

func (s *scripted) release(j *job) {
	back := j.where
	j.open()
	s.settle()
	s.returned(j, back)
	s.callbacks()
}
