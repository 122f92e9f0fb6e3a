package queue_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// menu is a play that these keys end.
func menu(keys string) *operation.PlayPrompt {
	req := play()
	req.StopTones = tone.MustParseSet(keys)
	return req
}

func accept(t *testing.T, q *queue.Queue, req operation.Request) *operation.Operation {
	t.Helper()
	op, err := q.Enqueue(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// The first key silences the prompt, which has completed, and what waits begins when its media is
// through.
func TestAKeyEndsThePlayThatRuns(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(queue.Observer) []queue.Option) {
		rec := &queuetest.Recorder{}
		m := silentMedia()
		q := newQueue(t, m, form(rec)...)
		var keys tone.Stream
		defer keys.End()
		if _, err := keys.Handle(tone.All, q.Tone); err != nil {
			t.Fatal(err)
		}
		first, second := accept(t, q, menu("12#")), accept(t, q, menu("12#"))
		done := first.Done()
		time.Sleep(time.Second)
		m.Current().Progress(time.Second)
		press := func(k tone.Tone) {
			t.Helper()
			if _, err := keys.Publish(k); err != nil {
				t.Fatal(err)
			}
			idle()
		}
		if press(tone.Tone9); !first.Live() {
			t.Error("a key that is none of its own has ended it")
		}
		at := time.Now()
		press(tone.Tone2)
		r, ended := first.Result()
		if !ended || r != (operation.Result{Reason: operation.KeyPressed, Position: time.Second}) || first.Live() ||
			first.Err() != nil || first.Status() != operation.Completed || !isClosed(done) {
			t.Errorf("%+v, %v", r, first.Status())
		}
		if by, ok := first.Cause(); !ok || by != (operation.Cause{Tone: tone.Tone2, ToneSeq: 2}) {
			t.Errorf("ended by %+v, %v", by, ok)
		}
		if cause := context.Cause(first.Context()); !errors.Is(cause, operation.KeyPressed) {
			t.Errorf("the cause of its context is %v", cause)
		}
		if e, _ := rec.Find(queue.Ended, first); !e.Time.Equal(at) || e.Result() != r {
			t.Errorf("%+v", e)
		}
		if len(m.Stopped()) != 1 || second.Status() != operation.NotStarted {
			t.Errorf("%d stopped, the next is %v", len(m.Stopped()), second.Status())
		}
		if press(tone.Tone1); second.Status() != operation.NotStarted {
			t.Error("a key has ended what waits")
		}
		m.Current().End(operation.Result{Position: 1100 * time.Millisecond})
		idle()
		if e, ok := rec.Find(queue.Released, first); !ok || e.Result().Reason != operation.KeyPressed ||
			e.Result().Position != 1100*time.Millisecond || second.Status() != operation.Running {
			t.Errorf("released: %v, %+v; the next is %v", ok, e.Result(), second.Status())
		}
		time.Sleep(time.Nanosecond)
		press(tone.Pound)
		if reason(second) != operation.KeyPressed {
			t.Errorf("the second: %v", reason(second))
		}
		m.Current().End(operation.Result{})
		idle()
		rec.Check(t)
	})
}

// Only a key that was pressed after the start counts: one that is on its way when the play begins was
// not meant for it.
func TestAKeyFromBeforeTheStartEndsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, silentMedia())
		before := time.Now()
		time.Sleep(time.Second)
		op := accept(t, q, menu("1"))
		for name, e := range map[string]tone.Event{
			"from before":       {Tone: tone.Tone1, Time: before},
			"of its start":      {Tone: tone.Tone1, Time: op.Times().Started},
			"from before, wall": {Tone: tone.Tone1, Time: before.Round(0).UTC()},
			"none":              {Time: time.Now().Add(1)},
			"no tone":           {Tone: 99, Time: time.Now().Add(1)},
			"no tone either":    {Tone: tone.Flash + 1},
			"another":           {Tone: tone.Tone2},
		} {
			if q.Tone(e); !op.Live() {
				t.Fatalf("%s has ended it", name)
			}
		}
		if q.Tone(tone.Event{Tone: tone.Tone1}); reason(op) != operation.KeyPressed {
			t.Errorf("one without a time: %v", reason(op))
		}
	})
}

