// Command ivr plays a scripted call in real time: prompts, key presses, a cancel in the middle, a
// recording that barges in, and a goodbye. It prints a timeline of what happens and leaves what the
// caller heard, and what the caller said, as WAV files. Run it with -h to learn its flags.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	// The first interrupt ends the call properly, a second one ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
