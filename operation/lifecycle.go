package operation

import (
	"context"
	"fmt"

	"github.com/looplab/fsm"
)

// Status is where an operation is in its life. The zero Status is not a status.
type Status uint8

// The four states of an operation, as Graph's operationStatus has them.
const (
	NotStarted Status = iota + 1 // accepted, waiting for the media
	Running                      // has the media
	Completed                    // ended well; final
	Failed                       // ended otherwise; final
)

// Event is something that moves an operation from one status to the next.
type Event uint8

// The three events of the lifecycle.
const (
	Start    Event = iota + 1 // notStarted → running
	Complete                  // running → completed
	Fail                      // notStarted, running → failed
)

// The names, in the order of a life. The machine and everything else take them from here.
var (
	statusNames = [...]string{
		NotStarted: "notStarted", Running: "running", Completed: "completed", Failed: "failed",
	}
	eventNames = [...]string{Start: "start", Complete: "complete", Fail: "fail"}
)

// String returns the name Graph uses: notStarted, running, completed or failed.
func (s Status) String() string {
	if s == 0 || int(s) >= len(statusNames) {
		return fmt.Sprintf("Status(%d)", uint8(s))
	}
	return statusNames[s]
}

// Terminal reports whether s is final: completed or failed.
func (s Status) Terminal() bool { return s == Completed || s == Failed }

// live reports whether s is one of an operation that has not ended; that of a zero Operation is
// not.
func (s Status) live() bool { return s == NotStarted || s == Running }

// String returns start, complete or fail.
func (e Event) String() string {
	if e == 0 || int(e) >= len(eventNames) {
		return fmt.Sprintf("Event(%d)", uint8(e))
	}
	return eventNames[e]
}

// NewMachine returns a fresh looplab/fsm machine of the lifecycle in its first state. It is the
// one place where the transitions are written down; operations advance by a table compiled from
// it. The machine is the caller's own: draw it, or hang callbacks on it.
func NewMachine() *fsm.FSM {
	n, r, c, f := NotStarted.String(), Running.String(), Completed.String(), Failed.String()
	return fsm.NewFSM(n, fsm.Events{
		{Name: Start.String(), Src: []string{n}, Dst: r},
		{Name: Complete.String(), Src: []string{r}, Dst: c},
		{Name: Fail.String(), Src: []string{n, r}, Dst: f},
	}, nil)
}

// transitions is the compiled machine: transitions[state][event] is the next state, or zero.
var transitions = compile(NewMachine())

type table [len(statusNames)][len(eventNames)]Status

// compile walks the machine, every state and every event. The machine itself is not what an
// operation runs on: one of its events costs five allocations, a cancelled context given to it
// wedges it for good, and two events at once are a data race.
func compile(m *fsm.FSM) (t table) {
	for s := NotStarted; int(s) < len(statusNames); s++ {
		for e := Start; int(e) < len(eventNames); e++ {
			m.SetState(s.String())
			if err := m.Event(context.Background(), e.String()); err != nil {
				continue // not a move of this state
			}
			for next := NotStarted; int(next) < len(statusNames); next++ {
				if m.Is(next.String()) {
					t[s][e] = next
				}
			}
		}
	}
	return t
}

// After returns the status that follows s on e, or a *[TransitionError].
func (s Status) After(e Event) (Status, error) {
	if next := s.next(e); next != 0 {
		return next, nil
	}
	return s, &TransitionError{From: s, Event: e}
}

// next returns the status that follows s on e, or zero.
func (s Status) next(e Event) Status {
	if int(s) < len(statusNames) && int(e) < len(eventNames) {
		return transitions[s][e]
	}
	return 0
}

// TransitionError is for a move that the lifecycle does not have.
type TransitionError struct {
	From  Status
	Event Event
}

// Error names the state and the event.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("operation: no %s from %s", e.Event, e.From)
}
