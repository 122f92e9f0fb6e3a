package media_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestTheEngineKeepsTheContract(t *testing.T) {
	t.Parallel()
	plays := queuetest.Harness{
		New:          newWired,
		Ends:         func() operation.Request { return &operation.PlayPrompt{Prompts: prompts("short")} },
		Lasts:        func() operation.Request { return &operation.PlayPrompt{Prompts: prompts("short"), Loop: true} },
		Fails:        func() operation.Request { return &operation.PlayPrompt{Prompts: prompts("missing")} },
		BlockBackend: func(m queue.Media) func() { return m.(*wired).loader.stall() },
		FramesSent:   func(m queue.Media) int { return int(m.(*wired).sent.Load()) },
	}
	plays.Loops, plays.Pauses, plays.Prepares = plays.Lasts, true, true
	records := plays // a record without a beep sends nothing, and one with a prompt loads it
	records.Ends = func() operation.Request {
		return record(func(r *operation.RecordResponse) { r.MaxDuration = 2 * time.Second })
	}
	records.Lasts = func() operation.Request {
		return record(func(r *operation.RecordResponse) {
			r.Prompts, r.InitialSilence = prompts("short"), time.Minute
		})
	}
	records.Fails = func() operation.Request {
		return record(func(r *operation.RecordResponse) { r.Prompts = prompts("missing") })
	}
	records.FramesSent, records.Loops = nil, nil
	inline := plays
	inline.Options = []queue.Option{queue.WithInlineMedia()}

	for _, h := range []struct {
		name    string
		harness queuetest.Harness
	}{{"plays", plays}, {"plays inline", inline}, {"records", records}} {
		t.Run(h.name+" in a bubble", func(t *testing.T) {
			t.Parallel()
			queuetest.TestMediaInBubble(t, h.harness)
		})
	}
	t.Run("in real time", func(t *testing.T) {
		t.Parallel()
		plays.Timeout = 10 * time.Second // longer than a machine is held up
		queuetest.TestMedia(t, plays)
	})
}

// wired is the media of a call on an engine of its own, a sink that counts, and a loader that can
// hang.
type wired struct {
	*media.Media
	media.Sink

	sent   atomic.Int64
	loader stuck
}

func newWired(t testing.TB) queue.Media {
	t.Helper()
	engine, phone := media.NewEngine(), media.NewPhone()
	t.Cleanup(engine.Close)
	w := &wired{Sink: phone}
	w.loader.Loader = memory{"short": noise(1, 2*media.FrameSamples)}
	media, err := engine.Media(media.Call{
		Sink: w, Source: phone, Prompts: &w.loader, Folder: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Media = media
	return w
}

func (w *wired) WriteFrame(at time.Time, frame []int16) error {
	w.sent.Add(1)
	return w.Sink.WriteFrame(at, frame)
}

// stuck is a loader that hangs from stall to release, or until nobody wants what it loads.
type stuck struct {
	media.Loader

	mu   sync.Mutex    // guards hung
	hung chan struct{} // closed by release; nil if it does not hang
}

func (l *stuck) stall() (release func()) {
	hung := make(chan struct{})
	l.set(hung)
	return func() {
		l.set(nil)
		close(hung)
	}
}

func (l *stuck) set(hung chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hung = hung
}

func (l *stuck) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	l.mu.Lock()
	hung := l.hung
	l.mu.Unlock()
	if hung != nil {
		select {
		case <-hung:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return l.Loader.Load(ctx, p)
}
