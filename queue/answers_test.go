package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// keyedCall is a call that takes an idempotency key. Of a CancelAll the operation is its own.
type keyedCall struct {
	name string
	make func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error)
}

var keyedCalls = []keyedCall{
	{"Enqueue", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		op, err := q.Enqueue(context.Background(), play(), opts...)
		return op, queue.Receipt{}, err
	}},
	{"EnqueueNext", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		op, err := q.EnqueueNext(context.Background(), play(), opts...)
		return op, queue.Receipt{}, err
	}},
	{"Interrupt", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		return q.Interrupt(context.Background(), play(), opts...)
	}},
	{"Enqueue of what barges in", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		op, err := q.Enqueue(context.Background(), bargeIn(), opts...)
		return op, queue.Receipt{}, err
	}},
	{"CancelAll", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		r := q.CancelAll(opts...)
		return r.Operation(), r, nil
	}},
}

func key(format string, args ...any) queue.EnqueueOption {
	return queue.IdempotencyKey(fmt.Sprintf(format, args...))
}

// silent is media that neither ends anything nor reports when it is stopped.
func silent() *queuetest.Media { return &queuetest.Media{OnStop: func(queue.Task) {}} }

// A repeat has the operation and the receipt of the first call, whatever else it is given, and
// nothing happens: also if all has ended and the queue is closed, until it is done.
func TestARepeatReturnsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range keyedCalls {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rec := &queuetest.Recorder{}
				q := newQueue(t, silent(), queue.WithObserver(rec))
				enqueue(t, q, 3)
				synctest.Wait() // the media has the first, and Done waits for it
				id := uuid.New()
				op, receipt, err := c.make(q, key("k"), queue.ID(id), queue.ClientContext("first"))
				if err != nil || op.ID() != id {
					t.Fatal(op, err)
				}
				repeat := func(when string, opts ...queue.EnqueueOption) {
					synctest.Wait()
					events, before := len(rec.Events()), q.Snapshot()
					again, r, err := c.make(q, append(opts, key("k"))...)
					if err != nil || again != op || !slices.Equal(cancelledBy(r), cancelledBy(receipt)) {
						t.Errorf("%s: %v, %d ended, %v; want %v, %d", when, again, r.Len(), err, op, receipt.Len())
					}
					synctest.Wait()
					after := q.Snapshot()
					if len(rec.Events()) != events || len(after.Waiting) != len(before.Waiting) || after.Running != before.Running {
						t.Errorf("%s: something has happened", when)
					}
				}
				repeat("at once")
				repeat("with the same id", queue.ID(id))
				repeat("with another id", queue.ID(uuid.New()))
				repeat("with another context", queue.ClientContext("again"))
				q.CancelAll()
				repeat("after a cancel")
				q.Close(nil)
				repeat("after the end")
				if isClosed(q.Done()) {
					t.Fatal("it is done: there was nothing to see")
				}
				<-q.Done()
				again, r, err := c.make(q, key("k"))
				if c.name == "CancelAll" {
					if again == op || r.Len() != 0 {
						t.Error("after Done the answer is kept")
					}
				} else if !errors.Is(err, queue.ErrClosed) || again != nil {
					t.Errorf("after Done: %v, %v, want ErrClosed", again, err)
				}
				if q.Answers() != 0 {
					t.Errorf("%d answers are kept after Done", q.Answers())
				}
			})
		})
	}
}

func TestAKeyOfAnotherCallIsRefused(t *testing.T) {
	t.Parallel()
	record := keyedCall{"Enqueue of a record", func(q *queue.Queue, opts ...queue.EnqueueOption) (*operation.Operation, queue.Receipt, error) {
		op, err := q.Enqueue(context.Background(), &operation.RecordResponse{}, opts...)
		return op, queue.Receipt{}, err
	}}
	all := append(slices.Clone(keyedCalls), record)
	for i, first := range all {
		for k, second := range all {
			if i == k || first.name == record.name && second.name == "Enqueue of what barges in" ||
				second.name == record.name && first.name == "Enqueue of what barges in" { // the same kind
				continue
			}
			q := newQueue(t, silent())
			if _, _, err := first.make(q, key("k")); err != nil {
				t.Fatal(err)
			}
			enqueue(t, q, 1)
			before := len(q.Snapshot().Waiting)
			op, r, err := second.make(q, key("k"))
			if second.name == "CancelAll" { // it is never refused
				if again := q.CancelAll(key("k")); r.Len() == 0 || again.Operation() == op || q.Snapshot().Running != nil {
					t.Errorf("%s, then CancelAll: it has ended %d", first.name, r.Len())
				}
				continue
			}
			if !errors.Is(err, queue.ErrKeyReused) || op != nil || r.Len() != 0 || len(q.Snapshot().Waiting) != before {
				t.Errorf("%s, then %s: %v, %v, want ErrKeyReused", first.name, second.name, op, err)
			}
		}
	}
}

func TestAnAnswerIsRememberedForItsTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, c := range []struct {
			opt queue.Option
			age time.Duration
		}{{nil, queue.DefaultKeyAge}, {queue.WithIdempotency(2, 3*time.Second), 3 * time.Second}} {
			q := newQueue(t, &queuetest.Media{}, c.opt)
			accept := keyedCalls[0].make
			first, _, _ := accept(q, key("k"))
			time.Sleep(c.age - 1)
			if again, _, err := accept(q, key("k")); again != first || err != nil {
				t.Errorf("below %v: %v, %v", c.age, again, err)
			}
			time.Sleep(time.Nanosecond) // a repeat has not made it younger
			again, _, err := accept(q, key("k"))
			if again == first || err != nil {
				t.Errorf("at %v: %v, %v", c.age, again, err)
			}
			if third, _, _ := accept(q, key("k")); third != again || q.Answers() != 1 {
				t.Errorf("the second one is not remembered; %d are", q.Answers())
			}
		}
	})
}

func TestTheLastAnswersAreRemembered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		opt queue.Option
		n   int
	}{{nil, queue.DefaultMaxKeys}, {queue.WithIdempotency(1, time.Hour), 1}, {queue.WithIdempotency(3, time.Hour), 3}} {
		q := newQueue(t, silent(), c.opt)
		accept := keyedCalls[0].make
		first, _, _ := accept(q, key("first"))
		for i := range c.n - 1 {
			accept(q, key("%d", i))
		}
		if again, _, err := accept(q, key("first")); again != first || err != nil {
			t.Errorf("one of %d: %v, %v", c.n, again, err)
		}
		accept(q, key("one more"))
		if again, _, err := accept(q, key("first")); again == first || err != nil || q.Answers() != c.n {
			t.Errorf("one of %d: %v, %v; %d are remembered", c.n+1, again, err, q.Answers())
		}
	}
}

// Receipts name many operations, and a few keys must not keep thousands.
func TestReceiptsAreRememberedWithinABound(t *testing.T) {
	t.Parallel()
	q := newQueue(t, silent(), queue.WithMaxPending(0))
	cancel := func(name string, n int) queue.Receipt {
		enqueue(t, q, n)
		return q.CancelAll(key("%s", name))
	}
	remembered := func(r queue.Receipt, name string) bool {
		return q.CancelAll(key("%s", name)).Operation() == r.Operation()
	}
	a, b := cancel("a", 512), cancel("b", 512)
	if !remembered(a, "a") || !remembered(b, "b") {
		t.Error("1,024 operations are too many")
	}
	c := cancel("c", 1)
	if !remembered(b, "b") || !remembered(c, "c") || q.Answers() != 2 {
		t.Errorf("with one more %d answers are kept, want 2", q.Answers())
	}
	d := cancel("d", 5000)
	if !remembered(d, "d") || q.Answers() != 1 {
		t.Errorf("of a large one %d are kept, want the last", q.Answers())
	}
	if e := cancel("e", 0); !remembered(e, "e") || q.Answers() != 1 {
		t.Errorf("after it %d are kept, want the last", q.Answers())
	}
}

func TestARefusedCallMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	m := &queuetest.Media{}
	q := newQueue(t, m, queue.WithMaxPending(1))
	ops := enqueue(t, q, 2)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Enqueue(t.Context(), play(), key("k")); !errors.Is(err, queue.ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	if _, _, err := q.Interrupt(t.Context(), play(), key("k"), queue.ID(ops[0].ID())); !errors.Is(err, queue.ErrDuplicateID) {
		t.Fatalf("%v, want ErrDuplicateID", err)
	}
	if _, err := q.Enqueue(over, play(), key("k")); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want Canceled", err)
	}
	if q.Answers() != 0 {
		t.Error("what was refused is remembered")
	}
	q.Cancel(ops[1].ID())
	op, err := q.Enqueue(t.Context(), play(), key("k"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := q.Enqueue(t.Context(), play(), key("k")); again != op || err != nil { // it is full
		t.Errorf("%v, %v", again, err)
	}
	if _, err := q.Enqueue(over, play(), key("k")); !errors.Is(err, context.Canceled) {
		t.Errorf("a repeat with a context that is over: %v", err)
	}
	if _, err := q.Enqueue(t.Context(), &operation.PlayPrompt{}, key("k")); err == nil {
		t.Error("a repeat with a wrong request is no error")
	}
}

func TestOfCallsWithOneKeyOneIsDone(t *testing.T) {
	t.Parallel()
	for _, c := range keyedCalls {
		q := newQueue(t, silent())
		enqueue(t, q, 3)
		answers := make([]*operation.Operation, 16)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], _, _ = c.make(q, key("k")) })
		}
		all.Wait()
		for _, op := range answers {
			if op == nil || op != answers[0] {
				t.Errorf("%s: %v and %v", c.name, op, answers[0])
			}
		}
	}
}

func TestAWrongKeyIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key  string
		says string
	}{
		"empty":            {"", `idempotencyKey is "", must be 1 to 256 characters`},
		"one character":    {"k", ""},
		"256 characters":   {strings.Repeat("ü", 256), ""},
		"257 characters":   {strings.Repeat("k", 257), "idempotencyKey is 257 characters, must be 1 to 256 characters"},
		"invalid UTF-8":    {"a\xff", "idempotencyKey is invalid UTF-8"},
		"a text that lies": {strings.Repeat("\xff", 257), "257 characters"},
	} {
		for _, call := range keyedCalls {
			q := newQueue(t, silent())
			enqueue(t, q, 1)
			op, r, err := call.make(q, queue.IdempotencyKey("the last one counts"), queue.IdempotencyKey(c.key))
			switch {
			case call.name == "CancelAll": // it is never refused
				if again := q.CancelAll(queue.IdempotencyKey(c.key)); r.Len() == 0 || (again.Operation() == op) != (c.says == "") {
					t.Errorf("%s: CancelAll has ended %d", name, r.Len())
				}
			case c.says == "" && err == nil:
			case c.says == "" || err == nil || !strings.Contains(err.Error(), c.says) || op != nil || r.Len() != 0:
				t.Errorf("%s: %s: %v, %v, want an error that says %q", name, call.name, op, err, c.says)
			}
		}
	}
	q := newQueue(t, silent())
	if _, err := q.Cancel(uuid.New(), key("k")); err == nil || !strings.Contains(err.Error(), "IdempotencyKey") {
		t.Errorf("Cancel: %v", err)
	}
	if _, err := q.CancelWhere(func(*operation.Operation) bool { return true }, key("k")); err == nil {
		t.Error("CancelWhere takes a key")
	}
	for n, d := range map[int]time.Duration{0: time.Second, -1: time.Second, 1: 0, 2: -1} {
		_, err := queue.New("c", silent(), queue.WithIdempotency(n, d))
		if err == nil || !strings.Contains(err.Error(), "WithIdempotency") {
			t.Errorf("WithIdempotency(%d, %v): %v", n, d, err)
		}
	}
}

// What is remembered keeps an operation; what is not, does not: after the bound, and after Done. A key
// that is a part of a message does not keep that.
func TestAnswersThatAreDroppedKeepNothing(t *testing.T) {
	t.Parallel()
	q := newQueueWithoutCleanup(t, instant{}, queue.WithIdempotency(2, time.Hour))
	var ops []weak.Pointer[operation.Operation]
	var messages []weak.Pointer[[1 << 16]byte]
	for i := range 3 {
		message := new([1 << 16]byte)
		message[0] = 'a' + byte(i)
		messages = append(messages, weak.Make(message))
		part := unsafe.String(&message[0], 8)
		op, err := q.Enqueue(t.Context(), play(), queue.IdempotencyKey(part))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := op.Wait(within(t)); err != nil {
			t.Fatal(err)
		}
		ops = append(ops, weak.Make(op))
	}
	enqueue(t, q, 1)[0].Wait(within(t)) // the queue may hold the last one
	kept := func(want ...bool) bool {
		for i, w := range want {
			if (ops[i].Value() != nil) != w || messages[i].Value() != nil {
				return false
			}
		}
		return true
	}
	await := func(when string, want ...bool) {
		t.Helper()
		if !collected(func() bool { return !kept(want...) }) {
			t.Fatalf("%s: what is kept is not %v", when, want)
		}
	}
	await("of three the last two", false, true, true)
	q.Close(nil)
	<-q.Done()
	await("after Done", false, false, false)
	runtime.KeepAlive(q)
}
