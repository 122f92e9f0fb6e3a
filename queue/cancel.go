package queue

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Receipt says whom a cancel ended. It may be copied; the zero Receipt is one of nothing.
type Receipt struct {
	operation *operation.Operation
	victims   []*item
}

// Operation returns the cancelMediaProcessing operation that the cancel itself was: completed, with
// the id and the client context that CancelAll was given. It is nil in receipts of others than
// CancelAll.
func (r Receipt) Operation() *operation.Operation { return r.operation }

// Len returns how many operations the cancel ended.
func (r Receipt) Len() int { return len(r.victims) }

// Victims yields the operations that the cancel ended, in queue order, the running one first.
func (r Receipt) Victims() iter.Seq[*operation.Operation] {
	return func(yield func(*operation.Operation) bool) {
		for _, it := range r.victims {
			if !yield(it.control.Operation()) {
				return
			}
		}
	}
}

// CancelAll ends everything that runs or waits at one instant, with [operation.Cancelled]. On
// return: every reader sees all of them failed with 400/8508, [Task.Live] says no, their Done
// channels are closed and their contexts over, and what is accepted from now on is untouched. It is
// never refused; on an empty or closed queue the receipt has no victims. Its options are those of
// Enqueue, for the cancel's own operation. It does not wait for the media to fall silent; that is
// told by the Released event.
func (q *Queue) CancelAll(opts ...EnqueueOption) Receipt {
	spec := operation.Spec{Request: operation.CancelMediaProcessing(), Context: context.Background()}
	apply(&spec, opts)
	own := new(operation.Control)
	own.Init(spec)

	q.enter(0)
	var c clock
	victims, awaited := q.endAll(operation.Cancelled, &c)
	own.Complete(c.now())
	q.settle(&c)
	q.unlock(awaited)
	return Receipt{own.Operation(), victims}
}

// Interrupt is CancelAll, with [operation.BargedIn], and Enqueue in one step: no operation of
// another producer gets between. The receipt names those that were ended. It is refused for the
// same reasons as Enqueue, save that a full queue never refuses it; a refused Interrupt has
// cancelled nothing.
func (q *Queue) Interrupt(
	ctx context.Context, req operation.Request, opts ...EnqueueOption,
) (*operation.Operation, Receipt, error) {
	it, _, err := prepare(ctx, req, opts)
	if err != nil {
		return nil, Receipt{}, err
	}
	victims, err := q.interrupt(it, hasID(opts))
	if err != nil {
		return nil, Receipt{}, err
	}
	return it.control.Operation(), Receipt{victims: victims}, nil
}

func (q *Queue) interrupt(it *item, idGiven bool) ([]*item, error) {
	q.enter(0)
	if err := q.admit(it, idGiven, 0); err != nil {
		q.leave(0)
		return nil, err
	}
	var c clock
	victims, awaited := q.endAll(operation.BargedIn, &c)
	q.accept(it, &c)
	q.unlock(awaited)
	return victims, nil
}

// Cancel ends the one operation with this id, running or waiting, with [operation.Cancelled], and
// returns it; the order of the rest is kept. For an id that nothing live has it is [ErrNotFound].
func (q *Queue) Cancel(id uuid.UUID) (*operation.Operation, error) {
	q.enter(0)
	it := q.find(id)
	if it == nil {
		q.leave(0)
		return nil, ErrNotFound
	}
	if it != q.slot {
		q.waiting.remove(it)
	}
	var c clock
	q.end(it, operation.Cancelled, &c)
	q.settle(&c)
	q.unlock([]*item{it})
	return it.control.Operation(), nil
}

// end ends one live operation over its media's head.
func (q *Queue) end(it *item, why operation.Reason, c *clock) {
	position := it.control.Operation().Position()
	must(it.control.End(&operation.Result{Reason: why, Position: position}, c.now()))
	if it == q.slot {
		q.overrule(it) // first, so that what it was lent is kept while its media is not through
	}
	q.append(entry{item: it, kinds: logEnded})
}

// endAll ends everything that is live and returns it, the running one first, and those of it that
// somebody waits for.
func (q *Queue) endAll(why operation.Reason, c *clock) (victims, awaited []*item) {
	running := q.slot
	if running != nil && !running.control.Live() {
		q.watchStuck()
		running = nil
	}
	n := q.live()
	if n == 0 {
		return nil, nil
	}
	d := &detail{at: c.now()}
	if running != nil {
		d.result.Position = running.control.Operation().Position()
		q.waiting.unshift(running)
	}

	q.generation.End(why, d.at) // commit: from this store on, all of them are failed
	q.generation = nil

	victims, awaited = q.waiting.drain(make([]*item, 0, n))
	d.victims = victims
	if running != nil {
		q.overrule(running)
	}
	q.append(entry{kinds: logBatch, detail: d})
	return victims, awaited
}

// watchStuck sees to it that media which has reported, but does not return from its callback, is
// given up: a cancel or the end of the call has no operation left there that would arm a timeout.
// The first of them counts.
func (q *Queue) watchStuck() {
	if it := q.slot; it != nil && it.media.inCallback() && !it.media.has(stopArmed) {
		q.armStop(it)
	}
}
