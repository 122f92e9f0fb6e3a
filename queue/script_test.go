package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"ivrqueue/internal/model"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A script is a random list of things that callers do to a queue, that media does, and of time that
// passes. It is played to a real queue in a bubble and to its model, and after every line both must
// tell the same: what the call returned, every event, the snapshot, and what there is to be read of
// every operation. A script that fails is shrunk to the few lines that it takes.
//
//	go test -run TestScripts ./queue -rapid.checks=2000

func TestScriptsAgreeWithTheModel(t *testing.T) {
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

// scripted is a queue, its model, and what the two have told so far.
type scripted struct {
	t     *rapid.T
	form  form
	queue *queue.Queue
	model model.Queue

	runTimeout bool
	at         time.Time // of what the queue did last
	deadline   time.Time // of the model's timer, if armed
	last       model.Op  // the number given last
	jobs       map[model.Op]*job
	told       []toldEvent // by the model
	watchers   []*watcher
	turn       sync.Mutex // see handOver
}

func playScript(t *rapid.T, f form) {
	maxPending := rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "max pending")
	s := &scripted{
		t: t, form: f, jobs: map[model.Op]*job{},
		runTimeout: rapid.IntRange(0, 3).Draw(t, "run timeout") == 3,
	}
	s.model = model.New(model.Config{MaxPending: maxPending, RunTimeout: s.runTimeout})
	s.watchers = []*watcher{{}, {fault: rapid.IntRange(0, 3).Draw(t, "observer")}}
	opts := []queue.Option{
		quiet, queue.WithMaxPending(maxPending), queue.WithTick(1), queue.WithStopTimeout(scriptStopTimeout),
		queue.WithObserver(s.watchers[1]),
	}
	if s.runTimeout {
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
	// An action that there is nothing for at this moment does nothing. It must not skip: to rapid, 100
	// skips in a row are a failure, and a fuzzer finds them.
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
	time.Sleep(10)
	synctest.Wait()
}

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
	s.try(model.Step{Do: model.Close, Result: operation.Result{Reason: operation.CallEnded}})
	for !s.model.Done() {
		s.pass(scriptRunTimeout)
	}
	s.compare()
	if !isClosed(s.queue.Done()) {
		s.t.Fatalf("the queue is not done: %+v", s.queue.Snapshot())
	}
}

// number gives a new operation its number.
func (s *scripted) number() model.Op {
	s.last++
	return s.last
}

// any draws a number that was given, or the next.
func (s *scripted) any(t *rapid.T) model.Op {
	return model.Op(rapid.IntRange(1, int(s.last)+1).Draw(t, "which"))
}

func (s *scripted) enqueue(t *rapid.T) { s.accept(t, model.Enqueue) }

func (s *scripted) interrupt(t *rapid.T) { s.accept(t, model.Interrupt) }

// accept draws a new operation and has it accepted, if the model has room.
func (s *scripted) accept(t *rapid.T, do model.Do) {
	if s.last+4 > model.Max { // its media may bring three more
		return
	}
	step := model.Step{Do: do, Op: s.number()}
	if rapid.IntRange(0, 9).Draw(t, "id") == 9 {
		step.ID = s.any(t)
	}
	s.jobs[step.Op] = s.job(t, step.Op, true)
	s.try(step)
}

func (s *scripted) cancelAll(*rapid.T) { s.try(model.Step{Do: model.CancelAll}) }

func (s *scripted) cancel(t *rapid.T) { s.try(model.Step{Do: model.Cancel, ID: s.any(t)}) }

func (s *scripted) seal(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") < 3 {
		return // rarely
	}
	s.try(model.Step{Do: model.Seal})
}

func (s *scripted) close(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") < 3 {
		return // rarely
	}
	s.try(model.Step{Do: model.Close, Result: drawCause(t)})
}

