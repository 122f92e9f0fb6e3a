package loader

import (
	"context"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// MaxCache is how many bytes are kept of prompts that were fetched, of all applications together:
// 64 MiB, more than half an hour of audio.
const MaxCache = 64 << 20

// overhead is what an entry of the cache costs beside its samples and its name, in bytes.
const overhead = 256

// key says whose prompt it is, and which: the resourceId alone would let one address's prompt be
// played for another's.
type key struct{ application, resourceID, uri string }

// cache keeps prompts that were fetched, those that were asked for last, and fetches each once,
// also if many ask for it at once. Failures are not kept. Where there is no room, the application
// that has most of it loses the one that it has not asked for longest.
type cache struct {
	life    context.Context //nolint:containedctx // of fetches, which are nobody's own
	end     context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards the block below
	shelves map[string]*shelf
	bytes   int // on all shelves
	fetches map[key]*fetch
}

// shelf is what is kept for one application.
type shelf struct {
	kept  *simplelru.LRU[key, []int16]
	bytes int
}

// fetch is a prompt that is being fetched for all who wait for it.
type fetch struct {
	waiting int // guarded by the cache's mutex
	cancel  context.CancelFunc
	done    chan struct{} // closed when there is a result

	samples []int16
	err     error
}

func newCache() *cache {
	c := &cache{shelves: make(map[string]*shelf), fetches: make(map[key]*fetch)}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// close ends the fetches that are under way. Nothing may be got any more.
func (c *cache) close() {
	c.end()
	c.running.Wait()
}

// get returns what is kept under k, or gets it. What is being got is nobody's own: whoever waits
// for it may go when his ctx ends, and the others get it; when the last one goes, it ends.
func (c *cache) get(
	ctx context.Context, k key, get func(context.Context) ([]int16, error),
) ([]int16, error) {
	samples, f := c.join(k, get) //nolint:contextcheck // it is shared, and ends with its last waiter
	if f == nil {
		return samples, nil
	}
	select {
	case <-f.done:
		return f.samples, f.err
	case <-ctx.Done():
		c.leave(k, f)
		return nil, notDownloadable(context.Cause(ctx))
	}
}

// join returns what is kept under k, else the fetch of it, which it begins if there is none.
func (c *cache) join(k key, get func(context.Context) ([]int16, error)) ([]int16, *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shelves[k.application]; s != nil {
		if samples, ok := s.kept.Get(k); ok {
			return samples, nil
		}
	}
	f := c.fetches[k]
	if f == nil {
		f = &fetch{done: make(chan struct{})}
		var ctx context.Context
		ctx, f.cancel = context.WithCancel(c.life)
		c.fetches[k] = f
		c.running.Go(func() {
			defer f.cancel()
			f.samples, f.err = get(ctx)
			c.finish(k, f)
			close(f.done)
		})
	}
	f.waiting++
	return nil, f
}

// leave is called by one that does not wait for f any more.
func (c *cache) leave(k key, f *fetch) {
	c.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last {
		c.forget(k, f)
	}
	c.mu.Unlock()
	if last {
		f.cancel()
	}
}

// finish keeps what f has got.
func (c *cache) finish(k key, f *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(k, f)
	if f.err == nil {
		c.keep(k, f.samples)
	}
}

// forget makes the next one who wants k begin anew.
func (c *cache) forget(k key, f *fetch) {
	if c.fetches[k] == f {
		delete(c.fetches, k)
	}
}

func (c *cache) keep(k key, samples []int16) {
	s := c.shelves[k.application]
	if s == nil {
		s = new(shelf)
		s.kept, _ = simplelru.NewLRU(MaxCache/overhead, func(k key, samples []int16) {
			s.bytes -= cost(k, samples)
			c.bytes -= cost(k, samples)
		})
		c.shelves[k.application] = s
	}
	s.kept.Remove(k)
	s.kept.Add(k, samples)
	s.bytes += cost(k, samples)
	c.bytes += cost(k, samples)
	for c.bytes > MaxCache {
		c.fullest().kept.RemoveOldest()
	}
}

// fullest returns the shelf that has most.
func (c *cache) fullest() *shelf {
	most := new(shelf)
	for _, s := range c.shelves {
		if s.bytes > most.bytes {
			most = s
		}
	}
	return most
}

func cost(k key, samples []int16) int {
	return overhead + len(k.resourceID) + len(k.uri) + 2*len(samples)
}
