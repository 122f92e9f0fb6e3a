package queue_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// voicemail is what media says of a recording.
var voicemail = operation.Result{
	Reason:    operation.MaxDuration,
	Recording: operation.Recording{Location: "voicemail.wav", Duration: 4 * time.Second},
	Position:  4 * time.Second,
}

// silentMedia is media that falls silent and reports when the test says so.
func silentMedia() *queuetest.Media { return &queuetest.Media{OnStop: func(queue.Task) {}} }

// Released closes, and FinalResult is there, when the media is through: at the end that it made itself
// or of what it never had; else when it has reported or was abandoned.
func TestReleasedClosesWhenTheMediaIsThrough(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := silentMedia()
		q := newQueue(t, m, form(rec)...)
		through := func(op *operation.Operation, want operation.Result) {
			t.Helper()
			idle()
			r, ok := op.FinalResult()
			if over := want != (operation.Result{}); ok != over || isClosed(op.Released()) != over || r != want {
				t.Errorf("%v, %+v, released %v; want %+v", ok, r, isClosed(op.Released()), want)
			}
		}
		ops := enqueue(t, q, 3)
		early := ops[1].Released() // there before anything has happened
		through(ops[0], operation.Result{})
		m.Current().End(voicemail)
		through(ops[0], voicemail)

		q.CancelAll()
		through(ops[1], operation.Result{})
		through(ops[2], operation.Result{Reason: operation.Cancelled}) // the media never had it
		if r, _ := ops[1].Result(); isClosed(early) || r.Reason != operation.Cancelled {
			t.Errorf("released before the report, or %v", r.Reason)
		}
		m.Current().End(voicemail)
		through(ops[1], voicemail)
		if r, _ := ops[1].Result(); !isClosed(early) || r != (operation.Result{Reason: operation.Cancelled}) {
			t.Errorf("not released, or its result became %+v", r)
		}

		lost := enqueue(t, q, 1)[0]
		idle()
		if _, err := q.Cancel(lost.ID()); err != nil {
			t.Fatal(err)
		}
		through(lost, operation.Result{})
		time.Sleep(queue.DefaultStopTimeout)
		through(lost, operation.Result{Reason: operation.Abandoned})
		m.Current().End(voicemail)
		through(lost, voicemail)
		m.Current().End(operation.Result{Reason: operation.BeepFailed}) // once more
		through(lost, voicemail)
		if s := q.Snapshot(); s.Abandoned != 1 || s.LateReports != 2 {
			t.Errorf("%d abandoned, %d late reports; want 1, 2", s.Abandoned, s.LateReports)
		}
		if e, ok := rec.Find(queue.Late, lost); !ok || e.Result() != voicemail || e.Operation.Value() != nil {
			t.Errorf("late: %v, %+v", ok, e)
		}
		own := q.CancelAll().Operation()
		if r, ok := own.FinalResult(); !ok || r.Reason != operation.Succeeded || !isClosed(own.Released()) {
			t.Errorf("the cancel's own: %v, %+v", ok, r)
		}
		var none *operation.Operation
		if _, ok := none.FinalResult(); ok || !isClosed(none.Released()) {
			t.Error("a nil operation has a final result, or is not released")
		}
		rec.Check(t)
	})
}

// An operation that was started and never reached its media, since an inline observer has cancelled it
// first, has nothing to wait for.
func TestWhatNeverReachedItsMediaIsReleasedAtItsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var q *queue.Queue
		first := true
		q = newQueue(t, silentMedia(), queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
				if e.Kind == queue.Started && first {
					first = false
					q.CancelAll()
				}
			})))
		op := enqueue(t, q, 1)[0]
		if r, ok := op.FinalResult(); !ok || r.Reason != operation.Cancelled || !isClosed(op.Released()) {
			t.Errorf("%v, %+v", ok, r)
		}
	})
}

