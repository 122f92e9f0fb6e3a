package queue_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/internal/trace"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// produce calls everything that a producer can.
func (s *scene) produce(draw *rand.Rand, calls int) {
	for range calls {
		s.sleep(draw, sceneWork)
		switch p := draw.IntN(100); {
		case p < 44:
			s.enqueue(draw)
		case p < 48:
			s.bargeIn(draw)
		case p < 56:
			s.interrupt(draw)
		case p < 68:
			s.cancelAll()
		case p < 76:
			s.cancel(draw)
		case p < 82:
			s.snapshot()
		case p < 86:
			s.refused(draw)
		case p < 89:
			s.queue.Operation(s.any(draw).ID())
			_ = s.queue.CallID()
		case p < 92:
			for range 4 { // a storm
				s.cancelAll()
			}
		case p < 95:
			s.await(s.any(draw), draw.Uint64())
		case p < 98:
			s.read(draw)
		case p < 99:
			s.ending(draw)
		default:
			s.burst(draw)
		}
	}
}

// burst enqueues more than a borrowed goroutine tells, if that many may wait, and cancels them.
func (s *scene) burst(draw *rand.Rand) {
	if !s.boundless {
		return
	}
	for range sceneBurst {
		req, opts := s.request(draw)
		opts = append(opts, queue.Value(fault{kind: endsInside}))
		s.accept(trace.Enqueue, req, opts)
	}
	s.cancelAll()
}

// ending is one of the ways in which a call ends.
func (s *scene) ending(draw *rand.Rand) {
	switch draw.IntN(3) {
	case 0:
		n := s.Begin(trace.Item{What: trace.Called, Method: trace.Seal})
		s.queue.Seal()
		s.Add(trace.Item{What: trace.Returned, Method: trace.Seal, Number: n})
	case 1:
		s.close([]error{nil, operation.ShutDown, errors.New("x")}[draw.IntN(3)])
	default:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(draw.IntN(sceneLong))*s.unit)
		defer cancel()
		n := s.Begin(trace.Item{What: trace.Called, Method: trace.Shutdown})
		receipt, err := s.queue.Shutdown(ctx, operation.ShutDown)
		s.sleep(draw, 1) // it was woken by what others are woken by
		s.Add(trace.Item{
			What: trace.Returned, Method: trace.Shutdown, Number: n, Ops: ids(receipt), Failed: err == nil,
		})
		s.follow(receipt)
	}
}

// request draws a request, and what is wrong with its media.
func (s *scene) request(draw *rand.Rand) (operation.Request, []queue.EnqueueOption) {
	f := fault{drawFault(draw, s), 1 + draw.IntN(sceneWork)}
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], draw.Uint64())
	binary.LittleEndian.PutUint64(id[8:], draw.Uint64())
	return play(), []queue.EnqueueOption{queue.ID(id), queue.Value(f)}
}

func (s *scene) enqueue(draw *rand.Rand) {
	req, opts := s.request(draw)
	s.accept(trace.Enqueue, req, opts)
}

func (s *scene) bargeIn(draw *rand.Rand) {
	_, opts := s.request(draw)
	s.accept(trace.BargeIn, bargeIn(), opts)
}

func (s *scene) accept(m trace.Method, req operation.Request, opts []queue.EnqueueOption) {
	n := s.Begin(trace.Item{What: trace.Called, Method: m})
	op, err := s.queue.Enqueue(context.Background(), req, opts...)
	s.Add(trace.Item{What: trace.Returned, Method: m, Number: n, Op: op.ID(), Failed: err != nil})
	s.know(op)
}

func (s *scene) interrupt(draw *rand.Rand) {
	req, opts := s.request(draw)
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Interrupt})
	op, receipt, err := s.queue.Interrupt(context.Background(), req, opts...)
	s.Add(trace.Item{
		What: trace.Returned, Method: trace.Interrupt, Number: n, Op: op.ID(),
		Failed: err != nil, Ops: ids(receipt),
	})
	s.know(op)
	s.follow(receipt)
}

func (s *scene) cancelAll() {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.CancelAll})
	receipt := s.queue.CancelAll()
	s.Add(trace.Item{What: trace.Returned, Method: trace.CancelAll, Number: n, Ops: ids(receipt)})
	s.follow(receipt)
}

func (s *scene) cancel(draw *rand.Rand) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Cancel})
	op, err := s.queue.Cancel(s.any(draw).ID())
	i := trace.Item{What: trace.Returned, Method: trace.Cancel, Number: n, Failed: err != nil}
	if err == nil {
		i.Ops = []uuid.UUID{op.ID()}
	}
	s.Add(i)
	if err == nil {
		s.followed(op)
	}
}

func (s *scene) close(cause error) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Close})
	receipt := s.queue.Close(cause)
	s.Add(trace.Item{What: trace.Returned, Method: trace.Close, Number: n, Ops: ids(receipt)})
	s.follow(receipt)
}

