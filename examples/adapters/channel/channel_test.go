package channel_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/examples/adapters/channel"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestTheAdapterKeepsTheContract(t *testing.T) {
	t.Parallel()
	h := queuetest.Harness{
		New: func(t testing.TB) queue.Media {
			t.Helper()
			s := newStandIn(t)
			return wired{adapt(t, s), s}
		},
		Ends:         func() operation.Request { return play("short") },
		Lasts:        func() operation.Request { return play("long") },
		Fails:        func() operation.Request { return play("nothing") },
		BlockBackend: func(m queue.Media) func() { return m.(wired).standIn.stall() },
		FramesSent:   func(m queue.Media) int { return m.(wired).standIn.heardFor() },
		MaxTail:      -1,               // it plays until the break
		Timeout:      10 * time.Second, // longer than a machine is held up
	}
	inMemory := h
	inMemory.New = func(t testing.TB) queue.Media {
		t.Helper()
		a, b := newLine()
		s := standInOn(t, a, b)
		return wired{adapt(t, s), s}
	}
	for name, opts := range map[string][]queue.Option{
		"with default delivery": nil,
		"with inline delivery":  {queue.WithInlineMedia()},
	} {
		h, inMemory := h, inMemory
		h.Options, inMemory.Options = opts, opts
		t.Run(name, func(t *testing.T) { t.Parallel(); queuetest.TestMedia(t, h) })
		t.Run(name+" in a bubble", func(t *testing.T) { t.Parallel(); queuetest.TestMediaInBubble(t, inMemory) })
	}
}

// deafened has an operation given up that the channel goes on playing, deaf to the break.
func deafened(t *testing.T, s *standIn) (*witness, *queue.Queue) {
	t.Helper()
	m := &witness{Channel: adapt(t, s), started: make(chan *operation.Operation, 12)}
	q, rec := newQueue(t, m)
	first := enqueue(t, q, "deaf")
	m.starts(t, first)
	q.CancelAll()
	abandoned(t, rec, first)
	s.begins(t, "deaf")
	return m, q
}

// The channel is deaf to the break, so the queue gives the first operation up. Its end comes when
// the next one has the media: that one must go on, be heard, and end with its own end.
func TestTheLateEndOfAnOperationGivenUpDoesNotEndTheNext(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"break", "done"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *standIn) {
				m, q := deafened(t, s)
				next, last := enqueue(t, q, "short"), enqueue(t, q, "short")
				m.starts(t, next)
				if !s.letGo(how) {
					t.Error("the first got no break")
				}
				for i, op := range []*operation.Operation{next, last} {
					_, err := op.Wait(within(t))
					if through := s.through(); err != nil || through < i+2 {
						t.Errorf("number %d ended, %v, when %d were through", i+2, err, through)
					}
					s.begins(t, "short")
				}
				if late := q.Snapshot().LateReports; late != 1 {
					t.Errorf("%d late reports, want that of the first", late)
				}
			})
		})
	}
}

// A break hits whatever plays: the one for an operation that waits must not be sent to the one
// before, nor be forgotten.
func TestAnOperationThatWaitsBehindOneGivenUpIsStoppedAtOnceAndNeverHeard(t *testing.T) {
	bubble(t, func(t *testing.T, s *standIn) {
		m, q := deafened(t, s)
		for range 10 {
			m.starts(t, enqueue(t, q, "long"))
			q.CancelAll()
		}
		last := enqueue(t, q, "short")
		s.letGo("break")
		s.begins(t, "short")
		if _, err := last.Wait(within(t)); err != nil {
			t.Errorf("the last: %v", err)
		}
		if n := q.Snapshot().Abandoned; n != 1 {
			t.Errorf("%d were given up, want the first only", n)
		}
	})
}

func TestALostEndAfterABreakDoesNotHoldUpTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, s *standIn) {
		q, rec := newQueue(t, adapt(t, s))
		first := enqueue(t, q, "mute")
		s.begins(t, "mute")
		q.CancelAll()
		abandoned(t, rec, first)
		if _, err := enqueue(t, q, "short").Wait(within(t)); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}

func TestALostNaturalEndIsNoticedByTheRunTimeout(t *testing.T) {
	bubble(t, func(t *testing.T, s *standIn) {
		q, _ := newQueue(t, adapt(t, s), queue.WithRunTimeout(50*shortly))
		lost, next := enqueue(t, q, "lost"), enqueue(t, q, "short")
		if _, err := lost.Wait(within(t)); !errors.Is(err, operation.TimedOut) {
			t.Errorf("without an end it ended: %v", err)
		}
		if _, err := next.Wait(within(t)); err != nil {
			t.Errorf("the next: %v", err)
		}
		if n := q.Snapshot().Abandoned; n != 0 {
			t.Errorf("%d were given up, want none, since nothing plays", n)
		}
	})
}

