package queue_test

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// A script is a random list of things that callers do to a queue, that media does, and of time that
// passes. It is played to a real queue in a bubble, and the inputs that come of it are given, at
// the same times, to the bare machine. After every line both must show the same: what the call
// returned, every event, the snapshot, and what there is to be read of every operation. So whatever
// the shell and the dispatcher make of the machine shows: an input that is lost, doubled, late or
// in the wrong order. What the machine itself decides is judged by the invariants of the explorer,
// in each state that a script comes to. A script that fails is shrunk to the few lines that it
// takes.
//
//	SCRIPTS=2000 go test -run TestScripts ./queue    # that many of each form

func TestScriptsAgreeWithTheMachine(t *testing.T) {
	t.Parallel()
	n := 100
	if s := os.Getenv("SCRIPTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for i, form := range deliveryForms {
		t.Run(form.String(), func(t *testing.T) {
			t.Parallel()
			playScripts(t, n, playScript, byte(i))
		})
	}
}

func FuzzScript(f *testing.F) {
	f.Fuzz(func(t *testing.T, script []byte) {
		d := &draw{script: script}
		if d.play(t, playScript) != "" {
			t.Fatalf("%s\n\nthe script:%s", d.failure, &d.said)
		}
	})
}

// form says who makes the calls.
type form struct{ inlineMedia, inlineObserver bool }

var deliveryForms = []form{
	{}, {inlineMedia: true}, {inlineObserver: true}, {inlineMedia: true, inlineObserver: true},
}

func (f form) String() string {
	switch f {
	case form{}:
		return "default"
	case form{inlineMedia: true}:
		return "inline media"
	case form{inlineObserver: true}:
		return "inline observer"
	default:
		return "inline"
	}
}

// Fake times of a script.
const (
	scriptStopTimeout = 5 * time.Second
	scriptRunTimeout  = 12 * time.Second
)

// scripted is a queue, the bare machine beside it, and what the two have delivered so far.
type scripted struct {
	draw  *draw
	form  form
	queue *queue.Queue
	bare  *queue.Judged
	clock scriptClock

	at       time.Time // of what the queue did last
	last     queue.Op  // the number given last
	jobs     map[queue.Op]*job
	events   []queue.Event // of the bare machine
	watchers []*watcher
	turn     sync.Mutex // see handOver
}

func playScript(d *draw) {
	f := pick(d, deliveryForms, "form")
	maxPending := pick(d, []int{0, 1, 2, 5}, "max pending")
	runTimeout := d.between(0, 3, "run timeout") == 3
	s := &scripted{draw: d, form: f, jobs: map[queue.Op]*job{}, at: time.Now()}
	s.bare = queue.NewJudged(queue.BareConfig{MaxPending: maxPending, RunTimeout: runTimeout})
	s.watchers = []*watcher{{}, {fault: d.between(0, 3, "observer")}}
	opts := []queue.Option{
		quiet, queue.WithMaxPending(maxPending), queue.WithTick(1), queue.WithStopTimeout(scriptStopTimeout),
		queue.WithObserver(s.watchers[1]),
	}
	if runTimeout {
		opts = append(opts, queue.WithRunTimeout(scriptRunTimeout))
	}
	if f.inlineMedia {
		opts = append(opts, queue.WithInlineMedia())
	}
	if f.inlineObserver {
		opts = append(opts, queue.WithInlineObserver(s.watchers[0]))
	} else {
		opts = append(opts, queue.WithObserver(s.watchers[0]))
	}
	var err error
	if s.queue, err = queue.New("call", scriptMedia{s}, opts...); err != nil {
		d.Fatalf("%v", err)
	}
	defer s.abandon()
	d.repeat(s.compare, []action{
		{"enqueue", s.enqueue},
		{"enqueue", s.enqueue}, // twice as often as the rest
		{"next", s.next},
		{"interrupt", s.interrupt},
		{"cancel all", s.cancelAll},
		{"cancel", s.cancel},
		{"choose", s.cancelWhere},
		{"find", s.find},
		{"key", s.key},
		{"refused", s.refused},
		{"seal", s.seal},
		{"close", s.close},
		{"shut down", s.shutDown},
		{"report", s.report},
		{"progress", s.progress},
		{"unblock", s.unblock},
		{"time", s.time},
	})
	s.finish()
}

