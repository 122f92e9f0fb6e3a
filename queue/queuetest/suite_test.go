package queuetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

func TestGoodMediaPasses(t *testing.T) {
	t.Parallel()
	easy := harness(blocking)
	easy.EndsAtOnce = nil // it has a goroutine of its own, so nothing ends inside Start
	for _, good := range []struct {
		name     string
		h        queuetest.Harness
		realTime bool // too, which takes a second
	}{
		{"blocking", easy, true},
		{"event driven", harness(faulty("")), false},
		{"event driven, waiting in Stop", harness(faulty(waitsInStop)), true},
		{"event driven inline", inline(harness(faulty(waitsNot))), false},
		{"blocking inline", inline(easy), false},
	} {
		t.Run(good.name+" in a bubble", func(t *testing.T) {
			t.Parallel()
			queuetest.TestMediaInBubble(t, good.h)
		})
		if !good.realTime {
			continue
		}
		t.Run(good.name+" in real time", func(t *testing.T) {
			t.Parallel()
			good.h.Within = 2 * time.Second
			queuetest.TestMedia(t, good.h)
		})
	}
}

func inline(h queuetest.Harness) queuetest.Harness {
	h.Options = []queue.Option{queue.WithInlineMedia()}
	return h
}

// The cases, by the short names of this test.
const (
	endsByItself  = "an operation ends by itself"
	endsInside    = "an end inside Start counts"
	failsTold     = "a failure is told with its cause"
	seriesDone    = "a series is done one after the other"
	failsClean    = "a failure leaves nothing behind"
	endOnce       = "an end is reported once"
	stopOnce      = "a stop is reported once"
	stopAnswered  = "a stop is answered"
	stopBefore    = "a stop before Start is answered"
	stopAfter     = "a stop right after Start is answered"
	stopMeetsEnd  = "a stop that meets the end is answered"
	endOfAnother  = "the end of one operation does not end the next"
	bargeInStops  = "a barge-in is a stop too"
	callEndsStops = "the end of the call is a stop too"
	stopsAgain    = "a stop that comes again changes nothing"
	stopReturns   = "a stop returns"
	silent        = "a cancel is followed by silence"
	startHangs    = "a Start that hangs is over soon after its operation"
	stopHangs     = "a stop that hung returns when its back end answers"
	lateReport    = "a report after being given up ends nothing else"
	lateStart     = "a Start that was given up disturbs nothing else"
)

// breach is what one fault comes to.
type breach struct {
	fault fault
	fails []string // the cases that fail, and no others
	says  string   // something of the failure's message
}

