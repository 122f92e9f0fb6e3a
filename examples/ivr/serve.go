package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/examples/ivr/terminal"
	"ivrqueue/graph"
	"ivrqueue/media"
	"ivrqueue/media/loader"
	"ivrqueue/webhook"
)

// deadline is how long a shutdown may take.
const deadline = 10 * time.Second

const serveUsage = `Usage: go run ./examples/ivr serve [flags]

Runs a media service that speaks the Microsoft Graph cloud communications API, for bots to be
developed against: they create calls, play prompts, record, cancel and subscribe to tones, and are
notified. Its callers are silent, or say what is in a file; with -dev you press their keys and
hang them up; with -sip they are telephones, see docs/phones.md. It ends with SIGINT or
SIGTERM, within 10 s: calls are ended, and their bots notified.

Prompts come from https addresses, from embedded:NAME.wav (welcome, menu, hours, music, record,
goodbye, caller), and with -prompts from file:NAME.wav.

For those who run it there are /metrics for Prometheus, for this machine and -metrics-from,
/healthz, and /readyz, which says 503 while it drains and shuts down.

With -dev there are, for a token of the call's application:
  POST   /dev/calls/ID/tones      the caller presses keys, as in {"tones":"12#"}
  DELETE /dev/calls/ID            the caller hangs up
  POST   /dev/calls               a caller rings at the application's -bot
  GET    /dev/calls/ID/heard.wav  what the caller has heard until now
  GET    /dev/calls/ID/said.wav   what the caller has said until now, as long as that
  POST   /dev/inbox               a callback for those who have none
  GET    /dev/inbox               what was posted there of the application's calls
  GET    /debug/calls/            a page for a browser that shows the application's calls as they
                                  happen; the password is the token

Flags:
`

// serveOptions are the flags of serve.
type serveOptions struct {
	addr    string
	ready   string // a token; with -dev
	caller  string
	front   frontOptions
	cluster clusterOptions
	phones  phonesOptions
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
		o.service.Caller, err = media.LoadFile(o.caller) //nolint:contextcheck // the same
		if err != nil {
			return err
		}
	}
	if o.service.Folder, err = os.MkdirTemp("", "ivr-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.service.Folder) //nolint:errcheck // the service has removed its files
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	o.service.Address = o.front.address(listener.Addr())
	node, err := o.cluster.join(&o.service, log) //nolint:contextcheck // what it does outlives ctx
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s, err := service.New(ctx, o.service)
	if err != nil {
		return errors.Join(err, listener.Close(), node.leave(ctx))
	}
	front, err := node.begin(s) //nolint:contextcheck // the same
	if err == nil {
		err = o.announce(stdout, s)
	}
	if err != nil {
		return errors.Join(err, listener.Close(), shutDown(ctx, s, log), node.leave(ctx))
	}
	server := service.NewServer(front, log)
	server.TLSConfig = o.front.tls
	err = serveOn(ctx, s, node, server, listener, log)
	return errors.Join(err, node.leave(ctx))
}

