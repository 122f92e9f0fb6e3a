package media_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/tone"
)

func TestABadPromptFailsItsOperationNamesTheFileAndTheQueueGoesOn(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"good.wav": {Data: riff(good, data(1000))}, "folder/a": {}}
	for _, bad := range badFiles {
		fsys[bad.name+".wav"] = &fstest.MapFile{Data: bad.file}
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(media.Files{FS: fsys}))
		want := func(uri string, why operation.Reason, cause string) {
			t.Helper()
			// A bad one among good ones, in a loop too: it must not spin.
			request := &operation.PlayPrompt{Prompts: prompts("good.wav", uri), Loop: true}
			r, err := b.enqueue(t, request).Wait(t.Context())
			text := fmt.Sprintf("prompts[1]: media: %s: %v: %s", uri, why, cause)
			if r.Reason != why || err == nil || r.Err.Error() != text {
				t.Errorf("%s: got %v, %q, want %v, %q", uri, r.Reason, r.Err, why, text)
			}
			if heard := b.phone.Heard(); len(heard) > 0 {
				t.Errorf("%s: %d samples were heard", uri, len(heard))
			}
		}
		for _, bad := range badFiles {
			want(bad.name+".wav", operation.BadFormat, bad.want)
		}
		want("missing.wav", operation.NotDownloadable, "file does not exist")
		want("/good.wav", operation.NotDownloadable, "file does not exist")
		want("../good.wav", operation.NotDownloadable, "file does not exist")
		want("folder", operation.NotDownloadable, "invalid argument")

		if _, err := b.play(t, "good.wav").Wait(t.Context()); err != nil {
			t.Errorf("the queue does not go on: %v", err)
		}
		if got := len(b.phone.Heard()); got == 0 {
			t.Error("the good one was not heard")
		}
	})
}

func TestALoadersPromptWithoutSamplesIsABadFormatAndDoesNotSpin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(memory{"empty": {}}))
		for _, loop := range []bool{false, true} {
			op := b.enqueue(t, &operation.PlayPrompt{Prompts: prompts("empty"), Loop: loop})
			r := b.wantEnd(t, op, operation.BadFormat, 0)
			if want := "prompts[0]: media: empty: badFormat (400/8535): no samples, must have at least one"; r.Err.Error() != want {
				t.Errorf("got %q, want %q", r.Err, want)
			}
		}
	})
}

// broken is a part of a call that fails, panics or hangs, from the given frame on.
type broken struct {
	media.Sink

	how   func() error
	after int
}

func (b *broken) do() error {
	if b.after--; b.after >= 0 {
		return nil
	}
	return b.how()
}

func (b *broken) WriteFrame(at time.Time, frame []int16) error {
	if err := b.do(); err != nil {
		return err
	}
	return b.Sink.WriteFrame(at, frame)
}

func (b *broken) ReadFrame(_ time.Time, frame []int16) error {
	copy(frame, speech)
	return b.do()
}

func (b *broken) Load(context.Context, operation.Prompt) ([]int16, error) {
	return noise(1, 320), b.do()
}

var errBroken = errors.New("line broken")

