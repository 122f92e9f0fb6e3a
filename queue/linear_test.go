package queue_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// A history is what a few goroutines asked of one queue at the same time, and what they were
// answered. It is linearizable if the calls can be put into an order, no call before one that had
// returned when it began, in which the bare machine gives the same answers: the machine is the
// specification, and what is checked is that the shell makes one input of each call, under one lock. What the media does, and every
// reading of a status or a result, is a call of the history: a cancel that is seen half done has no
// place in such an order.
//
//	LINEAR_HISTORIES=500 go test -run Linearizable -v ./queue    # that many
//	LINEAR_SEED=17       go test -run Linearizable -v ./queue    # this one

// patience is how long the search for an order may take. What is not decided by then is no pass.
const patience = time.Minute

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
		switch found, decided := h.linearizable(); {
		case !decided:
			unknown++
			t.Errorf("history %d of %d calls: not decided in %v, which is no pass", seed, len(h.calls), patience)
		case !found:
			t.Errorf("history %d is not linearizable:\n%v", seed, h)
		}
		longest = max(longest, time.Since(began))
	}
	t.Logf("%d histories, %d calls, %d not decided; the longest search took %v", n, operations, unknown, longest)
}

// asked is what a call of a history was given: a step, or what is to be read.
type asked struct {
	step queue.Input
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
	err       error
	cancelled []queue.Op

	status            operation.Status
	reason            operation.Reason
	running, stopping queue.Op
	waiting           []queue.Op
	sealed, closed    bool
}

// linearState is a bare machine to which some inputs were given. It never changes: a machine cannot
// be copied, so the next state is a new machine that is given all inputs again.
type linearState struct {
	bare   *queue.Bare
	config queue.BareConfig
	inputs []queue.Input
	key    string

	// starting is the one thing that is not seen at the same instant by those who read without a lock:
	// that one operation has ended, and that the next runs. These are two words, stored one after the
	// other. So until the queue does something else, the next may be seen to wait still.
	starting queue.Op
}

// linearizable looks for an order of the history's calls.
func (h *history) linearizable() (found, decided bool) {
	c := h.config
	c.Unobserved = true
	start := &linearState{bare: queue.NewBare(c), config: c}
	key := func(q *linearState) string { return string(rune(q.starting)) + q.key }
	return linearizable(h.calls, start, linearStep, key, patience)
}

// apply returns the state after one more input, and what came of that.
func (q *linearState) apply(in queue.Input) (next *linearState, out queue.Output) {
	next = &linearState{bare: queue.NewBare(q.config), config: q.config, inputs: append(slices.Clip(q.inputs), in)}
	for i, in := range next.inputs {
		out = next.bare.Apply(in, time.Unix(int64(i), 0))
	}
	next.key = next.bare.Key()
	if op := next.bare.Running(); op != in.Op && op != q.bare.Running() {
		next.starting = op
	}
	return next, out
}

// linearStep says whether the machine could have given this answer now.
func linearStep(q *linearState, in asked, out answered) (bool, *linearState) {
	switch in.read {
	case readStatus:
		if op := in.step.Op; op == q.starting {
			if out.status == operation.NotStarted {
				return true, q
			}
			seen := *q
			seen.starting = 0
			q = &seen
		}
		return out.status == q.bare.Operation(in.step.Op).Status(), q
	case readResult:
		r, _ := q.bare.Operation(in.step.Op).Result()
		return out.reason == r.Reason, q
	case readSnapshot:
		b := q.bare
		return out.running == b.Running() && out.stopping == b.Stopping() && slices.Equal(out.waiting, b.Waiting()) &&
			out.sealed == b.Sealed() && out.closed == b.Closed(), q
	default:
	}
	switch in.step.Do {
	case queue.DoEnterStart, queue.DoEnterStop:
		if due, ok := q.bare.Due(); !ok || due != in.step {
			return false, q
		}
	case queue.DoReturnStart, queue.DoReturnStop:
		if q.bare.Running()+q.bare.Stopping() != in.step.Op {
			return false, q
		}
	case queue.DoReport:
		if q.bare.Operation(in.step.Op) == nil {
			return false, q
		}
	default:
	}
	next, want := q.apply(in.step)
	return errors.Is(out.err, want.Err) && (out.err == nil) == (want.Err == nil) &&
		slices.Equal(out.cancelled, want.Cancelled), next
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
	return fmt.Sprintf("%v cancelled %v, %v %v, running %d stopping %d waiting %v sealed %v closed %v",
		a.err, a.cancelled, a.status, a.reason, a.running, a.stopping, a.waiting, a.sealed, a.closed)
}
