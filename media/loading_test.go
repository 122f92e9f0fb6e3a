package media_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// timed is a loader of prompts that take their time, by URI; those that are not in it fail then.
type timed struct {
	memory

	takes map[string]time.Duration
}

func (l timed) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	select {
	case <-time.After(l.takes[p.URI]):
		return l.memory.Load(ctx, p)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Ten prompts that take 0.58 s each are heard after 0.58 s, without a gap.
func TestPromptsAreLoadedSideBySide(t *testing.T) {
	t.Parallel()
	const takes = 580 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		l := timed{memory{}, map[string]time.Duration{}}
		var uris []string
		want := silence(takes)
		for i := range 10 {
			uri := strconv.Itoa(i)
			uris = append(uris, uri)
			l.memory[uri], l.takes[uri] = noise(uint64(i), 4000), takes
			want = append(want, l.memory[uri]...)
		}
		b := newBed(t, with(l))
		if _, err := b.play(t, uris...).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSamples(t, "heard", b.phone.Heard(), want)
	})
}

// The first one is heard as soon as it is there, however long the others take; where one is not
// there in time there is silence, which is no part of the position.
func TestThePromptThatIsThereIsHeard(t *testing.T) {
	t.Parallel()
	one, two, three := noise(1, 1000), noise(2, 640), noise(3, 640)
	for _, loop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, with(timed{
				memory{"1": one, "2": two, "3": three},
				map[string]time.Duration{"1": 30 * time.Millisecond, "2": 990 * time.Millisecond, "3": 10 * time.Millisecond},
			}))
			op := b.enqueue(t, &operation.PlayPrompt{Prompts: prompts("1", "2", "3"), Loop: loop})
			time.Sleep(500 * time.Millisecond)
			if got := op.Position(); got != media.Duration(1000) {
				t.Errorf("the position is %v, want %v", got, media.Duration(1000))
			}
			time.Sleep(frame + 510*time.Millisecond)
			b.CancelAll()
			want := framed(silence(2*frame), one)
			want = append(want, make([]int16, media.Samples(time.Second)-len(want))...)
			want = append(want, two[:2*320]...) // at 1 s, and one frame later
			wantSamples(t, "heard", b.phone.Heard(), want)
		})
	}
}

// A prompt that fails ends its operation at once, with its index; nobody loads what is left of it.
func TestAPromptThatFailsNamesItsIndexAndEndsTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		b := newBed(t, with(loaderFunc(func(ctx context.Context, p operation.Prompt) ([]int16, error) {
			switch p.URI {
			case "good":
				return noise(1, 10*media.Rate), nil
			case "bad":
				time.Sleep(990 * time.Millisecond)
				return nil, fmt.Errorf("gone: %w", operation.NotDownloadable)
			default:
				<-ctx.Done()
				close(ended)
				return nil, context.Cause(ctx)
			}
		})))
		r, _ := b.play(t, "good", "good", "bad", "hangs").Wait(t.Context())
		if r.Reason != operation.NotDownloadable || r.Position != 980*time.Millisecond {
			t.Errorf("ended with %v at %v, want %v at 980ms", r.Reason, r.Position, operation.NotDownloadable)
		}
		failed := new(operation.PromptError)
		if !errors.As(r.Err, &failed) || failed.Index != 2 || !errors.Is(failed, operation.NotDownloadable) {
			t.Errorf("got %v, want that of prompt 2", r.Err)
		}
		<-ended
	})
}

// However many prompts, so many are loaded at once.
func TestLoadsOfOneOperationAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan string, 100)
		b := newBed(t, with(loaderFunc(func(ctx context.Context, p operation.Prompt) ([]int16, error) {
			begun <- p.URI
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})))
		var uris []string
		for i := range 20 {
			uris = append(uris, strconv.Itoa(i))
		}
		b.play(t, uris...)
		synctest.Wait()
		var got []string
		for range len(begun) {
			got = append(got, <-begun)
		}
		slices.Sort(got)
		if !slices.Equal(got, uris[:media.MaxLoads]) {
			t.Errorf("loading %v, want %v", got, uris[:media.MaxLoads])
		}
		b.CancelAll()
	})
}
