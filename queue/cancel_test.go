package queue_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// G4, from one goroutine: on return everything has followed.
func TestCancelAllFailsEverythingAtOneInstant(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := &queuetest.Media{}
		q := newQueue(t, m, form(rec)...)
		ops := enqueue(t, q, 10)
		synctest.Wait()
		task := m.Current()
		ctx, done := task.Context(), ops[3].Done()
		id := uuid.New()
		time.Sleep(time.Second)
		r := q.CancelAll(queue.ClientContext("why"), queue.ID(id))

		if own := r.Operation(); own.ID() != id || own.ClientContext() != "why" ||
			own.Status() != operation.Completed || own.Kind() != operation.KindCancelMediaProcessing {
			t.Errorf("the cancel's own operation is %v %v %q %v", own.ID(), own.Status(), own.ClientContext(), own.Kind())
		}
		if task.Live() {
			t.Error("Live after CancelAll returned")
		}
		if !isClosed(done) || !isClosed(ctx.Done()) || !errors.Is(context.Cause(ctx), operation.Cancelled) {
			t.Errorf("Done closed %v, context over %v (%v)", isClosed(done), ctx.Err(), context.Cause(ctx))
		}
		if s := q.Snapshot(); s.Running != nil || len(s.Waiting) > 0 {
			t.Errorf("snapshot has %v and %d waiting", s.Running, len(s.Waiting))
		}
		got := cancelledBy(r)
		if len(got) != 10 || r.Len() != 10 {
			t.Fatalf("receipt has %d, Len %d, want 10", len(got), r.Len())
		}
		ended := got[0].Times().Ended
		for i, op := range got {
			result, ok := op.Result()
			if op != ops[i] || !ok || op.Status() != operation.Failed ||
				result.Reason.Code() != 400 || result.Reason.Subcode() != 8508 ||
				!errors.Is(op.Err(), operation.Cancelled) || !op.Times().Ended.Equal(ended) || !isClosed(op.Done()) {
				t.Errorf("operation %d: %v %+v %v", i, op.Status(), result, op.Times())
			}
		}
		synctest.Wait()
		rec.Check(t)
	})
}

// G4, from many goroutines: no reader sees some cancelled and others not. Each reader goes through
// the operations in an order of its own and, once it has seen one cancelled, must see them all so.
func TestNoReaderSeesAHalfAppliedCancel(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]queue.Option{{}, {queue.WithInlineMedia()}} {
		m := &queuetest.Media{OnStart: func(k queue.Task) error { k.Progress(1); return nil }}
		q := newQueue(t, m, append(opts, queue.WithMaxPending(0))...)
		for round := range 8 {
			const n = 20_000 // to end them one by one would take a millisecond: the readers look into it
			ops := enqueue(t, q, n)
			var ready, wg sync.WaitGroup
			var halves atomic.Int32
			for reader := range 2 {
				ready.Add(1)
				wg.Go(func() {
					ready.Done()
					seen := false
					for pass := 0; !seen || pass < 2; pass++ {
						for i := range n {
							op := ops[(i*(2*reader+1)+reader*7)%n]
							dead := op.Status() == operation.Failed
							if result, ok := op.Result(); dead && (!ok || result.Reason != operation.Cancelled) {
								halves.Add(1)
							}
							if seen && !dead {
								halves.Add(1)
							}
							seen = seen || dead
						}
					}
				})
			}
			ready.Wait()
			r := q.CancelAll()
			wg.Wait()
			if halves.Load() > 0 || r.Len() != n {
				t.Fatalf("round %d: %d half-applied reads, receipt of %d", round, halves.Load(), r.Len())
			}
		}
	}
}

// G4 and the re-read: an operation that completed just before the cancel stays completed.
func TestACancelNeverOverwritesAnEnd(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	q := newQueue(t, m, queue.WithInlineMedia())
	for range 2000 {
		op := enqueue(t, q, 1)[0]
		task := m.Current()
		var wg sync.WaitGroup
		var first, second operation.Status
		wg.Go(func() { task.End(operation.Result{}) })
		wg.Go(func() {
			for first = op.Status(); !first.Terminal(); {
				first = op.Status()
			}
			second = op.Status()
		})
		r := q.CancelAll()
		wg.Wait()
		final, want := op.Status(), operation.Completed
		if r.Len() == 1 {
			want = operation.Failed
		}
		if final != want || first != final || second != final {
			t.Fatalf("read %v then %v, is %v; the receipt has %d", first, second, final, r.Len())
		}
	}
}

