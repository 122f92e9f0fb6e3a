package queuetest

import (
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Harness tells the suite what it needs to know of the media under test. New, Ends and Lasts are
// required. A copy may be shared by tests that run at once, if its functions may.
type Harness struct {
	// New makes fresh media, for one queue. What it holds it gives back in t.Cleanup; by then the
	// queue is closed and has nothing more to ask of the media.
	New func(t testing.TB) queue.Media

	// Ends makes a request that the media begins and that ends well by itself, soon: some ten
	// milliseconds are best. It must take the same time whenever it is done.
	Ends func() operation.Request

	// Lasts makes a request that goes on until it is stopped.
	Lasts func() operation.Request

	// EndsAtOnce makes a request that has ended when Start returns. Nil: the media has none.
	EndsAtOnce func() operation.Request

	// Fails makes a valid request that the media cannot do: Start returns an error, or the failure
	// is told soon after. Nil: the media has none.
	Fails func() operation.Request

	// Within is the patience of the suite, and the stop timeout of its queues. Zero means 5 s.
	Within time.Duration

	// Options are given to the suite's queues: [queue.WithInlineMedia], for media that is meant
	// for it.
	Options []queue.Option
}

// Case is one rule of [queue.Media]'s contract, and what shows that media keeps it.
type Case struct {
	// Name says the rule, in a sentence.
	Name string

	// Run drives fresh media through the case and reports to t where the rule is broken. It must
	// be called on t's goroutine.
	Run func(t testing.TB, h Harness)

	needs func(h *Harness) func() operation.Request // what of the harness may be missing
}

// TestMedia checks that media keeps the contract of [queue.Media]: every case is a subtest, in real
// time. Each failure tells what the contract says and what was seen.
func TestMedia(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range casesOf(h) {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

// TestMediaInBubble is TestMedia with every case in a bubble of its own, see [testing/synctest]:
// faster and exact, for media that knows time only from package time, and does no input or output.
// Goroutines that the media leaves behind fail the case.
func TestMediaInBubble(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range casesOf(h) {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.Run(t, h) })
		})
	}
}

// Cases returns all cases, for those who want to run them in a way of their own. A case that needs
// something the harness does not have skips itself; TestMedia leaves it out.
func Cases() []Case { return append([]Case(nil), cases...) }

// casesOf returns the cases that the harness has everything for.
func casesOf(h Harness) []Case {
	var of []Case
	for _, c := range cases {
		if c.needs == nil || c.needs(&h) != nil {
			of = append(of, c)
		}
	}
	return of
}

// newCase makes a case of what shows it on a rig of its own.
func newCase(name string, show func(r *rig)) Case {
	return Case{Name: name, Run: func(t testing.TB, h Harness) {
		t.Helper()
		show(newRig(t, h))
	}}
}

// needing makes the case one that needs a request that the harness may leave out.
func (c Case) needing(field string, get func(h *Harness) func() operation.Request) Case {
	run := c.Run
	c.needs = get
	c.Run = func(t testing.TB, h Harness) {
		t.Helper()
		if get(&h) == nil {
			t.Skipf("queuetest: the harness has no %s", field)
		}
		run(t, h)
	}
	return c
}
