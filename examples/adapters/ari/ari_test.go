package ari_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/adapters/ari"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestTheAdapterKeepsTheContract(t *testing.T) {
	t.Parallel()
	queuetest.TestMedia(t, queuetest.Harness{
		New: func(t testing.TB) queue.Media {
			t.Helper()
			s := newStandIn(t)
			return wired{connectFor(t, s, 50*shortly).Media("ch-1"), s}
		},
		Ends:   func() operation.Request { return play("short") },
		Lasts:  func() operation.Request { return play("long") },
		Fails:  func() operation.Request { return play("nothing") },
		Stall:  func(m queue.Media) func() { return m.(wired).standIn.stall() },
		Heard:  func(m queue.Media) int { return m.(wired).standIn.heardFor() },
		Tail:   -1,            // the server plays until the playback is removed
		Within: 200 * shortly, // more than it takes for a Start to run out of patience, twice
	})
}

// wired is a channel's media and its server.
type wired struct {
	queue.Media

	standIn *standIn
}

func TestAnEndThatOvertakesTheAnswerCounts(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q := newQueue(t, connect(t, s).Media("ch-1"))
	op := enqueue(t, q, "early")
	if r, err := op.Wait(within(t)); err != nil || r.Reason != operation.Succeeded {
		t.Errorf("with the answer held back it ended: %v, %v", r.Reason, err)
	}
	next := enqueue(t, q, "short")
	if next.Status() != operation.NotStarted {
		t.Errorf("while Start waits for the answer, the next is %v", next.Status())
	}
	close(s.release)
	if _, err := next.Wait(within(t)); err != nil {
		t.Errorf("the next: %v", err)
	}
}

func TestALostEndIsNoticedByTheRunTimeoutAndAnsweredByTheServer(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	rec := &queuetest.Recorder{}
	q := newQueue(t, connect(t, s).Media("ch-1"), queue.WithObserver(rec),
		queue.WithRunTimeout(50*shortly))
	lost, next := enqueue(t, q, "lost"), enqueue(t, q, "short")
	if _, err := lost.Wait(within(t)); !errors.Is(err, operation.TimedOut) {
		t.Errorf("without an end it ended: %v", err)
	}
	if _, err := next.Wait(within(t)); err != nil {
		t.Errorf("the next: %v", err)
	}
	if e, ok := rec.Find(queue.Released, lost); !ok || e.Result.Reason != operation.Cancelled {
		t.Errorf("released: %v, %v, want by the server's word", ok, e.Result.Reason)
	}
	if n := q.Snapshot().Abandoned; n != 0 {
		t.Errorf("%d given up, want none", n)
	}
}

func TestAStopWithoutAnEventIsGivenUpAndTheNextIsPlayed(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	rec := &queuetest.Recorder{}
	q := newQueue(t, connect(t, s).Media("ch-1"), queue.WithObserver(rec),
		queue.WithStopTimeout(50*shortly))
	mute := enqueue(t, q, "mute")
	if media := <-s.begun; media != "mute" {
		t.Errorf("%q was begun", media)
	}
	q.CancelAll()
	if _, err := enqueue(t, q, "short").Wait(within(t)); err != nil {
		t.Errorf("the next: %v", err)
	}
	if e, ok := rec.Find(queue.Released, mute); !ok || e.Result.Reason != operation.Abandoned {
		t.Errorf("released: %v, %v", ok, e.Result.Reason)
	}
}

func TestACancelSilencesTheServerBeforeTheNextIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	rec := &queuetest.Recorder{}
	q := newQueue(t, connect(t, s).Media("ch-1"), queue.WithObserver(rec))
	for range 50 {
		op := enqueue(t, q, "long")
		q.CancelAll()
		if q.Snapshot().Stopping == op {
			if _, err := rec.Wait(within(t), queue.Released, op); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.playing(); n != 0 {
			t.Fatalf("%d playbacks after the release", n)
		}
	}
}

