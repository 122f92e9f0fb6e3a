package queue_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// pausing is media with every optional call but Prepare, which takes down its calls.
type pausing struct {
	*queuetest.Media

	mu    sync.Mutex // guards the block below
	calls []string
	on    func(call string, t queue.Task) // or nil
}

func newPausing() *pausing {
	p := &pausing{Media: &queuetest.Media{}}
	p.OnStart = func(t queue.Task) error { p.call("Start", t); return nil }
	p.OnStop = func(t queue.Task) { p.call("Stop", t); t.End(operation.Result{}) }
	return p
}

func (p *pausing) Pause(t queue.Task)   { p.call("Pause", t) }
func (p *pausing) Resume(t queue.Task)  { p.call("Resume", t) }
func (p *pausing) EndLoop(t queue.Task) { p.call("EndLoop", t) }

func (p *pausing) call(name string, t queue.Task) {
	p.mu.Lock()
	p.calls = append(p.calls, name)
	on := p.on
	p.mu.Unlock()
	if on != nil {
		on(name, t)
	}
}

// got returns the calls since it was last asked, once all is quiet.
func (p *pausing) got() string {
	idle()
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	p.calls = nil
	return fmt.Sprint(calls)
}

func (p *pausing) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := p.got(); got != fmt.Sprint(want) {
		t.Errorf("the media got %v, want %v", got, want)
	}
}

func inForms(t *testing.T, f func(t *testing.T, m *pausing, q *queue.Queue)) {
	t.Helper()
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		m := newPausing()
		f(t, m, newQueue(t, m, form(&queuetest.Recorder{})...))
	})
}

// A paused queue holds what waits and what comes; what runs goes on, cancels and interrupts do their
// work, and nothing of that ends the pause.
func TestAPauseHoldsWhatWaits(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		ops := enqueue(t, q, 2)
		m.expect(t, "Start")
		q.Pause()
		q.Pause()
		if s := q.Snapshot(); !s.Paused || s.Running != ops[0] {
			t.Errorf("%+v", s)
		}
		m.Current().End(operation.Result{})
		m.expect(t)
		if ops[1].Status() != operation.NotStarted || ops[0].Status() != operation.Completed {
			t.Errorf("%v, %v", ops[0].Status(), ops[1].Status())
		}
		q.CancelAll()
		last, receipt, err := q.Interrupt(t.Context(), play())
		m.expect(t)
		if err != nil || receipt.Len() != 0 || last.Status() != operation.NotStarted || !q.Snapshot().Paused {
			t.Errorf("%v, %v, %+v", err, last.Status(), q.Snapshot())
		}
		q.Resume()
		q.Resume()
		m.expect(t, "Start")
		if s := q.Snapshot(); s.Paused || s.Running != last {
			t.Errorf("%+v", s)
		}
	})
}

// A queue that is sealed while it is paused waits for Resume, or for Close.
func TestASealedQueueThatIsPausedWaits(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		q.Pause()
		op := enqueue(t, q, 1)[0]
		q.Seal()
		done := q.Done()
		time.Sleep(time.Hour)
		if isClosed(done) || op.Status() != operation.NotStarted {
			t.Fatalf("done: %v, %v", isClosed(done), op.Status())
		}
		q.Resume()
		m.expect(t, "Start", "EndLoop")
		m.Current().End(operation.Result{})
		<-done
	})
}

func TestAPausedQueueCloses(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		q.Pause()
		op := enqueue(t, q, 1)[0]
		if r := q.Close(nil); r.Len() != 1 || reason(op) != operation.CallEnded {
			t.Errorf("%d ended, %v", r.Len(), reason(op))
		}
		<-q.Done()
		q.Resume()
		q.Pause()
		m.expect(t)
	})
}

