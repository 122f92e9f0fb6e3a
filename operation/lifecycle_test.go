package operation_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ivrqueue/operation"
)

// The table that operations advance by is the machine: every state, every event.
func TestTheTableIsTheMachine(t *testing.T) {
	t.Parallel()
	legal := 0
	for s := operation.NotStarted; s <= operation.Failed; s++ {
		for e := operation.Start; e <= operation.Fail; e++ {
			m := operation.NewMachine()
			m.SetState(s.String())
			machineErr := m.Event(context.Background(), e.String())
			next, err := s.After(e)
			switch {
			case (err == nil) != (machineErr == nil):
				t.Errorf("%v on %v: table %v, machine %v", s, e, err, machineErr)
			case err == nil && m.Current() != next.String():
				t.Errorf("%v on %v: table %v, machine %v", s, e, next, m.Current())
			case err == nil:
				legal++
			}
			var illegal *operation.TransitionError
			if err != nil && (!errors.As(err, &illegal) || illegal.From != s || illegal.Event != e || next != s ||
				!strings.Contains(err.Error(), s.String()) || !strings.Contains(err.Error(), e.String())) {
				t.Errorf("%v on %v: error %v, next %v", s, e, err, next)
			}
			if s.Terminal() && err == nil {
				t.Errorf("%v is not final", s)
			}
		}
	}
	if legal != 4 || operation.NewMachine().Current() != operation.NotStarted.String() {
		t.Errorf("%d legal moves, first state %s", legal, operation.NewMachine().Current())
	}
}

func TestWhatIsNoStatusOrEventMovesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s operation.Status
		e operation.Event
	}{{0, operation.Start}, {9, operation.Start}, {operation.Running, 0}, {operation.Running, 9}, {255, 255}} {
		if next, err := c.s.After(c.e); err == nil || next != c.s {
			t.Errorf("%v on %v: %v, %v", c.s, c.e, next, err)
		}
	}
	if got := operation.Status(9).String() + operation.Event(9).String(); got != "Status(9)Event(9)" {
		t.Error(got)
	}
}
