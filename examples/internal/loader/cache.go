package loader

import (
	"context"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

// MaxCache is how many bytes of samples are kept of prompts that were fetched: 64 MiB, more than
// half an hour of audio.
const MaxCache = 64 << 20

// cache keeps prompts that were fetched, those that were asked for last, and fetches each once,
// also if many ask for it at once. Failures are not kept.
type cache struct {
	life     context.Context //nolint:containedctx // of fetches, which are nobody's own
	end      context.CancelFunc
	fetches  sync.WaitGroup
	fetching singleflight.Group

	mu    sync.Mutex // guards the block below
	kept  *simplelru.LRU[string, []int16]
	bytes int
}

func newCache() *cache {
	c := new(cache)
	c.life, c.end = context.WithCancel(context.Background())
	// The bound is on bytes; this one is never reached by prompts of a frame or more.
	c.kept, _ = simplelru.NewLRU(MaxCache/640, func(_ string, samples []int16) {
		c.bytes -= 2 * len(samples)
	})
	return c
}

// close ends the fetches that are under way. Nothing may be got any more.
func (c *cache) close() {
	c.end()
	c.fetches.Wait()
}

// get returns what is kept under key, or fetches it. The fetch is nobody's own: whoever waits for
// it may go when his ctx ends, and the others get it.
func (c *cache) get(
	ctx context.Context, key string, fetch func(context.Context) ([]int16, error),
) ([]int16, error) {
	if samples, ok := c.look(key); ok {
		return samples, nil
	}
	type result struct {
		samples []int16
		err     error
	}
	got := make(chan result, 1)
	c.fetches.Go(func() {
		v, err, _ := c.fetching.Do(key, func() (any, error) {
			if samples, ok := c.look(key); ok { // another fetch has ended since the first look
				return samples, nil
			}
			samples, err := fetch(c.life)
			if err == nil {
				c.keep(key, samples)
			}
			return samples, err
		})
		samples, _ := v.([]int16)
		got <- result{samples, err}
	})
	select {
	case r := <-got:
		return r.samples, r.err
	case <-ctx.Done():
		return nil, notDownloadable(context.Cause(ctx))
	}
}

// look returns what is kept under key.
func (c *cache) look(key string) ([]int16, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Get(key)
}

func (c *cache) keep(key string, samples []int16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(key)
	c.kept.Add(key, samples)
	c.bytes += 2 * len(samples)
	for c.bytes > MaxCache {
		c.kept.RemoveOldest()
	}
}
