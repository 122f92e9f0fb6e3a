package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"ivrqueue/examples/internal/loader"
	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
)

// deadline is how long a shutdown may take.
const deadline = 10 * time.Second

const serveUsage = `Usage: go run ./examples/ivr serve [flags]

Runs a media service that speaks the Microsoft Graph cloud communications API, for bots to be
developed against: they create calls, play prompts, record, cancel and subscribe to tones, and are
notified. Its callers are silent, or say what is in a file. It ends with SIGINT or SIGTERM, within
10 s: calls are ended, and their bots told.

Prompts come from https addresses, from embedded:NAME.wav (welcome, menu, hours, music, record,
goodbye, caller), and with -prompts from file:NAME.wav.

Flags:
`

// serveOptions are the flags of serve.
type serveOptions struct {
	addr    string
	ready   string // a token; with -dev
	caller  string
	service service.Options

	calls, requests int
	giveUp          time.Duration
	callbacks       int
}

// serve runs the service until ctx ends.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseServe(args, stdout, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	o.service.Logger = log
	if o.service.Embedded, err = fs.Sub(embedded, "prompts"); err != nil {
		return err
	}
	if o.caller != "" {
		o.service.Caller, err = softmedia.LoadFile(o.caller) //nolint:contextcheck // the same
		if err != nil {
			return err
		}
	}
	if o.service.Folder, err = os.MkdirTemp("", "ivr-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.service.Folder) //nolint:errcheck // the service has removed its files
	s, err := service.New(ctx, o.service)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return errors.Join(err, shutDown(ctx, s, log))
	}
	_, err = fmt.Fprintf(stdout, "The API is at http://%s/v1.0\n", listener.Addr())
	if o.ready != "" && err == nil {
		_, err = fmt.Fprintf(stdout, "A token for it is %s\n", o.ready)
	}
	if err != nil {
		return errors.Join(err, listener.Close(), shutDown(ctx, s, log))
	}
	return serveOn(ctx, s, listener, log)
}

// serveOn serves until ctx ends. The server goes on while the service is shut down: bots may have
// their callbacks there, and clients are told that the service is not available.
func serveOn(
	ctx context.Context, s *service.Service, listener net.Listener, log *slog.Logger,
) error {
	server := service.NewServer(s, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		failed <- nil
	}
	err = errors.Join(err, shutDown(ctx, s, log))
	const answers = time.Second // for those under way
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), answers)
	defer cancel()
	if server.Shutdown(last) != nil {
		_ = server.Close() // some client does not read its answer
	}
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// shutDown ends the service within its deadline. A bot that could not be told in that time is no
// failure of the service's.
func shutDown(ctx context.Context, s *service.Service, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("shut down, but not every bot could be told", slog.Duration("after", deadline))
		return nil
	}
	return err
}

func parseServe(args []string, stdout, stderr io.Writer) (serveOptions, error) {
	o := serveOptions{service: service.Options{
		Tokens: make(map[string]graph.Application), Establish: service.DefaultEstablish,
		Audio: service.DefaultAudio, KeepRecordings: service.DefaultKeepRecordings,
	}}
	flags := newFlags("ivr serve", stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "listen on `HOST:PORT`")
	flags.Func("token", "take the bearer token NAME for an application of that name with these "+
		"roles, as in `NAME=ROLE,ROLE`; may be repeated (to create calls takes "+graph.RoleInitiate+")",
		func(s string) error {
			name, roles, _ := strings.Cut(s, "=")
			if name == "" || strings.ContainsAny(name, " \t") {
				return errors.New("must be as in NAME=ROLE,ROLE")
			}
			o.service.Tokens[name] = service.Application(name, strings.FieldsFunc(roles, isComma)...)
			return nil
		})
	flags.StringVar(&o.service.Issuer, "oidc-issuer", "", "take tokens that the OpenID Connect "+
		"issuer at `URL` has signed")
	flags.StringVar(&o.service.Audience, "oidc-audience", "", "which must be for `AUDIENCE`")
	flags.StringVar(&o.service.Prompts, "prompts", "", "the one folder that file: prompts come from "+
		"is `DIR`")
	flags.StringVar(&o.caller, "caller", "", "each call's caller says `FILE` once")
	flags.IntVar(&o.service.PromptBytes, "prompt-bytes", loader.DefaultHeld, "the samples that one "+
		"application's operations hold have at most `N` bytes")
	flags.IntVar(&o.service.RecordingBytes, "recording-bytes", service.DefaultRecordingBytes, "one "+
		"application's recordings that are kept have at most `N` bytes; the oldest make room")
	flags.IntVar(&o.calls, "max-calls", graph.DefaultMaxCalls, "one application has at most `N` "+
		"calls; 0 is no limit")
	flags.IntVar(&o.requests, "max-requests", graph.DefaultMaxRequests, "one application has at most "+
		"`N` requests in a second; 0 is no limit")
	flags.DurationVar(&o.giveUp, "give-up", graph.DefaultGiveUp, "try to deliver a notification for "+
		"`TIME`")
	flags.IntVar(&o.callbacks, "callbacks", graph.DefaultMaxConnections, "at most `N` requests to "+
		"callbacks are under way, at least 4")
	flags.BoolVar(&o.service.Dev, "dev", false, "for development: print a token, allow callbacks and "+
		"prompts on this machine, add /dev/…")
	if err := parse(flags, args, serveUsage, stdout, stderr); err != nil {
		return o, err
	}
	o.service.Notifier = []graph.NotifierOption{
		graph.WithMaxElapsedTime(o.giveUp), graph.WithMaxConnections(o.callbacks),
	}
	o.service.Graph = []graph.Option{
		graph.WithMaxCalls(o.calls), graph.WithMaxRequests(o.requests),
	}
	if o.service.Dev {
		o.ready = strings.ToLower(rand.Text())
		o.service.Tokens[o.ready] = service.Application("dev", graph.RoleInitiate)
	}
	var err error
	switch {
	case len(o.service.Tokens) == 0 && o.service.Issuer == "":
		err = errors.New("nobody could use it: give -token, -oidc-issuer or -dev")
	case (o.service.Issuer == "") != (o.service.Audience == ""):
		err = errors.New("-oidc-issuer and -oidc-audience belong together")
	}
	if err != nil {
		return o, misused(stderr, err)
	}
	return o, nil
}

func isComma(r rune) bool { return r == ',' }
