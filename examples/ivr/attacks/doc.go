// Command attacks starts the service as a process of its own, with its memory limited, and throws
// at it what has once broken it: files, bodies, callbacks, hosts of prompts and tokens that mean
// ill. It needs Linux.
//
// Each attack is one application's; meanwhile the calls of another one, which behaves, must go in
// time. The service must stay below a bound of memory, and end properly when it gets a signal. The
// exit status is 1 otherwise. Arguments are words: only attacks that have one in their name are
// tried.
package main