// A line that is too long is lost, and nothing else is.
func TestALineThatIsTooLongIsLostAlone(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q, _ := newQueue(t, adapt(t, s))
	playing := enqueue(t, q, "long")
	s.begins(t, "long")
	s.mu.Lock()
	s.say("EVENT channel %s", strings.Repeat("x", 200_000))
	s.mu.Unlock()
	q.CancelAll()
	if _, err := enqueue(t, q, "short").Wait(within(t)); err != nil {
		t.Errorf("what comes next: %v", err)
	}
	if r, _ := playing.Result(); r.Reason != operation.Cancelled {
		t.Errorf("what played ended with %v", r.Reason)
	}
}

// A back end that answers nothing any more is given up before what it owes takes memory.
func TestABackEndThatOwesManyAnswersIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *standIn) {
		q, _ := newQueue(t, adapt(t, s))
		defer s.stall()()
		var err error
		for range 100 {
			op := enqueue(t, q, "long")
			time.Sleep(shortly)
			q.CancelAll()
			time.Sleep(100 * shortly) // more than the stop timeout
			_, err = op.Wait(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "connection lost") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWithoutAConnectionEverythingFails(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q, _ := newQueue(t, adapt(t, s))
	ops := []*operation.Operation{enqueue(t, q, "long"), enqueue(t, q, "long")}
	s.begins(t, "long")
	s.hangUp()
	for i, op := range ops {
		if _, err := op.Wait(within(t)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("operation %d ended: %v", i, err)
		}
	}
}

func TestWhatCannotBePlayedFails(t *testing.T) {
	t.Parallel()
	q, _ := newQueue(t, adapt(t, newStandIn(t)))
	_, err := enqueue(t, q, "nothing").Wait(within(t))
	if !errors.Is(err, operation.PromptFailed) || !strings.Contains(err.Error(), "cannot open nothing") {
		t.Errorf("failed with %v", err)
	}
	_, err = enqueue(t, q, "short\nbreak").Wait(within(t))
	if !errors.Is(err, operation.NotDownloadable) {
		t.Errorf("two commands in one: %v", err)
	}
	record, err := q.Enqueue(t.Context(), &operation.RecordResponse{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "recordResponse") {
		t.Errorf("a record: %v", err)
	}
}

// wired is a channel and its back end.
type wired struct {
	*channel.Channel

	standIn *standIn
}

// witness is a channel that is closed when Start has returned.
type witness struct {
	*channel.Channel

	started chan *operation.Operation // as many as are started
}

func (w *witness) Start(t queue.Task) error {
	err := w.Channel.Start(t)
	w.started <- t.Operation
	return err
}

// starts waits until Start of op has returned.
func (w *witness) starts(t testing.TB, op *operation.Operation) {
	t.Helper()
	select {
	case started := <-w.started:
		if started != op {
			t.Errorf("%v was started, want %v", started.ID(), op.ID())
		}
	case <-within(t).Done():
		t.Fatal("nothing was started")
	}
}

// abandoned waits until the queue has given op up.
func abandoned(t testing.TB, rec *queuetest.Recorder, op *operation.Operation) {
	t.Helper()
	e, err := rec.Wait(within(t), queue.Released, op)
	if err != nil || e.Result().Reason != operation.Abandoned {
		t.Fatalf("released: %v, %v, want abandoned", e.Result().Reason, err)
	}
}

// begins waits until a file is heard.
func (s *standIn) begins(t testing.TB, file string) {
	t.Helper()
	select {
	case heard := <-s.begun:
		if heard != file {
			t.Errorf("heard %q, want %q", heard, file)
		}
	case <-within(t).Done():
		t.Fatalf("heard nothing, want %q", file)
	}
}

// bubble runs a test in fake time, with a back end in memory.
func bubble(t *testing.T, f func(t *testing.T, s *standIn)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := newLine()
		f(t, standInOn(t, a, b))
	})
}

func play(file string) *operation.PlayPrompt {
	return operation.Play(file)
}

func adapt(t testing.TB, s *standIn) *channel.Channel {
	t.Helper()
	c := channel.New(s.adapter)
	t.Cleanup(c.Close)
	return c
}

// newQueue makes a queue, impatient with stops, that the end of the test closes and waits for.
func newQueue(t testing.TB, m queue.Media, opts ...queue.Option) (*queue.Queue, *queuetest.Recorder) {
	t.Helper()
	rec := &queuetest.Recorder{}
	q, err := queue.New("call-1", m,
		append(opts, queue.WithObserver(rec), queue.WithStopTimeout(50*shortly))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q.Close(nil)
		<-q.Done()
	})
	return q, rec
}

func enqueue(t testing.TB, q *queue.Queue, file string) *operation.Operation {
	t.Helper()
	op, err := q.Enqueue(t.Context(), play(file))
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// within is a context for what must happen soon.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