// follow looks whether Done channels and contexts have followed a cancel that has returned.
func (s *scene) follow(r queue.Receipt) {
	for op := range r.Cancelled() {
		s.followed(op)
	}
}

func (s *scene) followed(op *operation.Operation) {
	s.mu.Lock()
	ctx := s.contexts[op.ID()]
	s.mu.Unlock()
	s.Add(trace.Item{
		What: trace.Followed, Op: op.ID(),
		Failed: !isClosed(op.Done()) || ctx != nil && ctx.Err() == nil || !op.Status().Terminal() || op.Err() == nil,
	})
}

// await waits for the end of an operation, with somebody of its own.
func (s *scene) await(op *operation.Operation, number uint64) {
	if op == nil {
		return
	}
	done := op.Done() // now, so that there is a channel to be closed
	s.spawn(func() {
		s.sleep(s.source(number), 1)
		<-done
		s.sleep(s.source(number), 1)
		_, err := op.Wait(context.Background())
		result, ended := op.Result()
		s.Add(trace.Item{
			What: trace.Followed, Op: op.ID(),
			Failed: !ended || !op.Status().Terminal() || op.Times().Ended.IsZero() ||
				(err != nil) != (result.Reason.Status() == operation.Failed),
		})
	})
}

// refused are calls that must change nothing.
func (s *scene) refused(draw *rand.Rand) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	req, opts := s.request(draw)
	background := context.Background()
	tries := []func() error{
		func() error { _, err := s.queue.Enqueue(over, req, opts...); return err },
		func() error { _, err := s.queue.Enqueue(background, &operation.PlayPrompt{}, opts...); return err },
		func() error { _, _, err := s.queue.Interrupt(over, req, opts...); return err },
		func() error { _, err := s.queue.Cancel(uuid.Nil); return err },
	}
	for at, try := range tries {
		if try() == nil {
			panic(fmt.Sprintf("call %d, which must be refused, was not", at))
		}
	}
}

// ids are those of a receipt, in its order.
func ids(r queue.Receipt) (all []uuid.UUID) {
	for op := range r.Cancelled() {
		all = append(all, op.ID())
	}
	return all
}

// idsOf are those of the live operations of a snapshot, and of what has the media.
func idsOf(now queue.Snapshot, stopping bool) (all []uuid.UUID) {
	if now.Running != nil {
		all = append(all, now.Running.ID())
	}
	if stopping && now.Stopping != nil {
		all = append(all, now.Stopping.ID())
	}
	for _, op := range now.Waiting {
		all = append(all, op.ID())
	}
	return all
}

func (s *scene) snapshot() {
	n := s.Begin(trace.Item{What: trace.Asked})
	now := s.queue.Snapshot()
	s.Add(trace.Item{What: trace.Snapped, Number: n, Ops: idsOf(now, false)})
}

// readNow reads without a lock, several operations one after the other, at any moment.
func (s *scene) readNow(draw *rand.Rand) {
	for range 8 {
		s.sleep(draw, sceneWork)
		s.read(draw)
	}
}

func (s *scene) read(draw *rand.Rand) {
	for range 4 {
		op := s.any(draw)
		if op == nil {
			return
		}
		n := s.Begin(trace.Item{What: trace.Asked, Op: op.ID()})
		status := op.Status()
		i := trace.Item{What: trace.Read, Number: n, Op: op.ID(), Status: status}
		if status.Terminal() {
			r, _ := op.Result()
			i.Reason = r.Reason
		}
		s.Add(i)
	}
}

// listen takes the tones in both ways.
func (s *scene) listen(all *sync.WaitGroup) {
	if s.terms.OnItsWay > 0 {
		s.terms.Tone = s.unit
	}
	took := func(who int, e tone.Event, draw *rand.Rand) {
		s.sleep(draw, 1)
		s.Add(trace.Item{What: trace.Took, Who: who, Seq: e.Seq, Lost: e.Lost, Time: e.Time})
	}
	pulled := s.tones.Subscribe()
	s.Add(trace.Item{What: trace.Subscribed, Who: 0})
	all.Go(func() {
		draw := s.source(40)
		for {
			e, err := pulled.Next(context.Background())
			if err != nil {
				return
			}
			took(0, e, draw)
		}
	})
	s.Add(trace.Item{What: trace.Subscribed, Who: 1})
	draw := s.source(41)
	handled, err := s.tones.Handle(tone.All, func(e tone.Event) { took(1, e, draw) })
	if err != nil {
		panic(err)
	}
	all.Go(func() { <-handled.Done() })
}

// press presses keys.
func (s *scene) press(draw *rand.Rand) {
	for range 12 {
		s.sleep(draw, sceneWork)
		seq, err := s.tones.Publish(tone.Tone5)
		if err != nil {
			panic(err)
		}
		s.Add(trace.Item{What: trace.Pressed, Seq: seq})
		time.Sleep(s.unit) // no tone comes while somebody is still about to take the one before
	}
}