var breaches = []breach{
	{failsEnds, []string{endsByItself}, "is failed: unspecified"},
	{forgetsEmpty, []string{endsInside}, "no end of script"},
	{endsEmptyLater, []string{endsInside}, "has ended when Start returns"},
	{refusesEmpty, []string{endsInside}, "and returns nil"},
	{failsEmpty, []string{endsInside}, "is failed: unspecified"},
	{hidesFailure, []string{failsTold}, "is completed: succeeded"},
	{failsWithoutCause, []string{failsTold}, "with neither"},
	{panicsOnFailure, []string{failsTold}, "panicked"},
	{readyTooLate, []string{seriesDone}, "number 2 of a series: busy"},
	{reportsEndTwice, []string{endOnce}, "2 more reports"},
	{reportsTwice, []string{stopOnce}, "1 more reports"},
	{endsAfterStop, []string{stopOnce}, "1 more reports"},
	{failsTwice, []string{failsClean}, "2 more reports"},
	{keepsFailed, []string{failsClean}, "the error busy"},
	{stopsBetweenOnly, []string{stopAnswered}, "stopped while it ran, in 5s"},
	{forgetsDead, []string{stopBefore}, "Task.Live said no from the first"},
	{losesEarlyStop, []string{stopAfter}, "in which Start returned"},
	{leavesItToTheOther, []string{stopMeetsEnd}, "around the time of its own end"},
	{endsTheCurrent, []string{endOfAnother}, "ended: succeeded"},
	{knowsNoBargeIn, []string{bargeInStops}, "by an Interrupt"},
	{dropsTheCall, []string{callEndsStops}, "by Close"},
	{answersEveryStop, []string{stopsAgain}, "whose Stop was called three times"},
	{stopsWhateverIsOn, []string{stopsAgain}, "ended: succeeded"},
	{hangsInStop, []string{stopReturns}, "had not returned after 5s"},
	{soundsTillAnswer, []string{silent}, "4 frames were heard after that, at most 1 may be"},
	{soundsAfterAnswer, []string{silent}, "10 frames were heard after that, at most 1 may be"},
	{soundsUnasked, []string{silent}, "before its Start was called"},
	{hangsWithBackEnd, []string{stopHangs}, "had not returned after 5s"},
	{waitsInStart, []string{startHangs}, "had not returned 5s after its cancel"},
	{endsNameless, []string{lateReport}, "ended: succeeded"},
	{forgetsTheNext, []string{lateReport}, "nothing is heard of script"},
	{comesBackOver, []string{lateStart}, "nothing is heard of script"},

	// Faults that break more than one rule.
	{neverEnds, []string{endsByItself, failsClean, seriesDone, endOnce, stopOnce, stopMeetsEnd, endOfAnother, lateReport, lateStart}, "no end of script"},
	{neverStops, []string{stopAnswered, stopBefore, stopAfter, bargeInStops, callEndsStops}, "no report of script"},
	{startErrors, []string{
		endsByItself, endsInside, failsClean, seriesDone, stopAnswered, stopReturns, endOfAnother,
		bargeInStops, callEndsStops, silent, startHangs, stopHangs,
	}, "script says so"},
	{
		endsAtStart,
		[]string{
			failsTold, failsClean, stopAnswered, stopReturns, endsInside, endOfAnother, bargeInStops,
			callEndsStops, silent, startHangs, stopHangs,
		},
		"it had ended when Start returned",
	},
}

func TestBrokenMediaFailsInItsCase(t *testing.T) {
	t.Parallel()
	for _, b := range breaches {
		t.Run(string(b.fault), func(t *testing.T) {
			t.Parallel()
			h := harness(faulty(b.fault))
			for _, c := range queuetest.Cases() {
				f := runInBubble(t, c, h)
				if want := slices.Contains(b.fails, c.Name); f.Failed() != want {
					t.Errorf("%q failed: %v, want %v\n%s", c.Name, f.Failed(), want, f)
				}
				if f.Failed() && len(b.fails) == 1 && !strings.Contains(f.String(), b.says) {
					t.Errorf("%q does not say %q but\n%s", c.Name, b.says, f)
				}
			}
		})
	}
}

func TestEveryCaseHasMediaThatFailsInItAlone(t *testing.T) {
	t.Parallel()
	for _, c := range queuetest.Cases() {
		if !slices.ContainsFunc(breaches, func(b breach) bool {
			return len(b.fails) == 1 && b.fails[0] == c.Name
		}) {
			t.Errorf("nothing fails in %q alone", c.Name)
		}
	}
}

// A Start that never returns leaves its goroutine behind, so this one is done by hand.
func TestAStartThatHangsFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m := &queuetest.Media{OnStart: func(queue.Task) error { <-release; return nil }}
		h := harness(func(testing.TB) queue.Media { return m })
		f := run(t, caseNamed(t, stopAnswered), h)
		if !f.Failed() || !strings.Contains(f.String(), "no Start of script") {
			t.Errorf("failed: %v\n%s", f.Failed(), f)
		}
	})
}

// A callback that waits on the goroutine that cancels holds the case itself, until a valve opens.
func TestMediaThatWaitsInlineFails(t *testing.T) {
	t.Parallel()
	for name, media := range map[string]fault{startHangs: "", stopHangs: waitsInStop} {
		f := runInBubble(t, caseNamed(t, name), inline(harness(faulty(media))))
		if !f.Failed() || !strings.Contains(f.String(), "Start and Stop do not wait") {
			t.Errorf("failed: %v\n%s", f.Failed(), f)
		}
	}
}

