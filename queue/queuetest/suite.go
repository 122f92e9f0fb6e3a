package queuetest

import (
	"testing"
	"testing/synctest"
)

// Case is one rule of [queue.Media]'s contract, and what shows that media keeps it.
type Case struct {
	// Name says the rule, in a sentence.
	Name string

	// Run drives fresh media through the case and reports to t where the rule is broken. It must
	// be called on t's goroutine.
	Run func(t testing.TB, h Harness)

	has func(h *Harness) bool // what of the harness may be missing; nil: nothing
}

// TestMedia checks that media keeps the contract of [queue.Media]: every case is a subtest, in real
// time. Each failure says what the contract says and what was seen.
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
		if c.has == nil || c.has(&h) {
			of = append(of, c)
		}
	}
	return of
}

// newCase makes a case of what shows it on a fixture of its own.
func newCase(name string, show func(r *fixture)) Case {
	return Case{Name: name, Run: func(t testing.TB, h Harness) {
		t.Helper()
		show(newFixture(t, h, 1))
	}}
}

// newHastyCase is newCase with a queue that soon abandons media.
func newHastyCase(name string, show func(r *fixture)) Case {
	const haste = 50
	return Case{Name: name, Run: func(t testing.TB, h Harness) {
		t.Helper()
		show(newFixture(t, h, haste))
	}}
}

// needing makes the case one that needs a hook that the harness may leave out.
func (c Case) needing(hook string, has func(h *Harness) bool) Case {
	run, before := c.Run, c.has
	c.has = func(h *Harness) bool { return has(h) && (before == nil || before(h)) }
	c.Run = func(t testing.TB, h Harness) {
		t.Helper()
		if !has(&h) {
			t.Skipf("queuetest: the harness has no %s", hook)
		}
		run(t, h)
	}
	return c
}
