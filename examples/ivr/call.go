package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"

	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// call makes one call out of its parts, plays the script on it, and ends it properly whatever
// happens: the queue first, then the tones, then the engine. It leaves heard.wav in any case.
func call(ctx context.Context, o options, stdout io.Writer) error {
	sounds, err := load(ctx, o)
	if err != nil {
		return err
	}
	folder, err := o.folder()
	if err != nil {
		return err
	}
	ctx, cancel := sounds.limited(ctx)
	defer cancel()
	line := newTimeline(stdout)
	engine, phone, tones := softmedia.NewEngine(), softmedia.NewPhone(), new(tone.Stream)
	defer engine.Close()
	media, err := engine.Media(softmedia.Call{
		Sink: phone, Source: phone, Prompts: library{}, Folder: folder, Tones: tones,
	})
	if err != nil {
		return err
	}
	witness := newWitness(line)
	q, err := queue.New("demo", media, queue.WithObserver(witness))
	if err != nil {
		return err
	}
	var listening sync.WaitGroup
	bot := tones.Subscribe()
	listening.Go(func() {
		witness.listen(context.WithoutCancel(ctx), bot, func() string {
			return q.Snapshot().Running.ClientContext()
		})
	})

	line.now("call", "the caller is on the line", "")
	s := &script{sounds: sounds, queue: q, phone: phone, tones: tones, witness: witness, line: line}
	err = s.play(ctx)
	if err != nil {
		line.now("call", "ends: "+err.Error(), "")
	}
	q.Close(operation.CallEnded)
	<-q.Done()
	tones.End()
	listening.Wait()

	heard := filepath.Join(folder, "heard.wav")
	err = errors.Join(err, softmedia.WriteWAV(heard, phone.Heard()))
	if err == nil {
		line.print("\nThe call went as scripted.\n")
	}
	line.print("\nThe caller heard  %s\n", heard)
	if s.recorded.Location != "" {
		line.print("The caller said   %s\n", s.recorded.Location)
	}
	return errors.Join(err, line.failed())
}
