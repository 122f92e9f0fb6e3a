package queue_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G13.
func TestTheFirstReportAfterACancelFreesTheMediaAndLaterOnesChangeNothing(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{OnStop: func(queue.Task) {}} // falls silent later
		q := newQueue(t, m, form(rec)...)
		ops := enqueue(t, q, 1)
		synctest.Wait()
		old := m.Current()
		q.CancelAll()
		ops = append(ops, enqueue(t, q, 2)...)
		synctest.Wait()
		if ops[1].Status() != operation.NotStarted || q.Snapshot().Stopping != ops[0] {
			t.Errorf("before the report the next is %v", ops[1].Status())
		}
		voicemail := operation.Recording{Location: "voicemail.wav", Duration: time.Second}
		old.End(operation.Result{Reason: operation.MaxDuration, Recording: voicemail})
		synctest.Wait()
		if ops[1].Status() != operation.Running {
			t.Errorf("after the report the next is %v", ops[1].Status())
		}
		old.End(operation.Result{})
		old.Fail(errors.New("again"))
		synctest.Wait()
		if ops[1].Status() != operation.Running {
			t.Errorf("a late report made the next %v", ops[1].Status())
		}
		e, _ := rec.Find(queue.Released, ops[0])
		if e.Result().Recording != voicemail || e.Result().Reason != operation.MaxDuration {
			t.Errorf("Released has %+v", e.Result())
		}
		if r, _ := ops[0].Result(); r != (operation.Result{Reason: operation.Cancelled}) {
			t.Errorf("the result became %+v", r)
		}
		if s := q.Snapshot(); s.LateReports != 2 || s.Abandoned != 0 {
			t.Errorf("%d late reports, %d abandoned, want 2 and 0", s.LateReports, s.Abandoned)
		}
		m.OnStop = nil
		q.CancelAll()
		synctest.Wait()
		rec.Check(t)
	})
}

func TestMediaThatDoesNotReportIsAbandoned(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{OnStop: func(queue.Task) {}}
		q := newQueue(t, m, append(form(rec), queue.WithStopTimeout(3*time.Second))...)
		ops := enqueue(t, q, 1)
		synctest.Wait()
		old := m.Current()
		old.Progress(7 * time.Second)
		at := time.Now()
		q.CancelAll()
		ops = append(ops, enqueue(t, q, 1)...)
		time.Sleep(3*time.Second - 1)
		synctest.Wait()
		if ops[1].Status() != operation.NotStarted {
			t.Error("abandoned too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		e, ok := rec.Find(queue.Released, ops[0])
		if !ok || e.Result().Reason != operation.Abandoned || e.Time.Sub(at) != 3*time.Second || e.Result().Position != 7*time.Second {
			t.Errorf("Released %v: %+v after %v", ok, e.Result(), e.Time.Sub(at))
		}
		if ops[1].Status() != operation.Running || q.Snapshot().Abandoned != 1 {
			t.Errorf("the next is %v, %d abandoned", ops[1].Status(), q.Snapshot().Abandoned)
		}
		old.End(operation.Result{Reason: operation.MaxDuration}) // at last
		synctest.Wait()
		if ops[1].Status() != operation.Running {
			t.Errorf("a report after the give-up made the next %v", ops[1].Status())
		}
		m.Current().End(operation.Result{})
		synctest.Wait()
		rec.Check(t)
	})
}

