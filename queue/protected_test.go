package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// add accepts one play.
func add(tb testing.TB, q *queue.Queue, opts ...queue.EnqueueOption) *operation.Operation {
	tb.Helper()
	op, err := q.Enqueue(tb.Context(), play(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return op
}

// mustInterrupt barges in.
func mustInterrupt(
	tb testing.TB, q *queue.Queue, opts ...queue.EnqueueOption,
) (*operation.Operation, queue.Receipt) {
	tb.Helper()
	op, r, err := q.Interrupt(tb.Context(), play(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return op, r
}

// waiting returns what waits, and running what runs.
func waiting(q *queue.Queue) []*operation.Operation { return q.Snapshot().Waiting }
func running(q *queue.Queue) *operation.Operation   { return q.Snapshot().Running }

// What barges in ends all that is not protected, at one instant, and comes after the last protected
// one; what runs and is protected runs on.
func TestWhatBargesInSparesTheProtected(t *testing.T) {
	t.Parallel()
	for name, barge := range map[string]func(q *queue.Queue) *operation.Operation{
		"Interrupt": func(q *queue.Queue) *operation.Operation {
			op, _ := mustInterrupt(t, q)
			return op
		},
		"a request": func(q *queue.Queue) *operation.Operation {
			op, err := q.Enqueue(t.Context(), bargeIn())
			if err != nil {
				t.Fatal(err)
			}
			return op
		},
	} {
		for runs, protected := range map[string]bool{"protected": true, "unprotected": false} {
			t.Run(name+", "+runs+" runs", func(t *testing.T) {
				t.Parallel()
				m := &queuetest.Media{}
				q := newQueue(t, m, queue.WithInlineMedia())
				var opts []queue.EnqueueOption
				if protected {
					opts = append(opts, queue.Protected())
				}
				first := add(t, q, opts...)
				var left, ended []*operation.Operation
				for i := range 12 {
					if i%3 == 1 {
						left = append(left, add(t, q, queue.Protected()))
					} else {
						ended = append(ended, add(t, q))
					}
				}
				if !protected {
					ended = append([]*operation.Operation{first}, ended...)
				}
				op := barge(q)
				for _, e := range ended {
					if reason(e) != operation.BargedIn || e.Live() {
						t.Errorf("an unprotected one has %v", reason(e))
					}
				}
				for _, e := range append(left, op) {
					if e.Status().Terminal() || !e.Live() {
						t.Errorf("a protected one is %v", e.Status())
					}
				}
				if protected && running(q) != first {
					t.Error("the protected one does not run on")
				}
				if got, want := waiting(q), slices.Concat(left, []*operation.Operation{op}); !slices.Equal(got, want) && protected {
					t.Errorf("%d wait, in order: %v; want %d", len(got), got, len(want))
				}
			})
		}
	}
}

// Receipts are exact and in queue order for both groups, and so are the events.
func TestReceiptsOfBothGroupsAreExact(t *testing.T) {
	t.Parallel()
	var events []queue.Event
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(),
		queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Ended {
				events = append(events, e)
			}
		})))
	a, b, c, d := add(t, q), add(t, q, queue.Protected()), add(t, q), add(t, q, queue.Protected())
	r := q.CancelAll(queue.SpareProtected(), queue.ClientContext("mark"))
	if got := cancelledBy(r); !slices.Equal(got, []*operation.Operation{a, c}) {
		t.Errorf("the sparing cancel's receipt: %v", got)
	}
	if len(events) != 2 || events[0].Operation != a || events[1].Operation != c || events[0].Seq+1 != events[1].Seq {
		t.Errorf("the events of the sparing cancel: %+v", events)
	}
	e, r2 := mustInterrupt(t, q)
	if r2.Len() != 0 {
		t.Errorf("an interrupt among protected ones has a receipt of %d", r2.Len())
	}
	r3 := q.CancelAll()
	if got := cancelledBy(r3); !slices.Equal(got, []*operation.Operation{b, d, e}) {
		t.Errorf("the cancel's receipt: %v", got)
	}
	if r4 := q.CancelAll(); r4.Len() != 0 {
		t.Errorf("%d are ended twice", r4.Len())
	}
	for _, op := range []*operation.Operation{a, b, c, d, e} {
		if reason(op) != operation.Cancelled {
			t.Errorf("ended with %v", reason(op))
		}
	}
	if cause, _ := a.Cause(); cause.ID != r.Operation().ID() || cause.ClientContext != "mark" {
		t.Errorf("cause %+v", cause)
	}
	if cause, _ := d.Cause(); cause.ID != r3.Operation().ID() {
		t.Errorf("cause %+v", cause)
	}
}