// A voicemail whose upload takes longer than the call: the queue is done, and its report arrives, on
// the handle and as the one event after Closed, whatever the delivery.
func TestARecordingThatComesAfterDoneIsNotLost(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec, second := &queuetest.Recorder{}, &queuetest.Recorder{}
		m := silentMedia()
		q := newQueueWithoutCleanup(t, m, append(form(rec), queue.WithObserver(second))...)
		op := enqueue(t, q, 1)[0]
		idle()
		task := m.Current()
		q.Close(nil)
		<-q.Done()
		if r, _ := op.FinalResult(); r.Reason != operation.Abandoned {
			t.Errorf("abandoned: %+v", r)
		}
		time.Sleep(time.Hour)
		at := time.Now()
		task.End(voicemail)
		idle()
		task.End(operation.Result{})
		idle()
		for _, r := range []*queuetest.Recorder{rec, second} {
			events := r.Events()
			if last := events[len(events)-1]; last.Kind != queue.Late || last.Result() != voicemail || last.Operation != op ||
				!last.Time.Equal(at) || events[len(events)-2].Kind != queue.Closed {
				t.Errorf("the last event: %+v", last)
			}
			r.Check(t)
		}
		if r, ok := op.FinalResult(); !ok || r != voicemail {
			t.Errorf("on the handle: %+v", r)
		}
		if r, _ := op.Result(); r.Reason != operation.CallEnded || r.Recording != (operation.Recording{}) {
			t.Errorf("the result became %+v", r)
		}
		if s := q.Snapshot(); s.LateReports != 1 { // the second one was not delivered
			t.Errorf("%d late reports", s.LateReports)
		}
	})
}

// An observer that blocks, panics or exits in Late holds up no other: two reports that come after Done
// are delivered, and the reporters go on.
func TestObserversMayDoInLateWhatTheyDoElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		blocks := &queuetest.Recorder{OnEvent: func(e queue.Event) {
			if e.Kind == queue.Late {
				<-release
			}
		}}
		exits := &queuetest.Recorder{OnEvent: func(e queue.Event) {
			if e.Kind == queue.Late && e.Seq%2 == 0 {
				panic("late")
			} else if e.Kind == queue.Late {
				runtime.Goexit()
			}
		}}
		quick := &queuetest.Recorder{}
		m := silentMedia()
		q := newQueueWithoutCleanup(t, m, queue.WithObserver(blocks), queue.WithObserver(exits), queue.WithObserver(quick))
		var tasks []queue.Task
		for range 2 {
			enqueue(t, q, 1)
			idle()
			tasks = append(tasks, m.Current())
			q.CancelAll()
			time.Sleep(queue.DefaultStopTimeout)
			idle()
		}
		q.Close(nil)
		<-q.Done()
		for i, task := range tasks {
			start := time.Now()
			if task.End(voicemail); time.Since(start) != 0 {
				t.Errorf("report %d was held up", i)
			}
			idle()
		}
		close(release)
		idle()
		for i, r := range []*queuetest.Recorder{blocks, exits, quick} {
			late := 0
			for _, e := range r.Events() {
				late += map[queue.EventKind]int{queue.Late: 1}[e.Kind]
			}
			if late != 2 {
				t.Errorf("observer %d got %d late reports, want 2", i, late)
			}
			r.Check(t)
		}
	})
}

// A Start that hangs until the call is long over, and then fails, has reported; so has a Blocking
// function that returns then.
func TestACallbackThatReturnsAfterDoneHasReported(t *testing.T) {
	t.Parallel()
	function := func(release chan struct{}) queue.Media {
		return queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
			<-release
			return operation.Result{}, operation.BeepFailed
		})
	}
	for name, media := range map[string]func(release chan struct{}) queue.Media{
		"Start": func(release chan struct{}) queue.Media {
			return &queuetest.Media{OnStart: func(queue.Task) error {
				<-release
				return operation.BeepFailed
			}}
		},
		"Blocking": function,
		"Blocking in another": func(release chan struct{}) queue.Media {
			m := silentMedia()
			m.OnStart = function(release).Start
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				release := make(chan struct{})
				rec := &queuetest.Recorder{}
				q := newQueueWithoutCleanup(t, media(release), queue.WithObserver(rec))
				op := enqueue(t, q, 1)[0]
				idle()
				q.Close(nil)
				<-q.Done()
				close(release)
				idle()
				if e, ok := rec.Find(queue.Late, op); !ok || e.Result().Reason != operation.BeepFailed {
					t.Errorf("late: %v, %+v", ok, e.Result())
				}
				if r, _ := op.FinalResult(); r.Reason != operation.BeepFailed {
					t.Errorf("the final result is %+v", r)
				}
				rec.Check(t)
			})
		})
	}
}

