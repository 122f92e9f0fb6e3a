package queuetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// sound is media on timers, as small as it gets, with at most one fault. Good media is sound
// without a fault.
type sound struct {
	fault fault
	end   backEnd
	gone  chan struct{} // closed at the end of the test: what hangs goes on

	mu      sync.Mutex // guards the block below
	task    queue.Task // until it was reported
	timer   *time.Timer
	sounds  bool // the audio has begun
	drains  bool // the audio is out, the end will be reported
	cooling bool // reported, but not ready again
	paused  bool
}

// faulty returns what makes media with a fault.
func faulty(f fault) func(t testing.TB) queue.Media {
	return func(t testing.TB) queue.Media {
		t.Helper()
		m := &sound{fault: f, gone: make(chan struct{})}
		t.Cleanup(func() { close(m.gone) })
		return m
	}
}

var _ queue.Media = (*sound)(nil)

func (m *sound) backEnd() *backEnd { return &m.end }

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
	if err := m.ask(t); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cooling {
		return errors.New("busy")
	}
	if m.fault == forgetsDead && !t.Live() {
		return nil
	}
	if m.fault == waitsBehindStart && m.end.hangs() {
		m.end.notify(func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.begin(t, s.length)
		})
		return nil
	}
	m.begin(t, s.length)
	return nil
}

// ask asks the back end for what t needs, and waits for the answer.
func (m *sound) ask(t queue.Task) error {
	switch m.fault {
	case waitsNot, endsNameless, forgetsTheNext, waitsBehindStart:
		return nil
	case waitsInStart:
		_ = m.end.wait(context.Background())
		return t.Err()
	case comesBackOver:
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		err := m.end.wait(ctx)
		if !t.Live() {
			time.Sleep(time.Millisecond) // it takes a moment to come back
		}
		return err
	default:
		return m.end.wait(t.Context())
	}
}

// begin has t on.
func (m *sound) begin(t queue.Task, length time.Duration) {
	m.task, m.sounds, m.drains, m.timer, m.paused = t, true, false, nil, false
	if m.fault == losesEarlyStop && t.Live() {
		m.sounds = false
		time.AfterFunc(time.Millisecond, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.sounds = true
		})
	}
	if length > 0 {
		m.timer = time.AfterFunc(length, func() {
			if m.fault == endsTheCurrent {
				m.over(t)
				return
			}
			m.end.notify(func() { m.over(t) })
		})
	}
	if m.fault == leavesItToTheOther && length > 0 {
		time.AfterFunc(length*7/10, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.drains = m.task == t
		})
	}
	if m.fault == soundsUnasked {
		m.end.heard.Add(1)
	}
	if t.Live() {
		time.AfterFunc(0, func() { m.sound(t, 0) })
	}
}

// sound sends a frame of t, and what follows. It is over with that when t is, or some frames later.
func (m *sound) sound(t queue.Task, over int) {
	m.mu.Lock()
	on := m.task == t
	if s, _ := t.Request().(script); on && s.loops && t.LastLoop() && m.fault != loopsOn {
		m.mu.Unlock()
		m.over(t)
		return
	}
	defer m.mu.Unlock() // once Pause has returned there is no frame on its way
	switch {
	case on && t.Live() && m.paused:
		time.AfterFunc(frame, func() { m.sound(t, over) })
		return
	case on && t.Live(), on && m.fault == soundsTillAnswer:
	case m.fault == soundsAfterAnswer && over < 10:
		over++
	default:
		return
	}
	m.end.heard.Add(1)
	time.AfterFunc(frame, func() { m.sound(t, over) })
}

func (m *sound) Pause(t queue.Task)  { m.pause(t, m.fault != soundsInPause) }
func (m *sound) Resume(t queue.Task) { m.pause(t, m.fault == staysPaused) }

func (m *sound) pause(t queue.Task, paused bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.task == t {
		m.paused = paused
	}
}

// Prepare asks the back end for what the operation needs.
func (m *sound) Prepare(ctx context.Context, _ *operation.Operation) {
	switch m.fault {
	case waitsInPrepare:
		_ = m.end.wait(context.Background())
	case endsInPrepare:
		m.mu.Lock()
		on := m.task
		m.mu.Unlock()
		m.over(on)
	default:
		_ = m.end.wait(ctx)
	}
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
	case failsTwice:
		time.AfterFunc(time.Millisecond, func() { t.Fail(errScript) })
	case keepsFailed:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.cooling = true
	default:
	}
	return errScript
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
		return // Stop has reported
	}
	if m.task == t {
		m.task = queue.Task{}
	}
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
	if m.fault == reportsEndTwice {
		t.End(operation.Result{})
	}
}
