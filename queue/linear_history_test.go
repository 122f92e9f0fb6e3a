package queue_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

type linearCall = call[asked, answered]

// history is one, while it is made.
type history struct {
	seed   uint64
	config queue.BareConfig
	queue  *queue.Queue
	pause  func(draw *rand.Rand) // lets others go on
	media  sync.WaitGroup

	clock  atomic.Int64  // stamps the beginnings and the ends of calls
	number atomic.Uint32 // of the operation asked for last
	rounds atomic.Uint32 // of the reader

	mu       sync.Mutex // guards the block below
	calls    []linearCall
	known    []*operation.Operation
	callback int64 // when the media's last callback was about to return
	booking  int   // the call of the history that its return is, still without an end; or -1
}

func newHistory(t *testing.T, seed uint64, maxPending int, pause func(*rand.Rand), opts ...queue.Option) *history {
	t.Helper()
	h := &history{seed: seed, pause: pause, booking: -1}
	h.config.MaxPending = maxPending
	opts = append(opts, quiet, queue.WithMaxPending(h.config.MaxPending), queue.WithStopTimeout(time.Hour))
	if seed%4 == 3 {
		opts = append(opts, queue.WithInlineMedia())
	}
	var err error
	if h.queue, err = queue.New("call", linearMedia{h}, opts...); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *history) source(n uint64) *rand.Rand { return rand.New(rand.NewPCG(h.seed, n)) }

// simulatedHistory plays four clients in a bubble, with a drawn sleep at every seam of the engine.
func simulatedHistory(t *testing.T, seed uint64) (h *history) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		pause := func(draw *rand.Rand) { time.Sleep(time.Duration(1 + draw.IntN(30_000))) }
		var mu sync.Mutex
		seams := rand.New(rand.NewPCG(seed, 1000))
		seam := func(uint64) {
			mu.Lock()
			d := time.Duration(1 + seams.IntN(10_000))
			mu.Unlock()
			time.Sleep(d)
		}
		h = newHistory(t, seed, []int{0, 2, 4}[seed%3], pause, queue.WithSeam(seam))
		var clients sync.WaitGroup
		for i := range uint64(4) {
			clients.Go(func() { h.client(h.source(i), 10) })
		}
		clients.Wait()
		if draw := h.source(50); draw.IntN(2) == 0 {
			time.Sleep(time.Second) // what is there comes to its own end
		}
		h.finish(t)
		time.Sleep(time.Second) // who was the last to leave is still at a seam
	})
	return h
}

// realHistory plays two clients, or one who often cancels much, beside a reader.
func realHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	h := newHistory(t, seed, []int{0, 0, 4}[seed%3], func(draw *rand.Rand) {
		if draw.IntN(4) == 0 {
			runtime.Gosched()
		}
	})
	var clients, readers sync.WaitGroup
	var over atomic.Bool
	readers.Go(func() { h.sweep(h.source(10), &over) })
	if h.config.MaxPending == 0 {
		clients.Go(h.canceller)
	} else {
		for i := range uint64(2) {
			clients.Go(func() { h.client(h.source(i), 10) })
		}
	}
	clients.Wait()
	over.Store(true)
	readers.Wait()
	h.finish(t)
	return h
}

// filled is twice the number of operations that canceller has wait at a time.
const filled = 40

// canceller fills the queue and empties it at one go, twice.
func (h *history) canceller() {
	for range 2 {
		for range filled / 2 {
			h.do(queue.Input{Do: queue.DoEnqueue, Op: queue.Op(h.number.Add(1))})
		}
		for now := h.rounds.Load(); h.rounds.Load() < now+4; { // the reader is at it
			runtime.Gosched()
		}
		h.do(queue.Input{Do: queue.DoCancelAll})
	}
}

// finish brings the queue to its end, and reads what became of everything.
func (h *history) finish(t *testing.T) {
	h.do(queue.Input{Do: queue.DoClose, Result: operation.Result{Reason: operation.CallEnded}})
	select {
	case <-h.queue.Done():
	case <-within(t).Done():
		t.Fatalf("history %d: the queue is not done: %+v", h.seed, h.queue.Snapshot())
	}
	h.media.Wait()
	for _, op := range h.known {
		h.read(op, readStatus)
		h.read(op, readResult)
	}
	h.booked(h.clock.Add(1))
}

