package queuetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// script is a request of the tests' own: do nothing for a while.
type script struct {
	length time.Duration // negative: until stopped
	fails  bool
}

func (script) Kind() operation.Kind { return "script" }
func (script) Validate() error      { return nil }

var errScript = errors.New("script says so")

const length = 20 * time.Millisecond

// harness is what the suite needs to know of media that does scripts.
func harness(newMedia func(t testing.TB) queue.Media) queuetest.Harness {
	request := func(s script) func() operation.Request {
		return func() operation.Request { return s }
	}
	return queuetest.Harness{
		New:        newMedia,
		Ends:       request(script{length: length}),
		Lasts:      request(script{length: -1}),
		EndsAtOnce: request(script{}),
		Fails:      request(script{fails: true}),
	}
}

// blocking is the easy form of media: a function that waits.
func blocking(testing.TB) queue.Media {
	return queue.Blocking(func(ctx context.Context, t queue.Turn) (operation.Result, error) {
		s, _ := t.Request().(script)
		if s.fails {
			return operation.Result{}, errScript
		}
		var over <-chan time.Time
		if s.length >= 0 {
			timer := time.NewTimer(s.length)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-over:
			return operation.Result{}, nil
		case <-ctx.Done():
			return operation.Result{}, context.Cause(ctx)
		}
	})
}

// sound is media on timers, as small as it gets, with at most one fault. Good media is sound
// without a fault.
type sound struct {
	fault fault

	mu      sync.Mutex // guards the block below
	task    queue.Task // until it was reported
	timer   *time.Timer
	sounds  bool // the audio has begun
	drains  bool // the audio is out, the end will be told
	cooling bool // reported, but not ready again
}

// fault is one way to break the contract.
type fault string

const (
	failsEnds          fault = "tells every natural end as a failure"
	forgetsEmpty       fault = "forgets to tell the end of what has no length"
	endsEmptyLater     fault = "ends what has no length a moment after Start"
	refusesEmpty       fault = "answers what has no length with an error"
	failsEmpty         fault = "tells the end of what has no length as a failure"
	hidesFailure       fault = "tells a failure as a success"
	failsWithoutCause  fault = "tells a failure without a cause"
	panicsOnFailure    fault = "panics instead of returning an error"
	readyTooLate       fault = "is ready for the next only a moment after its report"
	reportsTwice       fault = "answers Stop twice"
	endsAfterStop      fault = "answers Stop, and tells the natural end too"
	stopsBetweenOnly   fault = "looks for a cancel at the end of a prompt only"
	forgetsDead        fault = "has no job for a task that was dead on arrival, so Stop finds none"
	losesEarlyStop     fault = "loses a Stop that comes before the audio has begun"
	leavesItToTheOther fault = "ignores a Stop while it drains, and does not tell the end of what is dead"
	endsTheCurrent     fault = "keeps the timer of what was stopped, which ends whatever is on"
	knowsNoBargeIn     fault = "answers Stop only if the reason is Cancelled, not one of its kinds"
	dropsTheCall       fault = "does not answer Stop when the call has ended"

	neverEnds   fault = "never tells a natural end"
	neverStops  fault = "never answers Stop"
	startErrors fault = "returns an error from every Start"
	endsAtStart fault = "ends everything inside Start"
)

var _ queue.Media = (*sound)(nil)

func (m *sound) Start(t queue.Task) error {
	s, _ := t.Request().(script)
	switch {
	case m.fault == startErrors:
		return errScript
	case m.fault == endsAtStart:
		t.End(operation.Result{})
		return nil
	case s.fails:
		return m.fail(t)
	case s.length == 0:
		return m.empty(t)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cooling {
		return errors.New("busy")
	}
	if m.fault == forgetsDead && !t.Live() {
		return nil
	}
	m.task, m.sounds, m.drains, m.timer = t, true, false, nil
	if m.fault == losesEarlyStop && t.Live() {
		m.sounds = false
		time.AfterFunc(time.Millisecond, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.sounds = true
		})
	}
	if s.length > 0 {
		m.timer = time.AfterFunc(s.length, func() { m.over(t) })
	}
	if m.fault == leavesItToTheOther && s.length > 0 {
		time.AfterFunc(s.length*7/10, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.drains = m.task == t
		})
	}
	return nil
}

func (m *sound) fail(t queue.Task) error {
	switch m.fault {
	case hidesFailure:
		t.End(operation.Result{})
		return nil
	case failsWithoutCause:
		t.Fail(nil)
		return nil
	case panicsOnFailure:
		panic(errScript)
	default:
		return errScript
	}
}

func (m *sound) empty(t queue.Task) error {
	switch m.fault {
	case forgetsEmpty:
	case endsEmptyLater:
		time.AfterFunc(1, func() { t.End(operation.Result{}) })
	case refusesEmpty:
		return errScript
	case failsEmpty:
		t.Fail(errScript)
	default:
		t.End(operation.Result{})
	}
	return nil
}

// over is the natural end of t.
func (m *sound) over(t queue.Task) {
	m.mu.Lock()
	switch {
	case m.fault == endsTheCurrent:
		t = m.task
	case m.fault == endsAfterStop:
	case m.fault == neverEnds, m.fault == leavesItToTheOther && !t.Live():
		m.mu.Unlock()
		return
	case m.task != t:
		m.mu.Unlock()
		return // Stop has told
	}
	m.task = queue.Task{}
	if m.fault == readyTooLate {
		m.cooling = true
		time.AfterFunc(time.Millisecond, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.cooling = false
		})
	}
	m.mu.Unlock()
	if m.fault == failsEnds {
		t.Fail(errScript)
		return
	}
	t.End(operation.Result{})
}

func (m *sound) Stop(t queue.Task) {
	if m.ignores(t) {
		return
	}
	m.mu.Lock()
	if m.task != t {
		m.mu.Unlock()
		return // its own end is being told
	}
	m.task = queue.Task{}
	if m.timer != nil && m.fault != endsTheCurrent && m.fault != endsAfterStop {
		m.timer.Stop()
	}
	m.mu.Unlock()
	r, _ := t.Result()
	t.End(operation.Result{Reason: r.Reason})
	if m.fault == reportsTwice {
		t.End(operation.Result{Reason: r.Reason})
	}
}

// ignores reports whether the fault makes Stop do nothing.
func (m *sound) ignores(t queue.Task) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, _ := t.Result()
	switch m.fault {
	case neverStops:
		return true
	case stopsBetweenOnly:
		return r.Reason == operation.Cancelled && time.Since(t.Times().Started) > 0
	case losesEarlyStop:
		return !m.sounds
	case leavesItToTheOther:
		return m.drains
	case knowsNoBargeIn:
		return r.Reason == operation.BargedIn
	case dropsTheCall:
		return r.Reason == operation.CallEnded
	default:
		return false
	}
}
