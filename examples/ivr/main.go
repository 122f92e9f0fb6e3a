// Command ivr is a media service, and calls to try it. Run it with -h to learn how.
//
// Without a command it plays a bot's call over the service's HTTP API and shows each request,
// answer and notification: package demo. The command serve runs the service, for bots of your own:
// package service, on the library's package graph. The command call plays a call on the library
// itself, without HTTP: call.go and what it needs. The command pin plays one with a PIN menu: the
// dialog is pin.go, and pin_script.go the caller.
//
// The calls leave what the caller heard, and what the caller said, as WAV files (output.go), and a
// picture of the call: package picture. What they print is safe for a terminal: package terminal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first interrupt ends the call properly, a second one ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
