package media_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
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

// hideMedia gives the bed a queue that knows of its media's Start and Stop only.
func (b *bed) hideMedia(t *testing.T) {
	t.Helper()
	var err error
	if b.Queue, err = queue.New("call", struct{ queue.Media }{b.media}); err != nil {
		t.Fatal(err)
	}
}

// What was loaded while it waited begins with the frame that follows the one before it.
func TestWhatIsLoadedAheadBeginsWithoutAGap(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, time.Second, 3 * time.Second} { // of 2 s that it waits
		for _, ahead := range []bool{true, false} { // false: a queue that does not know that its media prepares
			synctest.Test(t, func(t *testing.T) {
				loads := new(atomic.Int32)
				b := newBed(t, with(slow{memory{"a": noise(1, 2*media.Rate), "b": noise(2, 640)}, takes, loads}))
				if !ahead {
					b.hideMedia(t)
				}
				first, second := b.play(t, "a"), b.play(t, "b")
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
	for end, cause := range map[string]error{
		"cancelled": context.Canceled, "taken": operation.Cancelled, "closed": operation.ShutDown,
	} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan error, 2)
				b := newBed(t, with(loaderFunc(func(ctx context.Context, p operation.Prompt) ([]int16, error) {
					if p.URI == "fine" {
						return noise(1, media.Rate), nil
					}
					<-ctx.Done()
					released <- context.Cause(ctx)
					return nil, ctx.Err()
				})))
				b.play(t, "fine")
				b.play(t, "hangs")
				synctest.Wait()
				switch end {
				case "cancelled":
					b.CancelAll()
				case "taken": // its turn comes, then it is cancelled
					time.Sleep(2 * time.Second)
					b.CancelAll()
				case "closed":
					b.engine.Close()
				}
				synctest.Wait()
				select {
				case err := <-released:
					if !errors.Is(err, cause) {
						t.Errorf("released with %v, want %v", err, cause)
					}
				default:
					t.Error("it is still being loaded")
				}
			})
		})
	}
}

// An operation whose turn has come may end before the media gets it. Then its prompts are released
// too: the budget is that of many calls.
func TestWhatIsLoadedAheadIsReleasedIfStartIsNeverCalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := media.NewBudget(1 << 20)
		b := newBed(t, with(memory{"a": noise(1, media.Rate), "b": noise(2, media.Rate)}),
			func(c *media.Call) { c.Budget = budget })
		var second atomic.Pointer[operation.Operation]
		started := 0
		var err error
		b.Queue, err = queue.New("call", b.media, queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind != queue.Started || e.Operation != second.Load() {
				return
			}
			started++
			synctest.Wait() // the context that Prepare got has ended
			e.Queue.CancelAll()
		})))
		if err != nil {
			t.Fatal(err)
		}
		b.play(t, "a")
		second.Store(b.play(t, "b"))
		_, _ = second.Load().Wait(t.Context())
		synctest.Wait()
		if !errors.Is(second.Load().Err(), operation.Cancelled) || started != 1 {
			t.Fatalf("got %v after %d starts", second.Load().Err(), started)
		}
		if held := budget.Held(); held != 0 {
			t.Errorf("%d bytes are held, want none", held)
		}
	})
}

// Where a recording can be had is for the call to say; if it cannot, the record fails and the file
// stays.
func TestARecordingIsPublished(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{nil, errBroken, media.ErrExited} {
		synctest.Test(t, func(t *testing.T) {
			published := operation.Recording{Location: "https://example.com/1", AccessToken: "secret", Duration: time.Second}
			var file operation.Recording
			var of *operation.Operation
			b := newBed(t, func(c *media.Call) {
				c.Publish = func(op *operation.Operation, r operation.Recording) (operation.Recording, error) {
					of, file = op, r
					if errors.Is(fault, media.ErrExited) {
						runtime.Goexit()
					}
					return published, fault
				}
			})
			op := b.enqueue(t, record(func(r *operation.RecordResponse) { r.MaxDuration = time.Second }))
			b.phone.Say(level(4000, 5*time.Second))
			r, err := op.Wait(t.Context())
			if of != op || len(readWAV(t, file.Location)) != media.Rate {
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

func TestAPhoneKeepsTheLengthThatIsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := media.NewPhone()
		p.Keep(2 * frame)
		start := time.Now()
		for i := range 5 {
			_ = p.WriteFrame(start.Add(time.Duration(i)*frame), noise(uint64(i), media.FrameSamples))
		}
		wantSamples(t, "heard", p.Heard(), append(noise(0, 320), noise(1, 320)...))
		if got := p.LastHeard().Sub(start); got != 4*frame {
			t.Errorf("the last frame was heard at %v", got)
		}
	})
}

// Both directions are as long as the time that has passed, and what is said again cuts off what was
// said before.
func TestAPhoneHasBothDirectionsUntilAnInstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := media.NewPhone()
		start := time.Now()
		heard, said := p.Until(start.Add(-frame))
		wantSamples(t, "heard before", heard, nil)
		wantSamples(t, "said before", said, nil)
		_ = p.WriteFrame(start.Add(frame), noise(0, 320))
		time.Sleep(frame)
		p.Say(noise(1, 1000))
		time.Sleep(2 * frame)
		p.Say(noise(2, 100))
		time.Sleep(3 * frame)
		wantHeard := slices.Concat(silence(frame), noise(0, 320), silence(4*frame))
		wantSaid := slices.Concat(silence(frame), noise(1, 1000)[:640], noise(2, 100), make([]int16, 3*320-100))
		heard, said = p.Until(time.Now())
		wantSamples(t, "heard", heard, wantHeard)
		wantSamples(t, "said", said, wantSaid)
		p.Say(nil)
		heard, said = p.Until(start.Add(2 * frame))
		wantSamples(t, "heard early", heard, wantHeard[:640])
		wantSamples(t, "said early", said, wantSaid[:640])
		p.Keep(3 * frame)
		heard, said = p.Until(time.Now())
		wantSamples(t, "heard, bounded", heard, wantHeard[:960])
		wantSamples(t, "said, bounded", said, wantSaid[:960])
		heard, said = p.Until(start) // the frame that is heard has its end later
		wantSamples(t, "heard at once", heard, wantHeard[:640])
		wantSamples(t, "said at once", said, wantSaid[:640])
	})
}