func TestEveryPartThatBreaksEndsTheOperationItBrokeIn(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func() error{
		"fails":  func() error { return errBroken },
		"panics": func() error { panic(errBroken) },
		"exits":  func() error { runtime.Goexit(); return nil },
	} {
		for _, test := range []struct {
			part       string
			after      int
			why        operation.Reason
			completion string
		}{
			{"load", 0, operation.PromptFailed, "playPromptFailed"},
			{"sink", 1, operation.PromptFailed, "playPromptFailed"},
			{"sink", 2, operation.BeepFailed, "playBeepFailed"},
			{"source", 5, operation.Unspecified, "unspecifiedError"},
		} {
			text := map[bool]string{true: "exited its goroutine", false: "line broken"}[name == "exits"]
			t.Run(fmt.Sprint(test.part, " ", name, " after ", test.after), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var whole func() // mends it
					b := newBed(t, with(memory{"a": noise(1, 640)}), func(c *media.Call) {
						part := &broken{c.Sink, how, test.after}
						switch test.part {
						case "load":
							c.Prompts = part
						case "sink":
							c.Sink = part
						case "source":
							c.Source = part
						}
						whole = func() { part.after = math.MaxInt }
					})
					op := b.enqueue(t, record(func(r *operation.RecordResponse) {
						r.NoBeep, r.Prompts = false, prompts("a")
					}))
					r, _ := op.Wait(t.Context())
					if r.Reason != test.why || !strings.Contains(fmt.Sprint(r.Err), text) {
						t.Errorf("got %v, %v, want %v for %q", r.Reason, r.Err, test.why, text)
					}
					if got := r.Reason.CompletionReason(op.Kind()); got != test.completion {
						t.Errorf("got %q, want %q", got, test.completion)
					}
					if test.part == "source" { // what was said before is kept
						b.wantRecording(t, op, r.Recording, level(4000, 5*frame))
					} else {
						b.wantNoRecording(t, r.Recording)
					}
					whole()
					next := b.enqueue(t, record())
					time.Sleep(time.Second)
					_, _ = b.tones.Publish(tone.Pound)
					if r, err := next.Wait(t.Context()); err != nil {
						t.Errorf("the next one: %v, %v", r.Reason, err)
					}
				})
			})
		}
	}
}

func TestAPlayWhoseSinkFailsIsAPromptFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(memory{"a": noise(1, 1000)}), func(c *media.Call) {
			c.Sink = &broken{c.Sink, func() error { return errBroken }, 2}
		})
		r := b.wantEnd(t, b.play(t, "a"), operation.PromptFailed, 3*frame)
		if !errors.Is(r.Err, errBroken) || r.Position != 2*frame {
			t.Errorf("got %v at %v, want %v at %v", r.Err, r.Position, errBroken, 2*frame)
		}
	})
}

func TestARecordWhosePromptIsBadSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(media.Files{FS: fstest.MapFS{"bad.wav": {}}}))
		for _, uri := range []string{"bad.wav", "missing.wav"} {
			r := b.wantEnd(t, b.enqueue(t, record(func(r *operation.RecordResponse) {
				r.Prompts = prompts(uri)
			})), operation.PromptFailed, 0)
			if !strings.Contains(r.Err.Error(), uri) {
				t.Errorf("%v does not name %s", r.Err, uri)
			}
		}
	})
}

func TestALoaderThatHangsIsReleasedByACancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		released := make(chan error, 1)
		b := newBed(t, with(loaderFunc(func(ctx context.Context, p operation.Prompt) ([]int16, error) {
			if p.URI == "fine" {
				return noise(1, 320), nil
			}
			<-ctx.Done()
			released <- context.Cause(ctx)
			return nil, ctx.Err()
		})))
		op := b.play(t, "hangs")
		next := time.Minute
		time.Sleep(next)
		b.CancelAll()
		b.wantEnd(t, op, operation.Cancelled, next)
		if cause := <-released; !errors.Is(cause, operation.Cancelled) {
			t.Errorf("released with %v, want %v", cause, operation.Cancelled)
		}
		b.wantEnd(t, b.play(t, "fine"), operation.Succeeded, next)
	})
}

type loaderFunc func(ctx context.Context, p operation.Prompt) ([]int16, error)

func (f loaderFunc) Load(ctx context.Context, p operation.Prompt) ([]int16, error) { return f(ctx, p) }

func TestARecordingThatCannotBeWrittenFailsAndIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		if err := os.Remove(b.folder); err != nil {
			t.Fatal(err)
		}
		op := b.enqueue(t, record())
		time.Sleep(time.Second)
		if _, err := b.tones.Publish(tone.Pound); err != nil {
			t.Fatal(err)
		}
		r := b.wantEnd(t, op, operation.Unspecified, time.Second)
		if path := filepath.Join(b.folder, "recording-"+op.ID().String()+".wav"); !strings.Contains(r.Err.Error(), path) {
			t.Errorf("%v does not name %s", r.Err, path)
		}
	})
}
