package media_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// A loader that cuts its prompts from one recording gives some that begin with the same sample and
// are not the same. The budget counts each, and takes off what it has put on.
func TestPromptsCutFromOneAreCountedEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		whole := make([]int16, 20*media.FrameSamples)
		budget := media.NewBudget(1 << 20)
		b := newBed(t, func(c *media.Call) {
			c.Budget = budget
			c.Prompts = loaderFunc(func(_ context.Context, p operation.Prompt) ([]int16, error) {
				frames, err := strconv.Atoi(p.URI)
				return whole[:frames*media.FrameSamples], err
			})
		})
		for _, prompts := range [][]string{{"1", "20"}, {"20", "1"}, {"1", "20", "1", "20"}} {
			op := b.play(t, prompts...)
			synctest.Wait()
			if got, want := budget.Held(), 2*21*media.FrameSamples; got != want {
				t.Errorf("%q: %d bytes are held, want %d", prompts, got, want)
			}
			_, _ = op.Wait(t.Context())
			synctest.Wait()
			if got := budget.Held(); got != 0 {
				t.Errorf("%q: %d bytes are held at the end", prompts, got)
			}
		}
	})
}
