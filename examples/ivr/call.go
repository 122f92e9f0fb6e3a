package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/examples/ivr/picture"
	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// call makes one call out of its parts, plays a script on it, and ends it properly whatever
// happens: the queue first, then the tones, then the engine. It leaves its files in any case.
func call(
	ctx context.Context, o options, title string, stdout io.Writer,
	play func(*script, context.Context) error,
) error {
	sounds, err := load(ctx, o)
	if err != nil {
		return err
	}
	folder, err := prepare(o.out)
	if err != nil {
		return err
	}
	ctx, cancel := sounds.limited(ctx)
	defer cancel()
	line := newTimeline(stdout)
	engine, phone, tones := media.NewEngine(), media.NewPhone(), new(tone.Stream)
	defer engine.Close()
	recordings, err := os.MkdirTemp("", "ivr-") // the engine names them by their operations
	if err != nil {
		return err
	}
	defer os.RemoveAll(recordings) //nolint:errcheck // what is left there is not needed
	player, err := engine.Media(media.Call{
		Sink: phone, Source: phone, Prompts: library{}, Folder: recordings, Tones: tones,
	})
	if err != nil {
		return err
	}
	witness := newWitness(line)
	q, err := queue.New("demo", player, queue.WithObserver(witness))
	if err != nil {
		return err
	}
	handled, err := tones.Handle(tone.All, func(e tone.Event) {
		witness.press(e, q.Snapshot().Running.ClientContext())
		q.Tone(e)
	})
	if err != nil {
		return err
	}

	line.now("call", "the caller is on the line", "")
	s := &script{sounds: sounds, queue: q, phone: phone, tones: tones, witness: witness, line: line}
	err = play(s, ctx)
	if err != nil {
		line.now("call", "ends: "+err.Error(), "")
	}
	q.Close(operation.CallEnded)
	<-q.Done()
	tones.End()
	<-handled.Done()

	err = errors.Join(err, save(folder, witness.draw(title, phone, time.Now()), s.recorded))
	if err == nil {
		line.print("\nThe call went as scripted.\n")
	}
	line.print("\nThe caller heard  %s\n", filepath.Join(folder, demo.HeardFile))
	line.print("The caller said   %s\n", filepath.Join(folder, demo.SaidFile))
	if s.recorded.Location != "" {
		line.print("It was recorded   %s\n", filepath.Join(folder, demo.RecordingFile))
	}
	line.print("A picture of it   %s\n", filepath.Join(folder, demo.PictureFile))
	return errors.Join(err, line.failed())
}

// save leaves the files of a call.
func save(folder string, c picture.Call, recorded operation.Recording) error {
	in := func(name string) string { return filepath.Join(folder, name) }
	err := errors.Join(
		media.WriteWAV(in(demo.HeardFile), c.Heard), media.WriteWAV(in(demo.SaidFile), c.Said),
		picture.Save(in(demo.PictureFile), c),
	)
	if recorded.Location == "" {
		return err
	}
	data, e := os.ReadFile(recorded.Location)
	if e == nil {
		e = os.WriteFile(in(demo.RecordingFile), data, 0o600)
	}
	return errors.Join(err, e)
}