// Calls come by comparison: what was taken back before the media got it is not called.
func TestAnOperationIsPausedAndResumed(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		op := enqueue(t, q, 1)[0]
		steps := []struct {
			do   func(uuid.UUID) error
			want []string
		}{
			{q.ResumeOperation, nil},
			{q.PauseOperation, []string{"Pause"}},
			{q.PauseOperation, nil},
			{q.ResumeOperation, []string{"Resume"}},
			{q.PauseOperation, []string{"Pause"}},
		}
		m.expect(t, "Start")
		for i, s := range steps {
			if err := s.do(op.ID()); err != nil {
				t.Fatal(i, err)
			}
			m.expect(t, s.want...)
		}
		if s := q.Snapshot(); !s.RunningPaused || s.Running != op || op.Status() != operation.Running {
			t.Errorf("%+v, %v", s, op.Status())
		}
		q.CancelAll() // no Resume before it
		m.expect(t, "Stop")
		if err := q.ResumeOperation(op.ID()); !errors.Is(err, queue.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestAPauseThatWasTakenBackIsNotCalled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newPausing()
		begun := make(chan struct{})
		m.on = func(call string, _ queue.Task) {
			if call == "Start" {
				<-begun
			}
		}
		q := newQueue(t, m)
		op := enqueue(t, q, 1)[0]
		idle()
		for _, f := range []func(uuid.UUID) error{q.PauseOperation, q.ResumeOperation, q.PauseOperation, q.ResumeOperation} {
			if err := f(op.ID()); err != nil {
				t.Fatal(err)
			}
		}
		close(begun)
		m.expect(t, "Start")
	})
}

func TestWhatCannotBePausedIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newPausing()
		m.OnStop = func(queue.Task) {} // takes its time
		q := newQueue(t, m)
		ops := enqueue(t, q, 2)
		plain := newQueue(t, &queuetest.Media{})
		other := enqueue(t, plain, 1)[0]
		idle()
		for name, try := range map[string]struct {
			q    *queue.Queue
			id   uuid.UUID
			want error
		}{
			"unknown":      {q, uuid.New(), queue.ErrNotFound},
			"zero":         {q, uuid.Nil, queue.ErrNotFound},
			"waits":        {q, ops[1].ID(), queue.ErrNotRunning},
			"not pausable": {plain, other.ID(), queue.ErrNotPausable},
		} {
			for _, f := range []func(uuid.UUID) error{try.q.PauseOperation, try.q.ResumeOperation} {
				if err := f(try.id); !errors.Is(err, try.want) || err.Error() != fmt.Sprintf("%v (id %v)", try.want, try.id) {
					t.Errorf("%s: %v, want %v", name, err, try.want)
				}
			}
		}
		q.CancelAll()
		idle()
		if err := q.PauseOperation(ops[0].ID()); !errors.Is(err, queue.ErrNotFound) || q.Snapshot().Stopping != ops[0] {
			t.Errorf("stopping: %v", err)
		}
		m.Current().End(operation.Result{})
		q.Close(nil)
		if err := q.PauseOperation(ops[0].ID()); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("closed: %v", err)
		}
	})
}

// The run timeout does not count while it is paused, and begins anew; the stop timeout is as ever.
func TestTheRunTimeoutRestsDuringAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newPausing()
		q := newQueue(t, m, queue.WithRunTimeout(time.Second))
		op := enqueue(t, q, 1)[0]
		time.Sleep(500 * time.Millisecond)
		if err := q.PauseOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if !op.Live() {
			t.Fatal("timed out while it was paused")
		}
		resumed := time.Now()
		if err := q.ResumeOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		<-op.Done()
		if after := time.Since(resumed); reason(op) != operation.TimedOut || after < time.Second || after > 5*time.Second/4 {
			t.Errorf("%v after %v", reason(op), after)
		}
	})
}

// Media that panics in Pause, or blocks in it, is media that was called. A cancel of what blocks in it is
// followed by Stop when it returns, also where it was abandoned.
func TestPauseMayGoWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newPausing()
		block := make(chan struct{})
		m.on = func(call string, _ queue.Task) {
			if call == "Pause" {
				<-block
			}
			if call == "Resume" {
				panic("x")
			}
		}
		q := newQueue(t, m)
		ops := enqueue(t, q, 2)
		idle()
		if err := q.PauseOperation(ops[0].ID()); err != nil {
			t.Fatal(err)
		}
		m.expect(t, "Start", "Pause")
		if err := q.ResumeOperation(ops[0].ID()); err != nil {
			t.Fatal(err)
		}
		m.expect(t) // it is inside Pause
		block <- struct{}{}
		m.expect(t, "Resume")
		if !ops[0].Live() {
			t.Error("a panic in Resume has ended the operation")
		}
		if err := q.PauseOperation(ops[0].ID()); err != nil {
			t.Fatal(err)
		}
		m.expect(t, "Pause")
		if _, err := q.Cancel(ops[0].ID()); err != nil {
			t.Fatal(err)
		}
		m.expect(t) // Stop waits for it
		time.Sleep(queue.DefaultStopTimeout)
		m.expect(t, "Start")
		if s := q.Snapshot(); s.Abandoned != 1 || s.Running != ops[1] {
			t.Errorf("%+v", s)
		}
		close(block)
		m.expect(t, "Stop")
		if s := q.Snapshot(); s.LateReports != 1 || s.Running != ops[1] {
			t.Errorf("%+v", s)
		}
	})
}

