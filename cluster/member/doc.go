// Package member decides, for a cluster of one node or of three and more, which node may act for
// which calls.
//
// # How to think of it
//
// The life of a node is cut into epochs, and each epoch has one [Lease]. A node acts for the calls
// of an epoch only while its lease holds: whoever sends a frame, posts a notification or answers a
// request asks [Lease.Holds] right before. An epoch whose lease has run out is fenced, for good:
// the node ends the calls of that epoch without notifying anybody, and comes back as a new epoch.
//
// The other nodes declare an epoch dead when a majority no longer grants it, and then its lease has
// run out for certain. From then on [View.Ended] is true of it, and [View.Heir] names, for each of
// its calls, the node that notifies the application of its end.
//
//   - Each node publishes a beat every 250 ms, and each node that receives one grants it.
//   - A lease runs for 2 s from the time at which a beat was sent that a majority has granted, the
//     node itself counted. Not from the time at which the grants came: they may have been on their
//     way for long.
//   - A node that has granted an epoch withdraws 3 s after the last beat that it granted, and never
//     grants that epoch again. When a majority has withdrawn, the epoch is dead.
//
// Any two majorities have a node in common, and that node withdraws a second after the lease that
// rests on its grant has run out. The second is what clocks may differ in their rate, by a half.
// Nobody's clock is compared with that of another node.
//
// # What it takes
//
// Every node is given the same names, and keeps its own. Two nodes are refused: the loss of either
// would be the loss of the majority. A single node has no peers, and its lease never runs out.
//
// A node does not store what it granted. So one that has just started grants nothing for 3 s, until
// whatever it may have granted before has run out. A cluster that starts needs that long, too.
//
// Time is CLOCK_BOOTTIME on Linux, which goes on while the machine is suspended. Elsewhere it is
// the monotonic clock, which may not: there, a suspended machine may act for up to 2 s after it
// wakes up. The same is true of a hypervisor that hides a pause from its guest.
//
// # What it does not do
//
// An epoch that one node has withdrawn from lives on with the grants of the others, and has one
// supporter less until it ends. Nodes cannot be added while the cluster runs. With two nodes of one
// name the second fails with [ErrNameTaken], unless a partition keeps them apart. If a majority
// restarts while the clock of a node is set back, epochs of that node that are in no one's memory
// may come again: tell [Member.Saw] of those that are known. So may that of a single node which is
// started twice within a second.
//
// # Concurrency
//
// All methods are safe for concurrent use, and only [New] and [Member.Close] may wait. A member has
// three goroutines. [Lease.Holds] takes no lock. The observer is called on one goroutine, in order;
// it may block, panic, exit its goroutine and call back.
//
// # Errors
//
// [ErrNameTaken] and [ErrMisconfigured] end a member, see [Failed]. [New] returns errors that name
// the option, its value and its limit.
//
// # Examples
//
// In the repository examples/cluster has three nodes, and shows what becomes of one that is lost.
package member
