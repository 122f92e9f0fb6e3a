// Package journal keeps, in a JetStream bucket, what the calls of a cluster owe to their
// applications, and mirrors all of it in the memory of every node.
//
// # How to think of it
//
// The calls of a [graph.Ledger] are written down as they change: one record for each, which is
// superseded by the next, and at last by one that says that nothing is owed any more. A record goes
// two ways.
//
// It is shown to the other nodes, if somebody waits for it: by a message of core NATS, which each
// of them puts into its mirror and answers. When all that live and answer have done so, a majority
// at least, it counts as kept. That takes a round trip, and neither a disk nor an election. A node
// that lives and has missed something is shown it again, for it may be the heir.
//
// It is written to the bucket within half a second, in the form that it has then. Without other
// nodes, while one of them does not answer, and with Durable, it is written at once, and counts as
// kept when that is confirmed.
//
// Both go in batches, each one message: whatever changes within some milliseconds, or while a
// batch is under way, goes into the next. Whoever waits does so no longer than the ledger's
// patience; and when nobody answers and nothing could be written for a second, nobody waits, until
// that changes. What could not be written is kept in line, and written then.
//
// The mirror has the calls of the other nodes. It is fed by what they show, and by the writes as
// they pass by on their way to JetStream, not by a consumer: a consumer lives on one server, and if
// that is the one that has died, it is silent for as long as an election takes, just when the
// mirror is needed. What was written before, or missed, is read from JetStream when a node joins
// and when [Journal.Refresh] says so.
//
// # Keys
//
// A batch is at NODE.EPOCH.batch.WRITER.SLOT, where WRITER is NODE, or the heir that has
// delivered the notifications of calls; a body of more than 4 KiB is at NODE.EPOCH.CALL.POST. A
// batch is, for each call, 16 bytes of its id, the revision and the size of the record, and the
// record; a size of 0 says that the call owes nothing any more. A slot is overwritten
// when none of its records is needed.
//
// # Concurrency
//
// Everything is safe for concurrent use. A journal holds two goroutines. Only [Open],
// [Journal.Refresh], [Journal.Remove], [Journal.Drain] and [Journal.Close] wait.
//
// # Examples
//
// In the repository examples/cluster loses a node; another one notifies of the ends of its calls,
// from what is here.
package journal
