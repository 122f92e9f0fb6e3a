package queuetest_test

// fault is one way to break the contract.
type fault string

const (
	failsEnds          fault = "reports every natural end as a failure"
	forgetsEmpty       fault = "forgets to report the end of what has no length"
	endsEmptyLater     fault = "ends what has no length a moment after Start"
	refusesEmpty       fault = "answers what has no length with an error"
	failsEmpty         fault = "reports the end of what has no length as a failure"
	hidesFailure       fault = "reports a failure as a success"
	failsWithoutCause  fault = "reports a failure without a cause"
	panicsOnFailure    fault = "panics instead of returning an error"
	readyTooLate       fault = "is ready for the next only a moment after its report"
	reportsTwice       fault = "answers Stop twice"
	endsAfterStop      fault = "answers Stop, and reports the natural end too"
	stopsBetweenOnly   fault = "looks for a cancel at the end of a prompt only"
	forgetsDead        fault = "has no job for a task that was dead on arrival, so Stop finds none"
	losesEarlyStop     fault = "loses a Stop that comes before the audio has begun"
	leavesItToTheOther fault = "ignores a Stop while it drains, and does not report the end of what is dead"
	endsTheCurrent     fault = "keeps the timer of what was stopped, which ends whatever is on"
	knowsNoBargeIn     fault = "answers Stop only if the reason is Cancelled, not one of its kinds"
	dropsTheCall       fault = "does not answer Stop when the call has ended"

	reportsEndTwice   fault = "reports a natural end twice"
	failsTwice        fault = "returns an error from Start, and reports the failure too"
	keepsFailed       fault = "keeps the task whose Start has failed"
	answersEveryStop  fault = "answers every Stop, also of what it has reported"
	stopsWhateverIsOn fault = "takes every Stop for one of what is on"
	hangsInStop       fault = "answers Stop, and does not return from it"
	soundsTillAnswer  fault = "takes a while to answer Stop, and sounds until then"
	soundsAfterAnswer fault = "sounds on when it has answered Stop"
	soundsUnasked     fault = "sends the first frame without asking Live"
	hangsWithBackEnd  fault = "does not return from a Stop in which its back end hung"
	waitsInStart      fault = "waits in Start for its back end, whatever becomes of the operation"
	waitsBehindStart  fault = "has begun when its back end has answered, whatever becomes of the operation"
	endsNameless      fault = "takes the end that its back end reports for the end of what is on"
	forgetsTheNext    fault = "has nothing on when its back end reports an end, of whatever"
	comesBackOver     fault = "has on what its last Start began, which may be one that was abandoned"

	soundsInPause  fault = "goes on when it is paused"
	staysPaused    fault = "does not go on with Resume"
	ignoresInPause fault = "does not answer the Stop of what is paused"
	waitsInPrepare fault = "waits in Prepare for its back end, whatever becomes of the operation"
	endsInPrepare  fault = "ends what is on when it prepares what is next"
	loopsOn        fault = "loops on in a sealed queue"

	neverEnds   fault = "never reports a natural end"
	neverStops  fault = "never answers Stop"
	startErrors fault = "returns an error from every Start"
	endsAtStart fault = "ends everything inside Start"
)

// What is no fault, but a way of doing things that the others do not have.
const (
	waitsInStop fault = "waits in Stop for its back end"
	waitsNot    fault = "tells its back end to begin, and does not wait for an answer"
)

// remote reports whether the media leaves to the back end what is on.
func (f fault) remote() bool { return f == waitsNot || f == endsNameless || f == forgetsTheNext }
