// Package egress says where a service lets itself be sent: to which addresses of the network a
// client may have it connect, by a callback's URL, say, or a prompt's. Whoever takes URLs from
// others and calls them needs it, against server-side request forgery.
//
// # How to think of it
//
// A URL is looked at twice. [ParseURL] reads it when it is given, and refuses what can never work;
// an IP address in it can be held against [Addresses.Allow] at once. What a name resolves to is
// known only when it is connected to, and may be another address each time: there
// [Addresses.Control], in the dialer, looks at the address itself.
//
//	addresses := egress.Addresses{} // the public Internet
//	dialer := &net.Dialer{Control: addresses.Control}
//	transport := &http.Transport{DialContext: dialer.DialContext}
//
// The transport must have no proxy, which would connect for us, to anywhere; and each redirect is
// another URL to look at.
//
// # Concurrency
//
// Everything is safe for concurrent use, and nothing blocks.
//
// # Examples
//
// In the repository examples/ivr/service posts notifications only where it may.
package egress