// settle waits until nothing happens any more after what was done at this instant. The watch of a
// script ticks each nanosecond.
func (s *scripted) settle() {
	s.at = time.Now()
	time.Sleep(settling)
	synctest.Wait()
}

const settling = 10 * time.Nanosecond

// abandon lets everything go, whatever became of the script. It does not call the queue: where that
// has panicked under its lock, the call would never return, and hide the panic.
func (s *scripted) abandon() {
	for _, j := range s.jobs {
		j.open()
	}
	s.settle()
}

// finish brings the queue to its end and compares that too.
func (s *scripted) finish() {
	for _, j := range s.jobs {
		if j.blocked() {
			s.release(j)
		}
	}
	s.try(queue.Input{Do: queue.DoClose, Result: operation.Result{Reason: operation.CallEnded}})
	for !s.bare.Drained() {
		s.pass(scriptRunTimeout)
	}
	s.compare()
	if !isClosed(s.queue.Done()) {
		s.draw.Fatalf("the queue is not done: %+v", s.queue.Snapshot())
	}
}

// number gives a new operation its number.
func (s *scripted) number() queue.Op {
	s.last++
	return s.last
}

// any draws a number that was given, or the next.
func (s *scripted) any(d *draw) queue.Op {
	return queue.Op(d.between(1, int(s.last)+1, "which"))
}

func (s *scripted) enqueue(d *draw) { s.accept(d, queue.DoEnqueue) }

func (s *scripted) next(d *draw) { s.accept(d, queue.DoEnqueueNext) }

func (s *scripted) interrupt(d *draw) { s.accept(d, queue.DoInterrupt) }

// accept draws a new operation and has it accepted.
func (s *scripted) accept(d *draw, do queue.Do) {
	step := queue.Input{Do: do, Op: s.number(), Protected: d.between(0, 3, "protected") == 3}
	if d.between(0, 9, "id") == 9 {
		step.ID = s.any(d)
	}
	s.jobs[step.Op] = s.job(d, step.Op, true)
	s.try(step)
}

func (s *scripted) cancelAll(d *draw) {
	s.try(queue.Input{Do: queue.DoCancelAll, Spare: d.coin("spare")})
}

func (s *scripted) cancel(d *draw) {
	s.try(queue.Input{Do: queue.DoCancel, ID: s.any(d), Result: drawReason(d)})
}

// cancelWhere chooses by the numbers' remainders.
func (s *scripted) cancelWhere(d *draw) {
	in := queue.Input{Do: queue.DoCancelWhere, Result: drawReason(d)}
	m, rest := d.between(1, 3, "of"), d.between(0, 2, "rest")
	for op := queue.Op(1); op <= s.last; op++ {
		if int(op)%m == rest {
			in.Chosen = in.Chosen.With(op)
		}
	}
	s.try(in)
}

// drawReason draws why a cancel ends.
func drawReason(d *draw) operation.Result {
	return operation.Result{Reason: pick(d, []operation.Reason{
		0, operation.ShutDown, operation.BadFormat,
	}, "because")}
}

// key presses a key: one that may end what runs, or one from before.
func (s *scripted) key(d *draw) {
	s.try(queue.Input{
		Do: queue.DoTone, Tone: pick(d, []tone.Tone{tone.Tone1, tone.Tone2}, "key"),
		Failed: d.between(0, 3, "from before") == 3,
	})
}

func (s *scripted) seal(d *draw) {
	if d.between(0, 3, "really") < 3 {
		return // rarely
	}
	s.try(queue.Input{Do: queue.DoSeal})
}

