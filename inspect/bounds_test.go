package inspect_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/inspect"
	"ivrqueue/internal/goroutines"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

func TestOptionsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]inspect.Option{
		"":                         nil,
		`WithPath("")`:             inspect.WithPath(""),
		`WithPath("debug/")`:       inspect.WithPath("debug/"),
		`WithPath("/debug")`:       inspect.WithPath("/debug"),
		"WithMaxCalls(0)":          inspect.WithMaxCalls(0),
		"WithRetention(-1, 1s)":    inspect.WithRetention(-1, time.Second),
		"WithRetention(1, -1s)":    inspect.WithRetention(1, -time.Second),
		"WithMaxOperations(7)":     inspect.WithMaxOperations(7),
		"WithMaxOperations(10001)": inspect.WithMaxOperations(10_001),
		"WithMaxStreams(0)":        inspect.WithMaxStreams(0),
		"WithOwner: nil function":  inspect.WithOwner(nil),
	} {
		_, err := inspect.New(o, inspect.WithPath("/"), inspect.WithMaxCalls(1), inspect.WithRetention(0, 0),
			inspect.WithMaxOperations(8), inspect.WithMaxStreams(1)) // the right ones do not hide it
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, o := range []inspect.Option{
		inspect.WithPath("/"), inspect.WithMaxCalls(1), inspect.WithRetention(0, 0),
		inspect.WithMaxOperations(8), inspect.WithMaxOperations(10_000), inspect.WithMaxStreams(1),
	} {
		if _, err := inspect.New(o); err != nil {
			t.Error(err)
		}
	}
}

func TestAttachmentsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	q := newQueue(t, h, "a")
	other := newQueue(t, newHandler(t), "b")
	gone := newQueue(t, h, "c")
	gone.Close(nil)
	<-gone.Done()
	labels := func(l ...inspect.Label) inspect.Attachment { return inspect.Attachment{Queue: q, Labels: l} }
	for _, test := range []struct {
		name string
		a    inspect.Attachment
		want string
	}{
		{"no queue", inspect.Attachment{}, "nil Queue"},
		{"a queue of others", inspect.Attachment{Queue: other}, "queue.WithObserver(handler)"},
		{"a queue that is closed", inspect.Attachment{Queue: gone}, "queue: closed"},
		{"a long owner", inspect.Attachment{Queue: q, Owner: strings.Repeat("a", 257)}, "owner is 257 bytes"},
		{"too many labels", labels(make([]inspect.Label, 9)...), "labels is 9, must be at most 8"},
		{"a label without a name", labels(inspect.Label{Value: "x"}), "labels[0].name is empty"},
		{"a long name", labels(inspect.Label{Name: strings.Repeat("ä", 65)}), "labels[0].name is 65 characters"},
		{"a long value", labels(inspect.Label{Name: "a", Value: strings.Repeat("ä", 257)}), "labels[0].value is 257"},
		{"no Unicode", labels(inspect.Label{Name: "a", Value: "\xff"}), "labels[0].value is invalid UTF-8"},
	} {
		if _, err := h.Attach(test.a); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	c, err := h.Attach(labels(inspect.Label{Name: strings.Repeat("ä", 64), Value: strings.Repeat("ä", 256)}))
	if err != nil {
		t.Fatal(err)
	}
	for n := range inspect.MaxLabels - 1 {
		if err := c.SetLabel(strconv.Itoa(n), "x"); err != nil {
			t.Error(err)
		}
	}
	var field *operation.FieldError
	if err := c.SetLabel("more", "x"); !errors.As(err, &field) || field.Field != "labels" {
		t.Errorf("a label too many: got %v", err)
	}
	if err := c.SetLabel("1", "y"); err != nil {
		t.Error(err)
	}
	if err := c.SetLabel("", "y"); !errors.As(err, &field) || field.Field != "label.name" {
		t.Errorf("a label without a name: got %v", err)
	}
	q.Close(nil)
	<-q.Done()
	other.Close(nil)
	<-other.Done()
}

// Attached or not, early or late: a call is there once, with what was said last.
func TestACallIsThereWithoutAttach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		id := uuid.New()
		p := &phone{tb: t, queue: newQueue(t, h, id.String())}
		equal(t, "calls before an operation", len(look(t, h, "").calls), 0)
		p.enqueue(play("a.wav"))
		synctest.Wait()
		s := look(t, h, "")
		equal(t, "calls", len(s.calls), 1)
		h.Attempt(webhook.Attempt{CallID: id, DeliveryID: uuid.New(), Number: 1, Status: 200, Last: true})
		equal(t, "it is known by its id", len(look(t, h, "?call=1").deliveries), 1)
		first, second := new(tone.Stream), new(tone.Stream)
		for i, stream := range []*tone.Stream{first, second, nil} {
			_, err := h.Attach(inspect.Attachment{Queue: p.queue, Tones: stream, Labels: []inspect.Label{{Name: "n", Value: strconv.Itoa(i)}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		_, _ = first.Publish(tone.Tone1)
		_, _ = second.Publish(tone.Tone2)
		synctest.Wait()
		s = look(t, h, "")
		equal(t, "calls", len(s.calls), 1)
		equal(t, "its label", at(s.calls[1], "labels", 0, 1), any("2"))
		equal(t, "keys, of the second stream alone", at(s.calls[1], "keys"), any(1.0))
		p.queue.Close(nil)
		<-p.queue.Done()
		synctest.Wait()
		_, _ = second.Publish(tone.Tone3)
		if _, err := h.Attach(inspect.Attachment{Queue: p.queue, Tones: second}); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("a call that has ended: %v", err)
		}
		_, _ = second.Publish(tone.Tone3)
		synctest.Wait()
		equal(t, "keys after the end", at(look(t, h, "").calls[1], "keys"), any(1.0))
	})
}

