package main

// ofCluster are mutants of the leases of a cluster.
var ofCluster = []mutant{
	// The owner.
	{
		name: "lease-from-receipt",
		what: "a lease runs from the receipt of a grant, not from the sending of its beat",
		rule: "leases", kill: "./cluster/member TestTheLeaseRunsFromTheSendingOfABeat",
		edits: []edit{{
			"cluster/member/machine.go",
			`m.grants[from] = max(m.grants[from], a.Sent)`, `m.grants[from] = m.now`,
		}},
	},
	{
		name: "supported-by-who-has-gone",
		what: "a node that has gone counts as a supporter until its grants are over",
		rule: "leases", kill: "./cluster/member TestANodeThatHasRestartedSupportsNobodyYet",
		edits: []edit{{"cluster/member/machine.go", `m.supports[i] && sent >`, `sent >`}},
	},
	{
		name: "supported-by-who-has-just-started",
		what: "a node that grants nothing yet counts as a supporter",
		rule: "leases", kill: "./cluster/member TestANodeThatHasRestartedSupportsNobodyYet",
		edits: []edit{
			{"cluster/member/machine.go", `m.supports[from] = a.Verdict == granted`, `m.supports[from] = true`},
		},
	},
	{
		name: "lease-of-a-minority",
		what: "a lease needs one grant less than a majority",
		rule: "leases", kill: "./cluster/member TestAMinorityIsFencedWithinALease",
		edits: []edit{{
			"cluster/member/machine.go",
			`return quorum(sent)`, `return quorum(append(sent, m.now, m.now))`,
		}},
	},
	{
		name: "lease-without-a-clock",
		what: "a lease ends when the machine says so, not by the clock",
		rule: "leases", kill: "./cluster/member TestALeaseEndsByTheClockAlone",
		edits: []edit{{
			"cluster/member/lease.go",
			`until > 0 && int64(l.clock.now()) < until`, `until > 0`,
		}},
	},
	{
		name: "lease-is-shortened",
		what: "a grant of an older beat shortens a lease",
		rule: "leases", kill: "./cluster/member TestALeaseEndsByTheClockAlone",
		edits: []edit{{"cluster/member/lease.go", `int64(until) > l.until.Load()`, `until > 0`}},
	},
	{
		name: "epoch-comes-back",
		what: "a fenced epoch holds again when a grant comes",
		rule: "leases", kill: "./cluster/member TestTheLeaseRunsFromTheSendingOfABeat",
		edits: []edit{{
			"cluster/member/machine.go",
			`m.epoch = max(last, p.known, p.dead) + 1`, `m.epoch = max(last, p.known, p.dead)`,
		}},
	},
	{
		name: "epoch-waits-for-ever",
		what: "an epoch that gets no lease in time may still get one",
		rule: "leases", kill: "./cluster/member TestAnEpochThatGetsNoLeaseInTimeIsGivenUp",
		edits: []edit{{
			"cluster/member/machine.go", `if m.now >= m.until() {`, `if m.held && m.now >= m.until() {`,
		}},
	},
	{
		name: "grant-of-a-beat-to-come",
		what: "a grant of a beat that was not sent yet counts",
		rule: "leases", kill: "./cluster/member TestGrantsOfOtherBeatsAreIgnored",
		edits: []edit{{"cluster/member/machine.go", ` || a.Sent > m.now`, ``}},
	},
	{
		name: "farewell-is-not-final",
		what: "a node that has said farewell begins another epoch",
		rule: "leases", kill: "./cluster/member TestASingleNodeHoldsForEver",
		edits: []edit{{"cluster/member/machine.go", `if !m.held && !m.left &&`, `if !m.held &&`}},
	},

	{
		name: "epoch-of-this-second",
		what: "two processes that start within a second have one epoch",
		rule: "leases", kill: "./cluster/member TestTheHunt",
		edits: []edit{{
			"cluster/member/options.go",
			`now.Truncate(time.Second).Add(time.Second)`, `now.Truncate(time.Second)`,
		}},
	},

	// The granter.
	{
		name: "grant-after-death",
		what: "a granter grants an epoch that it has withdrawn from",
		rule: "deaths", kill: "./cluster/member TestAnEpochThatWasWithdrawnFromIsNeverGrantedAgain",
		edits: []edit{{
			"cluster/member/machine.go", `case b.Epoch <= p.floor:`, `case b.Epoch <= p.floor && b.Left:`,
		}},
	},
	{
		name: "withdraws-early",
		what: "a granter withdraws when the lease may still hold",
		rule: "deaths", kill: "./cluster/member TestAGranterWithdrawsADeathAfterTheLastBeat",
		edits: []edit{{
			"cluster/member/machine.go",
			`m.awake-p.heard >= m.timing.Death`, `m.awake-p.heard >= m.timing.Lease`,
		}},
	},
	{
		name: "pause-is-silence",
		what: "a granter that was paused takes it for silence of the others",
		rule: "deaths", kill: "./cluster/member TestAPausedGranterWithdrawsFromNobody",
		edits: []edit{{
			"cluster/member/machine.go", `m.awake += min(elapsed, m.timing.Beat)`, `m.awake += elapsed`,
		}},
	},
	{
		name: "grants-at-once",
		what: "a process that has just started grants",
		rule: "deaths", kill: "./cluster/member TestAProcessThatHasJustStartedGrantsNothing",
		edits: []edit{{
			"cluster/member/machine.go", `return m.awake >= m.timing.Death &&`, `return m.now > 0 &&`,
		}},
	},
	{
		name: "old-words-count",
		what: "the word of a node that has withdrawn counts for ever",
		rule: "deaths", kill: "./cluster/member TestAnOldWordOfADeathDoesNotCount",
		edits: []edit{{
			"cluster/member/machine.go",
			`case v.sent > 0 && m.now < v.sent+m.timing.Lease:`, `case v.sent > 0:`,
		}},
	},
	{
		name: "death-by-one",
		what: "one node less than a majority declares a death",
		rule: "deaths", kill: "./cluster/member TestTheExplorerFindsNothing",
		edits: []edit{{
			"cluster/member/machine.go", `p.dead = max(p.dead, quorum(floors))`,
			`p.dead = max(p.dead, quorum(append(floors, maxEpoch, maxEpoch)))`,
		}},
	},
	{
		name: "name-is-not-held",
		what: "a granter grants two processes of one name in turn",
		rule: "deaths", kill: "./cluster/member TestTheSecondOfTwoWithOneNameFails",
		edits: []edit{{
			"cluster/member/machine.go",
			`case p.boot != 0 && p.boot != b.Boot:`, `case p.boot != 0 && p.boot != b.Boot && b.Left:`,
		}},
	},
	{
		name: "names-wait-for-each-other",
		what: "a node whose name is taken keeps the names of others taken",
		rule: "deaths", kill: "./cluster/member TestNamesThatWaitForEachOtherComeFree",
		edits: []edit{{
			"cluster/member/machine.go",
			`if p.boot != 0 && m.awake-p.heard`, `if p.boot != 0 && m.mayGrant() && m.awake-p.heard`,
		}},
	},
	{
		name: "second-of-a-name-grants",
		what: "a process grants while another one has its name",
		rule: "deaths", kill: "./cluster/member TestAProcessWhoseNameIsTakenGrantsNothing",
		edits: []edit{{
			"cluster/member/machine.go",
			`m.twin == 0 || m.awake >= m.twin+m.timing.Death`, `m.twin >= 0`,
		}},
	},

	{
		name: "two-of-a-name-at-once",
		what: "two processes of one name that begin at once have a lease each",
		rule: "leases", kill: "./cluster/member TestOfTwoWithOneNameThatBeginAtOnceOneHolds",
		edits: []edit{{
			"cluster/member/machine.go", `if m.held || !listens || m.nodes == 1 {`, `if m.held || !listens || m.now > 0 {`,
		}},
	},

	// The heirs.
	{
		name: "heir-skips-its-share",
		what: "a node that withdraws is not heir itself",
		rule: "heirs", kill: "./cluster/member TestTheHeirsOfADeadNodeAreAllThatAreLeft",
		edits: []edit{{
			"cluster/member/machine.go",
			`		if m.live(i) {
			p.heirs[i]`,
			`		if m.live(i) && i != m.self {
			p.heirs[i]`,
		}},
	},
	{
		name: "dead-heirs-stay",
		what: "the share of an heir that died is nobody's",
		rule: "heirs", kill: "./cluster/member TestTheShareOfAnHeirThatDiesGoesToTheOthers",
		edits: []edit{{
			"cluster/member/machine.go", `if e <= m.peers[i].dead {
			p.heirs[i] = 0`, `if e <= m.peers[i].dead {
			p.heirs[i] = e`,
		}},
	},
	{
		name: "heirs-differ",
		what: "nodes do not exchange who is heir",
		rule: "heirs", kill: "./cluster/member TestTheExplorerFindsNothing",
		edits: []edit{{
			"cluster/member/machine.go", `p.heirs[j] = max(p.heirs[j], e)`, `p.heirs[j] = max(p.heirs[j], 0*e)`,
		}},
	},
	{
		name: "restarted-heir",
		what: "a restarted process is an heir of the one before it, with the others",
		rule: "heirs", kill: "./cluster/member TestAProcessThatWasRestartedIsNoHeirOfItsOwn",
		edits: []edit{{
			"cluster/member/machine.go", `if len(r.Heirs) != m.nodes || r.Died < p.died {`,
			`if len(r.Heirs) != m.nodes || r.Died < p.died || i == m.self {`,
		}},
	},
	{
		name: "shares-by-node",
		what: "every node computes other shares",
		rule: "heirs", kill: "./cluster/member TestTheSharesOfTheHeirsAreTheProtocols",
		edits: []edit{{
			"cluster/member/view.go", `hash > highest`, `hash < highest`,
		}},
	},
}