func (s *scripted) close(d *draw) {
	if d.between(0, 3, "really") < 3 {
		return // rarely
	}
	s.try(queue.Input{Do: queue.DoClose, Result: drawCause(d)})
}

// find asks for an operation by its id.
func (s *scripted) find(d *draw) {
	id := s.any(d)
	got, ok := s.queue.Operation(id.ID())
	want := s.bare.Find(id)
	if ok != (want != 0) || ok && got != s.jobs[want].op {
		d.Fatalf("Operation(%d): %v %v, want %d", id, got, ok, want)
	}
}

// refused are calls that must change nothing.
func (s *scripted) refused(d *draw) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	ctx := context.Background()
	var err error
	switch d.between(0, 5, "how") {
	case 0:
		_, err = s.queue.Enqueue(over, play())
	case 1:
		_, err = s.queue.Enqueue(ctx, &operation.PlayPrompt{})
	case 2:
		_, _, err = s.queue.Interrupt(over, play())
	case 3:
		_, _, err = s.queue.Interrupt(ctx, nil)
	case 4:
		_, err = s.queue.Enqueue(ctx, operation.CancelMediaProcessing())
	case 5:
		_, err = s.queue.Enqueue(over, bargeIn())
	}
	if err == nil {
		d.Fatalf("what must be refused was accepted")
	}
}

// shutDown seals, and closes after a while.
func (s *scripted) shutDown(d *draw) {
	if d.between(0, 7, "really") < 7 {
		return // rarely
	}
	cause, patience := drawCause(d), 7*time.Second
	if due, armed := s.clock.due(); armed && time.Until(due) == patience {
		patience++
	}
	end := time.Now().Add(patience)
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	var receipt queue.Receipt
	var err error
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		receipt, err = s.queue.Shutdown(ctx, cause.Err)
	}()
	s.settle()
	s.predict(queue.Input{Do: queue.DoSeal})
	s.compare()
	s.pass(time.Until(end))
	<-returned
	if s.bare.Drained() {
		if err != nil || receipt.Len() != 0 {
			d.Fatalf("Shutdown: %v, want nil: it was in time", err)
		}
		return
	}
	want := s.predict(queue.Input{Do: queue.DoClose, Result: cause})
	if err == nil {
		d.Fatalf("Shutdown: nil, want the cause of its context")
	}
	s.agree(queue.Input{Do: queue.DoClose}, answer{cancelled: cancelledBy(receipt)}, want)
}

// time lets time pass: a little, or until whatever is armed has gone off.
func (s *scripted) time(d *draw) {
	wait := time.Second
	if due, armed := s.clock.due(); armed && d.coin("long") {
		wait = max(time.Until(due), wait)
	}
	s.pass(wait)
}

// pass sleeps, and has the timeout fire on the way when it is due.
func (s *scripted) pass(d time.Duration) {
	end := time.Now().Add(d)
	for {
		due, armed := s.clock.due()
		if !armed || due.After(end) {
			break
		}
		time.Sleep(time.Until(due))
		s.settle()
		if input, fires := s.clock.look(s.bare.Bare); fires {
			if input.Do == queue.DoStopTimeout {
				input.Result.Err = s.jobs[input.Op].fault
			}
			s.predict(input)
		}
		s.compare()
	}
	time.Sleep(time.Until(end))
	s.settle()
}

// try takes a step with the queue and with the bare machine, and compares their answers.
func (s *scripted) try(step queue.Input) {
	got := s.ask(step)
	s.settle()
	s.agree(step, got, s.predict(step))
}

// answer is what a call returned.
type answer struct {
	op        *operation.Operation
	cancelled []*operation.Operation
	err       error
}

