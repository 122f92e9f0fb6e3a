package queue_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
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

// all chooses everything, and among chooses some.
func all(*operation.Operation) bool { return true }

func among(ops ...*operation.Operation) func(*operation.Operation) bool {
	return func(op *operation.Operation) bool { return slices.Contains(ops, op) }
}

// What is to be next is ahead of all that waits, and behind what runs.
func TestWhatIsToBeNextIsNext(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithMaxPending(4))
	next := func(req operation.Request, opts ...queue.EnqueueOption) *operation.Operation {
		t.Helper()
		op, err := q.EnqueueNext(t.Context(), req, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return op
	}
	first := next(play())
	if running(q) != first {
		t.Fatal("it waits, and nothing runs")
	}
	last, protected := add(t, q), add(t, q, queue.Protected())
	second := next(play())
	third := next(play(), queue.Protected())
	if got := waiting(q); running(q) != first || !slices.Equal(got, []*operation.Operation{third, second, last, protected}) {
		t.Errorf("%d wait, in another order", len(got))
	}
	if _, err := q.EnqueueNext(t.Context(), play()); !errors.Is(err, queue.ErrFull) {
		t.Errorf("more than may wait: %v", err)
	}
	// What barges in is an interrupt here too.
	record := next(bargeIn())
	if got := waiting(q); running(q) != third || !slices.Equal(got, []*operation.Operation{protected, record}) {
		t.Errorf("after a barge-in %d wait, in another order", len(got))
	}
	for _, op := range []*operation.Operation{first, second, last} {
		if cause, _ := op.Cause(); reason(op) != operation.BargedIn || cause.ID != record.ID() || cause.Kind != record.Kind() {
			t.Errorf("%v by %+v", reason(op), cause)
		}
	}
	for name, tt := range map[string]struct {
		req  operation.Request
		opts []queue.EnqueueOption
	}{
		"no request":        {},
		"a bad request":     {req: &operation.PlayPrompt{}},
		"a duplicate id":    {req: play(), opts: []queue.EnqueueOption{queue.ID(third.ID())}},
		"an option":         {req: play(), opts: []queue.EnqueueOption{queue.Because(operation.ShutDown)}},
		"an option's cause": {req: play(), opts: []queue.EnqueueOption{queue.CausedBy(operation.Cause{})}},
	} {
		if _, err := q.EnqueueNext(t.Context(), tt.req, tt.opts...); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	q.Seal()
	if _, err := q.EnqueueNext(t.Context(), play()); err != queue.ErrClosed { //nolint:errorlint // not wrapped
		t.Errorf("sealed: %v", err)
	}
}

// CancelWhere ends those chosen in one step, with an exact receipt, and keeps the order of the rest.
func TestCancelWhereEndsWhatIsMeant(t *testing.T) {
	t.Parallel()
	by := operation.Cause{ClientContext: "menu", Tone: tone.Star, ToneSeq: 3}
	for name, tt := range map[string]struct {
		chosen []int
		opts   []queue.EnqueueOption
		ended  []int // of five, of which the first runs and the last two are protected
		why    operation.Reason
		cause  operation.Cause
	}{
		"none":                   {},
		"the running one":        {chosen: []int{0}, ended: []int{0}, why: operation.Cancelled},
		"the first that waits":   {chosen: []int{1}, ended: []int{1}, why: operation.Cancelled},
		"the last":               {chosen: []int{4}, ended: []int{4}, why: operation.Cancelled},
		"some":                   {chosen: []int{3, 1, 4}, ended: []int{1, 3, 4}, why: operation.Cancelled},
		"all":                    {chosen: []int{0, 1, 2, 3, 4}, ended: []int{0, 1, 2, 3, 4}, why: operation.Cancelled},
		"some, unless protected": {chosen: []int{2, 3}, opts: []queue.EnqueueOption{queue.SpareProtected()}, ended: []int{2}, why: operation.Cancelled},
		"for a reason":           {chosen: []int{0, 2}, opts: []queue.EnqueueOption{queue.Because(operation.ShutDown), queue.CausedBy(by)}, ended: []int{0, 2}, why: operation.ShutDown, cause: by},
		"by nobody":              {chosen: []int{0, 2}, opts: []queue.EnqueueOption{queue.CausedBy(operation.Cause{})}, ended: []int{0, 2}, why: operation.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []queue.Event
			q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
				if e.Kind == queue.Ended {
					events = append(events, e)
				}
			})))
			ops := enqueue(t, q, 3)
			ops = append(ops, add(t, q, queue.Protected()), add(t, q, queue.Protected()))
			var chosen, want, rest []*operation.Operation
			for i, op := range ops {
				op.Done()
				if slices.Contains(tt.chosen, i) {
					chosen = append(chosen, op)
				}
				if slices.Contains(tt.ended, i) {
					want = append(want, op)
				} else {
					rest = append(rest, op)
				}
			}
			r, err := q.CancelWhere(among(chosen...), tt.opts...)
			if err != nil || !slices.Equal(cancelledBy(r), want) || r.Operation() != nil {
				t.Fatalf("%v, %d in the receipt, want %d", err, r.Len(), len(want))
			}
			for i, op := range want {
				cause, known := op.Cause()
				if reason(op) != tt.why || op.Live() || !isClosed(op.Done()) || cause != tt.cause || known != (tt.cause != operation.Cause{}) {
					t.Errorf("%v by %+v", reason(op), cause)
				}
				if e := events[i]; e.Operation != op || e.Seq != events[0].Seq+uint64(i) || !e.Time.Equal(events[0].Time) || e.Result().Reason != tt.why {
					t.Errorf("event %+v", e)
				}
			}
			s := q.Snapshot()
			if got := append([]*operation.Operation{s.Running}, s.Waiting...); len(rest) > 0 && !slices.Equal(got, rest) || len(events) != len(want) {
				t.Errorf("left are %d, want %d; %d have an event", len(got), len(rest), len(events))
			}
			for _, op := range rest {
				if !op.Live() || isClosed(op.Done()) {
					t.Error("one that was not chosen has ended")
				}
			}
		})
	}
}

