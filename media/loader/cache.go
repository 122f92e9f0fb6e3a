package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"ivrqueue/media"
)

// MaxCache is how many bytes are kept of prompts, of all applications together: 64 MiB, more than
// half an hour of audio at 16 kHz.
const MaxCache = 64 << 20

// overhead is what an entry of the cache costs beside its samples and its strings, in bytes.
const overhead = 1024

// key says whose prompt it is, and which: the resourceId alone would let one address's prompt be
// played for another's.
type key struct {
	application, resourceID, uri string

	codec   media.Codec // each keeps its own
	version string      // of a file
}

// entry is a prompt that was fetched. It does not change.
type entry struct {
	audio  media.Audio
	from   string      // the address that had it, where redirects led
	header http.Header // the fields of its answer that say how it may be kept
	fresh  freshness
}

// worthKeeping reports whether it can be used again: as it is, or if its server agrees.
func (e *entry) worthKeeping() bool {
	return e.fresh.store &&
		(time.Now().Before(e.fresh.until) || condition(make(http.Header), e.header))
}

// errExited is why a prompt can't be had whose file system exits the goroutine that reads it.
var errExited = notDownloadable(unread(errors.New("reading it exited the goroutine")))

// getter makes an entry, or makes an old one fresh, which may be nil.
type getter func(ctx context.Context, old *entry) (*entry, error)

// cache keeps prompts that were fetched, those that were asked for last, as long as their servers
// allow (RFC 9111), and fetches each once, also if many ask for it at once. Failures are not kept.
// Where there is no room, the application that has most of it loses the one that it has not asked
// for longest.
type cache struct {
	life    context.Context //nolint:containedctx // of fetches, which several share
	end     context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards the block below
	shelves map[string]*shelf
	bytes   int // on all shelves
	fetches map[key]*fetch
}

// shelf is what is kept for one application.
type shelf struct {
	kept  *simplelru.LRU[key, *entry]
	bytes int
}

// fetch is a prompt that is being fetched for all who wait for it.
type fetch struct {
	waiting int // guarded by the cache's mutex
	cancel  context.CancelFunc
	done    chan struct{} // closed when there is a result

	entry *entry
	err   error
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

// get returns what is kept under k and fresh, or gets it. What is being got is shared:
// whoever waits for it may go when his ctx ends, and the others get it; when the last one goes, it
// ends. What may not be kept is for the one who began, and the others get their own (RFC 9111, 4).
func (c *cache) get(ctx context.Context, k key, get getter) (media.Audio, error) {
	e, f, first := c.join(k, get) //nolint:contextcheck // it is shared, and ends with its last waiter
	if f == nil {
		return e.audio, nil
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(k, f)
		return media.Audio{}, notDownloadable(context.Cause(ctx))
	}
	e, err := f.entry, f.err
	if err == nil && !first && !e.fresh.store {
		e, err = get(ctx, nil)
	}
	if err != nil {
		return media.Audio{}, err
	}
	return e.audio, nil
}

// join returns what is kept under k and fresh, else the fetch of it, which it begins if there is
// none.
func (c *cache) join(k key, get getter) (kept *entry, f *fetch, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shelves[k.application]; s != nil {
		kept, _ = s.kept.Get(k)
	}
	if kept != nil && time.Now().Before(kept.fresh.until) {
		return kept, nil, false
	}
	f = c.fetches[k]
	if f == nil {
		first = true
		f = &fetch{done: make(chan struct{})}
		old := kept
		var ctx context.Context
		ctx, f.cancel = context.WithCancel(c.life)
		c.fetches[k] = f
		c.running.Go(func() {
			defer f.cancel()
			f.err = errExited // unless get returns
			defer func() {
				if v := recover(); v != nil {
					f.err = notDownloadable(unread(fmt.Errorf("reading it panicked: %v", v)))
				}
				c.finish(k, f)
				close(f.done)
			}()
			f.entry, f.err = get(ctx, old)
		})
	}
	f.waiting++
	return nil, f, first
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

// finish keeps what f has got, if it may be kept, instead of what there was.
func (c *cache) finish(k key, f *fetch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(k, f)
	if f.err == nil {
		c.keep(k, f.entry)
	}
}

// forget makes the next one who wants k begin anew.
func (c *cache) forget(k key, f *fetch) {
	if c.fetches[k] == f {
		delete(c.fetches, k)
	}
}

func (c *cache) keep(k key, e *entry) {
	s := c.shelves[k.application]
	if s == nil {
		s = new(shelf)
		s.kept, _ = simplelru.NewLRU(MaxCache/overhead, func(k key, e *entry) {
			s.bytes -= cost(k, e)
			c.bytes -= cost(k, e)
		})
		c.shelves[k.application] = s
	}
	s.kept.Remove(k)
	if !e.worthKeeping() {
		return
	}
	s.kept.Add(k, e)
	s.bytes += cost(k, e)
	c.bytes += cost(k, e)
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

func cost(k key, e *entry) int {
	n := overhead + len(k.resourceID) + len(k.uri) + len(k.version) + len(e.from) + e.audio.Size()
	for _, values := range e.header {
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}
