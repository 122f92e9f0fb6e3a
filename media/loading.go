package media

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"ivrqueue/operation"
)

// MaxLoads is how many prompts of one operation are loaded at once.
const MaxLoads = 8

// loading is the prompts of an operation, which are loaded side by side, the first ones first. What
// has come is held in the budgets until release.
type loading struct {
	media   *Media
	prompts []operation.Prompt
	first   int             // the number that the first of them has in the request
	ctx     context.Context //nolint:containedctx // of the loads; ends with release
	cancel  context.CancelCauseFunc
	own     *Budget
	begun   chan struct{} // closed when there is something to play, or an error
	taken   chan struct{} // of what is loaded ahead: closed when nobody else may take it

	mu       sync.Mutex // guards the block below
	parts    []Audio    // without samples where a prompt has not come yet
	err      error      // the first
	released bool
}

// loaded is a prompt that is there: the beep.
func loaded(a Audio) *loading {
	return &loading{prompts: make([]operation.Prompt, 1), parts: []Audio{a}}
}

// newLoading prepares to load prompts, of which there is at least one; run does it.
func (m *Media) newLoading(ctx context.Context, prompts []operation.Prompt, first int) *loading {
	l := &loading{
		media: m, prompts: prompts, first: first, own: NewBudget(MaxPrompts),
		begun: make(chan struct{}), parts: make([]Audio, len(prompts)),
	}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	return l
}

// run loads everything. It returns when every Loader has.
func (l *loading) run() {
	stop := context.AfterFunc(l.media.engine.life, func() { l.cancel(errShutDown) })
	defer stop()
	var group errgroup.Group
	group.SetLimit(MaxLoads)
	for i := range l.prompts {
		group.Go(func() error {
			l.load(i)
			return nil
		})
	}
	_ = group.Wait() // they keep their errors
}

// load loads a prompt, unless it is not wanted any more. A loader that exits its goroutine fails.
func (l *loading) load(i int) {
	var a Audio
	err := errExited
	defer func() { l.came(i, a, err) }()
	if l.ctx.Err() != nil {
		err = context.Cause(l.ctx)
		return
	}
	p := l.prompts[i]
	guarded := guard("loader", func() (err error) {
		a, err = l.media.loadAudio(l.ctx, p)
		return err
	})
	if guarded == nil && a.Len() == 0 { // a loop of it would never come to a frame's end
		guarded = fmt.Errorf("media: %s: %w: %w", p.URI, operation.BadFormat,
			&operation.PublicError{Text: errNoSamples.Error()})
	}
	err = guarded
}

// loadAudio gets a prompt in the call's codec.
func (m *Media) loadAudio(ctx context.Context, p operation.Prompt) (Audio, error) {
	c := m.call.Codec
	if l, ok := m.call.Prompts.(CodecLoader); ok {
		a, err := l.LoadAudio(ctx, p, c)
		if err == nil && a.codec != c {
			err = fmt.Errorf("media: %s: %w: in %v, must be in %v",
				p.URI, operation.BadFormat, a.codec, c)
		}
		return a, err
	}
	samples, err := m.call.Prompts.Load(ctx, p)
	if err != nil || len(samples) == 0 {
		return Audio{}, err
	}
	return NewAudio(ctx, samples, Rate, c)
}

var errExited = errors.New("media: callback exited its goroutine")

// came keeps a prompt that was loaded, or an error. The first error ends all loads.
func (l *loading) came(i int, a Audio, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released || l.err != nil {
		return
	}
	if err == nil {
		err = l.hold(a)
	}
	if err != nil {
		l.err = &operation.PromptError{Index: l.first + i, Err: err}
		l.cancel(l.err)
	} else {
		l.parts[i] = a
	}
	if i == 0 || err != nil {
		l.begin()
	}
}

// begin closes begun, once.
func (l *loading) begin() {
	select {
	case <-l.begun:
	default:
		close(l.begun)
	}
}

func (l *loading) hold(a Audio) error {
	if err := l.own.hold(a); err != nil {
		return fmt.Errorf("media: operation: %w: %w", operation.NotDownloadable,
			&operation.PublicError{Text: err.Error()})
	}
	if err := l.media.call.Budget.hold(a); err != nil {
		return fmt.Errorf("media: all operations: %w: %w", operation.NotDownloadable, err)
	}
	return nil
}

// release gives up what has come, and what is to come; the loads end with the cause.
func (l *loading) release(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return
	}
	l.released = true
	l.cancel(cause)
	for _, a := range l.parts {
		if a.Len() > 0 {
			l.media.call.Budget.release(a)
		}
	}
	l.parts = nil
}

var errReleased = errors.New("media: prompts were released")

// part returns a prompt, without samples while it is being loaded. It fails if any prompt does:
// what would be heard would not be whole.
func (l *loading) part(i int) (Audio, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return Audio{}, l.err
	case l.released:
		return Audio{}, errReleased
	}
	return l.parts[i], nil
}