// find asks for an operation by its id.
func (s *scripted) find(t *rapid.T) {
	id := s.any(t)
	got, ok := s.queue.Operation(scriptID(id))
	want := s.model.Find(id)
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
	if s.model.Timer() != model.NoTimer && time.Until(s.deadline) == patience {
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
	s.predict(model.Step{Do: model.Seal})
	s.compare()
	s.pass(time.Until(end))
	<-returned
	if s.model.Done() {
		if err != nil || receipt.Len() != 0 {
			t.Fatalf("Shutdown: %v, want nil: it was in time", err)
		}
		return
	}
	want := s.predict(model.Step{Do: model.Close, Result: cause})
	s.settle()
	if err == nil {
		t.Fatal("Shutdown: nil, want the cause of its context")
	}
	s.agree(model.Step{Do: model.Close}, answer{victims: victims(receipt)}, want)
}

// time lets time pass: a little, or until whatever is armed has gone off.
func (s *scripted) time(t *rapid.T) {
	if rapid.Bool().Draw(t, "long") && s.model.Timer() != model.NoTimer {
		s.pass(time.Until(s.deadline))
		return
	}
	s.pass(time.Second)
}

// pass sleeps, and has the model's timer go off on the way when it is due.
func (s *scripted) pass(d time.Duration) {
	end := time.Now().Add(d)
	for s.model.Timer() != model.NoTimer && !s.deadline.After(end) {
		time.Sleep(time.Until(s.deadline))
		s.settle()
		s.predict(model.Step{Do: model.TimeOut})
		s.compare()
	}
	time.Sleep(time.Until(end))
	s.settle()
}

// try takes a step with the queue and with the model, and compares their answers.
func (s *scripted) try(step model.Step) {
	got := s.ask(step)
	s.settle()
	s.agree(step, got, s.predict(step))
}

// answer is what a call returned.
type answer struct {
	op      *operation.Operation
	victims []*operation.Operation
	err     error
}

// ask makes the call of a step.
func (s *scripted) ask(step model.Step) (a answer) {
	ctx := context.Background()
	switch step.Do {
	case model.Enqueue, model.Interrupt:
		j := s.jobs[step.Op]
		id := step.ID
		if id == 0 {
			id = step.Op
		}
		opts := []queue.EnqueueOption{queue.ID(scriptID(id)), queue.Value(j)}
		switch {
		case step.Do == model.Enqueue:
			a.op, a.err = s.queue.Enqueue(ctx, play(), opts...)
		case j.quietly:
			a.op, a.err = s.queue.Enqueue(ctx, bargeIn(), opts...)
		default:
			var r queue.Receipt
			a.op, r, a.err = s.queue.Interrupt(ctx, play(), opts...)
			a.victims = victims(r)
		}
		if a.err == nil {
			j.accepted(a.op)
		}
	case model.CancelAll:
		r := s.queue.CancelAll(queue.ClientContext("mark"))
		a.victims = victims(r)
		if o := r.Operation(); o.Status() != operation.Completed || o.ClientContext() != "mark" {
			s.t.Errorf("the cancel's own operation is %v, %q", o.Status(), o.ClientContext())
		}
	case model.Cancel:
		var op *operation.Operation
		if op, a.err = s.queue.Cancel(scriptID(step.ID)); a.err == nil {
			a.victims = []*operation.Operation{op}
		}
	case model.Seal:
		s.queue.Seal()
	case model.Close:
		cause := step.Result.Err
		if cause == nil && step.Result.Reason != operation.CallEnded {
			cause = step.Result.Reason
		}
		a.victims = victims(s.queue.Close(cause))
	default:
		panic("not a call: " + step.String())
	}
	return a
}

func scriptID(n model.Op) uuid.UUID { return uuid.UUID{15: byte(n)} }

// drawCause draws what a queue is closed with, and what comes of it.
func drawCause(t *rapid.T) operation.Result {
	return rapid.SampledFrom([]operation.Result{
		{Reason: operation.CallEnded, Err: nil},
		{Reason: operation.ShutDown, Err: operation.ShutDown},
		{Reason: operation.CallEnded, Err: errScript},
		{Reason: operation.CallEnded, Err: operation.Succeeded}, // no way to fail
	}).Draw(t, "cause")
}
