package bench

import (
	"context"
	"sync/atomic"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// instant is media that ends every operation inside Start.
type instant struct{}

func (instant) Start(t queue.Task) error {
	t.Request().(*Work).Run()
	t.End(operation.Result{})
	return nil
}

func (instant) Stop(queue.Task) {}

// patient is media that reports after its Start has returned.
type patient struct{ current queue.Task }

func (p *patient) Start(t queue.Task) error {
	p.current = t
	t.Request().(*Work).Run()
	return nil
}

func (p *patient) Stop(queue.Task) {}

// simple is media as a function that blocks while it plays.
func simple(_ context.Context, t queue.Active) (operation.Result, error) {
	t.Request().(*Work).Run()
	return operation.Result{}, nil
}

// lasting is media that plays until it is stopped.
type lasting struct {
	current atomic.Pointer[operation.Operation]
}

func (l *lasting) Start(t queue.Task) error {
	t.Request().(*Work).Run()
	l.current.Store(t.Operation)
	return nil
}

func (l *lasting) Stop(t queue.Task) { t.End(operation.Result{}) }

// block is the same as a function.
func (l *lasting) block(ctx context.Context, t queue.Active) (operation.Result, error) {
	t.Request().(*Work).Run()
	l.current.Store(t.Operation)
	<-ctx.Done()
	return operation.Result{}, t.Err()
}
