package queuetest

import (
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Harness gives the suite what it needs to know of the media under test. New, Ends and Lasts are
// required; every other hook adds cases, or makes one sharper. A copy may be shared by tests that
// run at once, if its functions may.
type Harness struct {
	// New makes fresh media, for one queue. What it holds it gives back in t.Cleanup; by then the
	// queue is closed and has nothing more to ask of the media. Hooks that are given the media get
	// what New returned, so media with its stand-in for a back end in one struct is what they can
	// work with.
	New func(t testing.TB) queue.Media

	// Ends makes a request that the media begins and that ends well by itself, soon: some ten
	// milliseconds are best. It must take the same time whenever it is done.
	Ends func() operation.Request

	// Lasts makes a request that goes on until it is stopped.
	Lasts func() operation.Request

	// EndsAtOnce makes a request that has ended when Start returns. Nil: the media has none.
	EndsAtOnce func() operation.Request

	// Fails makes a valid request that the media cannot do: Start returns an error, or the failure
	// is reported soon after. Nil: the media has none.
	Fails func() operation.Request

	// BlockBackend has the back end of m hang: from now on it answers nothing, reports no end and
	// begins nothing, though it takes its calls and what it plays goes on. Back ends are what m
	// waits for: a server, a connection, a loader of prompts. The suite calls release once; then
	// the back end catches up, in order. Nil: m waits for nothing.
	BlockBackend func(m queue.Media) (release func())

	// Loops makes a request that repeats something short until the queue is sealed: the media asks
	// [queue.Active.LastLoop], or is a [queue.LoopEnder]. Nil: the media has none.
	Loops func() operation.Request

	// Pauses and Prepares say that the media is a [queue.Pauser], a [queue.Preparer].
	Pauses, Prepares bool

	// FramesSent returns how much of what m sends or has played has left for the caller so far: a
	// number of frames, which never falls. A back end that plays by itself may count milliseconds.
	// Nil: it is not known.
	FramesSent func(m queue.Media) int

	// MaxTail is how much may still be sent after CancelAll has returned: what was on its way. Zero
	// means 1, the frame of a goroutine that asks Live right before each. Negative: anything until
	// the stop was answered, for media whose back end plays by itself; while that hangs, such media
	// need not answer.
	MaxTail int

	// Timeout is the patience of the suite, and the stop timeout of its queues. Where a case wants
	// a task to be abandoned, that takes a fiftieth of it. Zero means 5 s.
	Timeout time.Duration

	// Options are given to the suite's queues: [queue.WithInlineMedia], for media that is meant
	// for it.
	Options []queue.Option
}

const defaultTimeout = 5 * time.Second

// whole fills in what zero means, and fails the test if something required is missing.
func (h *Harness) whole(t testing.TB) {
	t.Helper()
	switch {
	case h.New == nil:
		t.Fatal("queuetest: the harness has no New")
	case h.Ends == nil:
		t.Fatal("queuetest: the harness has no Ends")
	case h.Lasts == nil:
		t.Fatal("queuetest: the harness has no Lasts")
	case h.Timeout < 0:
		t.Fatalf("queuetest: the harness's Timeout is %v, must be more than 0, or 0 for %v",
			h.Timeout, defaultTimeout)
	case h.Timeout == 0:
		h.Timeout = defaultTimeout
	}
	if h.MaxTail == 0 {
		h.MaxTail = 1
	}
}

// These report whether the harness has what a case needs.
func hasEndsAtOnce(h *Harness) bool { return h.EndsAtOnce != nil }
func hasFails(h *Harness) bool      { return h.Fails != nil }
func canBlock(h *Harness) bool      { return h.BlockBackend != nil }
func countsFrames(h *Harness) bool  { return h.FramesSent != nil }
func hasLoops(h *Harness) bool      { return h.Loops != nil }
func pauses(h *Harness) bool        { return h.Pauses }
func prepares(h *Harness) bool      { return h.Prepares }
