package queuetest_test

import (
	"slices"
	"strings"
	"testing"

	"ivrqueue/queue/queuetest"
)

// The cases, by the short names of this test.
const (
	endsByItself   = "an operation ends by itself"
	endsInside     = "an end inside Start counts"
	failsWithCause = "a failure is reported with its cause"
	seriesDone     = "a series is done one after the other"
	failsClean     = "a failure leaves nothing behind"
	endOnce        = "an end is reported once"
	stopOnce       = "a stop is reported once"
	stopAnswered   = "a stop is answered"
	stopBefore     = "a stop before Start is answered"
	stopAfter      = "a stop right after Start is answered"
	stopMeetsEnd   = "a stop that meets the end is answered"
	endOfAnother   = "the end of one operation does not end the next"
	bargeInStops   = "a barge-in is a stop too"
	callEndsStops  = "the end of the call is a stop too"
	stopsAgain     = "a stop that comes again changes nothing"
	stopReturns    = "a stop returns"
	silent         = "a cancel is followed by silence"
	startHangs     = "a Start that hangs is over soon after its operation"
	stopHangs      = "a stop that hung returns when its back end answers"
	lateReport     = "a report after being abandoned ends nothing else"
	pauseSilent    = "a pause is silence, and then it goes on"
	stopInPause    = "what is paused can be stopped"
	preparedDone   = "what was prepared is done as ever"
	prepareOver    = "a Prepare is over soon after its operation"
	loopEnds       = "a loop ends with the seal"
	lateStart      = "an abandoned Start disturbs nothing else"
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
	{hidesFailure, []string{failsWithCause}, "is completed: succeeded"},
	{failsWithoutCause, []string{failsWithCause}, "with neither"},
	{panicsOnFailure, []string{failsWithCause}, "panicked"},
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
	{soundsTillAnswer, []string{silent}, "3 frames were heard after that, at most 1 may be"},
	{soundsAfterAnswer, []string{silent}, "10 frames were heard after that, at most 1 may be"},
	{soundsUnasked, []string{silent}, "before its Start was called"},
	{hangsWithBackEnd, []string{stopHangs}, "had not returned after 5s"},
	{waitsBehindStart, []string{startHangs}, "while it waited for a back end that hung"},
	{waitsInStart, []string{startHangs}, "had not returned 5s after its cancel"},
	{endsNameless, []string{lateReport}, "ended: succeeded"},
	{forgetsTheNext, []string{lateReport}, "nothing is heard of script"},
	{comesBackOver, []string{lateStart}, "nothing is heard of script"},

	{soundsInPause, []string{pauseSilent}, "frames were heard of script"},
	{staysPaused, []string{pauseSilent}, "nothing was heard of script"},
	{ignoresInPause, []string{stopInPause}, "stopped while it was paused"},
	{waitsInPrepare, []string{prepareOver}, "no Prepare of script"},
	{endsInPrepare, []string{preparedDone}, "ended: succeeded"},
	{loopsOn, []string{loopEnds}, "no end of script"},

	// Faults that break more than one rule.
	{neverEnds, []string{endsByItself, failsClean, seriesDone, endOnce, stopOnce, stopMeetsEnd, endOfAnother, preparedDone, loopEnds, lateReport, lateStart}, "no end of script"},
	{neverStops, []string{stopAnswered, stopBefore, stopAfter, bargeInStops, callEndsStops}, "no report of script"},
	{startErrors, []string{
		endsByItself, endsInside, failsClean, seriesDone, stopAnswered, stopReturns, endOfAnother,
		bargeInStops, callEndsStops, silent, startHangs, stopHangs,
		pauseSilent, preparedDone, prepareOver, loopEnds,
	}, "script says so"},
	{
		endsAtStart,
		[]string{
			failsWithCause, failsClean, stopAnswered, stopReturns, endsInside, endOfAnother, bargeInStops,
			callEndsStops, silent, startHangs, stopHangs, pauseSilent, preparedDone,
			prepareOver, loopEnds,
		},
		"it had ended when Start returned",
	},
}

func TestBrokenMediaFailsInItsCase(t *testing.T) {
	t.Parallel()
	for _, b := range breaches {
		t.Run(string(b.fault), func(t *testing.T) {
			t.Parallel()
			h := harnessOf(b.fault)
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
