package softmedia_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/operation"
)

// slow is a loader that takes its time.
type slow struct {
	memory

	takes time.Duration
	loads *atomic.Int32
}

func (s slow) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	s.loads.Add(1)
	select {
	case <-time.After(s.takes):
		return s.memory.Load(ctx, p)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// What was loaded while it waited begins with the frame that follows the one before it.
func TestWhatIsLoadedAheadBeginsWithoutAGap(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, time.Second, 3 * time.Second} { // of 2 s that it waits
		for _, ahead := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				loads := new(atomic.Int32)
				b := newBed(t, with(slow{memory{"a": noise(1, 2*softmedia.Rate), "b": noise(2, 640)}, takes, loads}))
				first, second := b.play(t, "a"), b.play(t, "b")
				if ahead {
					b.media.Prefetch(second)
					b.media.Prefetch(second) // again does nothing
				}
				if _, err := first.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := second.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				gap := second.Times().Ended.Sub(first.Times().Ended) - 2*frame
				var want time.Duration
				switch {
				case ahead && takes == 3*time.Second:
					want = 0 // both began to load at the same time
				case !ahead:
					want = takes
				}
				if gap < want-frame || gap > want+frame {
					t.Errorf("loading takes %v, ahead %v: a gap of %v, want %v", takes, ahead, gap, want)
				}
				if got := loads.Load(); got != 2 {
					t.Errorf("%d loads, want 2", got)
				}
			})
		}
	}
}

// Loading ahead ends with the operation that it is for, or with the engine, and is let go of.
func TestLoadingAheadEndsWithItsOperation(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"cancelled", "taken", "closed"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan error, 2)
				b := newBed(t, with(loaderFunc(func(ctx context.Context, p operation.Prompt) ([]int16, error) {
					if p.URI == "fine" {
						return noise(1, softmedia.Rate), nil
					}
					<-ctx.Done()
					released <- context.Cause(ctx)
					return nil, ctx.Err()
				})))
				b.play(t, "fine")
				second := b.play(t, "hangs")
				b.media.Prefetch(second)
				synctest.Wait()
				switch end {
				case "cancelled":
					b.CancelAll()
					b.media.Prefetch(nil)
				case "taken": // its turn comes, then it is cancelled
					time.Sleep(2 * time.Second)
					b.CancelAll()
				case "closed":
					b.engine.Close()
				}
				synctest.Wait()
				select {
				case err := <-released:
					if !errors.Is(err, context.Canceled) {
						t.Errorf("released with %v", err)
					}
				default:
					t.Error("it is still being loaded")
				}
			})
		})
	}
}

// Where a recording can be had is for the call to say; if it cannot, the record fails and the file
// stays.
func TestARecordingIsPublished(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{nil, errBroken} {
		synctest.Test(t, func(t *testing.T) {
			published := operation.Recording{Location: "https://example.com/1", AccessToken: "secret", Duration: time.Second}
			var file operation.Recording
			var of *operation.Operation
			b := newBed(t, func(c *softmedia.Call) {
				c.Publish = func(op *operation.Operation, r operation.Recording) (operation.Recording, error) {
					of, file = op, r
					return published, fault
				}
			})
			op := b.enqueue(t, record(func(r *operation.RecordResponse) { r.MaxDuration = time.Second }))
			b.phone.Say(level(4000, 5*time.Second))
			r, err := op.Wait(t.Context())
			if of != op || len(readWAV(t, file.Location)) != softmedia.Rate {
				t.Errorf("published %+v of %v", file, of)
			}
			switch {
			case fault == nil && (err != nil || r.Recording != published || r.Reason != operation.MaxDuration):
				t.Errorf("got %+v, %v", r, err)
			case fault != nil && (!errors.Is(r.Err, fault) || r.Reason != operation.Unspecified || r.Recording != operation.Recording{}):
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestAPhoneKeepsAsMuchAsItIsToldTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := softmedia.NewPhone()
		p.Keep(2 * frame)
		start := time.Now()
		for i := range 5 {
			_ = p.WriteFrame(start.Add(time.Duration(i)*frame), noise(uint64(i), softmedia.FrameSamples))
		}
		wantSamples(t, "heard", p.Heard(), append(noise(0, 320), noise(1, 320)...))
		if got := p.LastHeard().Sub(start); got != 4*frame {
			t.Errorf("the last frame was heard at %v", got)
		}
	})
}
