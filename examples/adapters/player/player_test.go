package player_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"ivrqueue/examples/adapters/player"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestThePlayerKeepsTheContract(t *testing.T) {
	t.Parallel()
	h := queuetest.Harness{
		Ends:         func() operation.Request { return play("aa") },
		Lasts:        func() operation.Request { return loop("b") },
		Fails:        func() operation.Request { return play("missing") },
		BlockBackend: func(m queue.Media) func() { return m.(*wired).stall() },
		FramesSent:   func(m queue.Media) int { return int(m.(*wired).sent.Load()) },
	}
	t.Run("on a socket", func(t *testing.T) {
		t.Parallel()
		socket := h
		socket.Timeout = 10 * time.Second // longer than a machine is held up
		socket.New = func(t testing.TB) queue.Media {
			t.Helper()
			p, line := dial(t, newPhone(t))
			return wire(p, line)
		}
		queuetest.TestMedia(t, socket)
	})
	t.Run("in a bubble", func(t *testing.T) {
		t.Parallel()
		bubble := h
		bubble.New = func(testing.TB) queue.Media {
			l := &line{Writer: io.Discard}
			return wire(&player.Player{Line: l, Load: load}, l)
		}
		queuetest.TestMediaInBubble(t, bubble)
	})
}

func TestPromptsAreHeardInOrderAndWhole(t *testing.T) {
	t.Parallel()
	phone := newPhone(t)
	p, _ := dial(t, phone)
	q, _ := newQueue(t, p)
	enqueue(t, q, play("ab", "c"))
	enqueue(t, q, play("de"))
	if heard := phone.hears(within(t), t, 5); heard != "abcde" {
		t.Errorf("heard %q", heard)
	}
}

func TestAfterACancelAtMostOneMoreFrameLeaves(t *testing.T) {
	t.Parallel()
	phone := newPhone(t)
	p, line := dial(t, phone)
	q, rec := newQueue(t, p)
	for range 20 {
		op := enqueue(t, q, loop("a"))
		phone.hears(within(t), t, 1)
		q.CancelAll()
		sent := line.sent.Load()
		if _, err := rec.Wait(within(t), queue.Released, op); err != nil {
			t.Fatal(err)
		}
		more := line.sent.Load() - sent
		if more > 1 {
			t.Errorf("%d more frames were sent", more)
		}
		enqueue(t, q, play("z")) // the next is heard, and nothing of the first after it
		for phone.hears(within(t), t, 1) != "z" {
			continue // what is left of the first
		}
		enqueue(t, q, play("y"))
		if heard := phone.hears(within(t), t, 1); heard != "y" {
			t.Errorf("heard %q after the next", heard)
		}
	}
}

func TestACancelledPlayTellsHowFarItCame(t *testing.T) {
	t.Parallel()
	phone := newPhone(t)
	p, _ := dial(t, phone)
	q, rec := newQueue(t, p)
	op := enqueue(t, q, loop("a"))
	phone.hears(within(t), t, 3) // so two of them are booked
	q.CancelAll()
	e, err := rec.Wait(within(t), queue.Released, op)
	if err != nil || e.Result().Position < 2*player.FrameTime || e.Result().Reason != operation.Cancelled {
		t.Errorf("released: %v, %v at %v", err, e.Result().Reason, e.Result().Position)
	}
}

func TestACancelEndsALoadThatTakesLong(t *testing.T) {
	t.Parallel()
	p, line := dial(t, newPhone(t))
	loading := make(chan struct{})
	p.Load = func(ctx context.Context, _ string) ([]byte, error) {
		close(loading)
		return load(ctx, "stuck")
	}
	q, rec := newQueue(t, p)
	op := enqueue(t, q, play("stuck"))
	<-loading
	q.CancelAll()
	e, err := rec.Wait(within(t), queue.Released, op)
	if err != nil || e.Result().Reason != operation.Cancelled || line.sent.Load() != 0 {
		t.Errorf("released: %v, %v, %d frames", err, e.Result().Reason, line.sent.Load())
	}
}

func TestWhatCannotBePlayedFailsWithItsReason(t *testing.T) {
	t.Parallel()
	phone := newPhone(t)
	p, line := dial(t, phone)
	q, _ := newQueue(t, p)
	fails := func(req operation.Request, want error) {
		t.Helper()
		if _, err := enqueue(t, q, req).Wait(within(t)); !errors.Is(err, want) {
			t.Errorf("%v failed with %v, want %v", req, err, want)
		}
	}
	fails(play("missing"), operation.NotDownloadable)
	fails(loop("empty"), operation.BadFormat)
	fails(&operation.RecordResponse{}, operation.Unspecified)
	_ = line.Writer.(io.Closer).Close()
	fails(play("a"), operation.PromptFailed)
}

func play(uris ...string) *operation.PlayPrompt {
	req := &operation.PlayPrompt{}
	for _, uri := range uris {
		req.Prompts = append(req.Prompts, operation.Prompt{URI: uri})
	}
	return req
}

func loop(uri string) *operation.PlayPrompt {
	req := play(uri)
	req.Loop = true
	return req
}

// newQueue makes a queue that the end of the test closes and waits for.
func newQueue(t testing.TB, p *player.Player) (*queue.Queue, *queuetest.Recorder) {
	t.Helper()
	rec := &queuetest.Recorder{}
	q, err := queue.New("call-1", p.Media(), queue.WithObserver(rec))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q.Close(nil)
		<-q.Done()
	})
	return q, rec
}

func enqueue(t testing.TB, q *queue.Queue, req operation.Request) *operation.Operation {
	t.Helper()
	op, err := q.Enqueue(t.Context(), req)
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
