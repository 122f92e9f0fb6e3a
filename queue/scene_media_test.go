package queue_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"ivrqueue/internal/trace"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// fault is what is wrong with the media of an operation.
type fault struct {
	kind  faultKind
	works int // how long it plays, in units
}

type faultKind int

const (
	endsLater faultKind = iota // nothing is wrong
	endsInside
	endsInsideAndFails
	endsInsideLate // and returns later still
	endsWithError
	panics
	exits
	blocksInStart
	hangsInStart // until its context ends
	blocksInStop
	panicsInStop
	exitsInStop
	answersLater
	ignoresStop
	reportsTwice
	reportsLate // after the stop timeout
	reEnters
	neverEnds       // only with a run timeout
	playsOn         // for longer than the run timeout, and reports the same position all the while
	endsInsideStuck // and returns long after, or not before it is abandoned
	failsHostile    // Start returns an error whose methods do what they must not
	endsHostile     // so does a report
	faultKinds
)

// drawFault draws a fault that the scene's form of delivery can bear.
func drawFault(draw *rand.Rand, s *scene) faultKind {
	switch k := faultKind(draw.IntN(int(faultKinds) + 1)); { // one more, for nothing
	case k == faultKinds:
		return endsLater
	case s.inline && (k == exits || k == exitsInStop || k == blocksInStart || k == hangsInStart ||
		k == blocksInStop || k == endsInsideLate || k == endsInsideStuck):
		return endsLater
	case s.terms.RunTimeout == 0 && (k == neverEnds || k == playsOn):
		return endsLater
	default:
		return k
	}
}

// errFault is what media with a fault fails with.
var errFault = errors.New("x")

// hostileKind is what the methods of a scene's error do.
type hostileKind int

const (
	errorPanics hostileKind = iota
	errorIsTypedNil
	errorReEnters
	errorBlocks // not inline: it would hold up a caller
	errorExits  // so would this
)

// sceneError is an error that media reports, with a fault.
type sceneError struct {
	s    *scene
	draw *rand.Rand
	kind hostileKind
	left func() // what the first call of Unwrap ends, or nil
}

// hostile draws one.
func (s *scene) hostile(draw *rand.Rand) error {
	kinds := errorExits + 1
	if s.inline {
		kinds = errorReEnters + 1
	}
	kind := hostileKind(draw.IntN(int(kinds)))
	if kind == errorIsTypedNil {
		return (*sceneError)(nil)
	}
	return &sceneError{s: s, draw: draw, kind: kind}
}

func (*sceneError) Error() string { return "x" }

// Unwrap goes wrong. For a nil *sceneError that is a panic.
func (e *sceneError) Unwrap() error {
	if left := e.left; left != nil {
		e.left = nil
		defer left()
	}
	switch e.kind {
	case errorPanics:
		panic("x")
	case errorReEnters:
		e.s.reEnter(e.draw)
	case errorBlocks:
		e.s.sleep(e.draw, 2*sceneStopTimeout)
	case errorExits:
		runtime.Goexit()
	default:
	}
	return nil
}

// draws returns a source of the task's own for one of its callbacks.
func (s *scene) draws(t queue.Active, callback uint64) *rand.Rand {
	id := t.ID()
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(id[:8]), callback))
}

// sceneMedia is media with every fault.
type sceneMedia struct{ s *scene }

var _ queue.Media = sceneMedia{}

