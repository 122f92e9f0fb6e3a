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
		rule: "G9", kill: "./tone TestNobodyWaitsForAToneThatIsThere",
		edits: []edit{{"tone/subscription.go", `s.signal() // for the next`, `_ = s // for the next`}},
	},
	{
		name: "publish-runs-the-handler",
		what: "Publish runs the handler of a subscription",
		rule: "Publish waits for nobody", kill: "./tone TestPublishWaitsForNobody",
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
		rule: "G9", kill: "./tone TestASlowSubscriptionLosesTheOldestAndIsToldHowMany",
		edits: []edit{{"tone/subscription.go", `e.Seq = st.last - n + 1`, `e.Seq = st.last`}},
	},
	{
		name: "tone-loss-is-not-counted",
		what: "a subscription that lags is not told what it lost",
		rule: "G9", kill: "./tone TestASlowSubscriptionLosesTheOldestAndIsToldHowMany",
		edits: []edit{{"tone/subscription.go", `e.Lost = e.Seq - s.next`, ``}},
	},
}
