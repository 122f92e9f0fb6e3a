package queuetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// record makes a recorder of events that are quick to write: a letter for the kind, a
// letter for the operation.
func record(events ...string) *queuetest.Recorder {
	kinds := map[byte]queue.EventKind{
		'a': queue.Accepted, 's': queue.Started, 'e': queue.Ended,
		'r': queue.Released, 'c': queue.Closed,
	}
	ops := map[byte]*operation.Operation{'A': {}, 'B': {}, 'C': {}, '-': nil}
	rec := &queuetest.Recorder{}
	for i, e := range events {
		rec.Observe(queue.Event{Seq: uint64(i + 1), Kind: kinds[e[0]], Operation: ops[e[1]]})
	}
	return rec
}

func TestCheckFindsWhatAQueueMustNotDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		events string
		says   string // empty: all is well
	}{
		{"nothing", "", ""},
		{"lives one after the other", "aA sA aB eA sB eB c-", ""},
		{"an end before the start", "aA aB sA eA eB rA", ""},
		{"the next starts before the release", "aA sA aB eA sB rA eB c-", ""},
		{"never accepted", "sA eA", "started follows"},
		{"accepted twice", "aA aA sA eA", "accepted follows accepted"},
		{"started twice", "aA sA sA eA", "started follows started"},
		{"two at once", "aA aB sA sB eA eB", "started follows accepted"},
		{"ended twice", "aA sA eA eA", "ended follows ended"},
		{"released while it runs", "aA sA rA", "released follows started"},
		{"released without a start", "aA eA rA", "released follows ended"},
		{"released twice", "aA sA eA rA rA", "released follows released"},
		{"not ended", "aA sA", "has not ended"},
		{"something after closed", "aA eA c- aB eB", "after closed"},
	} {
		f := &fake{TB: t}
		record(strings.Fields(c.events)...).Check(f)
		if f.Failed() != (c.says != "") || !strings.Contains(f.String(), c.says) {
			t.Errorf("%s: failed %v, said %q, want %q", c.name, f.Failed(), f, c.says)
		}
	}

	gap := &queuetest.Recorder{}
	gap.Observe(queue.Event{Seq: 2, Kind: queue.Closed})
	f := &fake{TB: t}
	if gap.Check(f); !strings.Contains(f.String(), "has number 2") {
		t.Errorf("a gap: said %q", f)
	}
}

func TestTheRecorderFindsEventsAndWaitsForThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &queuetest.Media{}
		rec := &queuetest.Recorder{}
		q, err := queue.New("call-1", m, queue.WithObserver(rec))
		if err != nil {
			t.Fatal(err)
		}
		op, err := q.Enqueue(t.Context(), script{length: -1})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, ok := rec.Find(queue.Ended, op); ok || len(rec.Of(op)) != 2 {
			t.Errorf("%d events, ended: %v", len(rec.Of(op)), ok)
		}
		time.AfterFunc(time.Second, func() { q.Close(nil) })
		if e, err := rec.Wait(t.Context(), queue.Closed, nil); err != nil || e.Kind != queue.Closed {
			t.Errorf("waited for closed: %v, %v", e.Kind, err)
		}
		e, ok := rec.Find(queue.Ended, op)
		if !ok || e.Result().Reason != operation.CallEnded {
			t.Errorf("found %v, %v", ok, e.Result().Reason)
		}
		rec.Check(t)
		want := "1 accepted A\n2 started A\n3 ended A callEnded\n4 released A cancelled\n5 closed callEnded\n"
		if got := rec.String(); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}

		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := rec.Wait(ctx, queue.Ended, &operation.Operation{}); !errors.Is(err, why) {
			t.Errorf("waited for what never comes: %v", err)
		}
	})
}

func TestALongRecordHasANameForEveryOperation(t *testing.T) {
	t.Parallel()
	rec := &queuetest.Recorder{}
	for i := range 28 {
		rec.Observe(queue.Event{Seq: uint64(i + 1), Kind: queue.Accepted, Operation: &operation.Operation{}})
	}
	if got := rec.String(); !strings.HasSuffix(got, "26 accepted Z\n27 accepted A1\n28 accepted B1\n") {
		t.Errorf("got %s", got)
	}
}