// ask makes the call of a step.
func (s *scripted) ask(step queue.Input) (a answer) {
	ctx := context.Background()
	switch step.Do {
	case queue.DoEnqueue, queue.DoEnqueueNext, queue.DoInterrupt:
		j := s.jobs[step.Op]
		id := step.ID
		if id == 0 {
			id = step.Op
		}
		opts := []queue.EnqueueOption{queue.ID(id.ID()), queue.Value(j)}
		if step.Protected {
			opts = append(opts, queue.Protected())
		}
		req := play()
		req.StopTones = queue.StopTones(step.Op)
		switch {
		case step.Do == queue.DoEnqueue:
			a.op, a.err = s.queue.Enqueue(ctx, req, opts...)
		case step.Do == queue.DoEnqueueNext:
			a.op, a.err = s.queue.EnqueueNext(ctx, req, opts...)
		case j.quietly && step.Protected:
			a.op, a.err = s.queue.EnqueueNext(ctx, bargingPlay{req}, opts...)
		case j.quietly:
			a.op, a.err = s.queue.Enqueue(ctx, bargingPlay{req}, opts...)
		default:
			var r queue.Receipt
			a.op, r, a.err = s.queue.Interrupt(ctx, req, opts...)
			a.cancelled = cancelledBy(r)
		}
		if a.err == nil {
			j.accepted(a.op)
		}
	case queue.DoCancelAll:
		opts := []queue.EnqueueOption{queue.ClientContext("mark"), queue.ID(queue.BareCancel.ID)}
		if step.Spare {
			opts = append(opts, queue.SpareProtected())
		}
		r := s.queue.CancelAll(opts...)
		a.cancelled = cancelledBy(r)
		if o := r.Operation(); o.Status() != operation.Completed || o.ClientContext() != "mark" {
			s.draw.Errorf("the cancel's own operation is %v, %q", o.Status(), o.ClientContext())
		}
	case queue.DoCancel:
		var op *operation.Operation
		if op, a.err = s.queue.Cancel(step.ID.ID(), because(step)...); a.err == nil {
			a.cancelled = []*operation.Operation{op}
		}
	case queue.DoTone:
		running := s.queue.Snapshot().Running
		e := tone.Event{Tone: step.Tone, Seq: queue.BareSeq}
		if step.Failed && running != nil {
			e.Time = running.Times().Started
		}
		if s.queue.Tone(e); running != nil && reason(running) == operation.KeyPressed {
			a.cancelled = []*operation.Operation{running}
		}
	case queue.DoCancelWhere:
		opts := append(because(step), queue.CausedBy(queue.BareCancel))
		var r queue.Receipt
		r, a.err = s.queue.CancelWhere(func(op *operation.Operation) bool {
			s.queue.Snapshot()
			return step.Chosen.Has(s.numberOf(op))
		}, opts...)
		a.cancelled = cancelledBy(r)
	case queue.DoSeal:
		s.queue.Seal()
	case queue.DoClose:
		cause := step.Result.Err
		if cause == nil && step.Result.Reason != operation.CallEnded {
			cause = step.Result.Reason
		}
		a.cancelled = cancelledBy(s.queue.Close(cause))
	default:
		panic("not a call: " + step.String())
	}
	return a
}

// bargingPlay is a play that barges in.
type bargingPlay struct{ *operation.PlayPrompt }

func (bargingPlay) BargesIn() bool { return true }

// because is the option for the reason of a cancel, if it has one.
func because(step queue.Input) (opts []queue.EnqueueOption) {
	if r := step.Result.Reason; r != 0 {
		opts = append(opts, queue.Because(r))
	}
	return opts
}

// drawCause draws what a queue is closed with, and what comes of it.
func drawCause(d *draw) operation.Result {
	return pick(d, []operation.Result{
		{Reason: operation.CallEnded, Err: nil},
		{Reason: operation.ShutDown, Err: operation.ShutDown},
		{Reason: operation.CallEnded, Err: errScript},
		{Reason: operation.CallEnded, Err: operation.Succeeded}, // no way to fail
	}, "cause")
}
