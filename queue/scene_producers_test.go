package queue_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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
		case p < 36:
			s.enqueue(draw)
		case p < 38:
			s.pause(draw)
		case p < 40:
			s.pauseOperation(draw)
		case p < 44:
			s.enqueueNext(draw)
		case p < 48:
			s.bargeIn(draw)
		case p < 56:
			s.interrupt(draw)
		case p < 64:
			s.cancelAll()
		case p < 68:
			s.cancelSparing(true)
		case p < 73:
			s.cancel(draw)
		case p < 76:
			s.cancelWhere(draw)
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

// burst enqueues more than a borrowed goroutine delivers, if that many may wait, and cancels them.
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

// pause holds what waits for a while.
func (s *scene) pause(draw *rand.Rand) {
	s.call(trace.Pause, uuid.Nil, s.queue.Pause)
	s.sleep(draw, 2*sceneWork)
	s.call(trace.Resume, uuid.Nil, s.queue.Resume)
}

// pauseOperation has the media rest for a while, if it can, and if it has what is meant.
func (s *scene) pauseOperation(draw *rand.Rand) {
	op := s.any(draw)
	if now := s.queue.Snapshot().Running; now != nil {
		op = now
	}
	for range 1 + draw.IntN(2) {
		s.call(trace.PauseOperation, op.ID(), func() { _ = s.queue.PauseOperation(op.ID()) })
		if draw.IntN(4) > 0 {
			s.sleep(draw, 2*sceneWork)
		}
		s.call(trace.ResumeOperation, op.ID(), func() { _ = s.queue.ResumeOperation(op.ID()) })
	}
}

// call makes a call that ends nothing.
func (s *scene) call(m trace.Method, op uuid.UUID, f func()) {
	n := s.Begin(trace.Item{What: trace.Called, Method: m, Op: op})
	f()
	s.Add(trace.Item{What: trace.Returned, Method: m, Op: op, Number: n})
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
	opts := []queue.EnqueueOption{queue.ID(id), queue.Value(f)}
	if d := s.ownTimeout(id); d > 0 {
		opts = append(opts, queue.StopTimeout(d))
	}
	req := play()
	if s.hasKeys(id) {
		req.StopTones = tone.SetOf(tone.Tone5)
	}
	if draw.IntN(5) == 0 {
		opts = append(opts, queue.Protected())
	}
	return req, opts
}

// hasKeys reports whether the key that is pressed ends an operation with this id, if it is no record.
func (s *scene) hasKeys(id uuid.UUID) bool { return id[1]%3 == 0 }

// ownTimeout returns the stop timeout that an operation has of its own, or zero: some are shorter
// than the queue's, some longer.
func (s *scene) ownTimeout(id uuid.UUID) time.Duration {
	switch id[0] % 8 {
	case 0:
		return sceneStopTimeout / 3 * s.unit
	case 1:
		return sceneStopTimeout * 2 * s.unit
	default:
		return 0
	}
}

// isProtected reports whether the options protect what is accepted.
func isProtected(opts []queue.EnqueueOption) bool { return slices.Contains(opts, queue.Protected()) }

func (s *scene) enqueue(draw *rand.Rand) {
	req, opts := s.request(draw)
	s.accept(trace.Enqueue, req, opts)
}

func (s *scene) enqueueNext(draw *rand.Rand) {
	req, opts := s.request(draw)
	s.accept(trace.EnqueueNext, req, opts)
}

func (s *scene) bargeIn(draw *rand.Rand) {
	_, opts := s.request(draw)
	s.accept(trace.BargeIn, bargeIn(), opts)
}

