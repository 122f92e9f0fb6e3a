package media

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// ErrClosed is why operations fail on an engine that was closed. They end with
// [operation.ShutDown].
var ErrClosed = errors.New("media: engine closed")

// Engine does the media of any number of calls. One goroutine, its pacer, drives the frames of
// them all and exists only while there are frames to do. It is safe for concurrent use, must not
// be copied, and must be closed.
type Engine struct {
	pacer *pacer
	life  context.Context //nolint:containedctx // ends with the engine: of what no operation owns
	end   context.CancelCauseFunc

	mu     sync.Mutex // guards the block below
	jobs   map[queue.Task]*job
	closed bool

	work sync.WaitGroup // jobs that have not reported, and the goroutines that load and write
}

// NewEngine returns an engine. It holds no goroutine until an operation starts.
func NewEngine() *Engine {
	e := &Engine{pacer: newPacer(), jobs: make(map[queue.Task]*job)}
	e.life, e.end = context.WithCancelCause(context.Background())
	return e
}

// String says how many operations are under way, for logs: what is given to package fmt would be
// read without the lock otherwise.
func (e *Engine) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf("media engine, %d operations", len(e.jobs))
}

// Close fails what is still under way, with [operation.ShutDown], and waits until every goroutine
// of the engine has ended: until each [Loader] that was loading has returned, each recording is on
// the disk, and each [Call].Publish has returned. Close the queues first. It may be called again,
// but by none of these, nor by a sink or a source.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	jobs := make([]*job, 0, len(e.jobs))
	for _, j := range e.jobs {
		jobs = append(jobs, j)
	}
	e.mu.Unlock()
	e.end(errShutDown)
	e.pacer.stop()
	for _, j := range jobs {
		j.finish(operation.Result{Err: errShutDown})
	}
	e.work.Wait()
}

var errShutDown = fmt.Errorf("%w: %w", ErrClosed, operation.ShutDown)

// begin makes j known and has it load, on a goroutine of its own.
func (e *Engine) begin(j *job) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errShutDown
	}
	e.jobs[j.task] = j
	e.work.Add(1)
	e.work.Go(j.load)
	return nil
}

// spawn has f done on a goroutine of its own. It reports false, and does nothing, after Close.
func (e *Engine) spawn(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.work.Go(f)
	}
	return !e.closed
}

// job returns the job of t, or nil if it was never begun or has reported.
func (e *Engine) job(t queue.Task) *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.jobs[t]
}

// report reports the end of j to its queue, and the job is over.
func (e *Engine) report(j *job, r operation.Result) {
	e.mu.Lock()
	delete(e.jobs, j.task)
	e.mu.Unlock()
	defer e.work.Done()
	j.task.End(r)
}

// guard calls foreign code and makes an error of its panic: a broken sink must not end the pacer,
// which drives every other call.
func guard(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("media: %s panicked: %v", what, v)
		}
	}()
	return f()
}
