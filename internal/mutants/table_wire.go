package main

// ofWire are mutants of what the network may send: by HTTP, SIP and RTP, and as prompts.
var ofWire = []mutant{
	// HTTP.
	{
		name: "wire-key-in-parentheses",
		what: "calls('1') is a segment of its own",
		rule: "OData", kill: "./graph TestAKeyMayBeInParentheses",
		edits: []edit{{"graph/route.go", `if !ok || !closed {`, `if !ok || !closed || key != "" {`}},
	},
	{
		name: "wire-key-with-quotes",
		what: "the quotes of calls('1') are part of the id",
		rule: "OData", kill: "./graph TestAKeyMayBeInParentheses",
		edits: []edit{{"graph/route.go", `key = key[1 : len(key)-1]`, ``}},
	},
	{
		name: "wire-key-in-parentheses-of-another-node",
		what: "a request for calls('ID') is not brought to the node that has the call",
		rule: "OData", kill: "./cluster/route TestARequestAndItsAnswerAreForwardedAsTheyAre",
		edits: []edit{{"cluster/route/path.go", `if keyed { // as package graph reads it`, `if keyed && id == "" {`}},
	},
	{
		name: "wire-prompts-address-raw",
		what: "a space in a prompt's address goes raw into the request line",
		rule: "RFC 3986", kill: "./media/loader TestAnAddressIsEscapedAndOtherwiseAsItIs",
		edits: []edit{{"media/loader/library.go", `		uri = egress.EscapeURL(uri)
`, ``}},
	},
	{
		name: "wire-helpers-replace-text",
		what: "text that is not Unicode is replaced in what a helper of the service reads",
		rule: "UTF-8", kill: "./examples/ivr/service TestRingingIsChecked",
		edits: []edit{{"examples/ivr/service/answer.go", `graph.ReadObject(data, v)`, `json.Unmarshal(data, v)`}},
	},
	{
		name: "wire-inbox-without-end",
		what: "one post may have any number of notifications",
		rule: "bounds", kill: "./examples/ivr/service TestTheInboxIsBoundedInNumber",
		edits: []edit{{"examples/ivr/service/inbox.go", `if len(*n) == InboxMax {`, `if len(*n) < 0 {`}},
	},
	{
		name: "wire-metrics-through-a-proxy",
		what: "whoever comes through a proxy on this machine sees the metrics",
		rule: "authority", kill: "./examples/ivr/service TestTheMetricsAreNotForWhoComesThroughAProxy",
		edits: []edit{{"examples/ivr/service/telemetry.go", `r.Header.Values(name)`, `nil`}},
	},
	{
		name: "wire-metrics-through-a-proxy-of-one-kind",
		what: "whoever comes through a proxy that sets X-Real-Ip alone sees the metrics",
		rule: "authority", kill: "./examples/ivr/service TestTheMetricsAreNotForWhoComesThroughAProxy",
		edits: []edit{{"examples/ivr/service/telemetry.go", `, "X-Real-Ip",`, `,`}},
	},

	// SIP.
	{
		name: "wire-another-version",
		what: "a request of SIP/3.0 is answered as one of SIP/2.0",
		rule: "RFC 3261", kill: "./sip TestWhatIsRefused",
		edits: []edit{{"sip/gate.go", `case !strings.EqualFold(r.SipVersion, version):`, `case false:`}},
	},
	{
		name: "wire-another-scheme",
		what: "a telephone of scheme http rings",
		rule: "RFC 3261", kill: "./sip TestWhatIsRefused",
		edits: []edit{{"sip/gate.go", `case r.Recipient.Scheme != "sip":`, `case false:`}},
	},
	{
		name: "wire-a-header-twice",
		what: "a request with two Call-IDs is taken",
		rule: "RFC 3261", kill: "./sip TestWhatIsRefused",
		edits: []edit{{"sip/gate.go", `if len(m.GetHeaders(name)) != 1 {`, `if len(m.GetHeaders(name)) == 0 {`}},
	},
	{
		name: "wire-one-source-has-all-places",
		what: "one address takes all places for calls",
		rule: "shares", kill: "./sip TestASourceTakesHalfOfThePlaces",
		edits: []edit{{"sip/agent.go", ` || a.places.open(source, free)`, ` || free > 0`}},
	},
	{
		name: "wire-one-source-has-all-messages",
		what: "one address takes all that is taken in a second",
		rule: "shares", kill: "./sip TestASourceTakesHalfOfTheMessages",
		edits: []edit{{"sip/share.go", ` || !b.shares.open(source, int(b.left))`, ``}},
	},
	{
		name: "wire-nothing-left-for-trunks",
		what: "many addresses together take what is a trunk's",
		rule: "shares", kill: "./sip TestASourceTakesHalfOfThePlaces",
		edits: []edit{{"sip/share.go", `s.taken[netip.Addr{}] >= free`, `free == 0`}},
	},
	{
		name: "wire-places-are-not-given-back",
		what: "the places of calls that have ended stay their source's",
		rule: "shares", kill: "./sip TestPlacesAreGivenBack",
		edits: []edit{{"sip/agent.go", `a.places.add(c.source, -1)`, ``}},
	},
	{
		name: "wire-a-refresh-outlives-its-call",
		what: "a refresh that the end of its call has overtaken is kept for ever",
		rule: "bounds", kill: "./sip TestTheCallEndsWhileWeRefresh",
		edits: []edit{{"sip/session.go", "\t\t\ttx.Terminate()\n", ""}},
	},
	{
		name: "wire-keys-from-number-0",
		what: "the keys of a peer whose first request has the number 0 are dropped",
		rule: "keys", kill: "./sip TestKeysComeInTheOrderOfTheirRequests",
		edits: []edit{{"sip/info.go", `int64(number)-1`, `int64(number-1)`}},
	},

	// RTP.
	{
		name: "wire-audio-after-the-end",
		what: "a request that is under way at the end of its call has the line send again",
		rule: "bounds", kill: "./sip TestWhereALineSends",
		edits: []edit{{"sip/line.go", `if l.muted {`, `if false {`}},
	},
	{
		name: "wire-audio-to-everybody",
		what: "a session description may name a multicast or a broadcast address",
		rule: "bounds", kill: "./sip TestWhatCannotBeAnswered",
		edits: []edit{{"sip/sdp.go", `first != 0 && first < 224`, `first != 0`}},
	},
	{
		name: "wire-audio-without-end",
		what: "an address from which nothing comes gets audio for ever",
		rule: "bounds", kill: "./sip TestAnAddressThatIsSilentGetsTenSeconds",
		edits: []edit{{"sip/unheard.go", `case t.sent >= unheardFrames:`, `case false:`}},
	},
	{
		name: "wire-audio-of-all-calls",
		what: "an address from which nothing comes gets the audio of all calls",
		rule: "bounds", kill: "./sip TestAnAddressThatIsSilentIsSentToByFewLines",
		edits: []edit{{"sip/unheard.go", `if u.lines[to] >= unheardLines {`, `if u.lines[to] < 0 {`}},
	},
	{
		name: "wire-audio-of-trunks-ends",
		what: "a trunk that sends nothing gets ten seconds",
		rule: "bounds", kill: "./sip TestWhoseAddressGetsTheAudio",
		edits: []edit{{"sip/incoming.go", `if !a.places.isTrunk(c.source) {`, `if c.source.IsValid() {`}},
	},

	// Prompts.
	{
		name: "wire-prompts-are-held-for-ever",
		what: "what was loaded for an operation that ended before its Start stays in the budget",
		rule: "bounds", kill: "./media TestWhatIsLoadedAheadIsReleasedIfStartIsNeverCalled",
		edits: []edit{{"media/ahead.go", `case <-op.Done():`, `case <-m.engine.life.Done():`}},
	},
	{
		name: "wire-what-has-expired-is-fresh",
		what: "a prompt that expired in the year 1 is played for three centuries",
		rule: "RFC 9111", kill: "./media/loader TestFreshness",
		edits: []edit{{"media/loader/freshness.go", `max(0, lifetime)`, `lifetime`}},
	},
	{
		name: "wire-connections-without-end",
		what: "a connection to each server that has had a prompt is kept for a minute",
		rule: "bounds", kill: "./media/loader TestConnectionsThatAreKeptAreBounded",
		edits: []edit{{"media/loader/fetch.go", "\t\tMaxIdleConns:           maxIdle,\n", ""}},
	},
}
