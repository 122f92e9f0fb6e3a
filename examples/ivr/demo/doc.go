// Package demo is a bot's call to the service, over HTTP, that shows each request, answer and
// notification as it happens: what a bot's author reads to see how a bot works.
//
// The bot (bot.go) is an HTTP client and a callback address; the script (script.go) is what it does
// in the call. What goes to and fro is printed, a line for each message (message.go, timeline.go),
// and drawn when the call is over (story.go). It ends with a cancel, as the page on
// cancelMediaProcessing has it, and a moment of silence.
package demo