// The predicate may do what it likes: the queue goes on, and what it ends meanwhile is in no receipt
// a second time.
func TestThePredicateRunsWithoutTheLock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, &queuetest.Media{OnStop: func(k queue.Task) { k.End(operation.Result{}) }})
		a, b, c := add(t, q), add(t, q), add(t, q)
		var asked []*operation.Operation
		var inner queue.Receipt
		var next *operation.Operation
		r, err := q.CancelWhere(func(op *operation.Operation) bool {
			if asked = append(asked, op); op == b {
				inner, _ = q.CancelWhere(among(a, b)) // c runs then
				time.Sleep(time.Second)
				next = add(t, q)
			}
			return true
		})
		if err != nil || !slices.Equal(asked, []*operation.Operation{a, b, c}) {
			t.Fatalf("%v, asked for %d", err, len(asked))
		}
		if !slices.Equal(cancelledBy(inner), []*operation.Operation{a, b}) || !slices.Equal(cancelledBy(r), []*operation.Operation{c}) {
			t.Errorf("receipts of %d and %d", inner.Len(), r.Len())
		}
		synctest.Wait()
		if running(q) != next {
			t.Error("what came meanwhile does not run")
		}
	})
}

// A predicate that panics or exits has ended nothing, and neither has a wrong option.
func TestAWrongCancelEndsNothing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", operation.MaxClientContext+1)
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
	ops := enqueue(t, q, 3)
	where := func(f func(*operation.Operation) bool, opts ...queue.EnqueueOption) error {
		r, err := q.CancelWhere(f, opts...)
		if r.Len() > 0 {
			t.Errorf("a receipt of %d", r.Len())
		}
		return err
	}
	one := func(opts ...queue.EnqueueOption) error {
		op, err := q.Cancel(ops[1].ID(), opts...)
		if op != nil {
			t.Error("an operation with an error")
		}
		return err
	}
	for name, tt := range map[string]struct {
		do   func() error
		want string
	}{
		"no predicate": {func() error { return where(nil) }, "CancelWhere: nil predicate"},
		"a panic": {func() error {
			return where(func(op *operation.Operation) bool { return op == ops[0] || neverChooses() })
		}, "CancelWhere: the predicate panicked: x"},
		"a panic with a nil error":    {func() error { return where(func(*operation.Operation) bool { panic((*queue.PanicError)(nil)) }) }, "the predicate panicked"},
		"a reason of success":         {func() error { return where(all, queue.Because(operation.Succeeded)) }, "Because(succeeded): must be a reason of a failure"},
		"no reason":                   {func() error { return where(all, queue.Because(0)) }, "Because(no reason)"},
		"a reason that there is not":  {func() error { return one(queue.Because(250)) }, "Because(Reason(250))"},
		"a reason of success for one": {func() error { return one(queue.Because(operation.StopTone)) }, "Because(stopTone)"},
		"a cause that is too long":    {func() error { return where(all, queue.CausedBy(operation.Cause{ClientContext: long})) }, "CausedBy: operation: cause.clientContext is 257 characters"},
		"a cause of no tone":          {func() error { return one(queue.CausedBy(operation.Cause{Tone: 99})) }, "CausedBy: operation: cause.tone"},
		"protected":                   {func() error { return where(all, queue.Protected()) }, "option Protected is not for CancelWhere, only for Enqueue, EnqueueNext, Interrupt"},
		"a client context":            {func() error { return where(all, queue.ClientContext("x")) }, "option ClientContext"},
		"spare the one":               {func() error { return one(queue.SpareProtected()) }, "option SpareProtected is not for Cancel, only for CancelAll, CancelWhere"},
		"a value":                     {func() error { return one(queue.Value(1)) }, "option Value"},
	} {
		if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		where(func(op *operation.Operation) bool {
			if op == ops[2] {
				runtime.Goexit()
			}
			return true
		})
	}()
	<-exited
	if s := q.Snapshot(); s.Running != ops[0] || !slices.Equal(s.Waiting, ops[1:]) {
		t.Errorf("something has ended: %+v", s)
	}
	id := uuid.New()
	_, err := q.Cancel(id, queue.Because(operation.ShutDown))
	if !errors.Is(err, queue.ErrNotFound) || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("not found: %v, want the id %v in it", err, id)
	}
	q.Close(nil)
	if r, err := q.CancelWhere(all); err != nil || r.Len() != 0 {
		t.Errorf("closed: %v, %d", err, r.Len())
	}
}