// client asks for n things.
func (h *history) client(draw *rand.Rand, n int) {
	for range n {
		h.pause(draw)
		switch p := draw.IntN(100); {
		case p < 4:
			h.do(queue.Input{Do: queue.DoEnqueueNext, Op: queue.Op(h.number.Add(1))})
		case p < 40:
			h.do(queue.Input{Do: queue.DoEnqueue, Op: queue.Op(h.number.Add(1)), Protected: draw.IntN(4) == 0})
		case p < 48:
			h.do(queue.Input{Do: queue.DoInterrupt, Op: queue.Op(h.number.Add(1)), Protected: draw.IntN(4) == 0})
		case p < 60:
			h.do(queue.Input{Do: queue.DoCancelAll, Spare: draw.IntN(2) == 0})
		case p < 68:
			h.do(queue.Input{Do: queue.DoCancel, ID: queue.Op(1 + draw.Uint32N(h.number.Load()+1))})
		case p < 76:
			h.snapshot()
		case p < 77:
			h.do(queue.Input{Do: queue.DoSeal})
		case p < 78:
			h.do(queue.Input{Do: queue.DoClose, Result: operation.Result{Reason: operation.CallEnded}})
		default:
			h.readSome(draw)
		}
	}
}

// do makes the call of a step.
func (h *history) do(step queue.Input) {
	var out answered
	var op *operation.Operation
	opts := []queue.EnqueueOption{queue.ID(step.Op.ID())}
	if step.Protected {
		opts = append(opts, queue.Protected())
	}
	if step.Spare {
		opts = append(opts, queue.SpareProtected())
	}
	began := h.clock.Add(1)
	switch step.Do {
	case queue.DoEnqueue:
		op, out.err = h.queue.Enqueue(context.Background(), play(), opts...)
	case queue.DoEnqueueNext:
		op, out.err = h.queue.EnqueueNext(context.Background(), play(), opts...)
	case queue.DoInterrupt:
		var r queue.Receipt
		op, r, out.err = h.queue.Interrupt(context.Background(), play(), opts...)
		out.cancelled = numbers(cancelledBy(r))
	case queue.DoCancelAll:
		out.cancelled = numbers(cancelledBy(h.queue.CancelAll(opts...)))
	case queue.DoCancel:
		var op *operation.Operation
		if op, out.err = h.queue.Cancel(step.ID.ID()); out.err == nil {
			out.cancelled = numbers([]*operation.Operation{op})
		}
	case queue.DoSeal:
		h.queue.Seal()
	case queue.DoClose:
		out.cancelled = numbers(cancelledBy(h.queue.Close(nil)))
	default:
		panic("not a call: " + step.String())
	}
	h.add(began, asked{step: step}, out)
	h.know(op)
}

// numbers are the operations' numbers: they have them as ids.
func numbers(ops []*operation.Operation) (all []queue.Op) {
	for _, op := range ops {
		all = append(all, number(op))
	}
	return all
}

func number(op *operation.Operation) queue.Op {
	id := op.ID()
	return queue.Op(binary.BigEndian.Uint16(id[14:]))
}

func (h *history) know(op *operation.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if op != nil && !slices.Contains(h.known, op) {
		h.known = append(h.known, op)
	}
}

