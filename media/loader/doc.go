// Package loader gets the prompts of many applications' calls, by the scheme of their URI:
//
//   - embedded:NAME.wav is a file in the program.
//   - file:NAME.wav and file:///FOLDER/NAME.wav is a file in the one folder that prompts may come
//     from. There is no way out of it, by name or by link.
//   - https://… is fetched: at most 10 MiB in at most 10 s, from public addresses only, and from
//     where up to 5 redirects lead, each of which is looked at as the first address is. What may
//     not stand in a path or query is escaped. http://… and loopback addresses can be allowed, for
//     development.
//
// # What is kept
//
// A prompt with a resourceId is kept for its application, its resourceId and its URI, within a
// bound; one without is fetched each time, as Graph has it. How long is for its server to say, by
// RFC 9111: with Cache-Control, Expires, Age, Vary, and Date. When that time is over the server is
// asked whether it has changed, by its ETag and Last-Modified. If it says nothing a prompt is fresh
// for a tenth of its age, or for [Heuristic]. Nothing is played that is not fresh.
//
// A file is kept until its time or its size changes. What is kept is audio in the codec of the
// line, for each codec that it was asked for in: it is converted once, however many calls play it.
//
// # Fairness
//
// What one application has under way is bounded, and what goes beyond waits in its own line: slow
// downloads of one delay no other. What all keep is bounded together, and the one that keeps most
// makes room. No load goes on for longer than a moment after its context has ended.
//
// # Errors
//
// They name the prompt, without its query and password, and what is wrong; of where redirects lead
// they name the host. A prompt that can't be had is [operation.NotDownloadable] (400/8536), one
// that is no WAV file that can be played [operation.BadFormat] (400/8535). What a bot may know of
// the cause is an [*operation.PublicError]; what the network said is not, nor where an address has
// led.
//
// # Examples
//
// In the repository examples/ivr/service loads the prompts of its bots.
package loader