// announce prints how to reach the service, and how bots check who notifies them.
func (o *serveOptions) announce(stdout io.Writer, s *service.Service) error {
	base := cmp.Or(strings.TrimRight(o.service.BaseURL, "/"), o.service.Address)
	lines := []string{"The API is at " + base + "/v1.0"}
	if o.ready != "" {
		lines = append(lines, "A token of the application dev for it is "+o.ready,
			"Its calls are shown at "+base+service.InspectorPath+" (the password is the token)")
	}
	if o.service.Dev && o.service.CallbackTokens == nil {
		lines = append(lines, "The issuer of notifications' tokens is "+base+service.IssuerPath)
		ids := make(map[string]string) // by name: an application may have several tokens
		for _, app := range o.service.Tokens {
			ids[app.Name] = app.ID
		}
		for _, name := range slices.Sorted(maps.Keys(ids)) {
			lines = append(lines, "Those to the application "+name+" have the audience "+ids[name])
		}
	}
	if at := s.PhoneAddress(); at.IsValid() {
		lines = append(lines, "Telephones call sip:NUMBER@"+o.phones.reachedAt(at))
		for _, number := range slices.Sorted(maps.Keys(o.phones.phones.Numbers)) {
			lines = append(lines, terminal.Plain("The number "+number+" is of the application "+
				o.phones.phones.Numbers[number]))
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	if o.ready != "" {
		text += o.tryIt(base, terminal.PaletteFor(stdout))
	}
	_, err := io.WriteString(stdout, text)
	return err
}

// serveOn serves until ctx ends. The server goes on while the service is shut down: bots may have
// their callbacks there, and clients get the answer that the service is not available.
func serveOn(
	ctx context.Context, s *service.Service, node *clusterNode, server *http.Server,
	listener net.Listener, log *slog.Logger,
) error {
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
			return
		}
		failed <- server.Serve(listener)
	}()
	var err error
	select {
	case <-ctx.Done():
		node.drain(ctx, s)
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

// shutDown ends the service within its deadline. A bot that could not be notified in that time is
// no failure of the service's.
func shutDown(ctx context.Context, s *service.Service, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("shut down, but not every bot could be notified", slog.Duration("after", deadline))
		return nil
	}
	return err
}

func parseServe(args []string, stdout, stderr io.Writer) (serveOptions, error) {
	o := serveOptions{service: service.Options{
		Tokens: make(map[string]graph.Application), Bots: make(map[string]string),
		Establish: service.DefaultEstablish,
		Audio:     service.DefaultAudio, KeepRecordings: service.DefaultKeepRecordings,
	}}
	var roster bool
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
	flags.DurationVar(&o.giveUp, "give-up", webhook.DefaultGiveUp,
		"try to deliver a notification for `TIME`")
	flags.IntVar(&o.callbacks, "callbacks", webhook.DefaultMaxConnections, "at most `N` requests to "+
		"callbacks are under way, at least 4")
	flags.Func("bot", "calls for the application NAME are announced at CALLBACK, as in "+
		"`NAME=CALLBACK`; may be repeated (with -dev callers ring)",
		func(s string) error {
			name, callback, ok := strings.Cut(s, "=")
			if !ok || name == "" || callback == "" {
				return errors.New("must be as in NAME=CALLBACK")
			}
			o.service.Bots[name] = callback
			return nil
		})
	flags.Func("metrics-from", "let /metrics, and /cluster of a node, be read from the network "+
		"`CIDR`, besides this machine, but not through a proxy: one that adds no X-Forwarded-For must "+
		"not pass them on; may be repeated", intoPrefixes(&o.service.MetricsFrom))
	flags.BoolVar(&roster, "roster", false,
		"send a notification of a call's participants when it is established")
	o.front.define(flags)
	o.cluster.define(flags)
	o.phones.define(flags)
	flags.BoolVar(&o.service.Dev, "dev", false, "for development: print a token, allow callbacks and "+
		"prompts on this machine, add /dev/…")
	flags.BoolVar(&o.service.ShowKeys, "show-keys", false, "with -dev: the page that shows calls "+
		"shows which keys callers press")
	if err := parse(flags, args, serveUsage, stdout, stderr); err != nil {
		return o, err
	}
	o.service.Notifier = []webhook.Option{
		webhook.WithMaxElapsedTime(o.giveUp), webhook.WithMaxConnections(o.callbacks),
	}
	o.service.Graph = []graph.Option{
		graph.WithMaxCalls(o.calls), graph.WithMaxRequests(o.requests),
	}
	if roster {
		o.service.Graph = append(o.service.Graph, graph.WithRoster())
	}
	err := errors.Join(o.front.apply(&o.service), o.cluster.apply(), o.phones.apply(&o.service))
	if err != nil {
		return o, misused(stderr, err)
	}
	if o.service.Dev {
		o.ready = strings.ToLower(rand.Text())
		if o.cluster.Cluster != "" {
			o.ready = o.cluster.token()
		}
		o.service.Tokens[o.ready] = service.Application("dev", graph.RoleInitiate)
	}
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