// The report comes at the very instant at which the media is abandoned, or the queue is done: whichever
// is first, what it says is not lost.
func TestAReportThatRacesWithItsAbandonmentIsNotLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		inTime, tooLate := 0, 0
		for range 300 {
			rec := &queuetest.Recorder{}
			m := &queuetest.Media{OnStop: func(k queue.Task) {
				time.AfterFunc(queue.DefaultStopTimeout, func() { k.End(voicemail) })
			}}
			q := newQueueWithoutCleanup(t, m, queue.WithObserver(rec))
			op := enqueue(t, q, 1)[0]
			idle()
			q.Close(nil)
			<-op.Released()
			<-q.Done()
			idle()
			e, _ := rec.Find(queue.Released, op)
			_, late := rec.Find(queue.Late, op)
			switch {
			case e.Result() == voicemail && !late:
				inTime++
			case e.Result().Reason == operation.Abandoned && late:
				tooLate++
			default:
				t.Fatalf("released with %+v, late: %v", e.Result(), late)
			}
			if r, ok := op.FinalResult(); !ok || r != voicemail {
				t.Fatalf("the final result is %+v", r)
			}
		}
		if inTime == 0 || tooLate == 0 {
			t.Errorf("%d reports in time, %d late: the test shows nothing", inTime, tooLate)
		}
	})
}

// Readers without a lock see the release of a preempted operation as one step: no final result before
// it, and then what the media said, and the channel closes no earlier.
func TestReadersSeeTheReleaseAsOneStep(t *testing.T) {
	t.Parallel()
	m := silentMedia()
	q := newQueue(t, m, queue.WithMaxPending(0), queue.WithStopTimeout(time.Hour)) // it reports
	for round := range 8 {
		op := enqueue(t, q, 20_000)[0] // to cancel the rest takes a while, in which the readers look
		task, err := m.WaitStarted(within(t), round+1)
		if err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		for i := range 4 {
			readers.Go(func() {
				released := context.Background().Done()
				for {
					if i > 1 {
						released = op.Released()
					}
					over := isClosed(released)
					r, ok := op.FinalResult()
					if over && !ok || ok && r != voicemail {
						t.Errorf("released %v, final %v: %+v", over, ok, r)
						return
					}
					if ok {
						<-op.Released()
						return
					}
				}
			})
		}
		q.CancelAll()
		task.End(voicemail)
		readers.Wait()
		if t.Failed() {
			return
		}
	}
}

// The stop timeout of an operation's own, shorter and longer than the queue's, for media that does not
// report and for media that has reported and does not return, also beside a run timeout.
func TestAnOperationMayHaveItsOwnStopTimeout(t *testing.T) {
	t.Parallel()
	for name, stuck := range map[string]bool{"no report": false, "no return": true} {
		for _, own := range []time.Duration{1, time.Second, time.Hour} {
			t.Run(name+" "+own.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					release := make(chan struct{})
					defer close(release)
					m := silentMedia()
					m.OnStart = func(k queue.Task) error {
						if stuck {
							k.End(operation.Result{})
							<-release
						}
						return nil
					}
					q := newQueue(t, m, queue.WithRunTimeout(24*time.Hour))
					if _, err := q.Enqueue(t.Context(), play(), queue.StopTimeout(time.Nanosecond), queue.StopTimeout(own)); err != nil {
						t.Fatal(err)
					}
					idle()
					start := time.Now()
					q.Close(nil)
					<-q.Done()
					if took := time.Since(start); took != own {
						t.Errorf("abandoned after %v, want %v", took, own)
					}
					if n := q.Snapshot().Abandoned; n != 1 {
						t.Errorf("%d abandoned", n)
					}
				})
			})
		}
	}
	for _, wrong := range []time.Duration{0, -1} {
		q := newQueue(t, silentMedia())
		_, err := q.Enqueue(t.Context(), play(), queue.StopTimeout(wrong))
		_, _, err2 := q.Interrupt(t.Context(), play(), queue.StopTimeout(wrong))
		for _, err := range []error{err, err2} {
			if want := "queue: StopTimeout(" + wrong.String() + "): must be more than 0"; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if q.CancelAll(queue.StopTimeout(wrong)).Operation() == nil {
			t.Error("CancelAll was refused")
		}
	}
}

// The own stop timeout of one operation leaves the next one's alone, and its timer goes with it.
func TestAnOwnStopTimeoutIsForOneOperation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := silentMedia()
		q := newQueue(t, m)
		if _, err := q.Enqueue(t.Context(), play(), queue.StopTimeout(time.Hour)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		q.CancelAll()
		m.Current().End(operation.Result{})
		enqueue(t, q, 1)
		synctest.Wait()
		start := time.Now()
		q.Close(nil)
		<-q.Done()
		if took := time.Since(start); took != queue.DefaultStopTimeout {
			t.Errorf("abandoned after %v, want %v", took, queue.DefaultStopTimeout)
		}
	})
}
