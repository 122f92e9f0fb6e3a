// Package sip connects calls of telephones: a SIP user agent, server and client, over UDP, and a
// line that carries a call's audio by RTP, to and from the media of package media.
//
// # How to think of it
//
// An [Agent] is where telephones call. Each [Call] of it is one SIP dialog, which comes in or is
// made, and has two things for the call's queue: a [Line], which is the sink and the source of its
// media, and a stream of tones, which has the keys that the peer presses.
//
//	engine := media.NewEngine()
//	agent, err := sip.Listen(sip.Options{
//		Listen: netip.MustParseAddrPort("192.0.2.1:5060"),
//		Incoming: func(c *sip.Call) {
//			m, err := engine.Media(media.Call{
//				Codec: sip.Codec, Sink: c.Line(), Source: c.Line(), Tones: c.Tones(),
//				Prompts: prompts, Folder: dir,
//			})
//			...
//			q, err := queue.New(c.ID(), m)
//			...
//			err = c.Answer()
//		},
//	})
//
// The media's pacer is the only clock: what it writes at an instant is a packet with that instant's
// timestamp, and where it writes nothing time goes on all the same.
//
// # A call that comes in
//
// Options.Incoming is given each call, and decides, or has somebody decide later: [Call.Ring],
// [Call.Answer], [Call.Reject], [Call.Redirect]. What is wrong with a request is answered before
// that, as RFC 3261 has it: 400, 405, 415, 416, 420, 422, 481, 482 and 505; 488 without a codec in
// common, 503 when there are too many calls.
//
// # A call that is made
//
// [Agent.NewCall] returns a call with its line and its tones, so that its media can be made, and
// [Call.Dial] has it ring until it is answered. Busy, no answer and declined are errors of their
// own.
//
// # The end
//
// [Call.Done] says that a call has ended, whoever has ended it, and [Call.End] why. [Call.Goodbye]
// hangs up when the queue has played all that it has.
//
// # Concurrency
//
// All methods are safe for concurrent use. An agent holds one goroutine, and each call one that
// waits for its packets; a call that comes in holds another until it is decided and acknowledged.
//
// # Errors
//
// [ErrBusy], [ErrNoAnswer], [ErrDeclined], [ErrCancelled], [ErrEnded], [ErrNotAcceptable] and
// [ErrUnavailable] are matched with errors.Is. What peers have sent is escaped where it is logged.
//
// # Examples
//
// In the repository examples/phone answers telephones, plays and records; examples/ivr/service
// takes calls for the bots of a service, and makes theirs.
package sip
