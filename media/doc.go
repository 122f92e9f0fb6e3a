// Package media plays WAV prompts to a caller and records what the caller says, in software and in
// real time: the media of a queue for a platform that has no media server.
//
// # How to think of it
//
// An [Engine] is a clock. Every 20 ms it takes one frame from each operation that plays and writes
// it to its call's [Sink], and reads one frame from the [Source] of each call that records. What
// makes it a good citizen of a queue is little: it asks [queue.Task.Live] before every frame, it
// reports each operation once, and it loads and writes files elsewhere than on the clock.
//
//	engine := media.NewEngine()
//	phone := media.NewPhone() // or a real line
//	m, err := engine.Media(media.Call{
//		Sink: phone, Source: phone, Prompts: media.Files{FS: prompts}, Folder: dir,
//	})
//	q, err := queue.New("call-1", m)
//
// # Formats
//
// A line is of some [Codec]: linear samples at a rate, 16 kHz by default, or G.711. What a prompt's
// file holds is converted to it, whatever that is, and once if its loader is a [CodecLoader] that
// keeps what it has loaded; package loader has one. Sources give linear samples at the codec's
// rate, and recordings are WAV files of that rate.
//
//	m, err := engine.Media(media.Call{
//		Codec: media.PCMU, Payloads: line, Source: line, Prompts: prompts, Folder: dir,
//	})
//
// # Concurrency
//
// The pacer's goroutine calls all sinks and sources, one after the other, with no lock held.
// Prompts are loaded on goroutines of their own, up to [MaxLoads] for each operation, and so is its
// recording written. With thousands of calls there is still one pacer; without frames to do, none.
//
// # Errors
//
// They name the file, what is wrong with it and what it must be; a [*operation.PromptError] has the
// index of the prompt. One that is not a WAV file as [ReadAudio] reads it is [operation.BadFormat]
// (400/8535), one that can't be had [operation.NotDownloadable] (400/8536); in a record both are
// [operation.PromptFailed] (500/8511). A sink that fails is PromptFailed in a prompt, and in a beep
// [operation.BeepFailed] (500/8512). All else is [operation.Unspecified], also a sink that fails in
// tones.
//
// # Examples
//
// In the repository examples/phone has an engine play to, and record, SIP telephones; examples/ivr
// plays calls on one, and leaves what was heard as WAV files.
package media
