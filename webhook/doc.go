// Package webhook posts notifications of calls to the callback addresses of their applications,
// again and again until they are taken or it is time to give up.
//
// # How to think of it
//
// A [Delivery] is bytes on their way to an address. [Notifier.Deliver] is what happens to them: it
// waits for a fair place among the requests under way, posts, looks at the answer's status, and
// waits for the next attempt, as the [Policy] has it. It knows nothing of what the bytes say, and
// keeps nothing: whoever has several deliveries for one call calls Deliver for one after the other,
// and so they arrive in order. Package graph does.
//
// The addresses are the clients' to choose, so they are looked at when they are given
// ([Notifier.Check]), at each redirect, and whenever one is connected to: see package egress.
//
// # Concurrency
//
// Everything is safe for concurrent use. Deliver alone waits; the functions of options are called
// with no lock held.
//
// # Errors
//
// An address that is refused is an *operation.FieldError. No error names a callback's address: it
// may hold a secret.
//
// # Examples
//
// In the repository examples/ivr/service posts the notifications of its calls with a Notifier.
package webhook