// Media that ends the operation inside Pause, and does not return, does not keep the call: the run
// timeout counts again.
func TestAnEndInsidePauseIsWatched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newPausing()
		block := make(chan struct{})
		defer close(block)
		m.on = func(call string, t queue.Task) {
			if call == "Pause" {
				t.End(operation.Result{})
				<-block
			}
		}
		q := newQueue(t, m, queue.WithRunTimeout(time.Second))
		ops := enqueue(t, q, 2)
		idle()
		if err := q.PauseOperation(ops[0].ID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if s := q.Snapshot(); s.Abandoned != 1 || ops[0].Status() != operation.Completed || ops[1].Times().Started.IsZero() {
			t.Errorf("%+v, %v", s, ops[0].Status())
		}
	})
}

// A key ends a play that is paused, as it would if it ran.
func TestAKeyEndsWhatIsPaused(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		req := play()
		req.StopTones = tone.SetOf(tone.Tone1)
		op, err := q.Enqueue(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		idle()
		if err := q.PauseOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		m.expect(t, "Start", "Pause")
		q.Tone(tone.Event{Tone: tone.Tone1})
		m.expect(t, "Stop")
		if reason(op) != operation.KeyPressed {
			t.Error(reason(op))
		}
	})
}

// A sealed queue ends loops: media that asks learns of it, and a LoopEnder is called, once.
func TestASealedQueueEndsLoops(t *testing.T) {
	inForms(t, func(t *testing.T, m *pausing, q *queue.Queue) {
		ops := enqueue(t, q, 2)
		m.expect(t, "Start")
		if m.Current().LastLoop() || (queue.Active{}).LastLoop() {
			t.Error("an open queue ends loops")
		}
		q.Seal()
		q.Seal()
		m.expect(t, "EndLoop")
		first := m.Current()
		if !first.LastLoop() {
			t.Error("a sealed queue lets a loop go on")
		}
		first.End(operation.Result{})
		m.expect(t, "Start", "EndLoop")
		if m.Current().Operation != ops[1] || !m.Current().LastLoop() {
			t.Error("what begins in a sealed queue may loop")
		}
		m.Current().End(operation.Result{})
		<-q.Done()
		if !first.LastLoop() {
			t.Error("it has changed")
		}
	})
}

// The easy form asks too, and Shutdown need not wait for its deadline.
func TestALoopOfABlockingFunctionEndsWithTheSeal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, queue.Blocking(loops))
		op := enqueue(t, q, 1)[0]
		time.Sleep(2500 * time.Millisecond)
		begun := time.Now()
		receipt, err := q.Shutdown(within(t), nil)
		if err != nil || receipt.Len() != 0 || op.Status() != operation.Completed {
			t.Errorf("%v, %d cancelled, %v", err, receipt.Len(), op.Status())
		}
		if took := time.Since(begun); took != 500*time.Millisecond {
			t.Errorf("ended after %v, want the boundary", took)
		}
	})
}

func TestPlaceIsWhatWasReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{}
		q := newQueue(t, m)
		op := enqueue(t, q, 1)[0]
		idle()
		(queue.Active{}).ProgressAt(1, 2, 3)
		m.Current().ProgressAt(3, 1500*time.Millisecond, 9*time.Second)
		q.CancelAll()
		prompt, offset := op.Place()
		if r, _ := op.Result(); prompt != 3 || offset != 1500*time.Millisecond || r.Position != 9*time.Second {
			t.Errorf("prompt %d, %v into it, %v", prompt, offset, r.Position)
		}
		synctest.Wait()
	})
}
