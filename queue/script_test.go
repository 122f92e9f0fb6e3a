package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A script is a random list of things that callers do to a queue, that media does, and of time that
// passes. It is played to a real queue in a bubble, and the inputs that come of it are given, at the
// same times, to the bare machine. After every line both must tell the same: what the call returned,
// every event, the snapshot, and what there is to be read of every operation. So whatever the shell
// and the dispatcher make of the machine shows: an input that is lost, doubled, late or in the wrong
// order. What the machine itself decides is judged by the invariants of the explorer, in each state
// that a script comes to. A script that fails is shrunk to the few lines that it takes.
//
//	go test -run TestScripts ./queue -rapid.checks=2000

func TestScriptsAgreeWithTheMachine(t *testing.T) {
	t.Parallel()
	for name, form := range deliveryForms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				rapid.SyncTest(t, func(t *rapid.T) { playScript(t, form) })
			})
		})
	}
}

func FuzzScript(f *testing.F) {
	forms := []form{{}, {inlineMedia: true}, {inlineObserver: true}, {inlineMedia: true, inlineObserver: true}}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		form := rapid.SampledFrom(forms).Draw(t, "form")
		rapid.SyncTest(t, func(t *rapid.T) { playScript(t, form) })
	}))
}

// form says who makes the calls.
type form struct{ inlineMedia, inlineObserver bool }

var deliveryForms = map[string]form{
	"default":         {},
	"inline media":    {inlineMedia: true},
	"inline observer": {inlineObserver: true},
	"inline":          {inlineMedia: true, inlineObserver: true},
}

// Fake times of a script.
const (
	scriptStopTimeout = 5 * time.Second
	scriptRunTimeout  = 12 * time.Second
)

// scripted is a queue, the bare machine beside it, and what the two have told so far.
type scripted struct {
	t     *rapid.T
	form  form
	queue *queue.Queue
	bare  *queue.Judged
	clock scriptClock

	at       time.Time // of what the queue did last
	last     queue.Op  // the number given last
	jobs     map[queue.Op]*job
	told     []queue.Event // by the bare machine
	watchers []*watcher
	turn     sync.Mutex // see handOver
}

func playScript(t *rapid.T, f form) {
	maxPending := rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "max pending")
	runTimeout := rapid.IntRange(0, 3).Draw(t, "run timeout") == 3
	s := &scripted{t: t, form: f, jobs: map[queue.Op]*job{}, at: time.Now()}
	s.bare = queue.NewJudged(queue.BareConfig{MaxPending: maxPending, RunTimeout: runTimeout})
	s.watchers = []*watcher{{}, {fault: rapid.IntRange(0, 3).Draw(t, "observer")}}
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
		t.Fatal(err)
	}
	t.Cleanup(s.abandon)
	// Each action can be taken at any time, be it that it does nothing: where one skips, rapid draws
	// another, and it fails when no more can be drawn.
	t.Repeat(map[string]func(*rapid.T){
		"":           func(*rapid.T) { s.compare() },
		"enqueue":    s.enqueue,
		"enqueue 2":  s.enqueue, // twice as often as the rest
		"interrupt":  s.interrupt,
		"cancel all": s.cancelAll,
		"cancel":     s.cancel,
		"find":       s.find,
		"refused":    s.refused,
		"seal":       s.seal,
		"close":      s.close,
		"shut down":  s.shutDown,
		"report":     s.report,
		"progress":   s.progress,
		"let go":     s.letGo,
		"time":       s.time,
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
		s.t.Fatalf("the queue is not done: %+v", s.queue.Snapshot())
	}
}

// number gives a new operation its number.
func (s *scripted) number() queue.Op {
	s.last++
	return s.last
}

// any draws a number that was given, or the next.
func (s *scripted) any(t *rapid.T) queue.Op {
	return queue.Op(rapid.IntRange(1, int(s.last)+1).Draw(t, "which"))
}

func (s *scripted) enqueue(t *rapid.T) { s.accept(t, queue.DoEnqueue) }

func (s *scripted) interrupt(t *rapid.T) { s.accept(t, queue.DoInterrupt) }

// accept draws a new operation and has it accepted.
func (s *scripted) accept(t *rapid.T, do queue.Do) {
	step := queue.Input{Do: do, Op: s.number()}
	if rapid.IntRange(0, 9).Draw(t, "id") == 9 {
		step.ID = s.any(t)
	}
	s.jobs[step.Op] = s.job(t, step.Op, true)
	s.try(step)
}

