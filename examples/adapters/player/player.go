// Package player shows how media that plays by itself is written: a function that sends audio,
// 20 ms a time, until it is through or its context ends. [queue.Blocking] makes media of it.
//
// What to look at:
//
//   - Live is asked right before every frame: once CancelAll has returned, at most the one frame
//     leaves whose Live was asked before.
//   - The context ends the wait for the next frame, and a load that takes long.
//   - What the function returns is its report, its only one. A cancelled play returns the cause of
//     its context, and how far it came is reported with it.
package player

import (
	"context"
	"fmt"
	"io"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// What goes into a frame: 16 bit samples at 16 kHz.
const (
	FrameTime  = 20 * time.Millisecond
	FrameBytes = 640
)

// Player plays to one call.
type Player struct {
	// Line takes frames, one a write, without blocking: a UDP socket.
	Line io.Writer

	// Load gets the samples of a prompt.
	Load func(ctx context.Context, uri string) ([]byte, error)
}

// Media returns the player's media, for one queue.
func (p *Player) Media() queue.Media { return queue.Blocking(p.do) }

// do plays the prompts of t one after the other, and over again if they loop.
func (p *Player) do(ctx context.Context, t queue.Active) (operation.Result, error) {
	play, ok := t.Request().(*operation.PlayPrompt)
	if !ok {
		return operation.Result{}, fmt.Errorf("player: cannot do %q", t.Kind())
	}
	var samples []byte
	for _, prompt := range play.Prompts {
		s, err := p.Load(ctx, prompt.URI)
		if err != nil {
			return operation.Result{}, fmt.Errorf("player: %s: %w", prompt.URI, err)
		}
		samples = append(samples, s...)
	}
	if len(samples) == 0 {
		return operation.Result{}, fmt.Errorf("player: %w: no samples", operation.BadFormat)
	}
	pace := time.NewTicker(FrameTime)
	defer pace.Stop()
	for {
		if err := p.send(ctx, t, samples, pace.C); err != nil || !play.Loop {
			return operation.Result{}, err
		}
	}
}

// send sends the samples once, a frame at each tick.
func (p *Player) send(
	ctx context.Context, t queue.Active, samples []byte, pace <-chan time.Time,
) error {
	for len(samples) > 0 {
		var frame [FrameBytes]byte // the last one is filled up with silence
		n := copy(frame[:], samples)
		samples = samples[n:]
		if !t.Live() {
			return t.Err() // the context follows
		}
		if _, err := p.Line.Write(frame[:]); err != nil {
			return fmt.Errorf("player: %w: %w", operation.PromptFailed, err)
		}
		t.Progress(t.Position() + FrameTime)
		select {
		case <-pace:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