// G5: per sending goroutine at most the frame whose Live was asked before.
func TestNoFrameFollowsACancel(t *testing.T) {
	t.Parallel()
	var late atomic.Int32
	m := queue.Blocking(func(_ context.Context, turn queue.Active) (operation.Result, error) {
		frames := turn.Value().(*sending)
		frames.leave.Store(true)
		for {
			was := frames.cancelled.Load() // before Live is asked
			if !turn.Live() {
				return operation.Result{}, nil
			}
			if was { // a frame would leave here
				late.Add(1)
				return operation.Result{}, nil
			}
		}
	})
	q := newQueue(t, m)
	for i := range 500 {
		var frames sending
		if _, err := q.Enqueue(t.Context(), play(), queue.Value(&frames)); err != nil {
			t.Fatal(err)
		}
		for i%2 == 0 && !frames.leave.Load() {
			runtime.Gosched() // half of them are cancelled while frames leave
		}
		q.CancelAll()
		frames.cancelled.Store(true)
	}
	q.Close(nil)
	<-q.Done()
	if n := late.Load(); n > 0 {
		t.Errorf("%d operations were live after CancelAll had returned", n)
	}
}

// sending is what a producer and its media know of each other.
type sending struct{ leave, cancelled atomic.Bool }

// G5: Start is entered for a dead task only if the call was on its way.
func TestStartIsNotEnteredAfterACancel(t *testing.T) {
	t.Parallel()
	rec := &queuetest.Recorder{}
	var returned atomic.Int64 // the number of cancels that have returned
	var entered sync.Map      // operation → cancels that had returned when Start was entered
	m := &queuetest.Media{OnStart: func(k queue.Task) error { entered.Store(k.Operation, returned.Load()); return nil }}
	q := newQueue(t, m, queue.WithObserver(rec))
	acceptedAt := map[*operation.Operation]int64{}
	for i := range int64(2000) {
		acceptedAt[enqueue(t, q, 1)[0]] = i
		q.CancelAll()
		returned.Add(1)
	}
	q.Close(nil)
	<-q.Done()
	rec.Check(t)
	for _, k := range m.Stopped() {
		if _, ok := entered.Load(k.Operation); !ok {
			t.Error("Stop of a task that was never started")
		}
	}
	// An operation was dead when as many cancels had returned as operations were accepted before
	// it, and one more. Its Start may be entered then only if the call was on its way, and it was
	// the only one that was.
	late := map[int64]int{}
	for op, i := range acceptedAt {
		if v, ok := entered.Load(op); ok && v.(int64) > i {
			late[v.(int64)]++
		}
	}
	for cancels, n := range late {
		if n > 1 {
			t.Errorf("after %d cancels %d dead operations were started, want at most the one on its way", cancels, n)
		}
	}
	for _, e := range rec.Events() {
		_, was := entered.Load(e.Operation)
		if e.Kind == queue.Released && !was {
			t.Error("Released was delivered of an operation that was never started")
		}
	}
}

// G6.
func TestWhatIsAcceptedAfterACancelIsUntouched(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		m := &queuetest.Media{OnStop: func(k queue.Task) {
			time.AfterFunc(time.Second, func() { k.End(operation.Result{}) })
		}}
		q := newQueue(t, m, form(&queuetest.Recorder{})...)
		old := enqueue(t, q, 3)
		synctest.Wait()
		q.CancelAll()
		fresh := enqueue(t, q, 2) // the media of the old one is not silent yet
		if fresh[0].Status() != operation.NotStarted {
			t.Errorf("started before the media was free: %v", fresh[0].Status())
		}
		time.Sleep(2 * time.Second)
		if fresh[0].Status() != operation.Running || fresh[1].Status() != operation.NotStarted {
			t.Errorf("after the cancel: %v, %v", fresh[0].Status(), fresh[1].Status())
		}
		m.Current().End(operation.Result{})
		synctest.Wait()
		m.Current().End(operation.Result{})
		for i, op := range fresh {
			if op.Status() != operation.Completed {
				t.Errorf("fresh %d is %v", i, op.Status())
			}
		}
		for i, op := range old {
			if reason(op) != operation.Cancelled {
				t.Errorf("old %d is %v", i, reason(op))
			}
		}
	})
}