func (s *scene) accept(m trace.Method, req operation.Request, opts []queue.EnqueueOption) {
	n := s.Begin(trace.Item{What: trace.Called, Method: m})
	enqueue := s.queue.Enqueue
	if m == trace.EnqueueNext || m == trace.BargeIn && n%2 == 0 {
		enqueue = s.queue.EnqueueNext
	}
	key := s.key(n)
	op, err := enqueue(context.Background(), req, append(opts, key)...)
	s.Add(trace.Item{
		What: trace.Returned, Method: m, Number: n, Op: op.ID(), Failed: err != nil,
		Timeout: s.ownTimeout(op.ID()), Keys: m != trace.BargeIn && s.hasKeys(op.ID()),
		Protected: isProtected(opts),
	})
	s.know(op)
	if err == nil && key != (queue.EnqueueOption{}) {
		again, err := enqueue(context.Background(), req, key)
		s.repeated(op, again, err, true)
	}
}

// key returns an idempotency key for every fourth call, else nothing. In real time others may call so
// often meanwhile that it is forgotten.
func (s *scene) key(call int) queue.EnqueueOption {
	if call%4 > 0 || s.terms.OnItsWay == 0 {
		return queue.EnqueueOption{}
	}
	return queue.IdempotencyKey(fmt.Sprint("call ", call))
}

// repeated takes down whether a call that was repeated was answered as the first, which it is until
// the queue is done.
func (s *scene) repeated(op, again *operation.Operation, err error, sameReceipt bool) {
	same := err == nil && again == op && sameReceipt
	s.Add(trace.Item{What: trace.Repeated, Op: op.ID(), Failed: !same && !isClosed(s.queue.Done())})
}

func (s *scene) interrupt(draw *rand.Rand) {
	req, opts := s.request(draw)
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Interrupt})
	key := s.key(n)
	op, receipt, err := s.queue.Interrupt(context.Background(), req, append(opts, key)...)
	s.Add(trace.Item{
		What: trace.Returned, Method: trace.Interrupt, Number: n, Op: op.ID(),
		Failed: err != nil, Ops: ids(receipt), Timeout: s.ownTimeout(op.ID()), Keys: s.hasKeys(op.ID()),
		Protected: isProtected(opts),
	})
	s.know(op)
	s.follow(receipt)
	if err == nil && key != (queue.EnqueueOption{}) {
		again, r, err := s.queue.Interrupt(context.Background(), req, key)
		s.repeated(op, again, err, slices.Equal(ids(r), ids(receipt)))
	}
}

func (s *scene) cancelAll() { s.cancelSparing(false) }

// cancelSparing is a CancelAll which spares what is protected, or not.
func (s *scene) cancelSparing(spare bool) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.CancelAll})
	opts := []queue.EnqueueOption{queue.ID(uuid.UUID{14: byte(n >> 8), 15: byte(n)})}
	if spare {
		opts = append(opts, queue.SpareProtected())
	}
	key := s.key(n)
	receipt := s.queue.CancelAll(append(opts, key)...)
	s.Add(trace.Item{
		What: trace.Returned, Method: trace.CancelAll, Number: n, Ops: ids(receipt),
		By: receipt.Operation().ID(), Protected: spare,
	})
	s.follow(receipt)
	if key != (queue.EnqueueOption{}) {
		again := s.queue.CancelAll(key)
		s.repeated(receipt.Operation(), again.Operation(), nil, slices.Equal(ids(again), ids(receipt)))
	}
}

func (s *scene) cancel(draw *rand.Rand) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Cancel})
	var opts []queue.EnqueueOption
	if draw.IntN(2) == 0 {
		opts = append(opts, queue.Because(operation.ShutDown))
	}
	op, err := s.queue.Cancel(s.any(draw).ID(), opts...)
	i := trace.Item{What: trace.Returned, Method: trace.Cancel, Number: n, Failed: err != nil}
	if err == nil {
		i.Ops = []uuid.UUID{op.ID()}
	}
	s.Add(i)
	if err == nil {
		s.followed(op)
	}
}