// A key finds the operation in every state of its life, and ends it in those in which it runs.
func TestAKeyInEveryStateOfALife(t *testing.T) {
	bubble(t, func(t *testing.T) {
		key := tone.Event{Tone: tone.Tone1}
		m := silentMedia()
		q := newQueue(t, m)
		q.Tone(key) // nothing runs
		op, waits := accept(t, q, menu("1")), accept(t, q, menu("1"))
		idle()
		q.CancelAll()
		q.Tone(key) // stopping
		if reason(op) != operation.Cancelled || reason(waits) != operation.Cancelled {
			t.Errorf("%v, %v", reason(op), reason(waits))
		}
		m.Current().End(operation.Result{})

		// Of two keys at once the first counts; a report that comes after it is the release.
		op = accept(t, q, menu("1"))
		idle()
		q.Tone(key)
		q.Tone(key)
		m.Current().End(operation.Result{})
		if r, _ := op.FinalResult(); reason(op) != operation.KeyPressed || r.Reason != operation.KeyPressed {
			t.Errorf("%v, finally %v", reason(op), r.Reason)
		}

		// A record has stop tones too, which are its media's.
		rec := accept(t, q, &operation.RecordResponse{StopTones: tone.All})
		idle()
		if q.Tone(key); !rec.Live() {
			t.Errorf("a record ended with %v", reason(rec))
		}
		q.Seal()
		q.Close(nil)
		q.Tone(key)
		m.Current().End(operation.Result{})
		<-q.Done()
		q.Tone(key)
	})
}

// A key that comes before Start is entered: the media never has the operation.
func TestAKeyBeforeTheMediaHasTheOperation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := silentMedia()
		var q *queue.Queue
		q = newQueue(t, m, queue.WithInlineMedia(), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Started {
				q.Tone(tone.Event{Tone: tone.Tone1})
			}
		})))
		op := accept(t, q, menu("1"))
		if reason(op) != operation.KeyPressed || !isClosed(op.Released()) || len(m.Started()) != 0 {
			t.Errorf("%v, %d started", reason(op), len(m.Started()))
		}
	})
}

// A Blocking function sees its context end, and returns what it likes.
func TestAKeyEndsABlockingFunction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, queue.Blocking(func(ctx context.Context, op queue.Active) (operation.Result, error) {
			<-ctx.Done()
			return operation.Result{Position: time.Second}, op.Err()
		}))
		op := accept(t, q, menu("1"))
		idle()
		q.Tone(tone.Event{Tone: tone.Tone1})
		<-op.Released()
		if r, ok := op.FinalResult(); !ok || r != (operation.Result{Reason: operation.KeyPressed, Position: time.Second}) {
			t.Errorf("%+v", r)
		}
	})
}

// ownMenu is a request of a platform's own kind.
type ownMenu struct{ stopsOn func() tone.Set }

func (ownMenu) Kind() operation.Kind { return "menu" }
func (ownMenu) Validate() error      { return nil }
func (m ownMenu) StopsOn() tone.Set  { return m.stopsOn() }

func TestARequestOfAPlatformsOwnMayHaveStopTones(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := newQueue(t, silentMedia())
		op := accept(t, q, ownMenu{func() tone.Set { return tone.SetOf(tone.Star) }})
		q.Tone(tone.Event{Tone: tone.Star})
		if reason(op) != operation.KeyPressed {
			t.Errorf("ended with %v", reason(op))
		}
		bad := play()
		bad.StopTones = 1 << 31
		for name, req := range map[string]operation.Request{
			"queue: request queue_test.ownMenu panicked: x": ownMenu{func() tone.Set { panic("x") }},
			"operation: stopTones is 0x1, must be":          ownMenu{func() tone.Set { return tone.All | 1 }},
			"operation: stopTones is 0x80000000, must be":   bad,
		} {
			if _, err := q.Enqueue(t.Context(), req); err == nil || !strings.HasPrefix(err.Error(), name) {
				t.Errorf("%v, want %s", err, name)
			}
		}
	})
}

// Keys, reports and cancels at once: each operation has one end.
func TestKeysRaceWithEverything(t *testing.T) {
	t.Parallel()
	rec := &queuetest.Recorder{}
	m := &queuetest.Media{OnStart: func(k queue.Task) error {
		go k.End(operation.Result{})
		return nil
	}}
	q := newQueueWithoutCleanup(t, m, queue.WithObserver(rec))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				if _, err := q.Enqueue(context.Background(), menu("1")); err != nil {
					t.Error(err)
				}
				q.Tone(tone.Event{Tone: tone.Tone1})
				if _, _, err := q.Interrupt(context.Background(), menu("1")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	q.Close(nil)
	arrives(t, "Done", q.Done())
	rec.Check(t)
}
