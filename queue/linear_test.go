package queue_test

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"ivrqueue/internal/model"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A history is what a few goroutines asked of one queue at the same time, and what they were
// answered. It is linearizable if the calls can be put into an order, no call before one that had
// returned when it began, in which the model gives the same answers. What the media does, and every
// reading of a status or a result, is a call of the history: a cancel that is seen half done has no
// place in such an order.
//
//	LINEAR_HISTORIES=500 go test -run Linearizable -v ./queue    # that many
//	LINEAR_SEED=17       go test -run Linearizable -v ./queue    # this one

// patience is how long the search for an order may take. What is not decided by then is no pass.
const patience = 20 * time.Second

func TestHistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	judgeHistories(t, 150, simulatedHistory)
}

// The same without fake time: goroutines that run at the same time for real.
func TestRealHistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	judgeHistories(t, 100, realHistory)
}

func judgeHistories(t *testing.T, n uint64, play func(*testing.T, uint64) *history) {
	t.Helper()
	first := uint64(0)
	if s := os.Getenv("LINEAR_HISTORIES"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("LINEAR_SEED"); s != "" {
		var err error
		if first, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		n = 1
	}
	operations, unknown, longest := 0, 0, time.Duration(0)
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		h := play(t, seed)
		operations += len(h.calls)
		began := time.Now()
		switch porcupine.CheckOperationsTimeout(linearModel(h.config), h.calls, patience) {
		case porcupine.Illegal:
			t.Errorf("history %d is not linearizable:\n%v", seed, h)
		case porcupine.Unknown:
			unknown++
			t.Errorf("history %d of %d calls: not decided in %v, which is no pass", seed, len(h.calls), patience)
		case porcupine.Ok:
		}
		longest = max(longest, time.Since(began))
	}
	t.Logf("%d histories, %d calls, %d not decided; the longest search took %v", n, operations, unknown, longest)
}

// asked is what a call of a history was given: a step, or what is to be read.
type asked struct {
	step model.Step
	read reading
}

// reading says what was read.
type reading uint8

const (
	noReading reading = iota
	readStatus
	readResult
	readSnapshot
)

// answered is what it returned.
type answered struct {
	err     error
	victims []model.Op

	status            operation.Status
	reason            operation.Reason
	running, stopping model.Op
	waiting           []model.Op
	sealed, closed    bool
}

var linearSeed = maphash.MakeSeed()

// linearState is the model, and the one thing that is not seen at the same instant by those who read
// without a lock: that one operation has ended, and that the next runs. These are two words, stored
// one after the other. So until the queue does something else, the next may be seen to wait still.
type linearState struct {
	model.Queue

	starting model.Op
}

func linearModel(c model.Config) porcupine.Model {
	return porcupine.Model{
		Init:  func() any { return linearState{Queue: model.New(c)} },
		Step:  func(s, in, out any) (bool, any) { return linearStep(s.(linearState), in.(asked), out.(answered)) },
		Equal: func(a, b any) bool { return a.(linearState) == b.(linearState) },
		Hash:  func(s any) uint64 { return maphash.Comparable(linearSeed, s.(linearState)) },
	}
}

// linearStep says whether the model could have given this answer now.
func linearStep(q linearState, in asked, out answered) (bool, linearState) {
	switch in.read {
	case readStatus:
		if op := in.step.Op; op == q.starting {
			if out.status == operation.NotStarted {
				return true, q
			}
			q.starting = 0
		}
		return out.status == q.Status(in.step.Op), q
	case readResult:
		return out.reason == q.Reason(in.step.Op), q
	case readSnapshot:
		return out.running == q.Running() && out.stopping == q.Stopping() && slices.Equal(out.waiting, q.Waiting()) &&
			out.sealed == q.Sealed() && out.closed == q.Closed(), q
	default:
	}
	switch in.step.Do {
	case model.EnterStart, model.EnterStop:
		if due, ok := q.Due(); !ok || due != in.step {
			return false, q
		}
	case model.ReturnStart, model.ReturnStop:
		if q.Slot() != in.step.Op {
			return false, q
		}
	default:
	}
	var want model.Outcome
	q.Queue, want = q.Apply(in.step)
	q.starting = 0
	for _, e := range want.Events {
		if e.Kind == queue.Started && e.Op != in.step.Op {
			q.starting = e.Op
		}
	}
	return errors.Is(out.err, want.Err) && (out.err == nil) == (want.Err == nil) &&
		slices.Equal(out.victims, want.Victims), q
}

func (c asked) String() string {
	switch c.read {
	case readStatus:
		return fmt.Sprintf("Status %d", c.step.Op)
	case readResult:
		return fmt.Sprintf("Result %d", c.step.Op)
	case readSnapshot:
		return "Snapshot"
	default:
		return c.step.String()
	}
}

func (a answered) String() string {
	return fmt.Sprintf("%v victims %v, %v %v, running %d stopping %d waiting %v sealed %v closed %v",
		a.err, a.victims, a.status, a.reason, a.running, a.stopping, a.waiting, a.sealed, a.closed)
}
