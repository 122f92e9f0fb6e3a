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
	"ivrqueue/tone"
)

// unanswered is how long one waits who is not answered: for longer than a machine is held up.
const unanswered = 4 * time.Second

func TestTheAdapterKeepsTheContract(t *testing.T) {
	t.Parallel()
	queuetest.TestMedia(t, queuetest.Harness{
		New: func(t testing.TB) queue.Media {
			t.Helper()
			s := newStandIn(t)
			return wired{connectFor(t, s, unanswered).Media("ch-1"), s}
		},
		Ends:         func() operation.Request { return play("short") },
		Lasts:        func() operation.Request { return play("long") },
		Fails:        func() operation.Request { return play("nothing") },
		BlockBackend: func(m queue.Media) func() { return m.(wired).standIn.stall() },
		FramesSent:   func(m queue.Media) int { return m.(wired).standIn.heardFor() },
		MaxTail:      -1,             // the server plays until the playback is removed
		Timeout:      3 * unanswered, // more than it takes for a Start to run out of patience, twice
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
		queue.WithRunTimeout(unanswered), queue.WithStopTimeout(time.Hour))
	lost, next := enqueue(t, q, "lost"), enqueue(t, q, "short")
	if _, err := lost.Wait(within(t)); !errors.Is(err, operation.TimedOut) {
		t.Errorf("without an end it ended: %v", err)
	}
	if _, err := next.Wait(within(t)); err != nil {
		t.Errorf("the next: %v", err)
	}
	e, err := rec.Wait(within(t), queue.Released, lost)
	if err != nil || e.Result().Reason != operation.Cancelled {
		t.Errorf("released: %v, %v, want by the server's word", e.Result().Reason, err)
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
	e, err := rec.Wait(within(t), queue.Released, mute)
	if err != nil || e.Result().Reason != operation.Abandoned {
		t.Errorf("released: %v, %v", e.Result().Reason, err)
	}
}

func TestACancelSilencesTheServerBeforeTheNextIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	rec := &queuetest.Recorder{}
	q := newQueue(t, connect(t, s).Media("ch-1"), queue.WithObserver(rec), queue.WithStopTimeout(time.Hour))
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

// The end of a recording ends no play, whatever its name: the play's own end is to come.
func TestAPlayIsNotEndedByTheEndOfARecording(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	q := newQueue(t, connect(t, s).Media("ch-1"))
	op := enqueue(t, q, "long")
	<-s.begun
	s.emit(map[string]any{"type": "RecordingFinished", "recording": map[string]any{
		"name": op.ID().String(), "state": "done",
	}})
	s.end(op.ID().String(), "done")
	if r, err := op.Wait(within(t)); err != nil || r.Reason != operation.Succeeded {
		t.Errorf("got %v, %v", r.Reason, err)
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
	op, err := q.Enqueue(t.Context(), &operation.SendTones{Tones: []tone.Tone{tone.Pound}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := op.Wait(within(t)); err == nil || !strings.Contains(err.Error(), "sendDtmfTones") {
		t.Errorf("tones: %v", err)
	}
}

func TestARequestWithoutAnAnswerFailsAndIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := connectFor(t, s, unanswered)
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

func play(media string) *operation.PlayPrompt {
	return operation.Play("sound:" + media)
}

func connect(t testing.TB, s *standIn) *ari.Client {
	t.Helper()
	return connectWith(t, s, ari.Config{RequestTimeout: time.Minute})
}

func connectFor(t testing.TB, s *standIn, patience time.Duration) *ari.Client {
	t.Helper()
	return connectWith(t, s, ari.Config{RequestTimeout: patience})
}

// connectWith connects with what the stand-in wants, and what else there is in c.
func connectWith(t testing.TB, s *standIn, c ari.Config) *ari.Client {
	t.Helper()
	client, err := ari.Connect(t.Context(), configFor(s, c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	<-s.connected
	return client
}

func configFor(s *standIn, c ari.Config) ari.Config {
	c.URL, c.App, c.User, c.Password = s.URL+"/ari", "ivr", user, password
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
