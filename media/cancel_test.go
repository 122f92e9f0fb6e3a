package media_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// heavy is a sink that takes its time with every frame, so that a cancel may come in the middle of
// one: the one frame that may still be heard.
type heavy struct {
	media.Sink

	delay time.Duration
}

func (h heavy) WriteFrame(at time.Time, frame []int16) error {
	time.Sleep(h.delay)
	return h.Sink.WriteFrame(at, frame)
}

func TestAfterACancelAtMostOneMoreFrameIsHeard(t *testing.T) {
	t.Parallel()
	folder := t.TempDir() // of the prompt files
	var all []int16
	var names []string
	for i, n := range []int{9 * 320, 20*320 + 100, 321, 1, 31 * 320} {
		name := fmt.Sprintf("%d.wav", i)
		if err := media.WriteWAV(filepath.Join(folder, name), noise(uint64(i), n)); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		all = append(all, framed(readWAV(t, filepath.Join(folder, name)))...)
	}
	root := openRoot(t, folder)
	frames := len(all) / media.FrameSamples
	for seed := range uint64(50) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				draw := rand.New(rand.NewPCG(seed, 50))
				moment := time.Duration(draw.Int64N(int64(frames) * int64(frame)))
				var late time.Duration
				switch seed % 3 {
				case 0: // at the very instant of a frame
					moment = moment.Truncate(frame)
				case 1: // perhaps in the middle of one
					late = time.Duration(draw.Int64N(int64(frame)))
				}
				b := newBed(t, with(media.Files{FS: media.Dir(root)}), func(c *media.Call) {
					c.Sink = heavy{c.Sink, late}
				})
				for _, name := range names {
					b.play(t, name)
				}
				time.Sleep(moment)
				before := len(b.phone.Heard())
				receipt := b.CancelAll()
				time.Sleep(time.Second)

				heard := b.phone.Heard()
				if receipt.Len() == 0 {
					t.Fatalf("cancelled at %v, nobody was ended", moment)
				}
				if least := media.Samples(moment-late) - 2*media.FrameSamples; before < least {
					t.Fatalf("cancelled at %v, only %d samples were heard, want %d", moment, before, least)
				}
				// A frame heard first brings the silence before it along.
				if most := max(before, media.FrameSamples) + media.FrameSamples; len(heard) > most {
					t.Fatalf("cancelled at %v, %d samples heard, want at most %d", moment, len(heard), most)
				}
				wantSamples(t, "heard", heard, append(silence(frame), all...)[:len(heard)])

				// What comes after is heard whole, behind silence.
				if r, err := b.play(t, names[1]).Wait(t.Context()); err != nil {
					t.Fatalf("what comes after: %v, %v", r.Reason, err)
				}
				saved := filepath.Join(b.folder, "heard.wav")
				if err := media.WriteWAV(saved, b.phone.Heard()); err != nil {
					t.Fatal(err)
				}
				after := framed(readWAV(t, filepath.Join(folder, names[1])))
				got := readWAV(t, saved)
				gap := len(got) - len(after)
				wantSamples(t, "the gap", got[len(heard):gap], make([]int16, gap-len(heard)))
				wantSamples(t, "what comes after", got[gap:], after)
			})
		})
	}
}

// tardy is media whose Stop comes a second late.
type tardy struct{ queue.Media }

func (m tardy) Stop(t queue.Task) {
	time.Sleep(time.Second)
	m.Media.Stop(t)
}

func TestNothingIsHeardAfterACancelHoweverLateTheStopComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, phone := media.NewEngine(), media.NewPhone()
		defer engine.Close()
		media, err := engine.Media(media.Call{Sink: phone, Prompts: memory{"a": noise(1, 32000)}})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New("call", tardy{media})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: prompts("a")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*frame + time.Millisecond)
		q.Close(nil)
		<-q.Done()
		wantSamples(t, "heard", phone.Heard(), append(silence(frame), noise(1, 10*320)...))
	})
}