// Media that panics or exits in Stop and never reports is abandoned, and what it did is the cause
// of that; if it reports after all, in time, its report counts. The next one has nothing of it.
func TestAFaultInStopIsTheCauseOfTheAbandonment(t *testing.T) {
	t.Parallel()
	fault := errors.New("no such socket")
	panics := func() { panic(fault) }
	for name, c := range map[string]struct {
		stop func()
		want error
		opts []queue.Option
	}{
		"panics":           {panics, fault, nil},
		"panics in inline": {panics, fault, []queue.Option{queue.WithInlineMedia()}},
		"exits":            {runtime.Goexit, queue.ErrExited, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rec, stop := &queuetest.Recorder{}, c.stop
				m := &queuetest.Media{OnStop: func(queue.Task) { stop() }}
				q := newQueue(t, m, append(c.opts, quiet, queue.WithObserver(rec), queue.WithStopTimeout(time.Second))...)
				for i, want := range []operation.Result{
					{Reason: operation.Abandoned, Err: c.want},
					{Reason: operation.Cancelled}, // it reports
					{Reason: operation.Abandoned}, // its Stop returns
				} {
					if i == 2 {
						stop = func() {}
					}
					op := enqueue(t, q, 1)[0]
					synctest.Wait()
					task := m.Current()
					q.CancelAll()
					synctest.Wait()
					if i == 1 {
						task.End(operation.Result{})
					}
					time.Sleep(time.Second)
					synctest.Wait()
					e, _ := rec.Find(queue.Released, op)
					got, _ := op.FinalResult()
					if got != e.Result() || got.Reason != want.Reason || !errors.Is(got.Err, want.Err) {
						t.Errorf("%d: released with %+v, and %+v; want %+v", i, e.Result(), got, want)
					}
				}
			})
		})
	}
}

// The report comes at the very instant of the stop timeout: whichever is first, the timeout is the
// old task's and nothing to the next one.
func TestAStopTimeoutThatComesTooLateLeavesTheNextAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{OnStop: func(k queue.Task) {
			time.AfterFunc(queue.DefaultStopTimeout, func() { k.End(operation.Result{}) })
		}}
		q := newQueue(t, m)
		reports := 0
		for range 300 {
			enqueue(t, q, 1)
			synctest.Wait()
			q.CancelAll()
			next := enqueue(t, q, 1)[0]
			before := q.Snapshot().Abandoned
			time.Sleep(queue.DefaultStopTimeout)
			synctest.Wait()
			if next.Status() != operation.Running {
				t.Fatalf("the next is %v", next.Status())
			}
			m.Current().End(operation.Result{})
			if next.Status() != operation.Completed {
				t.Fatal("the next was abandoned in place of the old one")
			}
			if q.Snapshot().Abandoned == before {
				reports++
			}
		}
		if reports == 0 {
			t.Error("the report was never first: the test shows nothing")
		}
	})
}

// Callbacks that never return: hung in Start, in Stop, and in a Start that had reported.
func TestACallbackThatHangsLosesTheMediaRole(t *testing.T) {
	t.Parallel()
	hangs := map[string]func(m *queuetest.Media, release chan struct{}){
		"in Start": func(m *queuetest.Media, release chan struct{}) {
			m.OnStart = func(queue.Task) error {
				if len(m.Started()) == 1 {
					<-release
				}
				return nil
			}
		},
		"in Stop": func(m *queuetest.Media, release chan struct{}) {
			m.OnStop = func(k queue.Task) {
				if len(m.Stopped()) == 1 {
					<-release
				}
				k.End(operation.Result{})
			}
		},
		"in Stop after its report": func(m *queuetest.Media, release chan struct{}) {
			m.OnStop = func(k queue.Task) {
				k.End(operation.Result{})
				if len(m.Stopped()) == 1 {
					<-release
				}
			}
		},
		"in Start after its report": func(m *queuetest.Media, release chan struct{}) {
			m.OnStart = func(k queue.Task) error {
				if len(m.Started()) == 1 {
					k.End(operation.Result{})
					<-release
				}
				return nil
			}
		},
	}
	for name, hang := range hangs {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				release := make(chan struct{})
				rec := &queuetest.Recorder{}
				m := &queuetest.Media{}
				hang(m, release)
				q := newQueue(t, m, queue.WithObserver(rec))
				enqueue(t, q, 1)
				synctest.Wait()
				old := m.Current()
				q.CancelAll()
				next := enqueue(t, q, 1)[0]
				synctest.Wait()
				if next.Status() != operation.NotStarted {
					t.Errorf("started while a callback is under way: %v", next.Status())
				}
				time.Sleep(queue.DefaultStopTimeout)
				synctest.Wait()
				if next.Status() != operation.Running || q.Snapshot().Abandoned != 1 {
					t.Errorf("after the stop timeout the next is %v, %d abandoned", next.Status(), q.Snapshot().Abandoned)
				}
				close(release)
				synctest.Wait()
				stops := 0
				for _, k := range m.Stopped() {
					if k == old {
						stops++
					}
				}
				if name != "in Start after its report" && stops != 1 {
					t.Errorf("its Stop was called %d times, want once", stops)
				}
				if next.Status() != operation.Running || m.Current().Operation != next {
					t.Errorf("when it returned at last, the next became %v", next.Status())
				}
				q.Close(nil)
				synctest.Wait()
				if !isClosed(q.Done()) {
					t.Error("Done is open")
				}
				rec.Check(t)
			})
		})
	}
}

