package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/cli/browser"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/examples/ivr/terminal"
)

// Exit statuses.
const (
	asScripted    = 0
	notAsScripted = 1
	badFlags      = 2
)

const usage = `Usage: go run ./examples/ivr [flags]          a bot's call, over HTTP
       go run ./examples/ivr call [flags]     a call on the library itself, without HTTP
       go run ./examples/ivr pin [flags]      a call with a PIN menu, on the library itself
       go run ./examples/ivr serve [flags]    the service: try serve -h

All but the last play a scripted call in real time, in under 30 s, and print what happens. You are
the bot: the caller is played by a WAV file and presses keys as the script says.

Without a command the call goes over the service's HTTP API, on a port of this machine: each
request, answer and notification is a line. It ends with a cancel, which is printed in full, as
Graph's page has it. Colours are for terminals; NO_COLOR in the environment turns them off.

They leave files in a folder, ./ivr-demo, ./ivr-call or ./ivr-pin: heard.wav, exactly what the
caller heard; said.wav, what the caller said meanwhile; recording.wav, what was recorded of it, if
anything was; and call.svg, a picture of the call. The exit status is 0 if the call went as
scripted, 1 if not, 2 for flags that are not known.

WAV files may be PCM, float, A-law or µ-law, of any usual rate.

Flags:
`

// options are the flags of the calls.
type options struct {
	prompts []string
	caller  string
	out     string
	bodies  bool
	browse  func(url string) error // nil without -open
}

// errMisused is printed already.
var errMisused = errors.New("misused")

// run is the program. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	do := demonstrate
	if len(args) > 0 {
		switch args[0] {
		case "call":
			do, args = callHere, args[1:]
		case "pin":
			do, args = pinHere, args[1:]
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
	var o options
	flags := callFlags(&o, "./ivr-call", stderr)
	if err := parse(flags, args, usage, stdout, stderr); err != nil {
		return err
	}
	return call(ctx, o, "A call on the library itself", stdout, (*script).play)
}

// pinHere is the command pin.
func pinHere(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := newFlags("ivr pin", stderr)
	outFlag(flags, &o.out, "./ivr-pin")
	if err := parse(flags, args, usage, stdout, stderr); err != nil {
		return err
	}
	return call(ctx, o, "A call with a PIN menu", stdout, (*script).playPIN)
}

// demonstrate is the program without a command.
func demonstrate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseDemo(args, stdout, stderr)
	if err != nil {
		return err
	}
	sounds, err := load(ctx, o) // a bad file is an error before anybody listens
	if err != nil {
		return err
	}
	folder, err := prepare(o.out)
	if err != nil {
		return err
	}
	prompts, err := fs.Sub(embedded, "prompts")
	if err != nil {
		return err
	}
	return demo.Run(ctx, demo.Options{
		Embedded: prompts, Prompts: o.prompts, Caller: sounds.caller.samples, Folder: folder,
		Palette: terminal.PaletteFor(stdout), Bodies: o.bodies, Most: sounds.most(),
		Browse: o.browse,
	}, stdout)
}

// parseDemo parses the flags of the program without a command: those of a call, and its own.
func parseDemo(args []string, stdout, stderr io.Writer) (options, error) {
	var o options
	flags := callFlags(&o, "./ivr-demo", stderr)
	flags.BoolVar(&o.bodies, "json", false, "print the body of each request, answer and notification")
	flags.BoolFunc("open", "show the call in a browser, and go on with that until you press Ctrl-C",
		func(s string) error {
			o.browse = nil
			open, err := strconv.ParseBool(s)
			if open {
				o.browse = openBrowser
			}
			return err
		})
	return o, parse(flags, args, usage, stdout, stderr)
}

// openBrowser opens a page in the user's browser, which says nothing on our terminal.
func openBrowser(url string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	return browser.OpenURL(url)
}

// callFlags are those of a call.
func callFlags(o *options, out string, stderr io.Writer) *flag.FlagSet {
	flags := newFlags("ivr", stderr)
	flags.Func("prompt", "play `FILE` instead of our welcome and menu; "+
		"may be repeated: all are played, in order", func(path string) error {
		o.prompts = append(o.prompts, path)
		return nil
	})
	flags.StringVar(&o.caller, "caller", "", "what the caller says is in `FILE`")
	outFlag(flags, &o.out, out)
	return flags
}

func outFlag(flags *flag.FlagSet, to *string, out string) {
	flags.StringVar(to, "out", out, "leave the files in `DIR`, made if missing, in place of those of "+
		"the last call")
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

// misused says what is wrong with the flags.
func misused(stderr io.Writer, err error) error {
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
	}
	_, _ = fmt.Fprintln(stderr, "Run it with -h to learn its flags.")
	return errMisused
}
