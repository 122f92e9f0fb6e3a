package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"pgregory.net/rapid"

	"ivrqueue/internal/model"
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
	number  model.Op
	s       *scripted
	quietly bool // it interrupts by barging in, without a receipt
	start   act
	stop    act
	result  operation.Result // that it reports
	failure operation.Result // what comes of the error that its Start returns
	nested  []model.Step     // what its Start calls
	answers []answer

	gate  chan struct{} // closed when it may return
	where model.Do      // the step that its return will be, if it blocks in a callback

	// What it was given.
	op   *operation.Operation
	done <-chan struct{} // taken at once, or nil
	task queue.Task
	ctx  context.Context  // taken in Start, or nil
	asks bool             // it does
	end  operation.Result // how it ended, says the model
}

// job draws one.
func (s *scripted) job(t *rapid.T, n model.Op, mayNest bool) *job {
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
		start:   rapid.SampledFrom(starts).Draw(t, "start"),
		stop:    rapid.SampledFrom(stops).Draw(t, "stop"),
		quietly: rapid.Bool().Draw(t, "quietly"),
		asks:    rapid.Bool().Draw(t, "asks"),
		result:  drawResult(t),
	}
	switch j.start {
	case fails:
		j.failure = rapid.SampledFrom([]operation.Result{
			{Reason: operation.Unspecified, Err: errScript},
			{Reason: operation.BadFormat, Err: fmt.Errorf("x: %w", operation.BadFormat)},
			{Reason: operation.Unspecified, Err: operation.StopTone}, // not one of a failure
		}).Draw(t, "failure")
	case panicsInside, endsAndPanics:
		j.failure = operation.Result{Reason: operation.Panicked, Err: errPanic}
	case exitsInside:
		j.failure = operation.Result{Reason: operation.Panicked, Err: queue.ErrExited}
	case callsBack:
		for range rapid.IntRange(1, 3).Draw(t, "calls") {
			j.nested = append(j.nested, s.call(t))
		}
	default:
	}
	return j
}

func drawResult(t *rapid.T) operation.Result {
	return rapid.SampledFrom([]operation.Result{
		{},
		{Position: 3 * time.Second},
		{Reason: operation.StopTone, Recording: operation.Recording{Location: "https://x", Duration: time.Second}},
		{Reason: operation.PromptFailed, Err: errScript},
		{Err: fmt.Errorf("y: %w", operation.BeepFailed)},
		{Err: errScript},
		{Reason: 200},
	}).Draw(t, "result")
}

// call draws what media calls from inside Start.
func (s *scripted) call(t *rapid.T) model.Step {
	switch rapid.IntRange(0, 9).Draw(t, "call") {
	case 0, 1, 2:
		step := model.Step{Do: model.Enqueue, Op: s.number()}
		s.jobs[step.Op] = s.job(t, step.Op, false)
		return step
	case 3, 4:
		step := model.Step{Do: model.Interrupt, Op: s.number()}
		s.jobs[step.Op] = s.job(t, step.Op, false)
		return step
	case 5, 6:
		return model.Step{Do: model.CancelAll}
	case 7, 8:
		return model.Step{Do: model.Cancel, ID: s.any(t)}
	default:
		return model.Step{Do: model.Close, Result: drawCause(t)}
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
	for _, j := range m.s.jobs { // its Value may be let go, if it was given up
		if j.task == t {
			_ = j.do(j.stop, nil)
			return
		}
	}
	panic("told to stop what it was not told to start")
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

// predict has the model take a step, and then all that the media does of itself about it.
func (s *scripted) predict(step model.Step) model.Outcome {
	out := s.apply(step)
	s.callbacks()
	return out
}

// callbacks has the model make all callbacks that are due.
func (s *scripted) callbacks() {
	for due, ok := s.model.Due(); ok; due, ok = s.model.Due() {
		s.callback(due)
	}
}

// callback has the model make a callback, and do in it what the job says.
func (s *scripted) callback(due model.Step) {
	s.apply(due)
	j := s.jobs[due.Op]
	a, back := j.start, model.ReturnStart
	if due.Do == model.EnterStop {
		a, back = j.stop, model.ReturnStop
	}
	switch a {
	case ends, endsAndPanics, endsAndBlocks:
		s.apply(model.Step{Do: model.Report, Op: due.Op, Result: j.result})
	case endsTwice:
		s.apply(model.Step{Do: model.Report, Op: due.Op, Result: j.result})
		s.apply(model.Step{Do: model.Report, Op: due.Op, Result: operation.Result{Err: errScript}})
	case callsBack:
		if len(j.answers) < len(j.nested) {
			s.t.Fatalf("the Start of %d was not called, or has not returned", due.Op)
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

// returned has the model book that a callback has returned.
func (s *scripted) returned(j *job, back model.Do) {
	j.where = 0
	failed := back == model.ReturnStart && j.failure.Err != nil
	out := s.apply(model.Step{Do: back, Op: j.number, Failed: failed, Result: j.failure})
	if out.StopLate {
		s.callback(model.Step{Do: model.EnterStop, Op: j.number})
	}
}

// report has media tell the end of an operation that it knows: in time, twice, or late.
func (s *scripted) report(t *rapid.T) {
	j := s.known(t)
	if j == nil {
		return
	}
	r := drawResult(t)
	if rapid.Bool().Draw(t, "fail") {
		j.task.Fail(r.Err)
		r = operation.Result{Reason: operation.ReasonOf(r.Err), Err: r.Err}
	} else {
		j.task.End(r)
	}
	s.settle()
	s.predict(model.Step{Do: model.Report, Op: j.number, Result: r})
}

// progress has media tell how far it is.
func (s *scripted) progress(t *rapid.T) {
	j := s.known(t)
	if j == nil || s.runTimeout { // it would put the run timeout off
		return
	}
	at := time.Duration(rapid.IntRange(1, 5).Draw(t, "at")) * time.Second
	j.task.Progress(at)
	s.predict(model.Step{Do: model.Progress, Op: j.number, Result: operation.Result{Position: at}})
}

// known draws an operation whose Start was entered, or nil if there is none.
func (s *scripted) known(t *rapid.T) *job {
	var all []*job
	for n := model.Op(1); n <= s.last; n++ {
		if j := s.jobs[n]; j.task != (queue.Task{}) {
			all = append(all, j)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1-rapid.IntRange(0, len(all)-1).Draw(t, "whose")]
}

// letGo has a callback that blocks return.
func (s *scripted) letGo(*rapid.T) {
	for n := model.Op(1); n <= s.last; n++ {
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
