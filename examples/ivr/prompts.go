package main

import (
	"context"
	"embed"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

//go:embed prompts/*.wav
var embedded embed.FS

// ours marks the URI of an embedded prompt.
const ours = "ours:"

// library is the loader of all prompts: the embedded ones, and files of the file system.
type library struct{}

// Load reads an embedded prompt or a file.
func (library) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	if name, ok := strings.CutPrefix(p.URI, ours); ok {
		p.URI = name
		return media.Files{FS: embedded}.Load(ctx, p)
	}
	return media.LoadFile(p.URI) //nolint:contextcheck // a file of the one who runs it
}

// sound is a WAV file that is known to be good.
type sound struct {
	name    string // for the timeline
	uri     string
	samples []int16
}

func (s sound) prompts() []operation.Prompt { return []operation.Prompt{{URI: s.uri}} }
func (s sound) length() time.Duration       { return media.Duration(len(s.samples)) }

// sounds is all that is heard in the call.
type sounds struct {
	opening         []sound // what the flags named, else welcome and menu
	hours, music    sound
	record, goodbye sound
	pin, pinAgain   sound
	caller          sound
}

// most is how long a call with these sounds may take: well above what a script needs.
func (s sounds) most() time.Duration {
	most := time.Minute
	for _, sound := range append(
		s.opening, s.hours, s.music, s.record, s.goodbye, s.pin, s.pinAgain, s.caller,
	) {
		most += sound.length()
	}
	return most
}

// limited bounds how long a call with these sounds takes.
func (s sounds) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	most := s.most()
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("the call is not over after %v", most))
}

// load reads everything before the call, so that a bad file is an error before anybody listens.
func load(ctx context.Context, o options) (s sounds, err error) {
	get := func(uri string) sound {
		if err != nil {
			return sound{}
		}
		var samples []int16
		samples, err = library{}.Load(ctx, operation.Prompt{URI: uri})
		return sound{strings.TrimSuffix(filepath.Base(uri), ".wav"), uri, samples}
	}
	own := func(name string) sound { return get(ours + "prompts/" + name + ".wav") }
	for _, path := range o.prompts {
		s.opening = append(s.opening, get(path))
	}
	if len(o.prompts) == 0 {
		s.opening = []sound{own("welcome"), own("menu")}
	}
	s.hours, s.music, s.record, s.goodbye = own("hours"), own("music"), own("record"), own("goodbye")
	s.pin, s.pinAgain = own("pin"), own("pin-again")
	if o.caller == "" {
		s.caller = own("caller")
	} else {
		s.caller = get(o.caller)
	}
	return s, err
}