// add books a call that has returned.
func (h *history) add(began int64, in asked, out answered) {
	call := linearCall{in: in, out: out, began: began, ended: h.clock.Add(1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, call)
}

func (h *history) snapshot() {
	began := h.clock.Add(1)
	s := h.queue.Snapshot()
	h.add(began, asked{read: readSnapshot}, answered{
		running: number(s.Running), stopping: number(s.Stopping), waiting: numbers(s.Waiting),
		sealed: s.Sealed, closed: s.Closed,
	})
}

// read reads without a lock.
func (h *history) read(op *operation.Operation, what reading) {
	began := h.clock.Add(1)
	out := look(op, what)
	h.add(began, asked{step: queue.Input{Op: number(op)}, read: what}, out)
}

func look(op *operation.Operation, what reading) (out answered) {
	if what == readStatus {
		out.status = op.Status()
		return out
	}
	r, _ := op.Result()
	out.reason = r.Reason
	return out
}

// some returns up to n of the operations known last, in a drawn order.
func (h *history) some(draw *rand.Rand, n int) []*operation.Operation {
	h.mu.Lock()
	ops := slices.Clone(h.known[max(0, len(h.known)-n):])
	h.mu.Unlock()
	draw.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return ops
}

func (h *history) readSome(draw *rand.Rand) {
	for _, op := range h.some(draw, 3) {
		h.read(op, readStatus+reading(draw.IntN(2)))
	}
}

// glance is one reading of a sweep.
type glance struct {
	op           *operation.Operation
	status       operation.Status
	began, ended int64
}

// sweep reads operations over and over, as fast as it can, and keeps those rounds in which one had
// changed.
func (h *history) sweep(draw *rand.Rand, over *atomic.Bool) {
	const most = 80
	var ops []*operation.Operation
	var round [8]glance
	seen := map[*operation.Operation]operation.Status{}
	for kept := 0; !over.Load(); h.rounds.Add(1) {
		if h.mu.TryLock() {
			ops = append(ops, h.known[len(ops):]...)
			h.mu.Unlock()
		}
		if len(ops) == 0 {
			continue
		}
		for i := range round {
			g := &round[i]
			g.op = ops[len(ops)-1-draw.IntN(min(len(ops), filled/2))]
			g.began = h.clock.Add(1)
			g.status = g.op.Status()
			g.ended = h.clock.Add(1)
		}
		changed := false
		for _, g := range round {
			changed = changed || seen[g.op] != 0 && seen[g.op] != g.status
			seen[g.op] = g.status
		}
		if changed && kept < most {
			kept += len(round)
			h.keep(round[:])
		}
	}
}

func (h *history) keep(round []glance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range round {
		h.calls = append(h.calls, linearCall{
			in:  asked{step: queue.Input{Op: number(g.op)}, read: readStatus},
			out: answered{status: g.status}, began: g.began, ended: g.ended,
		})
	}
}

func (h *history) String() string {
	var b strings.Builder
	calls := slices.SortedFunc(slices.Values(h.calls), func(a, b linearCall) int { return int(a.began - b.began) })
	for _, c := range calls {
		fmt.Fprintf(&b, "%4d-%4d %v: %v\n", c.began, c.ended, c.in, c.out)
	}
	return b.String()
}

// linearMedia is media that always reports, in one way or another.
type linearMedia struct{ h *history }

func (m linearMedia) Start(t queue.Task) error {
	h, op := m.h, number(t.Operation)
	h.entered(queue.Input{Do: queue.DoEnterStart, Op: op})
	h.know(t.Operation)
	draw := h.source(100 + uint64(op))
	var err error
	switch draw.IntN(8) {
	case 0:
		h.report(t)
	case 1:
		err = errScript
	case 2: // until its Stop, or the end of the history
		h.media.Go(func() {
			for range 20 {
				h.pause(draw)
			}
			h.report(t)
		})
	default:
		h.media.Go(func() {
			h.pause(draw)
			h.report(t)
		})
	}
	h.returning(queue.Input{Do: queue.DoReturnStart, Op: op, Failed: err != nil, Result: operation.Result{
		Reason: operation.Unspecified, Err: err,
	}})
	return err
}

func (m linearMedia) Stop(t queue.Task) {
	h, op := m.h, number(t.Operation)
	h.entered(queue.Input{Do: queue.DoEnterStop, Op: op})
	if draw := h.source(200 + uint64(op)); draw.IntN(2) == 0 {
		h.report(t)
	} else {
		h.media.Go(func() {
			h.pause(draw)
			h.report(t)
		})
	}
	h.returning(queue.Input{Do: queue.DoReturnStop, Op: op})
}

func (h *history) report(t queue.Task) {
	began := h.clock.Add(1)
	t.End(operation.Result{})
	h.add(began, asked{step: queue.Input{Do: queue.DoReport, Op: number(t.Operation)}}, answered{})
}

// entered books that a callback was entered, which the queue did some time after the last one was
// about to return. By then it had booked that return, too.
func (h *history) entered(step queue.Input) {
	now := h.clock.Add(1)
	h.booked(now)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, linearCall{in: asked{step: step}, began: h.callback, ended: now})
}

// returning books that a callback is about to return. When the queue takes note, nobody sees.
func (h *history) returning(step queue.Input) {
	now := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.callback, h.booking = now, len(h.calls)
	h.calls = append(h.calls, linearCall{in: asked{step: step}, began: now})
}

// booked says that the return of the last callback had been booked by now.
func (h *history) booked(now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.booking >= 0 {
		h.calls[h.booking].ended = now
		h.booking = -1
	}
}
