// Package softmedia plays WAV prompts to a caller and records what the caller says, in software and
// in real time: the media engine of the examples, and a pattern for an engine of your own.
//
// # How to think of it
//
// An [Engine] is a clock. Every 20 ms it takes one frame from each operation that plays and writes
// it to its call's [Sink], and reads one frame from the [Source] of each call that records. What
// makes it a good citizen of a queue is little: it asks [queue.Task.Live] before every frame, it
// reports each operation once, and it loads and writes files elsewhere than on the clock.
//
//	engine := softmedia.NewEngine()
//	phone := softmedia.NewPhone() // or a real line
//	media, err := engine.Media(softmedia.Call{
//		Sink: phone, Source: phone, Prompts: softmedia.Files{FS: prompts}, Folder: dir,
//	})
//	q, err := queue.New("call-1", media)
//
// # Concurrency
//
// The pacer's goroutine calls all sinks and sources, one after the other, with no lock held.
// Prompts are loaded and recordings written on goroutines of their own, at most one at a time for
// each operation. With thousands of calls there is still one pacer; without frames to do, none.
//
// # Errors
//
// They name the file, what is wrong with it and what it must be. A prompt that is not a WAV file of
// mono, 16-bit, 16 kHz PCM with at least one sample is [operation.BadFormat] (400/8535), one that
// can't be had [operation.NotDownloadable] (400/8536); in a record both are
// [operation.PromptFailed] (500/8511). A sink that fails is PromptFailed or, in a beep,
// [operation.BeepFailed] (500/8512). All else is [operation.Unspecified].
package softmedia