func neverChooses() bool { panic("x") }

// CancelAll is never refused: what is wrong with its options is left out.
func TestCancelAllIsNeverRefused(t *testing.T) {
	t.Parallel()
	by := operation.Cause{ClientContext: "key", Tone: tone.Pound, ToneSeq: 9}
	for name, tt := range map[string]struct {
		opts  []queue.EnqueueOption
		why   operation.Reason
		cause operation.Cause // zero for the cancel's own
	}{
		"nothing":                     {why: operation.Cancelled},
		"a reason":                    {opts: []queue.EnqueueOption{queue.Because(operation.BadFormat)}, why: operation.BadFormat},
		"a cause":                     {opts: []queue.EnqueueOption{queue.CausedBy(by)}, why: operation.Cancelled, cause: by},
		"a reason of success":         {opts: []queue.EnqueueOption{queue.Because(operation.Succeeded)}, why: operation.Cancelled},
		"no reason":                   {opts: []queue.EnqueueOption{queue.Because(0)}, why: operation.Cancelled},
		"a wrong cause":               {opts: []queue.EnqueueOption{queue.CausedBy(operation.Cause{Tone: 99})}, why: operation.Cancelled},
		"nobody":                      {opts: []queue.EnqueueOption{queue.CausedBy(operation.Cause{})}, why: operation.Cancelled},
		"wrong ones, and a right one": {opts: []queue.EnqueueOption{queue.Because(0), queue.Protected(), queue.Because(operation.ShutDown), queue.Because(99)}, why: operation.ShutDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
			ops := enqueue(t, q, 3)
			r := q.CancelAll(tt.opts...)
			if !slices.Equal(cancelledBy(r), ops) {
				t.Fatalf("%d ended", r.Len())
			}
			if tt.cause == (operation.Cause{}) {
				tt.cause = operation.Cause{ID: r.Operation().ID(), Kind: operation.KindCancelMediaProcessing}
			}
			for _, op := range ops {
				if cause, _ := op.Cause(); reason(op) != tt.why || cause != tt.cause {
					t.Errorf("%v by %+v, want %v by %+v", reason(op), cause, tt.why, tt.cause)
				}
			}
		})
	}
}

// Cancel says why, and who.
func TestCancelSaysWhyAndWho(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
	by := operation.Cause{Kind: "menu", Tone: tone.Tone1, ToneSeq: 1}
	for i, op := range enqueue(t, q, 2) {
		if _, err := q.Cancel(op.ID(), queue.Because(operation.BeepFailed), queue.CausedBy(by)); err != nil {
			t.Fatal(err)
		}
		if got, _ := op.Cause(); reason(op) != operation.BeepFailed || got != by || !errors.Is(op.Err(), operation.BeepFailed) {
			t.Errorf("%d: %v by %+v", i, reason(op), got)
		}
	}
}

// The key that ended a play is the cause.
func TestTheKeyIsTheCause(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithInlineMedia())
	req := play()
	req.StopTones = tone.SetOf(tone.Pound)
	op, err := q.Enqueue(t.Context(), req, queue.Protected())
	if err != nil {
		t.Fatal(err)
	}
	q.Tone(tone.Event{Tone: tone.Star, Seq: 1})
	q.Tone(tone.Event{Tone: tone.Pound, Seq: 2})
	want := operation.Cause{Tone: tone.Pound, ToneSeq: 2}
	if got, known := op.Cause(); reason(op) != operation.KeyPressed || got != want || !known {
		t.Errorf("%v by %+v, want %+v", reason(op), got, want)
	}
}

// Many choose and cancel at once, and everything ends in exactly one receipt.
func TestEachChosenOneIsInOneReceipt(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(0))
	ops := enqueue(t, q, 1000)
	var mu sync.Mutex
	receipts := map[*operation.Operation]int{}
	book := func(r queue.Receipt) {
		mu.Lock()
		defer mu.Unlock()
		for op := range r.Cancelled() {
			receipts[op]++
		}
	}
	var cancels sync.WaitGroup
	for i := range 20 {
		cancels.Go(func() {
			r, err := q.CancelWhere(func(op *operation.Operation) bool { return op.ID()[0]%8 <= byte(i)%8 })
			if err != nil {
				t.Error(err)
			}
			book(r)
			if i%5 == 4 {
				_, r, err := q.Interrupt(context.Background(), play())
				if err != nil {
					t.Error(err)
				}
				book(r)
			}
		})
	}
	cancels.Wait()
	book(q.CancelAll())
	for _, op := range ops {
		if receipts[op] != 1 {
			t.Fatalf("one is in %d receipts", receipts[op])
		}
	}
}
