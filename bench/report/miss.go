package main

// miss is a budget that cannot be met, the figure that it is held to instead, so that it gets no
// worse unseen, and why.
type miss struct {
	id   string
	held float64
	why  string
}

// misses are the known ones. Whoever adds one says in why what was tried.
var misses = []miss{
	{
		id: "B1 inline", held: 1.5,
		why: "1.3 to 1.4 between runs. The floor has two locks and two state stores; a life has five " +
			"locks (accept, two between events and media, report, and events again), since no " +
			"callback is made under one, and three stores. Each is 6 to 8 ns that nothing hides, " +
			"unlike arithmetic: to spare sums of times, copies and calls changed nothing that could " +
			"be measured. It would take events that are told after the media, in one go.",
	},
	{
		id: "B8 parallel", held: 1.5,
		why: "1.1 to 1.3 between runs. Two queues do not get in each other's way: each life costs " +
			"what it costs alone, which is B1, and what two producers save is chance.",
	},
	{
		id: "B8 contended", held: 1.85,
		why: "1.4 to 1.7 between runs. The lines of the queue and of its lock move between two " +
			"processors at each of five locks; to try the lock some times before waiting, or to order " +
			"the fields otherwise, changed nothing that could be told from noise.",
	},
	{
		id: "B9 inline", held: 5.2,
		why: "3 to 4.6 between runs. Each life on a call that nobody has touched for long is about " +
			"ten cache misses: the call, its queue (three lines), its log, its generation, the media's " +
			"own; the one call it is compared with has none, and costs little more than the floor. " +
			"It would take a queue of fewer lines.",
	},
	{
		id: "B2 inline", held: 1.55,
		why: "The floor itself, which is what a contract with ids, times and states cannot do " +
			"without, takes nearly as long as a channel's round trip on this machine: its two clock " +
			"readings and its id are more than half of it (see where the time goes). Our own part " +
			"is B1. It would take a faster clock, or a contract without times.",
	},
	{
		id: "B3 inline", held: 0.95,
		why: "As B2: 0.4 of the fastest rival, a pool that only runs functions, is less than the " +
			"floor takes here.",
	},
	{
		id: "B2 default", held: 4.6,
		why: "Nobody's callback may hold up anybody else's, so a life by default begins two " +
			"goroutines, one for the media and one for the observer: to begin, schedule and end " +
			"them is the largest part of the profile. One for both would let a Start that blocks " +
			"hold up events; goroutines that stay would make an idle call cost one, and to wake a " +
			"parked one costs as much as to begin one (428 against 421 ns here).",
	},
	{
		id: "B3 default", held: 2.75,
		why: "As B2: the fastest rival wakes one goroutine that it keeps, and tells no events.",
	},
}

// knownMiss returns the known miss of a budget, or nil.
func knownMiss(id string) *miss {
	for i := range misses {
		if misses[i].id == id {
			return &misses[i]
		}
	}
	return nil
}
