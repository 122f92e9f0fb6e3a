package service

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
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

	// Caller is what each call's caller says, once, from the moment when its audio is active.
	Caller []int16

	// Dev lets callbacks and prompts be on this machine, with http, and adds the paths below /dev.
	Dev bool

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
	Notifier []graph.NotifierOption

	// Graph are options of the HTTP API, such as the limits of an application.
	Graph []graph.Option

	// Logger is where the service tells what it does: with ids, never with tones or tokens. Nil:
	// slog.Default.
	Logger *slog.Logger
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
	switch {
	case o.Folder == "":
		return errors.New("service: Folder is empty, must be a folder that exists")
	case (o.Issuer == "") != (o.Audience == ""):
		return fmt.Errorf("service: Issuer is %q and Audience %q, must be both or neither",
			o.Issuer, o.Audience)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}
