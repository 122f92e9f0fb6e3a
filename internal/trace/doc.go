// Package trace judges what happened in a call. Tests of every kind, simulated, random or under
// load, record what they did and saw with a [Recorder]; [Check] is the one place that says whether
// that is what the queue guarantees (G1 to G14 of the README), so that a test only has to make
// things happen.
//
// A trace is a list of items in the order in which they were recorded. An item is recorded before
// what it announces (Called, StartEntered, Asked) or after what it shows (Returned, Read), so
// the order in the list never claims more than was so. What a call did inside the queue happened
// somewhere between its two items; the events that the first observer got say in which order,
// since they are numbered in commit order.
package trace