// A call that is recorded from its middle on has operations that were never seen waiting.
func TestNeverFewerThanNoneWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithMaxCalls(1))
		first := ring(t, h, "first")
		p := &phone{tb: t, queue: newQueue(t, h, "p"), tones: new(tone.Stream)}
		for range 3 {
			p.enqueue(play("a.wav"))
		}
		synctest.Wait()
		first.hangUp()
		p.enqueue(play("a.wav"))
		for range 5 {
			time.Sleep(time.Second)
			for _, c := range look(t, h, "").calls {
				if waiting, _ := c["waiting"].(float64); waiting < 0 {
					t.Errorf("%v wait", waiting)
				}
			}
		}
		p.hangUp()
	})
}

// Live calls are bounded, and those that there is no room for are counted.
func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithMaxCalls(2))
		a, b := ring(t, h, "a"), ring(t, h, "b")
		q := newQueue(t, h, "c")
		if _, err := h.Attach(inspect.Attachment{Queue: q}); !errors.Is(err, inspect.ErrFull) {
			t.Errorf("got %v, want %v", err, inspect.ErrFull)
		}
		p := &phone{tb: t, queue: newQueue(t, h, "d")} // which nobody attaches
		for range 5 {
			p.enqueue(play("a.wav"))
		}
		synctest.Wait()
		s := look(t, h, "")
		equal(t, "calls", len(s.calls), 2)
		equal(t, "calls that are not recorded", s.last["unrecorded"], any(2.0))
		a.hangUp()
		synctest.Wait()
		if _, err := h.Attach(inspect.Attachment{Queue: q}); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
		equal(t, "calls", len(look(t, h, "").calls), 3)
		for _, q := range []*queue.Queue{b.queue, q, p.queue} {
			q.Close(nil)
			<-q.Done()
		}
	})
}

// Calls that have ended stay for a while: so many, and so long, also if nobody looks.
func TestEndedCallsGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithRetention(3, time.Minute))
		c := watch(t, h, "")
		var s state
		for i := range 5 {
			p := ring(t, h, strconv.Itoa(i))
			time.Sleep(10 * time.Second)
			p.hangUp()
		}
		time.Sleep(time.Second)
		s.know(c.events(t))
		equal(t, "calls", len(s.calls), 3)
		equal(t, "the oldest of them", at(s.calls[3], "id"), any("2"))
		equal(t, "queues that are kept", h.Queues(), 0)
		c.leave()
		time.Sleep(50 * time.Second)
		equal(t, "calls after their time", len(look(t, h, "").calls), 1)
		equal(t, "its stream", get(t, h, "GET", "/debug/calls/events?call=3").status, 404)
		time.Sleep(time.Minute)
		equal(t, "calls in the end", h.Size(), 0)
		equal(t, "queues that are kept", h.Queues(), 0)

		none := newHandler(t, inspect.WithRetention(0, time.Hour))
		p := ring(t, none, "a")
		p.hangUp()
		synctest.Wait()
		equal(t, "calls that stay", none.Size(), 0)
	})
}

// What is kept of a call is bounded, also where more operations wait than there is room for; the
// counts are right all the same.
func TestWhatIsKeptOfACallIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 8
		h := newHandler(t, inspect.WithMaxOperations(most))
		p := ring(t, h, uuid.NewString())
		id := uuid.MustParse(p.queue.CallID())
		check := func(what string, operations, marks, deliveries int, waiting, completed, failed float64) {
			t.Helper()
			synctest.Wait()
			s := look(t, h, "?call=1")
			equal(t, what+": operations", len(s.operations), operations)
			equal(t, what+": marks", len(s.marks), marks)
			equal(t, what+": deliveries", len(s.deliveries), deliveries)
			equal(t, what+": waiting", at(s.call, "waiting"), any(waiting))
			equal(t, what+": completed", at(s.call, "completed"), any(completed))
			equal(t, what+": failed", at(s.call, "failed"), any(failed))
		}
		for range 30 {
			p.enqueue(play("a.wav"))
		}
		check("all wait", most, 0, 0, 29, 0, 0)
		time.Sleep(5*time.Second + 500*time.Millisecond)
		check("some have ended", most, 0, 0, 24, 5, 0)
		p.queue.CancelAll()
		check("all have ended", most, 1, 0, 0, 5, 25)
		for range 20 {
			p.enqueue(play("a.wav"))
			time.Sleep(2 * time.Second)
		}
		check("one after the other", most, 1, 0, 0, 25, 25)
		for n := range 40 {
			_, _ = p.tones.Publish(tone.Tone1)
			synctest.Wait()
			p.shown.Note(strings.Repeat("long ", 100))
			h.Attempt(webhook.Attempt{CallID: id, DeliveryID: uuid.New(), Number: n + 1, Status: 200, Last: true})
		}
		check("keys and notes", most, 2*most, most, 0, 25, 25)
		for _, m := range look(t, h, "?call=1").marks {
			if text, _ := m["text"].(string); len(text) > 80 {
				t.Errorf("a note of %d bytes", len(text))
			}
		}
		p.hangUp()
	})
}