func (m sceneMedia) Start(t queue.Task) (err error) {
	s := m.s
	defer s.entered()()
	s.Add(trace.Item{What: trace.StartEntered, Op: t.ID()})
	failed := true
	defer func() {
		s.Add(trace.Item{What: trace.StartReturned, Op: t.ID(), Failed: failed || err != nil})
	}()
	s.live(t.Active)
	f, _ := t.Value().(fault)
	draw := s.draws(t.Active, 1)
	if draw.IntN(2) == 0 {
		s.keepContext(t.Active)
	}
	switch f.kind {
	case endsInside:
		s.end(t)
	case endsInsideAndFails:
		s.end(t)
		err = errFault
	case endsInsideLate:
		s.sleep(draw, sceneStopTimeout)
		s.end(t)
		s.sleep(draw, sceneWork)
	case endsInsideStuck:
		s.end(t)
		for range sceneStopTimeout + draw.IntN(sceneLong) {
			s.sleep(draw, 2)
			s.progress(t.Active, time.Hour)
		}
	case endsWithError:
		err = errFault
	case failsHostile:
		err = s.hostile(draw)
	case panics:
		panic("x")
	case exits:
		runtime.Goexit()
	case blocksInStart:
		s.sleep(draw, f.works*4)
		s.work(t, f, draw)
	case hangsInStart:
		select {
		case <-t.Context().Done():
		case <-time.After(sceneLong * s.unit):
		}
		s.sleep(draw, 1)
		err = errFault
	case reportsTwice:
		s.end(t)
		s.end(t)
	case reEnters:
		s.reEnter(draw)
		s.work(t, f, draw)
	case neverEnds:
	default:
		s.work(t, f, draw)
	}
	failed = false
	return err
}

func (m sceneMedia) Stop(t queue.Task) {
	s := m.s
	defer s.entered()()
	s.Add(trace.Item{What: trace.StopEntered, Op: t.ID()})
	defer s.Add(trace.Item{What: trace.StopReturned, Op: t.ID()})
	f, _ := t.Value().(fault)
	draw := s.draws(t.Active, 2)
	switch f.kind {
	case ignoresStop:
	case blocksInStop:
		s.sleep(draw, f.works*4)
		s.end(t)
	case panicsInStop:
		s.end(t)
		panic("x")
	case exitsInStop:
		runtime.Goexit()
	case reportsLate:
		s.spawn(func() {
			time.Sleep(sceneStopTimeout * s.unit)
			s.sleep(draw, sceneWork)
			s.end(t)
		})
	case answersLater:
		s.spawn(func() {
			s.sleep(draw, f.works)
			s.end(t)
		})
	case reEnters:
		s.reEnter(draw)
		s.end(t)
	default:
		s.end(t)
	}
}

// keepContext remembers the task's context, so that it can be seen to end.
func (s *scene) keepContext(t queue.Active) {
	ctx := t.Context()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contexts[t.ID()] = ctx
}

// work plays for the operation's time, on a goroutine of its own, and asks before each frame.
func (s *scene) work(t queue.Task, f fault, draw *rand.Rand) {
	own := rand.New(rand.NewPCG(draw.Uint64(), draw.Uint64()))
	s.spawn(func() {
		if s.frames(t.Active, f, own) {
			s.end(t)
		}
	})
}

// frames plays, and returns whether it came to its end.
func (s *scene) frames(t queue.Active, f fault, draw *rand.Rand) bool {
	frames := f.works
	if f.kind == playsOn {
		frames += 2 * sceneLong
	}
	for range frames {
		s.sleep(draw, 2)
		if !s.live(t) {
			return false
		}
		at := time.Hour // never that of a report
		if f.kind != playsOn {
			at += time.Duration(draw.Int64N(int64(time.Hour)))
		}
		s.progress(t, at)
	}
	return true
}

// progress reports how far the media is.
func (s *scene) progress(t queue.Active, at time.Duration) {
	n := s.Begin(trace.Item{What: trace.Progressing, Op: t.ID()})
	if prompt := promptOf(at); prompt > 0 {
		t.ProgressAt(prompt, at, at)
	} else {
		t.Progress(at)
	}
	s.Add(trace.Item{What: trace.Progressed, Number: n, Op: t.ID()})
}

// promptOf is the prompt in which media is that has come so far.
func promptOf(at time.Duration) int { return int(at % 7) }

// live asks whether the task is what the call should hear.
func (s *scene) live(t queue.Active) bool {
	n := s.Begin(trace.Item{What: trace.Asked, Op: t.ID()})
	live := t.Live()
	s.Add(trace.Item{What: trace.Live, Number: n, Op: t.ID(), Failed: !live})
	return live
}