func TestAPlaybackThatTheServerReportsAsFailedFails(t *testing.T) {
	t.Parallel()
	q := newQueue(t, connect(t, newStandIn(t)).Media("ch-1"))
	_, err := enqueue(t, q, "broken").Wait(within(t))
	if !errors.Is(err, operation.PromptFailed) {
		t.Errorf("failed with %v", err)
	}
}

func TestWhatTheAdapterCannotDoFails(t *testing.T) {
	t.Parallel()
	q := newQueue(t, connect(t, newStandIn(t)).Media("ch-1"))
	op, err := q.Enqueue(t.Context(), &operation.RecordResponse{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "recordResponse") {
		t.Errorf("a record: %v", err)
	}
}

func TestARequestWithoutAnAnswerFailsAndIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectFor(t, s, 50*shortly)
	t.Cleanup(func() { close(s.release) })
	q := newQueue(t, c.Media("ch-1"))
	op := enqueue(t, q, "slow")
	if _, err := op.Wait(within(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended: %v", err)
	}
	if _, err := enqueue(t, q, "short").Wait(within(t)); err != nil {
		t.Errorf("the next: %v", err)
	}
	if n := s.playing(); n != 0 {
		t.Errorf("%d playbacks, want none", n)
	}
}

// An event that is too long is lost, and told, and nothing else is: what plays goes on, on this
// channel and on others, and what comes next is played.
func TestAnEventThatIsTooLongIsLostAloneAndTold(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	told := make(chan string, 1)
	c, err := ari.Connect(s.URL, 10*time.Second, slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		told <- string(p)
		return len(p), nil
	}), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	one, other := newQueue(t, c.Media("ch-1")), newQueue(t, c.Media("ch-2"))
	playing := enqueue(t, other, "long")
	<-s.begun
	s.listener <- []byte(`{"type":"ChannelVarset","value":"` + strings.Repeat("x", ari.MaxEvent) + `"}`)
	select {
	case text := <-told:
		if !strings.Contains(text, "event lost") {
			t.Errorf("told %q", text)
		}
	case <-within(t).Done():
		t.Error("it was not told")
	}
	if _, err := enqueue(t, one, "short").Wait(within(t)); err != nil {
		t.Errorf("what comes next: %v", err)
	}
	if got := playing.Status(); got != operation.Running {
		t.Errorf("what plays is %v", got)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWithoutTheEventStreamEverythingFailsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connect(t, s)
	var ops []*operation.Operation
	for _, channel := range []string{"ch-1", "ch-2", "ch-3"} {
		q := newQueue(t, c.Media(channel))
		ops = append(ops, enqueue(t, q, "long"), enqueue(t, q, "long"))
	}
	close(s.down)
	for i, op := range ops {
		if _, err := op.Wait(within(t)); !errors.Is(err, operation.Unspecified) {
			t.Errorf("operation %d ended: %v", i, err)
		}
	}
}

func TestWithoutAServerThereIsNoClient(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.Close()
	if _, err := ari.Connect(s.URL, time.Second, nil); err == nil {
		t.Error("connected to a server that is closed")
	}
	if _, err := ari.Connect("://", time.Second, nil); err == nil {
		t.Error("connected to what is no address")
	}
}

func play(media string) *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "sound:" + media}}}
}

func connect(t testing.TB, s *standIn) *ari.Client {
	t.Helper()
	return connectFor(t, s, 10*time.Second)
}

func connectFor(t testing.TB, s *standIn, patience time.Duration) *ari.Client {
	t.Helper()
	c, err := ari.Connect(s.URL, patience, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// newQueue makes a queue that the end of the test closes and waits for.
func newQueue(t testing.TB, m queue.Media, opts ...queue.Option) *queue.Queue {
	t.Helper()
	q, err := queue.New("call-1", m, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q.Close(nil)
		<-q.Done()
	})
	return q
}

func enqueue(t testing.TB, q *queue.Queue, media string) *operation.Operation {
	t.Helper()
	op, err := q.Enqueue(t.Context(), play(media))
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// within is a context for what must happen soon.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
