package queuetest

// cases are the rules, one by one. A case looks at its own rule only, so that media with one fault
// fails in one place: where others would do, it takes any end for an end.
var cases = []Case{
	newCase("an operation ends by itself", endsByItself),
	newCase("an end inside Start counts", endsInsideStart).needing("EndsAtOnce", hasEndsAtOnce),
	newCase("a failure is reported with its cause", fails).needing("Fails", hasFails),
	newCase("a failure leaves nothing behind", failsOnce).needing("Fails", hasFails),
	newCase("a series is done one after the other", series),
	newCase("an end is reported once", endsOnce),
	newCase("a stop is reported once", stopsOnce),
	newCase("a stop is answered", stop),
	newCase("a stop before Start is answered", stopBeforeStart),
	newCase("a stop right after Start is answered", stopAfterStart),
	newCase("a stop that meets the end is answered", stopMeetsEnd),
	newCase("a stop that comes again changes nothing", stopAgain),
	newCase("a stop returns", stopReturns),
	newCase("the end of one operation does not end the next", endOfAnother),
	newCase("a barge-in is a stop too", bargeIn),
	newCase("the end of the call is a stop too", callEnds),
	newCase("a cancel is followed by silence", silence).needing("FramesSent", countsFrames),
	newCase("a pause is silence, and then it goes on", pause).
		needing("FramesSent", countsFrames).needing("Pauses", pauses),
	newCase("what is paused can be stopped", stopPaused).needing("Pauses", pauses),
	newCase("what was prepared is done as ever", prepared).needing("Prepares", prepares),
	newCase("a Prepare is over soon after its operation", prepareHangs).
		needing("BlockBackend", canBlock).needing("Prepares", prepares),
	newCase("a loop ends with the seal", loopEnds).needing("Loops", hasLoops),
	newCase("a Start that hangs is over soon after its operation", startHangs).
		needing("BlockBackend", canBlock),
	newHastyCase("a stop that hung returns when its back end answers", stopHangs).
		needing("BlockBackend", canBlock),
	newHastyCase("a report after being abandoned ends nothing else", lateReport).
		needing("BlockBackend", canBlock),
	newHastyCase("an abandoned Start disturbs nothing else", lateStart).
		needing("BlockBackend", canBlock),
}
