package main

// ofAnswers are mutants of the answers that are remembered for idempotency keys.
var ofAnswers = []mutant{
	{
		name: "repeat-is-another-call",
		what: "a repeat with the same idempotency key is accepted again",
		rule: "repeats", kill: "./queue TestARepeatReturnsTheFirstAnswer",
		edits: []edit{{"queue/answers.go", `a := all.byKey[k.key]`, `a := all.byKey["not "+k.key]`}},
	},
	{
		name: "repeat-after-its-time",
		what: "an answer is remembered a moment longer than it should be",
		rule: "what is remembered is bounded", kill: "./queue TestAnAnswerIsRememberedForItsTime",
		edits: []edit{{"queue/answers.go", `>= m.config.keyAge`, `> m.config.keyAge`}},
	},
	{
		name: "repeat-beyond-the-number",
		what: "one answer more is remembered than should be",
		rule: "what is remembered is bounded", kill: "./queue TestTheLastAnswersAreRemembered",
		edits: []edit{{"queue/answers.go", `len(all.byKey) > m.config.maxKeys`, `len(all.byKey) > m.config.maxKeys+1`}},
	},
	{
		name: "repeat-keeps-all-receipts",
		what: "the operations in remembered receipts are not bounded",
		rule: "what is remembered is bounded", kill: "./queue TestReceiptsAreRememberedWithinABound",
		edits: []edit{{"queue/answers.go", `all.inTheReceipts > maxKeptReceipts`, `all.inTheReceipts > 100*maxKeptReceipts`}},
	},
	{
		name: "repeat-of-the-last-is-dropped",
		what: "a receipt that is beyond the bound alone is not remembered",
		rule: "repeats", kill: "./queue TestReceiptsAreRememberedWithinABound",
		edits: []edit{{"queue/answers.go", `all.first != all.last {`, `all.first != nil {`}},
	},
	{
		name: "repeat-by-another-method",
		what: "a key is answered whatever method is called",
		rule: "a key is of one call", kill: "./queue TestAKeyOfAnotherCallIsRefused",
		edits: []edit{{"queue/answers.go", `a.call != k.call || a.kind != k.kind`, `a.kind != k.kind`}},
	},
	{
		name: "repeat-of-another-kind",
		what: "a key is answered whatever kind of request is given",
		rule: "a key is of one call", kill: "./queue TestAKeyOfAnotherCallIsRefused",
		edits: []edit{{"queue/answers.go", `a.call != k.call || a.kind != k.kind`, `a.call != k.call`}},
	},
	{
		name: "repeat-of-a-refusal",
		what: "Enqueue remembers an operation before it is admitted",
		rule: "refusals are not remembered", kill: "./queue TestARefusedCallMayBeTriedAgain",
		edits: []edit{{"queue/queue.go", `if err := m.admit(e, p.idGiven, false, m.config.maxPending); err != nil {`, `if p.keyed != nil {
		m.remember(p.keyed, e.operation(), nil, time.Now())
	}
	if err := m.admit(e, p.idGiven, false, m.config.maxPending); err != nil {`}},
	},
	{
		name: "repeat-after-done",
		what: "the answers are kept when the queue is done",
		rule: "what is remembered is bounded", kill: "./queue TestARepeatReturnsTheFirstAnswer",
		edits: []edit{{"queue/dispatch.go", `m.cold.answers = nil`, `_ = m`}},
	},
	{
		name: "repeat-remembered-after-done",
		what: "CancelAll remembers its answer though the queue is done",
		rule: "what is remembered is bounded", kill: "./queue TestARepeatReturnsTheFirstAnswer",
		edits: []edit{{"queue/queue.go", `if err != nil || q.dispatch.done {`, `if err != nil {`}},
	},
	{
		name: "repeat-keeps-the-message",
		what: "a key that is a part of a message keeps all of it",
		rule: "what is remembered is bounded", kill: "./queue TestAnswersThatAreDroppedKeepNothing",
		edits: []edit{{"queue/options.go", `strings.Clone(o.text)`, `strings.ToValidUTF8(o.text, "")`}},
	},
}
