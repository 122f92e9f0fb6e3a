package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"ivrqueue/examples/ivr/demo"
)

// Exit statuses.
const (
	asScripted    = 0
	notAsScripted = 1
	badFlags      = 2
)

const usage = `Usage: go run ./examples/ivr [flags]          a bot's call, over HTTP
       go run ./examples/ivr call [flags]     a call on the library itself, without HTTP
       go run ./examples/ivr serve [flags]    the service: try serve -h

The first two play a scripted call in real time, in under 30 s, and print what happens. You are the
bot: the caller is played by a WAV file and presses keys as the script says.

Without a command the call goes over the service's HTTP API, on a port of this machine: each
request, answer and notification is shown, and it ends with a cancel, as Graph's page has it.

They leave two files in the folder they name: heard.wav, exactly what the caller heard, and the
recording of what the caller said. The exit status is 0 if the call went as scripted, 1 if not, 2
for flags that are not known.

WAV files must be mono, 16-bit, 16 kHz PCM.

Flags:
`

// options are the flags of the calls.
type options struct {
	prompts []string
	caller  string
	out     string
}

// errMisused is told to the user already.
var errMisused = errors.New("misused")

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	do := demonstrate
	if len(args) > 0 {
		switch args[0] {
		case "call":
			do, args = callHere, args[1:]
		case "serve":
			do, args = serve, args[1:]
		}
	}
	err := do(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return asScripted
	case errors.Is(err, errMisused):
		return badFlags
	default:
		_, _ = fmt.Fprintf(stderr, "ivr: %v\n", err)
		return notAsScripted
	}
}

// callHere is the command call.
func callHere(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseCall(args, stdout, stderr)
	if err != nil {
		return err
	}
	return call(ctx, o, stdout)
}

// demonstrate is the program without a command.
func demonstrate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseCall(args, stdout, stderr)
	if err != nil {
		return err
	}
	sounds, err := load(ctx, o) // a bad file is told before anybody listens
	if err != nil {
		return err
	}
	folder, err := o.folder()
	if err != nil {
		return err
	}
	ctx, cancel := sounds.limited(ctx)
	defer cancel()
	prompts, err := fs.Sub(embedded, "prompts")
	if err != nil {
		return err
	}
	return demo.Run(ctx, demo.Options{
		Embedded: prompts, Prompts: o.prompts, Caller: sounds.caller.samples, Folder: folder,
	}, stdout)
}

func parseCall(args []string, stdout, stderr io.Writer) (options, error) {
	var o options
	flags := newFlags("ivr", stderr)
	flags.Func("prompt", "play `FILE` instead of our welcome and menu; "+
		"may be repeated: all are played, in order", func(path string) error {
		o.prompts = append(o.prompts, path)
		return nil
	})
	flags.StringVar(&o.caller, "caller", "", "what the caller says is in `FILE`")
	flags.StringVar(&o.out, "out", "", "leave the files in `DIR`, made if missing "+
		"(default: a new one)")
	return o, parse(flags, args, usage, stdout, stderr)
}

func newFlags(name string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	return flags
}

// parse parses the flags of a command. Help goes to stdout, and is flag.ErrHelp.
func parse(flags *flag.FlagSet, args []string, usage string, stdout, stderr io.Writer) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil: // flag has said why
		return misused(stderr, nil)
	case flags.NArg() > 0:
		return misused(stderr, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	return nil
}

// misused tells the user what is wrong with the flags.
func misused(stderr io.Writer, err error) error {
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
	}
	_, _ = fmt.Fprintln(stderr, "Run it with -h to learn its flags.")
	return errMisused
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