// G8, under a storm of cancels of every sort.
func TestWhateverIsCancelledIsInExactlyOneReceipt(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]queue.Option{
		"default": {}, "inline": {queue.WithInlineMedia()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &queuetest.Media{OnStart: func(k queue.Task) error {
				if len(k.ClientContext()) > 0 {
					k.End(operation.Result{})
				}
				return nil
			}}
			q := newQueue(t, m, opts...)
			var mu sync.Mutex
			receipts := map[*operation.Operation]int{}
			all := []*operation.Operation{}
			book := func(ops ...*operation.Operation) {
				mu.Lock()
				defer mu.Unlock()
				for _, op := range ops {
					receipts[op]++
				}
			}
			accept := func(op *operation.Operation, err error) {
				if err != nil {
					t.Errorf("not accepted: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, op)
			}
			var wg sync.WaitGroup
			for p := range 3 {
				wg.Go(func() {
					for i := range 400 {
						switch (i + p) % 7 {
						case 0:
							book(cancelledBy(q.CancelAll())...)
						case 1:
							op, r, err := q.Interrupt(t.Context(), play())
							accept(op, err)
							book(cancelledBy(r)...)
						case 2:
							op, err := q.Enqueue(t.Context(), play())
							accept(op, err)
							if got, err := q.Cancel(op.ID()); err == nil {
								book(got)
							}
						case 3:
							accept(q.Enqueue(t.Context(), play(), queue.ClientContext("ends at once")))
						default:
							accept(q.Enqueue(t.Context(), play()))
						}
					}
				})
			}
			wg.Wait()
			book(cancelledBy(q.Close(nil))...)
			for _, op := range all {
				want := 1
				if op.Status() == operation.Completed {
					want = 0
				}
				if !op.Status().Terminal() || receipts[op] != want {
					t.Errorf("%v %v is in %d receipts, want %d", op.Status(), reason(op), receipts[op], want)
				}
			}
			if len(receipts) > len(all) {
				t.Errorf("%d in receipts, %d accepted", len(receipts), len(all))
			}
		})
	}
}

func TestCancelOnAnEmptyQueueHasAnEmptyReceipt(t *testing.T) {
	t.Parallel()
	q := newQueue(t, &queuetest.Media{})
	for range 2 {
		r := q.CancelAll()
		if r.Len() != 0 || r.Operation().Status() != operation.Completed {
			t.Errorf("receipt of %d, own operation %v", r.Len(), r.Operation().Status())
		}
		q.Close(nil) // and on a closed one
	}
}

func TestCancelEndsOneAndKeepsTheOrderOfTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := &queuetest.Media{}
		q := newQueue(t, m)
		ops := enqueue(t, q, 5)
		synctest.Wait()
		for _, i := range []int{2, 4, 0} {
			op, err := q.Cancel(ops[i].ID())
			if err != nil || op != ops[i] || reason(op) != operation.Cancelled {
				t.Errorf("Cancel(%d) = %v, %v", i, op, err)
			}
			if _, err := q.Cancel(ops[i].ID()); !errors.Is(err, queue.ErrNotFound) {
				t.Errorf("a second Cancel(%d): %v, want ErrNotFound", i, err)
			}
			if _, ok := q.Operation(ops[i].ID()); ok {
				t.Errorf("Operation(%d) is found after its cancel", i)
			}
		}
		synctest.Wait()
		s := q.Snapshot()
		if s.Running != ops[1] || len(s.Waiting) != 1 || s.Waiting[0] != ops[3] {
			t.Errorf("left: %v, %v", s.Running, s.Waiting)
		}
		if op, ok := q.Operation(ops[3].ID()); !ok || op != ops[3] {
			t.Error("a waiting operation is not found")
		}
		q.Enqueue(t.Context(), play())
		if n := len(q.Snapshot().Waiting); n != 2 {
			t.Errorf("%d waiting after the tail was cancelled, want 2", n)
		}
	})
}

