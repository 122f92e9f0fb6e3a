package media_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

func TestARecordOverItsHeadKeepsWhatTheCallerSaid(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, b *bed, op *operation.Operation) error{
		"cancelled": func(_ *testing.T, b *bed, _ *operation.Operation) error {
			b.CancelAll()
			return nil
		},
		"one cancelled": func(_ *testing.T, b *bed, op *operation.Operation) error {
			_, err := b.Cancel(op.ID())
			return err
		},
		"hung up": func(_ *testing.T, b *bed, _ *operation.Operation) error {
			b.Close(nil)
			return nil
		},
		"barged in": func(t *testing.T, b *bed, _ *operation.Operation) error {
			t.Helper()
			_, _, err := b.Interrupt(t.Context(), &operation.PlayPrompt{Prompts: prompts("a")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, with(memory{"a": noise(9, 320)}))
				op := b.enqueue(t, record())
				time.Sleep(frame)
				b.phone.Say(speech)
				time.Sleep(500*time.Millisecond + time.Microsecond)
				if err := end(t, b, op); err != nil {
					t.Fatal(err)
				}
				r, ok := op.Result()
				if !ok || r.Reason.Status() != operation.Failed || r.Recording != (operation.Recording{}) {
					t.Errorf("got %+v, %v, want failed without a recording", r, ok)
				}
				last := b.event(t, queue.Released, op).Result()
				if last.Reason != r.Reason || last.Position != 500*time.Millisecond {
					t.Errorf("reported %v at %v, want %v at 500ms", last.Reason, last.Position, r.Reason)
				}
				b.wantRecording(t, op, last.Recording, speech[:8000])
			})
		})
	}
}

// TestAnEndedRecordIsReleased finds a stop tone subscription that was left open: it would hold on.
func TestAnEndedRecordIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, phone, tones := media.NewEngine(), media.NewPhone(), new(tone.Stream)
		defer engine.Close()
		defer tones.End()
		media, err := engine.Media(media.Call{
			Sink: phone, Source: phone, Prompts: memory{}, Tones: tones, Folder: t.TempDir(),
		})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New("call", media)
		if err != nil {
			t.Fatal(err)
		}
		op := func() weak.Pointer[operation.Operation] {
			op, err := q.Enqueue(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			if r, _ := op.Wait(t.Context()); r.Reason != operation.InitialSilence {
				t.Fatalf("ended with %v", r.Reason)
			}
			return weak.Make(op)
		}()
		synctest.Wait()
		runtime.GC()
		runtime.GC()
		if op.Value() != nil {
			t.Error("somebody holds on to the ended operation")
		}
		q.Close(nil)
		<-q.Done()
	})
}
