// Package loader gets the prompts of the example's calls, by the scheme of their URI:
//
//   - embedded:NAME.wav is a file in the program.
//   - file:NAME.wav and file:///FOLDER/NAME.wav is a file in the one folder that prompts may come
//     from. There is no way out of it, by name or by link.
//   - https://… is fetched: at most 10 MiB in at most 10 s, without redirects, from public
//     addresses only. http://… and loopback addresses can be allowed, for development.
//
// A prompt with a resourceId is fetched once for its application and its URI, as Graph has it, and
// kept within a bound. Without one it is fetched each time.
//
// # Fairness
//
// What one application has under way is bounded, and what goes beyond waits in its own line: slow
// downloads of one delay no other. What all keep is bounded together, and the one that keeps most
// makes room. No load goes on for longer than a moment after its context has ended.
//
// # Errors
//
// They name the prompt, without its query, and what is wrong. A prompt that can't be had is
// [operation.NotDownloadable] (400/8536), one that is no mono 16-bit 16 kHz WAV file
// [operation.BadFormat] (400/8535).
package loader