func TestDoneDoesNotWaitForAbandonedMedia(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			k.End(operation.Result{}) // has reported, so nothing is preempted
			<-release
			return nil
		}}
		q := newQueue(t, m)
		enqueue(t, q, 1)
		synctest.Wait()
		q.Close(nil)
		start := time.Now()
		<-q.Done()
		if d := time.Since(start); d != queue.DefaultStopTimeout {
			t.Errorf("done after %v, want %v", d, queue.DefaultStopTimeout)
		}
		close(release)
	})
}

func TestTheRunTimeoutEndsWhatShowsNoProgress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{}
		q := newQueue(t, m, queue.WithObserver(rec), queue.WithRunTimeout(8*time.Second))
		ops := enqueue(t, q, 2)
		synctest.Wait()
		for i := range 10 { // 50 s of progress
			m.Current().Progress(time.Duration(i + 1))
			time.Sleep(5 * time.Second)
		}
		if ops[0].Status() != operation.Running {
			t.Fatalf("ended in spite of its progress: %v", reason(ops[0]))
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if reason(ops[0]) != operation.TimedOut || ops[0].Status() != operation.Failed {
			t.Errorf("without progress for 10s: %v", ops[0].Status())
		}
		if len(m.Stopped()) != 1 || ops[1].Status() != operation.Running {
			t.Errorf("%d stopped, the next is %v", len(m.Stopped()), ops[1].Status())
		}
		time.Sleep(time.Until(ops[1].Times().Started.Add(8*time.Second - 1)))
		if ops[1].Status() != operation.Running {
			t.Error("the next ended too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if reason(ops[1]) != operation.TimedOut {
			t.Errorf("the next, without any progress for 8s: %v", ops[1].Status())
		}
		rec.Check(t)
	})
}

func TestTheRunTimeoutFreesAStartThatHangsAfterItsReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m := &queuetest.Media{}
		m.OnStart = func(k queue.Task) error {
			k.End(operation.Result{})
			if len(m.Started()) == 1 {
				<-release
			}
			return nil
		}
		q := newQueue(t, m, queue.WithRunTimeout(time.Second))
		ops := enqueue(t, q, 2)
		time.Sleep(2 * time.Second)
		if ops[0].Status() != operation.Completed || ops[1].Status() != operation.Completed {
			t.Errorf("%v, %v; want both completed", ops[0].Status(), ops[1].Status())
		}
	})
}

// A task whose Start has not been entered when it dies: never started, no Stop, no Released. An
// inline observer cancels at Accepted, before the media is called.
func TestATaskThatDiesBeforeItsStartIsNeverStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var q *queue.Queue
		cancels := 5
		rec := &queuetest.Recorder{}
		rec.OnEvent = func(e queue.Event) {
			if e.Kind == queue.Started && cancels > 0 {
				cancels--
				q.CancelAll()
			}
		}
		m := &queuetest.Media{}
		q = newQueue(t, m, queue.WithInlineMedia(), queue.WithInlineObserver(rec))
		ops := enqueue(t, q, 6)
		for i, op := range ops[:5] {
			if reason(op) != operation.Cancelled {
				t.Errorf("%d: %v", i, op.Status())
			}
			if _, ok := rec.Find(queue.Released, op); ok {
				t.Errorf("%d was released", i)
			}
		}
		if s := m.Started(); len(s) != 1 || s[0].Operation != ops[5] || len(m.Stopped()) != 0 {
			t.Errorf("%d started, %d stopped; want the last one only", len(s), len(m.Stopped()))
		}
		m.Current().End(operation.Result{})
		rec.Check(t)
	})
}

