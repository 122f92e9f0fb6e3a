package bench

import (
	"context"
	"errors"
	"log/slog"
	"runtime"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// line is a call of ours as a platform holds it: a queue, and the tone stream beside it.
type line struct {
	queue *queue.Queue
	tones tone.Stream
}

// manner is a way to make queues: options that all of them share, with an observer and without.
type manner struct {
	watched, alone queue.Option
	observe        func(queue.Observer) queue.Option
}

func newManner(
	o queue.Observer, observe func(queue.Observer) queue.Option, opts ...queue.Option,
) manner {
	opts = append(opts, queue.WithLogger(slog.New(slog.DiscardHandler)))
	return manner{
		watched: queue.Options(append(opts, observe(o))...),
		alone:   queue.Options(opts...),
		observe: observe,
	}
}

func (m *manner) open(media queue.Media, s Setting) line {
	opts := []queue.Option{m.watched}
	switch {
	case s.Observe != nil:
		observer := queue.ObserverFunc(func(e queue.Event) { deliver(s.Observe, e) })
		opts = []queue.Option{m.alone, m.observe(observer)}
	case s.Use == Held:
		opts[0] = m.alone
	}
	q, err := queue.New("call-1", media, opts...)
	if err != nil {
		panic(err)
	}
	return line{queue: q}
}

// enqueue waits for room if the queue is full, as the buffer of a channel makes its sender wait.
func (l *line) enqueue(w *Work) *operation.Operation {
	for {
		op, err := l.queue.Enqueue(context.Background(), w)
		switch {
		case err == nil:
			return op
		case !errors.Is(err, queue.ErrFull):
			panic(err)
		}
		runtime.Gosched()
	}
}

func (l *line) Submit(w *Work) Op { return l.enqueue(w) }

// Press publishes a tone to somebody who listens for a moment.
func (l *line) Press() {
	sub := l.tones.Subscribe()
	defer sub.Close()
	if _, err := l.tones.Publish(tone.Tone1); err != nil {
		panic(err)
	}
	sub.TryNext()
}

func (l *line) Close() {
	l.queue.Close(nil)
	<-l.queue.Done()
}
