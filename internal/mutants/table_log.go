package main

// ofLog are mutants of the log of events and its cursors.
var ofLog = []mutant{
	{
		name: "end-of-nobody",
		what: "an Ended event does not name the operation that barged in",
		rule: "cause of an end", kill: "./queue TestAnEndNamesTheOperationThatCausedIt",
		edits: []edit{{"queue/machine.go", `b.detail.by = e.operation()`, `_ = b`}},
	},
	{
		name: "cancel-keeps-its-context",
		what: "a cancel's own operation keeps the values of its context",
		rule: "G15", kill: "./queue TestAnEndNamesTheOperationThatCausedIt",
		edits: []edit{{"queue/log.go", `own.ReleaseContext()`, `_ = own`}},
	},
	{
		name: "cancel-of-nothing-keeps-its-context",
		what: "the own operation of a cancel that ended nothing keeps the values of its context",
		rule: "G15", kill: "./queue TestOtherEndsNameNoOperation",
		edits: []edit{{"queue/queue.go", `own.ReleaseContext()`, `_ = own`}},
	},
	{
		name: "skips-an-event",
		what: "an observer that lags is taken past a record",
		rule: "each event once", kill: "./queue TestSimulation",
		edits: []edit{{"queue/log.go", `c.next += b.delivered`, `c.next += max(1, b.delivered)`}},
	},
	{
		name: "half-a-record-again",
		what: "an observer that panics within a record gets the record's first events again",
		rule: "each event once", kill: "./queue TestSimulation",
		edits: []edit{{"queue/log.go", `c.off, c.seq = b.off, b.seq`, `c.off, c.seq = 0, b.seq`}},
	},
	{
		name: "moves-records-that-are-being-delivered",
		what: "the log is shortened in place while batches of it are under way",
		rule: "G10", kill: "./queue TestTheLogIsShortenedWhileItIsBeingDelivered",
		edits: []edit{{
			"queue/log.go", `l.records = slices.Clone(l.records[l.head:])`,
			`n := copy(l.records, l.records[l.head:])
		clear(l.records[n:])
		l.records = l.records[:n]`,
		}},
	},
	{
		name: "trimmed-for-the-first-observer",
		what: "the log drops what the first observer got, whatever the others did",
		rule: "each event once", kill: "./queue TestSimulation",
		edits: []edit{{"queue/log.go", `all = min(all, (*l.others)[i].next)`, `_ = i`}},
	},
	{
		name: "log-keeps-what-was-delivered",
		what: "the log keeps what all observers got",
		rule: "G15", kill: "./queue TestAnIdleQueueKeepsNoOperation",
		edits: []edit{{"queue/log.go", `*r = record{}`, `_ = r`}},
	},
	{
		name: "log-keeps-its-room",
		what: "a drained log keeps all its room",
		rule: "G15", kill: "./queue TestADrainedLogKeepsFewSlots",
		edits: []edit{{"queue/log.go", `cap(l.records) > keepRecords {`, `cap(l.records) > 1<<20 {`}},
	},
	{
		name: "idle-log-keeps-its-room",
		what: "the log of a call without operations keeps room for several",
		rule: "G15", kill: "./queue TestAnIdleCallHoldsNoGoroutineAndNoBuffer",
		edits: []edit{{"queue/machine.go", `m.log.keepsRoom() && m.live() == 0`, `m.log.keepsRoom() && m.live() < 0`}},
	},
	{
		name: "first-record-is-kept",
		what: "the room in the queue keeps an operation whose record was moved when the log grew",
		rule: "G15", kill: "./queue TestALogThatGrewKeepsNoOperation",
		edits: []edit{{"queue/log.go", `l.first = [1]record{}`, `_ = l`}},
	},
	{
		name: "undelivered-never-sink",
		what: "the count of undelivered ends never sinks",
		rule: "four full queues", kill: "./queue TestAnObserverThatLagsRefusesWhatIsNew",
		edits: []edit{{"queue/log.go", `l.undelivered -= r.ends()`, ``}},
	},
	{
		name: "logs-share-a-cache-line",
		what: "the logs of two calls lie on one cache line",
		rule: "two calls never share a cache line", kill: "./queue TestTwoCallsShareNoCacheLine",
		edits: []edit{{
			"queue/log.go", `l.records = l.first[:0]
	if observers > 1 {`, `l.records = make([]record, 0, 1)
	if observers > 1 {`,
		}},
	},
	{
		name: "nobody-observes-and-values-stay",
		what: "without observers an operation keeps its values after its end",
		rule: "values are released", kill: "./queue TestWithoutObserversValuesGoWithTheEnd",
		edits: []edit{{"queue/log.go", `delivered(&r)`, `_ = r`}},
	},
}
