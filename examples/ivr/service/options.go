package service

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"ivrqueue/graph"
	"ivrqueue/inspect"
	"ivrqueue/webhook"
)

// Options are what a service is made of. The zero Options make one that nobody can get into.
type Options struct {
	// Tokens are the applications, by bearer token.
	Tokens map[string]graph.Application

	// Issuer and Audience are of the OpenID Connect tokens that are taken besides. Empty: none are.
	Issuer, Audience string

	// Embedded and Prompts are where embedded: and file: prompts come from. Nil and empty: there
	// are none.
	Embedded fs.FS
	Prompts  string

	// PromptBytes bounds the samples that one application's operations hold, in bytes. Zero means
	// 512 MiB.
	PromptBytes int

	// BaseURL is where clients find the service, for what it is given to say where things are:
	// http or https, a host, and perhaps a path, such as "https://media.example/ivr". Empty: what
	// each request says.
	BaseURL string

	// TrustedProxies are the addresses of proxies in front, whose X-Forwarded-Proto and
	// X-Forwarded-Host, or Forwarded (RFC 7239), are what the request says. None: those headers are
	// nothing.
	TrustedProxies []netip.Prefix

	// AllowCallbacks are networks of one's own where callbacks may be, with http too, besides the
	// public Internet with https.
	AllowCallbacks []netip.Prefix

	// CallbackTokens are credentials to get the bearer tokens with that notifications come with. Nil:
	// with Dev, and an address, they come from an issuer below /dev/issuer; else there are none.
	CallbackTokens *ClientCredentials

	// Address is where the development issuer is found if BaseURL is empty. Empty: there is none.
	Address string

	// Bots are where the calls are announced that come in for an application: callback addresses,
	// by the application's name or id. With Dev, callers ring by POST /dev/calls.
	Bots map[string]string

	// Phones are the telephones that reach the service, and that it reaches, by SIP. Nil: there are
	// none, and all callers are played.
	Phones *Phones

	// Caller is what each call's caller says, once, from the moment when its audio is active.
	Caller []int16

	// Dev lets callbacks and prompts be on this machine, with http, and adds the paths below /dev,
	// and the page at [InspectorPath], which shows which keys callers press if ShowKeys is set.
	Dev, ShowKeys bool

	// Inspector are options of that page, such as how many calls that have ended it keeps.
	Inspector []inspect.Option

	// Establish and Audio are what a call takes until it is established, and from then until its
	// audio is active.
	Establish, Audio time.Duration

	// Folder is where recordings are kept, each until KeepRecordings after the end of its call. It
	// must exist.
	Folder         string
	KeepRecordings time.Duration

	// RecordingBytes bounds the recordings of one application that are kept, in bytes on the disk: the
	// oldest make room. Zero means 1 GiB.
	RecordingBytes int

	// Notifier are options of the one that brings notifications, after those that Dev makes.
	Notifier []webhook.Option

	// Graph are options of the HTTP API, such as the limits of an application.
	Graph []graph.Option

	// MetricsFrom are networks from which /metrics may be read, besides this machine. What came
	// through a proxy never may, by its headers: one that adds none must not pass it on.
	MetricsFrom []netip.Prefix

	// Tracers are where the spans of requests and operations go. Nil: there are none.
	Tracers trace.TracerProvider
	// Cluster is the node of a cluster that the service is, such as a *cluster.Node. Nil: it is alone.
	Cluster Cluster

	// Logger is where the service logs what it does: with ids, never with tones or tokens. Nil:
	// slog.Default.
	Logger *slog.Logger
}

// Cluster is what a service asks the node of a cluster that it is.
type Cluster interface {
	NewCallID() (uuid.UUID, error) // of a call of this node; an error: it may have none now
	Holds(call uuid.UUID) bool     // this node may act for the call, at this instant
	GraphOptions() []graph.Option
	NotifierOption() webhook.Option
}

// Defaults for those who run a service; the zero Options have none.
const (
	DefaultEstablish      = 200 * time.Millisecond
	DefaultAudio          = 200 * time.Millisecond
	DefaultKeepRecordings = 5 * time.Minute
	DefaultRecordingBytes = 1 << 30 // more than nine hours of audio; also that of the zero Options
)

// Application returns an application by its name, with the id that belongs to it.
func Application(name string, roles ...string) graph.Application {
	return graph.Application{
		ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte("ivr "+name)).String(), Name: name, Roles: roles,
	}
}

func (o *Options) check() error {
	for what, d := range map[string]time.Duration{
		"Establish": o.Establish, "Audio": o.Audio, "KeepRecordings": o.KeepRecordings,
	} {
		if d < 0 {
			return fmt.Errorf("service: %s is %v, must be 0 or more", what, d)
		}
	}
	for what, n := range map[string]int{
		"PromptBytes": o.PromptBytes, "RecordingBytes": o.RecordingBytes,
	} {
		if n < 0 {
			return fmt.Errorf("service: %s is %d, must be 0 or more", what, n)
		}
	}
	for token := range o.Tokens {
		if !graph.IsBearerToken(token) { // it is not shown: it is a secret
			return errors.New("service: a token has characters that no bearer token has, must be " +
				"letters, digits and -._~+/, and = at its end")
		}
	}
	switch {
	case o.Folder == "":
		return errors.New("service: Folder is empty, must be a folder that exists")
	case (o.Issuer == "") != (o.Audience == ""):
		return fmt.Errorf("service: Issuer is %q and Audience %q, must be both or neither",
			o.Issuer, o.Audience)
	}
	if o.Phones != nil {
		if err := o.checkPhones(); err != nil {
			return err
		}
	}
	if o.CallbackTokens != nil {
		if err := o.CallbackTokens.check(); err != nil {
			return err
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}