// end reports.
func (s *scene) end(t queue.Task) {
	s.mu.Lock()
	s.reports++
	position := s.reports
	s.mu.Unlock()
	f, _ := t.Value().(fault)
	hostile := f.kind == endsHostile
	n := s.Begin(trace.Item{
		What: trace.Called, Method: trace.End, Op: t.ID(), Position: position, Failed: hostile,
	})
	defer s.Add(trace.Item{What: trace.Returned, Method: trace.End, Number: n}) // also if it exits
	r := operation.Result{Position: position, Value: outcomeOf(position)}
	switch {
	case hostile:
		r.Err = s.hostile(s.source(1000 + uint64(position)))
	case position%5 == 0:
		r.Reason, r.Err = operation.Unspecified, errFault
	case position%5 == 1:
		r.Reason = transferred
	default:
	}
	t.End(r)
}

// outcomeOf is what a report with this position has as its outcome: nothing, or what is no other's.
func outcomeOf(position time.Duration) any {
	if position%3 > 0 {
		return nil
	}
	return []time.Duration{position} // can't be compared
}

// look counts a result that has not the outcome of its report. Those of progress have later positions.
func (s *scene) look(r operation.Result) {
	if r.Position <= 0 || r.Position >= time.Hour {
		return
	}
	is, _ := r.Value.([]time.Duration)
	want, _ := outcomeOf(r.Position).([]time.Duration)
	if !slices.Equal(is, want) {
		s.stray()
	}
}

func (s *scene) stray() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strays++
}

// reEnter calls back into the queue. Observers of a late report, and the methods of its error, come to
// it also after the queue is done, and after the scene was judged.
func (s *scene) reEnter(draw *rand.Rand) {
	left, ok := s.enteredInTime()
	if !ok {
		return
	}
	defer left()
	for _, call := range []func(){
		func() { s.enqueue(draw) }, s.cancelAll, func() { s.cancel(draw) }, s.snapshot,
		func() { s.interrupt(draw) }, func() { s.bargeIn(draw) },
	} {
		if draw.IntN(4) == 0 {
			call()
		}
	}
	if draw.IntN(20) == 0 {
		s.close(nil)
	}
}

// recorded is media that another one does, with a record of its callbacks.
type recorded struct {
	s     *scene
	media queue.Media
}

func (r *recorded) Start(t queue.Task) error {
	defer r.s.entered()()
	r.s.Add(trace.Item{What: trace.StartEntered, Op: t.ID()})
	err := r.media.Start(t)
	r.s.Add(trace.Item{What: trace.StartReturned, Op: t.ID(), Failed: err != nil})
	return err
}

func (r *recorded) Stop(t queue.Task) {
	defer r.s.entered()()
	r.s.Add(trace.Item{What: trace.StopEntered, Op: t.ID()})
	r.media.Stop(t)
	r.s.Add(trace.Item{What: trace.StopReturned, Op: t.ID()})
}

// perform is the scene's Blocking function, with the faults that one can have.
func (s *scene) perform(ctx context.Context, t queue.Active) (operation.Result, error) {
	defer s.entered()()
	draw := s.draws(t, 3)
	s.sleep(draw, 1)
	// Its return, panic or exit is the report; what position it has, the queue knows.
	defer func() { s.Begin(trace.Item{What: trace.Called, Method: trace.End, Op: t.ID()}) }()
	f, _ := t.Value().(fault)
	switch f.kind {
	case endsInside:
	case endsWithError:
		return operation.Result{}, errFault
	case failsHostile, endsHostile:
		err := s.hostile(draw)
		if e, ok := err.(*sceneError); ok && e != nil { //nolint:errorlint // it is what was made
			e.left = s.entered() // it is asked after the return, also where the operation was abandoned
		}
		return operation.Result{}, err
	case panics:
		panic("x")
	case exits:
		runtime.Goexit()
	case hangsInStart:
		select {
		case <-ctx.Done():
		case <-time.After(sceneLong * s.unit):
		}
		s.sleep(draw, 1)
	case ignoresStop, reportsLate:
		s.sleep(draw, 3*sceneStopTimeout)
	case neverEnds:
		<-ctx.Done()
		s.sleep(draw, 1)
	case reEnters:
		s.reEnter(draw)
		s.frames(t, f, draw)
	default:
		s.frames(t, f, draw)
	}
	return operation.Result{}, nil
}
