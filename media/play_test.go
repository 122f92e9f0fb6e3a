package media_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

func TestPromptsAreHeardInOrderSampleBySampleWithoutAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two, three, four := noise(1, 320), noise(2, 1000), noise(3, 1), noise(4, 5*320+7)
		b := newBed(t, with(memory{"1": one, "2": two, "3": three, "4": four}))

		first := b.play(t, "1")
		second := b.play(t, "2", "3", "1")
		third := b.play(t, "4")

		// The last frame is sent at the beginning of its 20 ms; the first one 20 ms after the start.
		b.wantEnd(t, first, operation.Succeeded, 1*frame)
		b.wantEnd(t, second, operation.Succeeded, 6*frame)
		b.wantEnd(t, third, operation.Succeeded, 12*frame)
		want := framed(silence(frame))
		want = append(want, framed(one)...)
		want = append(want, framed(two, three, one)...)
		want = append(want, framed(four)...)
		wantSamples(t, "heard", b.phone.Heard(), want)
		if got, want := second.Position(), media.Duration(1321); got != want {
			t.Errorf("the second one's position is %v, want %v", got, want)
		}
	})
}

func TestALoopGoesOnWithoutAGapUntilItIsCancelled(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 319, 320, 321, 1000} {
		synctest.Test(t, func(t *testing.T) {
			round := noise(uint64(n), n)
			b := newBed(t, with(memory{"a": round[:n/2+1], "b": append(round[n/2+1:], 7)}))
			round = append(round, 7)
			op := b.enqueue(t, &operation.PlayPrompt{Prompts: prompts("a", "b"), Loop: true})

			time.Sleep(100*frame + time.Millisecond) // 100 frames, the first after one
			b.CancelAll()
			b.wantEnd(t, op, operation.Cancelled, 100*frame+time.Millisecond)

			want := silence(frame)
			for i := range 100 * media.FrameSamples {
				want = append(want, round[i%len(round)])
			}
			wantSamples(t, "heard", b.phone.Heard(), want)
			if got := b.event(t, released, op).Result().Position; got != 100*frame {
				t.Errorf("the position reported is %v, want %v", got, 100*frame)
			}
		})
	}
}

func TestThePositionMovesWithEveryFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(memory{"a": noise(1, 100*320)}))
		op := b.play(t, "a")
		time.Sleep(frame / 2)
		for i := range 100 {
			if got, want := op.Position(), time.Duration(i)*frame; got != want {
				t.Fatalf("after %v the position is %v, want %v", time.Since(b.start), got, want)
			}
			time.Sleep(frame)
		}
	})
}

func TestAnOperationOfAnotherKindFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		r := b.wantEnd(t, b.enqueue(t, pause{}), operation.Unspecified, 0)
		if got, want := r.Err.Error(), `media: cannot do "pause"`; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// pause is a kind of operation that the engine does not know.
type pause struct{}

func (pause) Kind() operation.Kind { return "pause" }
func (pause) Validate() error      { return nil }

// What is given to package fmt is not read without its lock, and no sample is shown.
func TestMediaIsPrinted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := media.NewBudget(1000)
		b := newBed(t, func(c *media.Call) {
			c.Prompts, c.Budget = memory{"a": make([]int16, media.FrameSamples)}, budget
		})
		var all sync.WaitGroup
		all.Go(func() {
			for range 15 { // until between two frames
				_ = fmt.Sprintf("%v %+v %s %v", b.engine, b.media, b.phone, budget)
				time.Sleep(frame / 10)
			}
		})
		b.play(t, "a")
		b.play(t, "a")
		synctest.Wait()
		got := fmt.Sprintf("%v, %+v, %s, %v", b.engine, b.media, b.phone, budget)
		if want := "media engine, 1 operations, media, L16/16000, phone, 0s heard, budget, 640 of 1000 bytes held"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		all.Wait()
		if got := fmt.Sprint(b.phone); got != "phone, 40ms heard" {
			t.Error(got)
		}
	})
}
