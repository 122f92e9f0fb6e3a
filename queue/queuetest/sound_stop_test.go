package queuetest_test

import (
	"context"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

func (m *sound) Stop(t queue.Task) {
	switch {
	case m.ignores(t):
	case m.fault == soundsTillAnswer:
		time.AfterFunc(length-2*time.Millisecond, func() { m.stop(t) })
	case m.fault == hangsWithBackEnd && m.end.hangs():
		<-m.gone
	case m.fault == waitsInStop:
		_ = m.end.wait(context.Background())
		m.stop(t)
	case m.fault == hangsInStop && !m.end.hangs():
		if m.stop(t) {
			<-m.gone
		}
	default:
		m.stop(t)
	}
}

// stop ends t if it is on, and reports whether it was.
func (m *sound) stop(t queue.Task) (on bool) {
	m.mu.Lock()
	on = m.task == t
	if m.fault == stopsWhateverIsOn {
		t = m.task
	} else if !on && m.fault != answersEveryStop {
		m.mu.Unlock()
		return false // its own end is being reported
	}
	if on {
		m.task = queue.Task{}
		if m.timer != nil && m.fault != endsTheCurrent && m.fault != endsAfterStop {
			m.timer.Stop()
		}
	}
	m.mu.Unlock()
	m.end.notify(func() { m.stopped(t) })
	return on
}

// stopped is the end of t when it was stopped.
func (m *sound) stopped(t queue.Task) {
	switch m.fault {
	case endsNameless, forgetsTheNext:
		m.mu.Lock()
		on := m.task
		m.task = queue.Task{}
		m.mu.Unlock()
		if m.fault == endsNameless && on != (queue.Task{}) {
			t = on
		}
	default:
	}
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
	case ignoresInPause:
		return m.paused
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
