package media_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// fresh loads so many samples, that nobody else has.
func fresh(n int) media.Loader {
	return loaderFunc(func(context.Context, operation.Prompt) ([]int16, error) {
		return make([]int16, n), nil
	})
}

// Twenty prompts of 10 MiB do not come to 200 MiB: an operation's prompts are bounded together. One
// that is played twenty times is there once.
func TestTheBytesOfAnOperationAreBounded(t *testing.T) {
	t.Parallel()
	const size = 10 << 20
	synctest.Test(t, func(t *testing.T) {
		budget := media.NewBudget(1 << 30)
		shared := make([]int16, size/2)
		var loads atomic.Int32
		b := newBed(t, func(c *media.Call) {
			c.Budget = budget
			c.Prompts = loaderFunc(func(_ context.Context, p operation.Prompt) ([]int16, error) {
				if p.URI == "shared" {
					return shared, nil
				}
				loads.Add(1)
				return make([]int16, size/2), nil
			})
		})
		uris := make([]string, 20)
		for i := range uris {
			uris[i] = strconv.Itoa(i)
		}
		r, _ := b.play(t, uris...).Wait(t.Context())
		const text = "operation: notDownloadable (400/8536): 10485760 bytes of samples beside 31457280, must be at most 33554432 together"
		if r.Reason != operation.NotDownloadable || !strings.Contains(r.Err.Error(), text) {
			t.Errorf("got %v, %v, want %q", r.Reason, r.Err, text)
		}
		if n := loads.Load(); n > 4+media.MaxLoads || budget.Held() != 0 {
			t.Errorf("%d were loaded, want at most 4 and %d; %d bytes are held", n, media.MaxLoads, budget.Held())
		}
		for i := range uris {
			uris[i] = "shared"
		}
		op := b.play(t, uris...)
		time.Sleep(frame)
		synctest.Wait()
		if op.Status() != operation.Running || budget.Held() != size {
			t.Errorf("%v, %d bytes are held, want %d", op.Status(), budget.Held(), size)
		}
	})
}

// However an operation ends, before its turn, while it is loaded, while it plays, nothing of it is
// held afterwards; and what several calls hold together is bounded.
func TestTheBytesOfAllOperationsAreBoundedAndReleased(t *testing.T) {
	t.Parallel()
	const each = 2 * media.Rate // bytes of a second
	synctest.Test(t, func(t *testing.T) {
		budget := media.NewBudget(3 * each)
		withBudget := func(c *media.Call) { c.Budget, c.Prompts = budget, fresh(media.Rate) }
		want := func(what string, n int) {
			t.Helper()
			synctest.Wait()
			if got := budget.Held(); got != n*each {
				t.Errorf("%s: %d bytes are held, want %d", what, got, n*each)
			}
		}
		a, b := newBed(t, withBudget), newBed(t, withBudget)
		playing, other := a.play(t, "1"), b.play(t, "3")
		a.play(t, "2")
		want("two play, and one is loaded ahead", 3)
		second := b.play(t, "4")
		want("another finds no room", 3)
		a.Cancel(playing.ID())
		want("its turn has come", 2)
		a.CancelAll()
		want("all of one call are cancelled", 1)
		_, _ = other.Wait(t.Context())
		if r, _ := second.Wait(t.Context()); r.Reason != operation.NotDownloadable || !strings.Contains(r.Err.Error(), "all operations: ") {
			t.Errorf("got %v, %v", r.Reason, r.Err)
		}
		want("all have ended", 0)

		last := a.play(t, "5")
		a.play(t, "6")
		want("again", 2)
		a.Close(nil)
		want("the call is over", 0)
		if !last.Status().Terminal() {
			t.Error("it goes on")
		}
	})
}

// What is being loaded when its operation ends is let go of as soon as it has come.
func TestWhatIsLoadedTooLateIsReleased(t *testing.T) {
	t.Parallel()
	for _, prefetched := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			budget, goOn := media.NewBudget(1<<20), make(chan struct{})
			b := newBed(t, func(c *media.Call) {
				c.Budget = budget
				c.Prompts = loaderFunc(func(_ context.Context, p operation.Prompt) ([]int16, error) {
					if p.URI != "fine" {
						<-goOn // whatever its context says
					}
					return make([]int16, media.Rate), nil
				})
			})
			if prefetched {
				b.play(t, "fine")
				b.play(t, "late")
			} else {
				b.play(t, "late")
			}
			synctest.Wait()
			b.CancelAll()
			close(goOn)
			time.Sleep(frame)
			synctest.Wait()
			if got := budget.Held(); got != 0 {
				t.Errorf("prefetched %v: %d bytes are held", prefetched, got)
			}
		})
	}
}
