package main

// ofOwed are mutants of what a cluster tells of calls, and by what right.
var ofOwed = []mutant{
	{
		name: "posts-without-a-lease",
		what: "a node delivers notifications of calls that are not its own any more",
		rule: "nothing is sent without a lease", kill: "./cluster TestNothingIsDeliveredWithoutALease",
		edits: []edit{{"cluster/node.go", `if !n.Holds(d.CallID) {`, `if !n.Holds(d.CallID) && d.Body != nil {`}},
	},
	{
		name: "asks-once-before-it-connects",
		what: "the Notifier does not ask again when it has a connection",
		rule: "nothing is sent without a lease", kill: "./webhook TestWhatMayNotBeSentIsNotSent",
		edits: []edit{{"webhook/permit.go", `_ = got.Conn.Close()`, `_ = got`}},
	},
	{
		name: "answers-without-a-lease",
		what: "an owner answers a forwarded request though it has lost its lease meanwhile",
		rule: "nothing is sent without a lease", kill: "./cluster/route TestNobodyAnswersWithoutTheRightTo",
		edits: []edit{{"cluster/route/serve.go", `func (t *Router) answer(j job, w *recorder) {
	if !t.is(j.owner) {`, `func (t *Router) answer(j job, w *recorder) {
	if j.owner.Epoch == 0 {`}},
	},
	{
		name: "answers-its-own-clients-without-a-lease",
		what: "a node answers a request of its own client though it has lost its lease meanwhile",
		rule: "nothing is sent without a lease", kill: "./cluster/route TestNobodyAnswersWithoutTheRightTo",
		edits: []edit{{"cluster/route/guarded.go", `ok && now == g.owner {`, `ok || now == g.owner {`}},
	},
	{
		name: "forwarded-alone",
		what: "requests that are forwarded at the same time share no message",
		rule: "cluster routes", kill: "./cluster/route TestWhatIsInLineSharesAMessage",
		edits: []edit{{"cluster/route/batch.go", `size+len(line[b.items].text) <= room)`, `false)`}},
	},
	{
		name: "forwarded-though-gone",
		what: "a request whose client has gone is forwarded",
		rule: "cluster routes", kill: "./cluster/route TestWhatIsInLineSharesAMessage",
		edits: []edit{{"cluster/route/batch.go", `if w.gone {`, `if w.gone && w.number > 0 {`}},
	},
	{
		name: "answers-by-the-message",
		what: "all requests of a message are answered as its first one",
		rule: "cluster routes", kill: "./cluster/route TestRequestsOfAMessageAreNumbered",
		edits: []edit{{"cluster/route/serve.go", `		next.number++
`, ``}},
	},
	{
		name: "waits-though-closed",
		what: "clients of a router that is closed wait for answers that nobody hears",
		rule: "cluster routes", kill: "./cluster/route TestCloseKeepsNoClientWaiting",
		edits: []edit{{"cluster/route/router.go", `t.fail(number, 1, errClosed)`, `_ = number`}},
	},
	{
		name: "route-lines-stay",
		what: "what is kept of owners that somebody made up is kept for good",
		rule: "cluster routes", kill: "./cluster/route TestIdleLinesGo",
		edits: []edit{{"cluster/route/batch.go", `if len(t.owners) >= maxOwners {`, `if len(t.owners) >= maxOwners && t.ended {`}},
	},
	{
		name: "route-busy-lines-go",
		what: "a line goes while it is sent, and another one to the same subject comes to be",
		rule: "cluster routes", kill: "./cluster/route TestIdleLinesGo",
		edits: []edit{{"cluster/route/batch.go", `return !l.sending })`, `return true })`}},
	},
	{
		name: "journal-body-twice",
		what: "a body that lies elsewhere is in the record, too",
		rule: "the journal is bounded", kill: "./cluster/journal TestARecordKeepsBodiesAsTheyAre",
		edits: []edit{{"cluster/journal/record.go", `if len(body) > most {`, `if len(body) > most && most == 0 {`}},
	},
	{
		name: "accepts-before-the-journal",
		what: "a request for an operation is answered before the journal has it",
		rule: "what is accepted is journaled", kill: "./graph TestWhatACallOwesIsKeptBeforeTheAnswer",
		edits: []edit{{"graph/actions.go", `	x.awaitKept()
	status`, `	status`}},
	},
	{
		name: "creates-before-the-journal",
		what: "a request for a call is answered before the journal has it",
		rule: "what is accepted is journaled", kill: "./graph TestWhatACallOwesIsKeptBeforeTheAnswer",
		edits: []edit{{"graph/calls.go", `	x.awaitKept()
`, ``}},
	},
	{
		name: "renders-a-body-anew",
		what: "an heir writes a stored body in its own way",
		rule: "repeats have the same bytes", kill: "./graph TestWhatIsOwedIsSentInTheSameBytes",
		edits: []edit{{"graph/owed.go", `delivery(p.ID, p.Body, p.Notifications)`, `delivery(p.ID, bytes.ReplaceAll(p.Body, []byte(" "), nil), p.Notifications)`}},
	},
	{
		name: "names-a-body-anew",
		what: "an heir gives its deliveries new ids",
		rule: "repeats have the same bytes", kill: "./graph TestWhatIsOwedIsSentInTheSameBytes",
		edits: []edit{{"graph/owed.go", `o.name("end %d", i)`, `uuid.New()`}},
	},
	{
		name: "owes-an-end-twice",
		what: "an operation whose end is in line is live as well",
		rule: "an end is owed once", kill: "./graph TestNoEndIsOwedTwiceOrNever",
		edits: []edit{{"graph/ledger.go", `d.live = slices.Delete(d.live, i, i+1)`, `_ = i`}},
	},
	{
		name: "tells-what-its-heirs-do-not-know",
		what: "a node that is cut off from the journal and the others delivers all the same",
		rule: "an end is delivered in one way", kill: "./graph TestWhatIsNotKeptElsewhereIsNotSent",
		edits: []edit{{"graph/ledger.go", `!kept && d.ledger.confirm != nil {`, `!kept && d.ledger.confirm == nil {`}},
	},
	{
		name: "releases-at-once",
		what: "notifications wait for no answer that another node brings",
		rule: "no notification overtakes its answer", kill: "./graph TestNoNotificationComesBeforeAnAnswerElsewhere",
		edits: []edit{{"graph/elsewhere.go", `if !elsewhere || !x.pending.holds() {`, `if !elsewhere || x.pending.holds() {`}},
	},
	{
		name: "leaves-the-journal-for-good",
		what: "a node whose disk was full keeps its part of the journal when it is restarted",
		rule: "a node recovers by itself", kill: "./cluster TestANodeWhoseDiskWasFullKeepsTheJournalAgain",
		edits: []edit{{"cluster/server.go", `off > 1 && hasRoom`, `off < 0 && hasRoom`}},
	},
	{
		name: "keeps-nothing-and-says-it-does",
		what: "a node does not notice that something of the journal could not be written",
		rule: "a node recovers by itself", kill: "./cluster TestANodeWhoseDiskWasFullKeepsTheJournalAgain",
		edits: []edit{{"cluster/server.go", `return !s.broken.Load() && `, `return `}},
	},
	{
		name: "stops-while-it-makes",
		what: "a server shuts down while it makes a stream, of which a goroutine stays for good",
		rule: "no goroutine is left", kill: "./cluster/internal/natsserver TestNothingIsLeftOfWhatIsBeingMade",
		edits: []edit{{"cluster/internal/natsserver/stop.go", `	Settle(s)`, `	_ = Settle`}},
	},
	{
		name: "tells-what-it-cannot-read",
		what: "an heir takes a record that it can't read for one that it has told",
		rule: "an end is delivered in one way", kill: "./cluster TestARecordThatCannotBeReadIsLeft",
		edits: []edit{{"cluster/heir.go", `, err != nil && !h.givesUp(e, call, err):`, `:`}},
	},
	{
		name: "waits-for-a-server-that-does-not-read",
		what: "a node stays with a NATS server that does not read, and all who send wait for a minute",
		rule: "a node recovers by itself", kill: "./cluster TestAServerThatDoesNotReadIsLeft",
		edits: []edit{{"cluster/server.go", `writeTime = 2 * time.Second`, `writeTime = 90 * time.Second`}},
	},
	{
		name: "stays-with-what-it-could-not-write",
		what: "a connection on which nothing could be written stays, and what it has lost is lost",
		rule: "a node recovers by itself", kill: "./cluster TestAConnectionEndsWhenNobodyReads",
		edits: []edit{{"cluster/server.go", `		_ = c.Close()`, `		_ = c`}},
	},
	{
		name: "reads-what-it-cannot-read-again-and-again",
		what: "an heir tries a record that it can't read each second, and counts it each time",
		rule: "an end is delivered in one way", kill: "./cluster TestWhatIsNotReadIsTriedAgainLaterAndGivenUpAtLast",
		edits: []edit{{"cluster/unread.go", `now.Sub(c.last) < rereadEvery`, `now.Sub(c.last) < 0`}},
	},
	{
		name:  "makes-calls-while-it-drains",
		what:  "a node that drains makes ids for new calls",
		rule:  "a node that drains keeps its calls and takes no more",
		kill:  "./cluster TestANodeLeavesAndAnotherTakesItsName",
		edits: []edit{{"cluster/node.go", `!ok || n.draining.Load() {`, `!ok {`}},
	},
	{
		name: "drains-by-cutting-off",
		what: "a service that drains seals its calls, and so ends those in which nothing plays",
		rule: "a node that drains keeps its calls and takes no more",
		kill: "./examples/ivr/service TestDrainingWaitsForTheCalls",
		edits: []edit{{"examples/ivr/service/cluster.go", `	for _, c := range s.all() {
		select {`, `	for _, c := range s.all() {
		c.queue.Seal()
		select {`}},
	},
	{
		name: "takes-all-at-once",
		what: "a change that nobody waits for is written at once",
		rule: "writes are few", kill: "./graph TestWhatIsNotAwaitedIsTakenLater",
		edits: []edit{{"graph/ledger.go", `	case urgent:
		d.awaited`, `	case urgent || d.revision > 0:
		d.awaited`}},
	},
	{
		name: "overwrites-at-once",
		what: "a slot of the journal is overwritten as soon as it is free",
		rule: "the journal has each call's newest record", kill: "./cluster/journal TestSlotsKeepWhatIsNeededAndNoMore",
		edits: []edit{{"cluster/journal/slots.go", `now.Sub(s.free[0].freed) >= s.wait:`, `now.Sub(s.free[0].freed) >= 0:`}},
	},
	{
		name: "forgets-that-a-call-is-over",
		what: "that a call is over is overwritten while an older record of it is left",
		rule: "the journal has each call's newest record", kill: "./cluster/journal TestSlotsKeepWhatIsNeededAndNoMore",
		edits: []edit{{"cluster/journal/slots.go", `e.over && c.copies == 1 {`, `e.over {`}},
	},
	{
		name: "frees-what-is-needed",
		what: "a slot comes free with the first of its records that is superseded",
		rule: "the journal has each call's newest record", kill: "./cluster/journal TestSlotsKeepWhatIsNeededAndNoMore",
		edits: []edit{{"cluster/journal/slots.go", `of.needed--; of.needed > 0 {`, `of.needed--; of.needed > 1 {`}},
	},
	{
		name: "keeps-for-ever-that-a-call-is-over",
		what: "that a call is over is kept though no older record of it is left",
		rule: "the journal is bounded", kill: "./cluster/journal TestSlotsKeepWhatIsNeededAndNoMore",
		edits: []edit{{"cluster/journal/slots.go", `c.copies == 1 && c.over {`, `c.copies == 0 && c.over {`}},
	},
	{
		name: "never-cleans",
		what: "slots of which little is needed are not written once more",
		rule: "the journal is bounded", kill: "./cluster/journal TestSparseSlotsAreCleaned",
		edits: []edit{{"cluster/journal/slots.go", `if s.bytes <= 2*s.live+slack {`, `if s.bytes <= 200*s.live+slack {`}},
	},
	{
		name: "reads-an-older-record",
		what: "a record that is read takes the place of a newer one that has passed by",
		rule: "the mirror has each call's newest record", kill: "./cluster/journal TestTheMirrorKeepsTheNewest",
		edits: []edit{{"cluster/journal/mirror.go", `case ok && (r.revision > revision ||`, `case ok && (r.revision > revision+100 ||`}},
	},
	{
		name: "reads-what-is-over",
		what: "a record that is read brings a call back whose end has passed by",
		rule: "the mirror has each call's newest record", kill: "./cluster/journal TestTheMirrorKeepsTheNewest",
		edits: []edit{{"cluster/journal/mirror.go", `	case !a.hasEnded(call):
		a.records`, `	default:
		a.records`}},
	},
	{
		name: "forgets-ends-at-once",
		what: "the mirror forgets within a moment which calls have ended",
		rule: "the mirror has each call's newest record", kill: "./cluster/journal TestTheMirrorKeepsTheNewest",
		edits: []edit{{"cluster/journal/mirror.go", `all.ended[0] = all.ended[0], nil`, `all.ended[0] = nil, nil`}},
	},
	{
		name: "gives-a-failed-write-up",
		what: "what a write that has failed had is not written again",
		rule: "what is accepted is journaled", kill: "./cluster/journal TestCallsGoOnWithoutJetStream",
		edits: []edit{{"cluster/journal/writer.go", `w.failed = append(w.failed, e.state)`, `_ = e.state`}},
	},
	{
		name: "answers-before-all-have-it",
		what: "a request is answered when a majority has it in its mirrors, not all that live",
		rule: "what is accepted is known to all", kill: "./cluster/journal TestWhatIsAnsweredIsInAllMirrors",
		edits: []edit{{"cluster/journal/show.go", `if waits || b.kept`, `if waits && b.others == 0 || b.kept`}},
	},
	{
		name: "delivers-before-a-majority-has-it",
		what: "an end is delivered though too few have it in their mirrors",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestADeliveryWaitsForAMajority",
		edits: []edit{{"cluster/journal/show.go", `b.others++; b.others == w.journal.options.Majority {`, `b.others++; b.others > 0 {`}},
	},
	{
		name: "shows-once",
		what: "what too few have seen is not shown again",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestANodeGetsWhatItHasMissed",
		edits: []edit{{"cluster/journal/show.go", `			w.toShow(s)
			w.enqueue(s)`, `			w.enqueue(s)`}},
	},
	{
		name: "forgets-what-was-missed",
		what: "a node that lives and has lost what it was shown does not get it when it hears again",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestANodeGetsWhatItHasMissed",
		edits: []edit{{"cluster/journal/show.go", `w.show.missed = append(w.show.missed, s)`, `_ = s`}},
	},
	{
		name: "shows-what-is-lost-late",
		what: "a batch that was lost on the way to a node that answers waits until it is given up",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestWhatIsLostIsShownAgainAtOnce",
		edits: []edit{{"cluster/journal/show.go", `if number < before &&`, `if number > before &&`}},
	},
	{
		name: "heirs-ask-nobody",
		what: "an heir goes by its own mirror of a dead node",
		rule: "an end is delivered in one way", kill: "./cluster TestHeirsTellWhatOneOfThemKnows",
		edits: []edit{{"cluster/heir.go", `range h.agreed(e, calls) {`, `range calls {`}},
	},
	{
		name: "heir-of-what-it-never-saw",
		what: "a node that is asked about a dead life that it knows nothing of does not ask in turn",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestWhoIsAskedKnowsOfTheLife",
		edits: []edit{{"cluster/journal/agree.go", `len(theirs) > 0 && !j.own(`, `len(theirs) < 0 && !j.own(`}},
	},
	{
		name: "heirs-know-no-ends",
		what: "a node that is asked does not say which calls have ended",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestHeirsAgree",
		edits: []edit{{"cluster/journal/agree.go", `if all.hasEnded(call) {`, `if call == uuid.Nil {`}},
	},
	{
		name: "heirs-keep-what-is-newer",
		what: "a node that is asked tells of calls that the other lacks, and not of newer records",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestHeirsAgree",
		edits: []edit{{"cluster/journal/agree.go", `(!has || revision < r.revision)`, `!has && revision == 0`}},
	},
	{
		name: "heirs-keep-large-bodies",
		what: "a node that is asked leaves out bodies that have keys of their own",
		rule: "an end is delivered in one way", kill: "./cluster/journal TestHeirsAgreeAboutLargeBodies",
		edits: []edit{{"cluster/journal/agree.go", `if len(all.bodies[call]) > 0 {`, `if call == uuid.Nil {`}},
	},
	{
		name: "heirs-wait-for-ever",
		what: "an heir waits for a node that does not answer for as long as the node lives",
		rule: "ends are delivered in 5 s", kill: "./cluster/journal TestHeirsDoNotWaitForTheSilent",
		edits: []edit{{"cluster/journal/agree.go", `context.WithTimeout(ctx, j.options.agree)`, `context.WithCancel(ctx)`}},
	},
	{
		name: "shows-nothing-that-fails",
		what: "what could not be written, and was not shown, is not shown either",
		rule: "calls go on", kill: "./cluster/journal TestWhatIsNotWrittenIsShown",
		edits: []edit{{"cluster/journal/writer.go", `options.Majority > 0 { // who`, `options.Majority < 0 { // who`}},
	},
	{
		name: "ignores-late-answers",
		what: "a node that answers after a second has nothing, ever",
		rule: "calls go on", kill: "./cluster/journal TestLateAnswersCount",
		edits: []edit{{"cluster/journal/show.go", `now.Sub(b.began) >= answersLate {`, `now.Sub(b.began) >= writeTimeout {`}},
	},
	{
		name: "has-two-states-of-a-call",
		what: "of the calls that a life begins with all but one are not known to be written",
		rule: "the journal is bounded", kill: "./cluster/journal TestTheFirstCallsOfALifeAreForgotten",
		edits: []edit{{"cluster/journal/writer.go", `return ok && !w.journal.options.Holds(owner)`, `return ok && owner.Epoch > 0`}},
	},
	{
		name: "writes-into-the-next-life",
		what: "that a call is over is written into the slots of the next life",
		rule: "the journal has each call's newest record", kill: "./cluster/journal TestALifeHasNothingOfTheLast",
		edits: []edit{{"cluster/journal/writer.go", `return ok && owner.Epoch == w.epoch`, `return ok && owner.Epoch > 0`}},
	},
	{
		name: "waits-for-a-life-before",
		what: "what is to be delivered of a call whose life is over waits for ever in the next",
		rule: "calls go on", kill: "./cluster/journal TestCallsOfALifeBeforeWaitForNobody",
		edits: []edit{{"cluster/journal/show.go", `s.call.Sent(o.Revision) //`, `_ = o.Revision //`}},
	},
	{
		name: "waits-for-the-silent",
		what: "who waits is waiting for nodes that do not answer",
		rule: "calls go on", kill: "./cluster/journal TestASilentNodeIsNotWaitedForLong",
		edits: []edit{{"cluster/journal/show.go", `w.show.silent = append(w.show.silent, name)`, `_ = name`}},
	},
	{
		name: "durable-is-not",
		what: "with SyncAlways a request is answered before its disk has it",
		rule: "what is accepted is journaled", kill: "./cluster/journal TestADurableJournalWaitsForTheBucket",
		edits: []edit{{"cluster/journal/show.go", `b.kept || w.journal.options.Durable {`, `b.kept {`}},
	},
	{
		name: "shown-is-not-written",
		what: "the journal does not get what the other nodes have seen",
		rule: "the journal has each call's newest record", kill: "./cluster/journal TestWhatIsShownIsWritten",
		edits: []edit{{"cluster/journal/show.go", `		s.later = false
		w.enqueue(s)`, `		s.later = false`}},
	},
}
