package media_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// A pause is silence, and what follows it is the sample after the last.
func TestAPlayGoesOnWhereItWasPaused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		audio := noise(1, 20*media.FrameSamples)
		b := newBed(t, with(memory{"a": audio}))
		op := b.play(t, "a")
		time.Sleep(5*frame + time.Millisecond)
		if err := b.PauseOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * frame)
		if err := b.ResumeOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		b.wantEnd(t, op, operation.Succeeded, 30*frame)
		heard := 5 * media.FrameSamples
		wantSamples(t, "heard", b.phone.Heard(), slices.Concat(
			silence(frame), audio[:heard], silence(10*frame), audio[heard:]))
	})
}

// What is paused is cancelled like all else, and a record that is paused hears nothing.
func TestARecordThatIsPausedHearsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		op := b.enqueue(t, record(func(r *operation.RecordResponse) { r.MaxDuration = 10 * time.Second }))
		b.phone.Say(level(4000, time.Minute))
		time.Sleep(time.Second + time.Millisecond)
		if err := b.PauseOperation(op.ID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		heard := op.Position()
		time.Sleep(5 * time.Second)
		if op.Position() != heard || !op.Live() {
			t.Errorf("at %v, it was at %v; live: %v", op.Position(), heard, op.Live())
		}
		b.CancelAll()
		r := b.event(t, released, op).Result()
		if r.Recording.Duration == 0 || r.Recording.Duration > time.Second {
			t.Errorf("a recording of %v", r.Recording.Duration)
		}
	})
}

// A play that was interrupted goes on at its place, sample by sample.
func TestAPlayGoesOnAtItsPlace(t *testing.T) {
	t.Parallel()
	for _, frames := range []int{1, 4, 5, 6, 9} { // of two prompts of 5
		synctest.Test(t, func(t *testing.T) {
			one, two := noise(1, 5*media.FrameSamples), noise(2, 5*media.FrameSamples)
			b := newBed(t, with(memory{"1": one, "2": two}))
			req := &operation.PlayPrompt{Prompts: prompts("1", "2")}
			op := b.enqueue(t, req)
			time.Sleep(time.Duration(frames)*frame + time.Millisecond)
			b.CancelAll()
			synctest.Wait()
			prompt, offset := op.Place()
			if at := time.Duration(prompt)*5*frame + offset; at != time.Duration(frames)*frame {
				t.Errorf("%d frames were heard, and it is at %v of prompt %d", frames, offset, prompt)
			}
			rest := b.enqueue(t, req.From(op.Place()))
			if _, err := rest.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantSamples(t, "heard", b.phone.Heard(), slices.Concat(silence(frame), one, two))
			if got, want := rest.Position(), time.Duration(10-frames)*frame; got != want {
				t.Errorf("%v were played, want %v", got, want)
			}
		})
	}
}

// Where a play begins: within a prompt, beyond its end, with the last one, beyond all.
func TestAPlayBeginsWhereItsRequestSays(t *testing.T) {
	t.Parallel()
	one, two := noise(1, 2*media.FrameSamples), noise(2, 3*media.FrameSamples)
	for name, c := range map[string]struct {
		first  int
		offset time.Duration
		loop   bool
		want   []int16
	}{
		"the beginning":    {0, 0, false, slices.Concat(one, two)},
		"within the first": {0, frame / 2, false, framed(one[160:], two)},
		"beyond its end":   {0, 2 * frame, false, two},
		"the second":       {1, frame, false, two[320:]},
		"beyond the last":  {1, time.Hour, false, nil},
		"beyond anything":  {0, 1<<63 - 1, false, two},
		"within a loop":    {1, 2 * frame, true, slices.Concat(two[640:], one, two)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, with(memory{"1": one, "2": two}))
				op := b.enqueue(t, &operation.PlayPrompt{
					Prompts: prompts("1", "2"), FirstPrompt: c.first, Offset: c.offset, Loop: c.loop,
				})
				if c.loop {
					time.Sleep(3 * frame) // into its second round
					b.Seal()
				}
				if r, err := op.Wait(t.Context()); err != nil || r.Reason != operation.Succeeded {
					t.Fatal(r.Reason, err)
				}
				heard := b.phone.Heard()
				if len(c.want) > 0 {
					heard = heard[media.FrameSamples:] // it begins after one frame
				}
				wantSamples(t, "heard", heard, c.want)
			})
		})
	}
}

// A prompt that fails has its number in the request.
func TestAPromptThatFailsBehindTheFirstIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(memory{"1": noise(1, 640)}))
		op := b.enqueue(t, &operation.PlayPrompt{Prompts: prompts("1", "1", "none"), FirstPrompt: 1})
		_, err := op.Wait(t.Context())
		if p := (*operation.PromptError)(nil); !errors.As(err, &p) || p.Index != 2 {
			t.Errorf("%v, want prompt 2", err)
		}
	})
}

// A sealed queue ends a loop at its boundary, wherever that is in a frame, and what waits is heard.
func TestALoopEndsWithTheSeal(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 319, 320, 321, 1000} {
		synctest.Test(t, func(t *testing.T) {
			round, bye := noise(uint64(n), n), noise(7, 640)
			b := newBed(t, with(memory{"a": round, "bye": bye}))
			music := b.enqueue(t, &operation.PlayPrompt{Prompts: prompts("a"), Loop: true})
			b.play(t, "bye")
			time.Sleep(20*frame + time.Millisecond)
			if r, err := b.Shutdown(t.Context(), nil); err != nil || r.Len() > 0 {
				t.Error(r.Len(), err)
			}
			played := media.Samples(music.Position())
			if played%n != 0 || played <= 20*media.FrameSamples-n || played > 21*media.FrameSamples+n {
				t.Errorf("%d samples of %d were played", played, n)
			}
			want := silence(frame)
			for i := range played {
				want = append(want, round[i%n])
			}
			wantSamples(t, "heard", b.phone.Heard(), append(framed(want), bye...))
		})
	}
}

// Between two sentences that a back end takes 200 ms for there is no silence.
func TestThereIsNoSilenceBetweenTwoSentences(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two, three := noise(1, media.Rate), noise(2, media.Rate), noise(3, media.Rate)
		b := newBed(t, with(slow{memory{"1": one, "2": two, "3": three}, 200 * time.Millisecond, new(atomic.Int32)}))
		b.play(t, "1")
		b.play(t, "2")
		last := b.play(t, "3")
		if _, err := last.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		heard := b.phone.Heard()
		wantSamples(t, "heard", heard[len(heard)-3*media.Rate:], slices.Concat(one, two, three))
	})
}