// The end of the call, a cancel of its id, its media and a timeout end a protected one.
func TestProtectedOperationsEndOtherwise(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for want, end := range map[operation.Reason]func(q *queue.Queue, m *queuetest.Media, op *operation.Operation){
			operation.CallEnded: func(q *queue.Queue, _ *queuetest.Media, _ *operation.Operation) { q.Close(nil) },
			operation.Cancelled: func(q *queue.Queue, _ *queuetest.Media, op *operation.Operation) {
				if _, err := q.Cancel(op.ID()); err != nil {
					t.Fatal(err)
				}
			},
			operation.StopTone: func(_ *queue.Queue, m *queuetest.Media, _ *operation.Operation) {
				m.Current().End(operation.Result{Reason: operation.StopTone})
			},
			operation.TimedOut: func(*queue.Queue, *queuetest.Media, *operation.Operation) {
				time.Sleep(time.Minute)
			},
		} {
			m := &queuetest.Media{}
			q := newQueue(t, m, queue.WithRunTimeout(10*time.Second))
			op := add(t, q, queue.Protected())
			behind := add(t, q)
			synctest.Wait()
			end(q, m, op)
			synctest.Wait()
			if reason(op) != want {
				t.Errorf("%v, want %v", reason(op), want)
			}
			if want == operation.CallEnded {
				continue
			}
			// A cancel that spares finds nothing to spare now.
			q.CancelAll(queue.SpareProtected())
			if !behind.Status().Terminal() {
				t.Errorf("after %v a sparing cancel ends nothing", want)
			}
			next := add(t, q, queue.Protected()) // and protection is new again
			mustInterrupt(t, q)
			if next.Status().Terminal() {
				t.Errorf("after %v nothing is protected", want)
			}
			q.Close(nil)
			<-q.Done()
		}
	})
}

// A protected operation whose media is not through when something barges in: the media is waited for,
// and the order stays.
func TestAnInterruptWhileTheMediaStops(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{OnStop: func(queue.Task) {}}
		q := newQueue(t, m)
		first, second := add(t, q, queue.Protected()), add(t, q, queue.Protected())
		synctest.Wait()
		stopping := m.Current()
		if _, err := q.Cancel(first.ID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		op, r := mustInterrupt(t, q)
		if s := q.Snapshot(); r.Len() != 0 || s.Stopping != first || !slices.Equal(s.Waiting, []*operation.Operation{second, op}) {
			t.Errorf("%d ended, %+v", r.Len(), s)
		}
		stopping.End(operation.Result{})
		synctest.Wait()
		if running(q) != second {
			t.Error("the protected one is not next")
		}
	})
}

// Done channels of those that were spared stay open; those of the others are closed when the cancel
// has returned.
func TestWhoWaitsForASparedOneWaitsOn(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
	var spared, ended []<-chan struct{}
	for i := range 40 {
		if i%2 == 0 {
			spared = append(spared, add(t, q, queue.Protected()).Done())
		} else {
			ended = append(ended, add(t, q).Done())
		}
	}
	if r := q.CancelAll(queue.SpareProtected()); r.Len() != len(ended) {
		t.Errorf("%d ended", r.Len())
	}
	if slices.ContainsFunc(spared, isClosed) {
		t.Error("Done of a spared one is closed")
	}
	if n := len(slices.DeleteFunc(ended, isClosed)); n > 0 {
		t.Errorf("%d Done channels are open", n)
	}
}

