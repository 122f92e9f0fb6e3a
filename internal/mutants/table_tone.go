package main

// ofTone are mutants of package tone.
var ofTone = []mutant{
	{
		name: "handler-exit-stops-the-tones",
		what: "a handler that exits its goroutine gets no more tones",
		rule: "G9", kill: "./tone TestAPanicOrExitOfAHandlerLosesOnlyItsTone",
		edits: []edit{{"tone/handler.go", `go s.run()`, `_ = s`}},
	},
	{
		name: "one-reader-is-woken",
		what: "a tone wakes one reader, and no other hears of the next",
		rule: "G9", kill: "./tone TestNextDoesNotWaitForAToneThatIsThere",
		edits: []edit{{"tone/subscription.go", `s.signal() // for the next`, `_ = s // for the next`}},
	},
	{
		name: "publish-runs-the-handler",
		what: "Publish runs the handler of a subscription",
		rule: "Publish waits for nobody", kill: "./tone TestPublishDoesNotWait",
		edits: []edit{{
			"tone/subscription.go", `go s.run()`,
			`s.stream.mu.Unlock()
		s.run()
		s.stream.mu.Lock()`,
		}},
	},
	{
		name: "subscription-begins-too-late",
		what: "a subscription does not get the first tone after it",
		rule: "G9", kill: "./queue TestSimulation",
		edits: []edit{{"tone/stream.go", `sub.next = s.last + 1`, `sub.next = s.last + 2`}},
	},
	{
		name: "tone-loses-the-newest",
		what: "a subscription that lags loses the newest tones",
		rule: "G9", kill: "./tone TestASlowSubscriptionLosesTheOldestAndCountsThem",
		edits: []edit{{"tone/subscription.go", `seq = s.stream.last - n + 1`, `seq = s.stream.last`}},
	},
	{
		name: "tone-loss-is-not-counted",
		what: "a subscription that lags does not learn what it lost",
		rule: "G9", kill: "./tone TestASlowSubscriptionLosesTheOldestAndCountsThem",
		edits: []edit{{"tone/subscription.go", `e.Lost = e.Seq - s.next`, ``}},
	},
	{
		name: "collect-tone-at-the-timeout-is-late",
		what: "a tone at the instant of a timeout does not count",
		rule: "a tone at the same instant wins", kill: "./tone TestAToneAtTheInstantOfATimeoutCounts",
		edits: []edit{{"tone/collector.go", `c.counts(published).After(at)`, `!c.counts(published).Before(at)`}},
	},
	{
		name: "collect-late-tone-counts",
		what: "a tone that came after a timeout counts, if it is there when somebody looks",
		rule: "a later tone stays", kill: "./tone TestAToneAtTheInstantOfATimeoutCounts",
		edits: []edit{{"tone/collector.go", `why != 0 && c.counts(published).After(at)`, `why != 0 && c.counts(published).After(at) && false`}},
	},
	{
		name: "collect-stop-tone-completes",
		what: "a stop tone completes digits below the minimum",
		rule: "a stop tone before the minimum is no match", kill: "./tone TestTheRulesOfACollection",
		edits: []edit{{"tone/collector.go", `	if !c.complete {
		return NoMatch
	}
	return StopTone`, `	return StopTone`}},
	},
	{
		name: "collect-tells-no-loss",
		what: "a collection does not report what its subscription lost",
		rule: "loss is reported", kill: "./tone TestTypeAheadIsBoundedAndItsLossCounted",
		edits: []edit{{"tone/collector.go", `c.lost += e.Lost`, `_ = c.lost`}},
	},
	{
		name: "collect-type-ahead-unbounded",
		what: "a stream keeps more than 256 tones that were typed ahead",
		rule: "type-ahead is bounded", kill: "./tone TestTypeAheadIsBoundedAndItsLossCounted",
		edits: []edit{{"tone/stream.go", `maxSlots   = 256`, `maxSlots   = 1024`}},
	},
	{
		name: "collect-keeps-the-tone-before",
		what: "KeepSince drops the tone of that very instant",
		rule: "type-ahead keeps what it should", kill: "./tone TestTypeAheadIsKeptOrDropped",
		edits: []edit{{"tone/type_ahead.go", `if !at.time.Before(t.since)`, `if at.time.After(t.since)`}},
	},
	{
		name: "collect-first-timeout-too-early",
		what: "the first timeout begins with the collection, not after the prompt",
		rule: "the caller says when the first timeout begins", kill: "./tone TestTimeoutsEndToTheMillisecond",
		edits: []edit{{"tone/collect.go", `c.beginFirst(time.Now())`, `c.beginFirst(c.began)`}},
	},
	{
		name: "collect-first-timeout-after-a-key",
		what: "no timeout runs after a key that was pressed during the prompt",
		rule: "the inter-digit timeout begins with the first tone", kill: "./tone TestTimeoutsEndToTheMillisecond",
		edits: []edit{{"tone/collector.go", `case pressed && c.rules.InterDigitTimeout > 0:`, `case pressed && c.firstBegan && c.rules.InterDigitTimeout > 0:`}},
	},
	{
		name: "collect-complete-digits-time-out",
		what: "an inter-digit timeout fails complete digits",
		rule: "complete digits are matched when no more come", kill: "./tone TestTheCollectorComesToWhatTheNaiveOneDoes",
		edits: []edit{{"tone/collector.go", `case pressed && c.complete:`, `case pressed && c.complete && why == OverallTimeout:`}},
	},
	{
		name: "collect-waits-for-a-stop-tone-to-extend",
		what: "digits that only a stop tone extends are waited for",
		rule: "a collection ends as soon as it can", kill: "./tone TestTheCollectorComesToWhatTheNaiveOneDoes",
		edits: []edit{{"tone/collector.go", `c.left = p.reach(rules.StopTones)`, `c.left = p.left`}},
	},
	{
		name: "collect-drops-what-it-refuses",
		what: "the key that a collection does not take any more is in none",
		rule: "G9", kill: "./queue TestSimulation",
		edits: []edit{{"tone/collect.go", `		return Event{}, false, why`, `		s.read(&e)
		return Event{}, false, why`}},
	},
	{
		name: "collect-cancel-eats-tones",
		what: "a collection reads tones after its context has ended",
		rule: "what was not read at a cancel stays", kill: "./tone TestACancelEndsTheCollectionAndLeavesItsTones",
		edits: []edit{{"tone/collect.go", `		if isClosed(ended) {
			return Cancelled
		}
		e, found`, `		e, found`}, {"tone/collect.go", `		default:
			return CallEnded
		}`, `		default:
			return CallEnded
		}
		if isClosed(ended) {
			return Cancelled
		}`}, {"tone/collect.go", `		case err == nil:
			return 0`, `		case err == nil:
			if !isClosed(ended) {
				return 0
			}`}},
	},
	{
		name: "collect-leaves-without-a-word",
		what: "who waits for Ready does not hear of a tone that a collection left",
		rule: "G9", kill: "./tone TestReadySignalsWhatACollectionLeft",
		edits: []edit{{"tone/collect.go", `	s.collecting = false
	s.signal()`, `	s.collecting = false`}},
	},
	{
		name: "collect-two-at-once",
		what: "two collections read from one subscription",
		rule: "one collection at a time", kill: "./tone TestOneCollectionAtATime",
		edits: []edit{{"tone/collect.go", `s.collecting = true`, `s.collecting = false`}},
	},
	{
		name: "next-leaves-a-tone",
		what: "Next returns the end of its context though a tone is there",
		rule: "what is there is returned", kill: "./tone TestNextPrefersATone",
		edits: []edit{{"tone/subscription.go", `if e, ok = s.TryNext(); ok {`, `if ok {`}},
	},
	{
		name: "a-participant-of-any-length",
		what: "a stream keeps names of any length",
		rule: "bounded in bytes", kill: "./tone TestAParticipantIsBounded",
		edits: []edit{{"tone/stream.go", `n > MaxParticipant`, `n > MaxParticipant<<30`}},
	},
}