// The canceller itself ends contexts, so that a Start stuck on one is released at once.
func TestACancelReleasesAStartThatWaitsForItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{OnStart: func(k queue.Task) error {
			<-k.Context().Done()
			return context.Cause(k.Context())
		}}
		rec := &queuetest.Recorder{}
		q := newQueue(t, m, queue.WithObserver(rec))
		ops := enqueue(t, q, 1)
		synctest.Wait()
		start := time.Now()
		q.CancelAll()
		synctest.Wait()
		if e, ok := rec.Find(queue.Released, ops[0]); !ok || e.Time.Sub(start) != 0 {
			t.Errorf("released %v after %v", ok, e.Time.Sub(start))
		}
		if len(m.Stopped()) != 0 {
			t.Error("Stop was called though Start had failed")
		}
	})
}

func TestABlockingFunctionsReturnIsItsOnlyReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inside, runs atomic.Int32
		f := func(ctx context.Context, turn queue.Active) (operation.Result, error) {
			if inside.Add(1) != 1 {
				t.Error("two functions at once")
			}
			defer inside.Add(-1)
			switch runs.Add(1) {
			case 1:
				panic("first")
			case 2:
				runtime.Goexit()
			case 3:
				return operation.Result{Recording: operation.Recording{Location: "x"}}, operation.BeepFailed
			case 4:
				<-ctx.Done()
				time.Sleep(time.Second) // takes a moment to fall silent
				return operation.Result{}, context.Cause(ctx)
			}
			turn.Progress(time.Minute)
			return operation.Result{}, nil
		}
		rec := &queuetest.Recorder{}
		q := newQueue(t, queue.Blocking(f), queue.WithObserver(rec))
		ops := enqueue(t, q, 4)
		synctest.Wait()
		q.CancelAll()
		ops = append(ops, enqueue(t, q, 1)...)
		time.Sleep(time.Minute)
		want := []operation.Reason{
			operation.Panicked, operation.Panicked, operation.BeepFailed,
			operation.Cancelled, operation.Succeeded,
		}
		for i, op := range ops {
			if reason(op) != want[i] {
				t.Errorf("%d: %v, want %v", i, reason(op), want[i])
			}
		}
		var p *queue.PanicError
		if !errors.As(ops[0].Err(), &p) || p.Value != "first" || len(p.Stack) == 0 {
			t.Errorf("after a panic: %v", ops[0].Err())
		}
		if !errors.Is(ops[1].Err(), queue.ErrExited) {
			t.Errorf("after an exit: %v", ops[1].Err())
		}
		if r, _ := ops[2].Result(); r.Recording.Location != "x" {
			t.Errorf("the result of a failed function is %+v", r)
		}
		if r, _ := ops[4].Result(); r.Position != time.Minute {
			t.Errorf("position %v, want the last progress", r.Position)
		}
		rec.Check(t)

		if _, err := queue.New("call", queue.Blocking(nil)); err == nil {
			t.Error("a nil function was taken for media")
		}
	})
}

func TestTheZeroTaskIsDeadAndHarmless(t *testing.T) {
	t.Parallel()
	var k queue.Task
	k.End(operation.Result{})
	k.Fail(errors.New("nothing"))
	k.Progress(1)
	if k.Live() || k.Context().Err() == nil || k.Status() != 0 || k.Kind() != "" || k.Err() != nil || k != (queue.Task{}) {
		t.Error("the zero Task is something")
	}
}

// What an Interrupt has ended is not kept by the queue while the next one runs: the log grew behind
// the record of the cancel.
func TestALogThatHasGrownKeepsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, &queuetest.Media{}, queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})))
		cancelled := make([]weak.Pointer[operation.Operation], 5)
		for i := range cancelled {
			cancelled[i] = weak.Make(enqueue(t, q, 1)[0])
			synctest.Wait() // each is delivered before the next comes
		}
		if _, _, err := q.Interrupt(t.Context(), play()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for range 10 {
			runtime.GC()
		}
		for i, op := range cancelled[1:] { // the media remembers the first one
			if op.Value() != nil {
				t.Errorf("operation %d, which was cancelled, is kept", i+2)
			}
		}
	})
}
