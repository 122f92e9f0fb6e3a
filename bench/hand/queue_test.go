package hand_test

import (
	"errors"
	"runtime"
	"testing"

	"ivrqueue/bench/hand"
	"ivrqueue/operation"
)

var hello = &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "file:hello.wav"}}}

// What the contestants are tested for, package bench tests. This is what it adds: bounds, and reasons.
func TestAQueueIsBoundedAndSaysWhy(t *testing.T) {
	release := make(chan struct{})
	q := hand.New(func(o *hand.Op) operation.Reason {
		select {
		case <-o.Done():
		case <-release:
		}
		return operation.Succeeded
	}, func(hand.Event) {})
	first, err := q.Enqueue(hello)
	if err != nil {
		t.Fatal(err)
	}
	for first.Status() != operation.Running {
		runtime.Gosched()
	}
	for range hand.MaxPending {
		if _, err := q.Enqueue(hello); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Enqueue(hello); !errors.Is(err, hand.ErrFull) {
		t.Errorf("one more: %v, want ErrFull", err)
	}
	if n := len(q.CancelAll()); n != hand.MaxPending+1 {
		t.Errorf("%d ended", n)
	}
	if r := first.Reason(); r != operation.Cancelled || first.Live() {
		t.Errorf("the first has ended with %v, want cancelled", r)
	}
	last, err := q.Enqueue(hello)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	if r := last.Reason(); r != operation.CallEnded {
		t.Errorf("the last has ended with %v, want callEnded", r)
	}
	if _, err := q.Enqueue(hello); !errors.Is(err, hand.ErrClosed) {
		t.Errorf("after the end: %v, want ErrClosed", err)
	}
}