// Protected operations have a bound like others: an interrupt is refused if they fill the queue, and
// changes nothing then.
func TestTheBoundCountsWhatAnInterruptSpares(t *testing.T) {
	t.Parallel()
	for protected := range 4 {
		q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithMaxPending(3))
		add(t, q, queue.Protected()) // runs
		for i := range 3 {
			if i < protected {
				add(t, q, queue.Protected())
			} else {
				add(t, q)
			}
		}
		for range 3 - protected {
			mustInterrupt(t, q, queue.Protected())
		}
		before := q.Snapshot()
		_, r, err := q.Interrupt(t.Context(), play())
		if !errors.Is(err, queue.ErrFull) || r.Len() > 0 {
			t.Errorf("%d were protected: %v, and %d ended", protected, err, r.Len())
		}
		if after := q.Snapshot(); after.Running != before.Running || !slices.Equal(after.Waiting, before.Waiting) || len(after.Waiting) != 3 {
			t.Errorf("a refused interrupt changed %+v to %+v", before, after)
		}
	}
}

// An option on a call that it is not for is an error that names both. CancelAll is never refused.
func TestAnOptionThatIsNotForACallIsNamed(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
	ctx := context.Background()
	op := add(t, q)
	for call, do := range map[string]func() error{
		"Enqueue":   func() error { _, err := q.Enqueue(ctx, play(), queue.SpareProtected()); return err },
		"BargesIn":  func() error { _, err := q.Enqueue(ctx, bargeIn(), queue.SpareProtected()); return err },
		"Interrupt": func() error { _, _, err := q.Interrupt(ctx, play(), queue.SpareProtected()); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "SpareProtected") {
			t.Errorf("%s: %v", call, err)
		}
	}
	if s := q.Snapshot(); s.Running != op || len(s.Waiting) > 0 {
		t.Errorf("something has changed: %+v", s)
	}
	if r := q.CancelAll(queue.Protected()); r.Len() != 1 {
		t.Errorf("CancelAll ended %d", r.Len())
	}
	q.Close(nil)
	if _, err := q.Enqueue(ctx, play(), queue.Protected()); err != queue.ErrClosed { //nolint:errorlint // not wrapped
		t.Errorf("protected on a closed queue: %v", err)
	}
}

// The operation and its Ended event know who ended it.
func TestTheCauseIsKnown(t *testing.T) {
	t.Parallel()
	causes := map[*operation.Operation]operation.Cause{}
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
		if c, known := e.Cause(); known {
			causes[e.Operation] = c
		}
	})))
	first := add(t, q)
	op, _ := mustInterrupt(t, q, queue.ClientContext("who"))
	want := operation.Cause{ID: op.ID(), Kind: operation.KindPlayPrompt, ClientContext: "who"}
	if got, _ := first.Cause(); got != want || causes[first] != want {
		t.Errorf("barged in: %+v, its event %+v, want %+v", got, causes[first], want)
	}
	r := q.CancelAll()
	want = operation.Cause{ID: r.Operation().ID(), Kind: operation.KindCancelMediaProcessing}
	if got, _ := op.Cause(); got != want || causes[op] != want {
		t.Errorf("cancelled: %+v, its event %+v, want %+v", got, causes[op], want)
	}
	last := add(t, q)
	q.Close(nil)
	if got, known := last.Cause(); known || len(causes) != 2 {
		t.Errorf("closed: %+v, and %d events with a cause", got, len(causes))
	}
}

// A cancel of all ends both groups, whichever came first; so does the end of the call.
func TestACancelOfAllEndsBothGroups(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(q *queue.Queue) queue.Receipt{
		"CancelAll": func(q *queue.Queue) queue.Receipt { return q.CancelAll() },
		"Close":     func(q *queue.Queue) queue.Receipt { return q.Close(nil) },
	} {
		for _, order := range []string{"up", "pu", "upu", "pup", "p", "uup"} {
			q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
			var ops []*operation.Operation
			for _, c := range order {
				if c == 'p' {
					ops = append(ops, add(t, q, queue.Protected()))
				} else {
					ops = append(ops, add(t, q))
				}
			}
			if r := end(q); !slices.Equal(cancelledBy(r), ops) {
				t.Errorf("%s, %s: a receipt of %d", name, order, r.Len())
			}
			for i, op := range ops {
				if op.Live() || op.Status() != operation.Failed {
					t.Errorf("%s, %s: %d is %v", name, order, i, op.Status())
				}
			}
		}
	}
}
