package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Exit statuses.
const (
	asScripted    = 0
	notAsScripted = 1
	badFlags      = 2
)

const usage = `Usage: go run ./examples/ivr [flags]

Plays a scripted call in real time, in under 20 s, and prints what happens. You are the bot: the
caller is played by a WAV file and presses keys as the script says. Prompts are queued and played in
order, everything is cancelled in the middle of one, a recording barges in on the music and ends
when the caller presses #, and the goodbye is played before the hang-up.

It leaves two files in the folder it names: heard.wav, exactly what the caller heard, and the
recording of what the caller said. The exit status is 0 if the call went as scripted, 1 if not, 2
for flags that it does not know.

WAV files must be mono, 16-bit, 16 kHz PCM.

Flags:
`

// options are the flags.
type options struct {
	prompts []string
	caller  string
	out     string
}

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return asScripted
	case err != nil:
		return badFlags // flag has said why
	}
	if err := call(ctx, o, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "ivr: %v\n", err)
		return notAsScripted
	}
	return asScripted
}

func parse(args []string, stdout, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("ivr", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	flags.Func("prompt", "play `FILE` instead of our welcome and menu; "+
		"may be repeated: all are played, in order", func(path string) error {
		o.prompts = append(o.prompts, path)
		return nil
	})
	flags.StringVar(&o.caller, "caller", "", "what the caller says is in `FILE`")
	flags.StringVar(&o.out, "out", "", "leave the files in `DIR`, made if missing "+
		"(default: a new one)")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
		_, _ = fmt.Fprintln(stderr, err)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "Run it with -h to learn its flags.")
	}
	return o, err
}

// folder returns the absolute path of the folder for the files.
func (o options) folder() (string, error) {
	if o.out == "" {
		return os.MkdirTemp("", "ivr-")
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	return filepath.Abs(o.out)
}