// Close forgets everything, and nothing comes after it.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "a")
		done := ring(t, h, "b")
		done.hangUp()
		c := watch(t, h, "")
		h.Close()
		<-c.done // by itself
		h.Close()
		p.enqueue(play("a.wav"))
		_, _ = p.tones.Publish(tone.Tone1)
		p.shown.Note("late")
		_ = p.shown.SetLabel("late", "x")
		h.Attempt(webhook.Attempt{CallID: uuid.New()})
		synctest.Wait()
		if _, err := h.Attach(inspect.Attachment{Queue: p.queue}); !errors.Is(err, inspect.ErrClosed) {
			t.Errorf("got %v, want %v", err, inspect.ErrClosed)
		}
		equal(t, "a stream", get(t, h, "GET", "/debug/calls/events").status, 503)
		equal(t, "calls", h.Size(), 0)
		p.hangUp()
	})
}

// What a call costs that nobody looks at: memory, and nothing else. The documentation has these
// numbers.
func TestACallThatNobodyLooksAtCostsWhatIsStated(t *testing.T) { //nolint:paralleltest // it measures
	h := newHandler(t)
	p := ring(t, h, "a")
	inline := queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
		return operation.Result{}, nil
	})
	request := play("https://prompts.example/welcome.wav")
	life := func(q *queue.Queue) func() {
		return func() {
			op, err := q.Enqueue(context.Background(), request)
			if err != nil {
				t.Fatal(err)
			}
			<-op.Done()
			for q.Snapshot().Undelivered > 0 {
				runtime.Gosched()
			}
		}
	}
	var allocations [2]float64
	for i, o := range []queue.Option{queue.WithObserver(queue.ObserverFunc(func(queue.Event) {})), queue.WithObserver(h)} {
		q, err := queue.New("a", inline, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * inspect.DefaultMaxOperations {
			life(q)()
		}
		// The counts are the whole process's, and the queues' watch has a timer for every millisecond
		// in which there is a callback, so the least of many is what an operation costs.
		allocations[i] = math.Inf(1)
		for range 20 {
			allocations[i] = min(allocations[i], testing.AllocsPerRun(50, life(q)))
		}
		q.Close(nil)
		<-q.Done()
	}
	if more := allocations[1] - allocations[0]; more > 0.1 {
		t.Errorf("%v allocations for each operation, want none", more)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = p.tones.Publish(tone.Tone1) }); n > 2 {
		t.Errorf("%v allocations for each key, want at most 2", n)
	}
	p.hangUp()

	const calls = 1000
	all := make([]*phone, calls)
	var before, after runtime.MemStats
	queues := make([]*queue.Queue, calls)
	for i := range queues {
		queues[i] = newQueue(t, h, "a")
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	running := goroutines.Count()
	for i, q := range queues {
		all[i] = &phone{tb: t, queue: q, tones: new(tone.Stream)}
		if _, err := h.Attach(inspect.Attachment{Queue: q, Tones: all[i].tones}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := goroutines.Count() - running; n > 10 { // a few are the runtime's
		t.Errorf("%d goroutines for idle calls", n)
	}
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / calls
	t.Logf("%d bytes for an idle call", each)
	if each > 900 {
		t.Errorf("%d bytes for an idle call, want at most 900", each)
	}
	for _, p := range all {
		p.hangUp()
	}
}

// BenchmarkObserve is an operation's life in the handler's eyes, beyond the queue's own cost.
func BenchmarkObserve(b *testing.B) {
	h := newHandler(b)
	q := newQueue(b, h, "a")
	request := play("https://prompts.example/welcome.wav")
	var events []queue.Event
	recorded, err := queue.New("b", queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
		return operation.Result{}, nil
	}), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) { events = append(events, e) })))
	if err != nil {
		b.Fatal(err)
	}
	for range 1000 {
		op, err := recorded.Enqueue(b.Context(), request)
		if err != nil {
			b.Fatal(err)
		}
		<-op.Done()
	}
	recorded.Close(nil)
	<-recorded.Done()
	events = events[:3000] // without Closed
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range 3 {
			e := events[n%len(events)]
			e.Queue = q
			h.Observe(e)
			n++
		}
	}
	q.Close(nil)
	<-q.Done()
}