// cancelWhere ends some, and something else happens between its choice and that.
func (s *scene) cancelWhere(draw *rand.Rand) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.CancelWhere, Failed: true})
	by := operation.Cause{ID: uuid.UUID{13: 1, 14: byte(n >> 8), 15: byte(n)}}
	opts := []queue.EnqueueOption{queue.CausedBy(by), queue.Because(operation.ShutDown)}
	spare := draw.IntN(2) == 0
	if spare {
		opts = append(opts, queue.SpareProtected())
	}
	receipt, err := s.queue.CancelWhere(func(*operation.Operation) bool {
		if draw.IntN(4) == 0 && !s.inline {
			s.sleep(draw, sceneWork)
		}
		return draw.IntN(2) == 0
	}, opts...)
	s.Add(trace.Item{
		What: trace.Returned, Method: trace.CancelWhere, Number: n, Ops: ids(receipt), Failed: err != nil,
		Protected: spare, By: by.ID,
	})
	s.follow(receipt)
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
	done, released := op.Done(), op.Released() // now, so that there are channels to be closed
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
		<-released
		s.sleep(s.source(number), 1)
		n := s.Begin(trace.Item{What: trace.Asked, Op: op.ID()})
		final, through := op.FinalResult()
		s.look(final)
		s.Add(trace.Item{
			What: trace.Final, Number: n, Op: op.ID(), Failed: !through,
			Reason: final.Reason, Position: final.Position,
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
		if prompt, offset := op.Place(); offset > 0 && prompt != promptOf(offset) {
			s.stray()
		}
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
	drawKeys := s.source(42)
	keys, err := s.tones.Handle(tone.All, func(e tone.Event) {
		s.sleep(drawKeys, 1)
		n := s.Begin(trace.Item{What: trace.Called, Method: trace.Tone, Seq: e.Seq, Time: e.Time})
		s.queue.Tone(e)
		s.Add(trace.Item{What: trace.Returned, Method: trace.Tone, Number: n})
	})
	if err != nil {
		panic(err)
	}
	all.Go(func() { <-keys.Done() })
}

// collect collects digits again and again, as dialogs do beside the queue: until the call ends, each
// tone is in one of the collections, in order, whatever ended the one before.
func (s *scene) collect(all *sync.WaitGroup) {
	const who = 2
	keys := s.tones.Subscribe()
	s.Add(trace.Item{What: trace.Subscribed, Who: who})
	draw := s.source(43)
	within := func() time.Duration { // or for ever
		return time.Duration(draw.IntN(2)) * time.Duration(1+draw.Int64N(5*sceneLong*int64(s.unit)))
	}
	verdicts := []tone.Verdict{tone.Incomplete, tone.Complete, tone.Invalid}
	all.Go(func() {
		for {
			s.sleep(draw, sceneWork)
			ctx, stop := context.Background(), func() {}
			o := tone.CollectOptions{
				Max: draw.IntN(4), FirstTimeout: within(), InterDigitTimeout: within(), OverallTimeout: within(),
				Match: func(string) tone.Verdict {
					s.sleep(draw, 1)
					return verdicts[draw.IntN(len(verdicts))]
				},
			}
			switch draw.IntN(3) {
			case 0:
				o.StopTones = tone.SetOf(tone.Tone5)
			case 1: // which is not pressed: the next key is of the next collection
				o.StopTones, o.TermTimeout = tone.SetOf(tone.Tone1), within()
			default:
			}
			switch op := s.any(draw); draw.IntN(3) { // its prompt
			case 0:
				ctx, stop = operation.UntilFailed(ctx, op)
			case 1:
				o.FirstAfter = op.Done()
			default:
			}
			c, err := keys.Collect(ctx, o)
			stop()
			if err != nil {
				panic(err)
			}
			s.sleep(draw, 1)
			for _, e := range c.Tones {
				s.Add(trace.Item{What: trace.Took, Who: who, Seq: e.Seq, Lost: e.Lost, Time: time.Now()})
			}
			if c.Reason == tone.CallEnded {
				return
			}
		}
	})
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