func TestTheSuiteNamesWhatTheHarnessLacks(t *testing.T) {
	t.Parallel()
	whole := harness(blocking)
	for want, h := range map[string]queuetest.Harness{
		"no New":        {Ends: whole.Ends, Lasts: whole.Lasts},
		"no Ends":       {New: whole.New, Lasts: whole.Lasts},
		"no Lasts":      {New: whole.New, Ends: whole.Ends},
		"Within is -1s": {New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts, Within: -time.Second},
		"returned nil": {
			New:  func(testing.TB) queue.Media { return nil },
			Ends: whole.Ends, Lasts: whole.Lasts,
		},
		"WithMaxPending(-1)": {
			New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts,
			Options: []queue.Option{queue.WithMaxPending(-1)},
		},
		"request of the harness's Ends was refused": {
			New: whole.New, Lasts: whole.Lasts,
			Ends: func() operation.Request { return nil },
		},
	} {
		f := run(t, queuetest.Cases()[0], h)
		if !f.Failed() || !strings.Contains(f.String(), want) {
			t.Errorf("want a failure with %q, failed: %v, said %q", want, f.Failed(), f)
		}
	}
}

func TestACaseThatLacksItsHookSkipsItself(t *testing.T) {
	t.Parallel()
	whole := harness(blocking)
	bare := queuetest.Harness{New: whole.New, Ends: whole.Ends, Lasts: whole.Lasts}
	for hook, names := range map[string][]string{
		"EndsAtOnce": {endsInside},
		"Fails":      {failsTold, failsClean},
		"Heard":      {silent},
		"Stall":      {startHangs, stopHangs, lateReport, lateStart},
	} {
		for _, name := range names {
			f := run(t, caseNamed(t, name), bare)
			if f.Failed() || !f.Skipped() || !strings.Contains(f.String(), "no "+hook) {
				t.Errorf("%q failed: %v, skipped: %v, said %q", name, f.Failed(), f.Skipped(), f)
			}
		}
	}
}

func caseNamed(t *testing.T, name string) queuetest.Case {
	t.Helper()
	for _, c := range queuetest.Cases() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no case %q", name)
	return queuetest.Case{}
}

func runInBubble(t *testing.T, c queuetest.Case, h queuetest.Harness) (f *fake) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f = run(t, c, h) })
	return f
}

// run runs a case on a goroutine of its own, since FailNow exits it.
func run(t *testing.T, c queuetest.Case, h queuetest.Harness) *fake {
	t.Helper()
	f := &fake{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.cleanUp()
		c.Run(f, h)
	}()
	<-done
	return f
}

// fake is a testing.TB that keeps what it is told to itself.
type fake struct {
	testing.TB

	mu       sync.Mutex // guards the block below
	failed   bool
	skipped  bool
	said     []string
	cleanups []func()
}

func (f *fake) say(failed bool, s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = f.failed || failed
	f.said = append(f.said, s)
}

func (f *fake) Helper()                           {}
func (f *fake) Log(args ...any)                   { f.say(false, fmt.Sprintln(args...)) }
func (f *fake) Logf(format string, args ...any)   { f.say(false, fmt.Sprintf(format, args...)) }
func (f *fake) Error(args ...any)                 { f.say(true, fmt.Sprintln(args...)) }
func (f *fake) Errorf(format string, args ...any) { f.say(true, fmt.Sprintf(format, args...)) }
func (f *fake) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *fake) Fatalf(format string, args ...any) { f.Errorf(format, args...); runtime.Goexit() }
func (f *fake) FailNow()                          { f.say(true, ""); runtime.Goexit() }
func (f *fake) Context() context.Context          { return context.Background() }

func (f *fake) Skipf(format string, args ...any) {
	f.say(false, fmt.Sprintf(format, args...))
	f.mu.Lock()
	f.skipped = true
	f.mu.Unlock()
	runtime.Goexit()
}

func (f *fake) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *fake) Skipped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skipped
}

func (f *fake) Cleanup(c func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanups = append(f.cleanups, c)
}

func (f *fake) cleanUp() {
	for _, c := range slices.Backward(f.cleanups) {
		c()
	}
}

func (f *fake) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, "\n")
}