func (s *scripted) cancelAll(*rapid.T) { s.try(queue.Input{Do: queue.DoCancelAll}) }

func (s *scripted) cancel(t *rapid.T) { s.try(queue.Input{Do: queue.DoCancel, ID: s.any(t)}) }

func (s *scripted) seal(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") < 3 {
		return // rarely
	}
	s.try(queue.Input{Do: queue.DoSeal})
}

func (s *scripted) close(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") < 3 {
		return // rarely
	}
	s.try(queue.Input{Do: queue.DoClose, Result: drawCause(t)})
}

// find asks for an operation by its id.
func (s *scripted) find(t *rapid.T) {
	id := s.any(t)
	got, ok := s.queue.Operation(id.ID())
	want := s.bare.Find(id)
	if ok != (want != 0) || ok && got != s.jobs[want].op {
		t.Fatalf("Operation(%d): %v %v, want %d", id, got, ok, want)
	}
}

// refused are calls that must change nothing.
func (s *scripted) refused(t *rapid.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	ctx := context.Background()
	var err error
	switch rapid.IntRange(0, 5).Draw(t, "how") {
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
		t.Fatal("what must be refused was accepted")
	}
}

// shutDown seals, and closes after a while.
func (s *scripted) shutDown(t *rapid.T) {
	if rapid.IntRange(0, 7).Draw(t, "really") < 7 {
		return // rarely
	}
	cause, patience := drawCause(t), 7*time.Second
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
			t.Fatalf("Shutdown: %v, want nil: it was in time", err)
		}
		return
	}
	want := s.predict(queue.Input{Do: queue.DoClose, Result: cause})
	if err == nil {
		t.Fatal("Shutdown: nil, want the cause of its context")
	}
	s.agree(queue.Input{Do: queue.DoClose}, answer{cancelled: victims(receipt)}, want)
}

// time lets time pass: a little, or until whatever is armed has gone off.
func (s *scripted) time(t *rapid.T) {
	d := time.Second
	if due, armed := s.clock.due(); armed && rapid.Bool().Draw(t, "long") {
		d = max(time.Until(due), d)
	}
	s.pass(d)
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
	case queue.DoEnqueue, queue.DoInterrupt:
		j := s.jobs[step.Op]
		id := step.ID
		if id == 0 {
			id = step.Op
		}
		opts := []queue.EnqueueOption{queue.ID(id.ID()), queue.Value(j)}
		switch {
		case step.Do == queue.DoEnqueue:
			a.op, a.err = s.queue.Enqueue(ctx, play(), opts...)
		case j.quietly:
			a.op, a.err = s.queue.Enqueue(ctx, bargeIn(), opts...)
		default:
			var r queue.Receipt
			a.op, r, a.err = s.queue.Interrupt(ctx, play(), opts...)
			a.cancelled = victims(r)
		}
		if a.err == nil {
			j.accepted(a.op)
		}
	case queue.DoCancelAll:
		r := s.queue.CancelAll(queue.ClientContext("mark"))
		a.cancelled = victims(r)
		if o := r.Operation(); o.Status() != operation.Completed || o.ClientContext() != "mark" {
			s.t.Errorf("the cancel's own operation is %v, %q", o.Status(), o.ClientContext())
		}
	case queue.DoCancel:
		var op *operation.Operation
		if op, a.err = s.queue.Cancel(step.ID.ID()); a.err == nil {
			a.cancelled = []*operation.Operation{op}
		}
	case queue.DoSeal:
		s.queue.Seal()
	case queue.DoClose:
		cause := step.Result.Err
		if cause == nil && step.Result.Reason != operation.CallEnded {
			cause = step.Result.Reason
		}
		a.cancelled = victims(s.queue.Close(cause))
	default:
		panic("not a call: " + step.String())
	}
	return a
}

// drawCause draws what a queue is closed with, and what comes of it.
func drawCause(t *rapid.T) operation.Result {
	return rapid.SampledFrom([]operation.Result{
		{Reason: operation.CallEnded, Err: nil},
		{Reason: operation.ShutDown, Err: operation.ShutDown},
		{Reason: operation.CallEnded, Err: errScript},
		{Reason: operation.CallEnded, Err: operation.Succeeded}, // no way to fail
	}).Draw(t, "cause")
}