// G7.
func TestInterruptIsOneStep(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	rec := &queuetest.Recorder{}
	const atMost = 200 // wait: however slow this goroutine is, the others make only so many events
	q := newQueue(t, m, queue.WithMaxPending(atMost), queue.WithInlineMedia(), queue.WithInlineObserver(rec))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !isClosed(stop) {
				q.Enqueue(t.Context(), play())
			}
		})
	}
	var barged []*operation.Operation
	for range 200 {
		op, _, err := q.Interrupt(t.Context(), bargeIn())
		if err != nil {
			t.Fatal(err)
		}
		barged = append(barged, op)
	}
	close(stop)
	wg.Wait()
	q.Close(nil)
	<-q.Done()
	rec.Check(t)
	// Between the cancel and the new operation there is nothing: its Accepted follows the last
	// Ended of what it ended, or is the very first thing where there was nothing.
	events := rec.Events()
	before := map[*operation.Operation]int{}
	live := 0
	for _, e := range events {
		switch e.Kind {
		case queue.Accepted:
			before[e.Operation] = live
			live++
		case queue.Ended:
			live--
		}
	}
	for i, op := range barged {
		if before[op] != 0 {
			t.Errorf("interrupt %d found %d operations before it", i, before[op])
		}
	}
}

// G7, for sure: who gets the end of what it ended finds the new operation accepted already.
func TestNothingGetsBetweenAnInterruptsCancelAndItsOperation(t *testing.T) {
	t.Parallel()
	var q *queue.Queue
	rec := &queuetest.Recorder{OnEvent: func(e queue.Event) {
		if e.Result().Reason == operation.BargedIn && e.Operation.ClientContext() == "" {
			q.Enqueue(t.Context(), play(), queue.ClientContext("between"))
		}
	}}
	q = newQueue(t, &queuetest.Media{}, queue.WithInlineMedia(), queue.WithInlineObserver(rec))
	enqueue(t, q, 1)
	op, _, err := q.Interrupt(t.Context(), play(), queue.ClientContext("new"))
	if err != nil {
		t.Fatal(err)
	}
	if s := q.Snapshot(); s.Running != op || len(s.Waiting) != 1 {
		t.Errorf("%q runs, %d wait", s.Running.ClientContext(), len(s.Waiting))
	}
}

func TestARefusedInterruptCancelsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		blocked := make(chan struct{})
		defer close(blocked)
		q := newQueue(t, &queuetest.Media{}, queue.WithMaxPending(2), queue.WithStopTimeout(time.Second),
			queue.WithObserver(queue.ObserverFunc(func(queue.Event) { <-blocked })))
		ops := enqueue(t, q, 3) // full
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		long := queue.ClientContext(string(make([]byte, 257)))
		try := func(want string, ctx context.Context, req operation.Request, opts ...queue.EnqueueOption) {
			t.Helper()
			op, r, err := q.Interrupt(ctx, req, opts...)
			if err == nil || op != nil || r.Len() != 0 {
				t.Errorf("%s: accepted %v, receipt of %d, error %v", want, op, r.Len(), err)
			}
			for i, op := range ops {
				if op.Status().Terminal() {
					t.Fatalf("%s: operation %d is %v", want, i, op.Status())
				}
			}
		}
		try("nil request", t.Context(), nil)
		try("invalid", t.Context(), &operation.PlayPrompt{})
		try("dead context", dead, play())
		try("client context", t.Context(), play(), long)
		try("id", t.Context(), play(), queue.ID(ops[1].ID()))

		op, r, err := q.Interrupt(t.Context(), play()) // a full queue does not refuse it
		if err != nil || r.Len() != 3 || reason(ops[0]) != operation.BargedIn {
			t.Fatalf("Interrupt on a full queue: %v, receipt of %d, %v", err, r.Len(), reason(ops[0]))
		}
		ops = []*operation.Operation{op}
		for q.Snapshot().Undelivered <= 8 { // four full queues of undelivered ends
			if op, _, err = q.Interrupt(t.Context(), play()); err != nil {
				t.Fatal(err)
			}
			ops = []*operation.Operation{op}
		}
		try("observer too far behind", t.Context(), play())
		q.CancelAll()
		q.Seal()
		ops = nil
		try("sealed", t.Context(), play())
	})
}

func TestARecordThatBargesInInterrupts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, &queuetest.Media{})
		ops := enqueue(t, q, 3)
		op, err := q.Enqueue(t.Context(), bargeIn())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i, op := range ops {
			if !errors.Is(op.Err(), operation.Cancelled) || reason(op) != operation.BargedIn {
				t.Errorf("%d: %v", i, op.Err())
			}
		}
		if op.Status() != operation.Running {
			t.Errorf("the record is %v", op.Status())
		}
	})
}
