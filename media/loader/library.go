package loader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"ivrqueue/egress"
	"ivrqueue/internal/foreign"
	"ivrqueue/media"
	"ivrqueue/operation"
)

// Options say where prompts come from.
type Options struct {
	Embedded fs.FS  // of embedded:; nil: there are none
	Folder   string // of file:; empty: there are none
	Loopback bool   // allow http, and this machine

	// Held is how many bytes of samples one application's operations may hold at once. Zero means
	// DefaultHeld.
	Held int
}

// DefaultHeld is how many bytes of samples one application's operations may hold: 512 MiB, more
// than four hours of audio.
const DefaultHeld = 512 << 20

// Library gets prompts for all calls. New makes it, Close ends it. It is safe for concurrent use.
type Library struct {
	embedded fs.FS
	folder   string   // absolute; empty if there is none
	root     *os.Root // of the folder
	held     int
	fetcher  *fetcher
	cache    *cache

	mu           sync.Mutex // guards the block below
	applications map[string]*Application
}

// String says how many applications have had prompts, for logs: what is given to package fmt would
// be read without the lock otherwise.
func (l *Library) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("library of prompts, %d applications", len(l.applications))
}

// New makes a library. Its error names the folder, or the option.
func New(o Options) (*Library, error) {
	if o.Held < 0 {
		return nil, fmt.Errorf("loader: Held is %d, must be 0 or more", o.Held)
	}
	if o.Embedded != nil && foreign.IsNil(o.Embedded) {
		return nil, fmt.Errorf("loader: Embedded is a nil %T", o.Embedded)
	}
	l := &Library{
		embedded: o.Embedded, held: cmp.Or(o.Held, DefaultHeld), fetcher: newFetcher(o.Loopback),
		cache: newCache(), applications: make(map[string]*Application),
	}
	if o.Folder == "" {
		return l, nil
	}
	var err error
	if l.folder, err = filepath.Abs(o.Folder); err != nil {
		return nil, err
	}
	if l.root, err = os.OpenRoot(l.folder); err != nil {
		return nil, fmt.Errorf("loader: %w", err)
	}
	return l, nil
}

// Close ends what is being fetched, and closes the folder and idle connections. No prompt
// may be loaded any more: close the engine first.
func (l *Library) Close() error {
	l.cache.close()
	l.fetcher.transport.CloseIdleConnections()
	if l.root == nil {
		return nil
	}
	return l.root.Close()
}

// For returns the loader of an application's calls: always the same one. It costs little, and stays
// as long as the library does.
func (l *Library) For(application string) *Application {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.applications[application]
	if a == nil {
		a = &Application{media.NewBudget(l.held), l, application, newShare()}
		l.applications[application] = a
	}
	return a
}

// Load gets a prompt at [media.Rate].
func (a *Application) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	audio, err := a.LoadAudio(ctx, p, media.Codec{})
	return audio.Samples(), err
}

// LoadAudio gets a prompt in a codec. What is kept is kept in each codec that it was asked for in.
func (a *Application) LoadAudio(
	ctx context.Context, p operation.Prompt, c media.Codec,
) (media.Audio, error) {
	u, err := parse(p.URI)
	if err != nil {
		return media.Audio{}, fmt.Errorf("loader: %w", notDownloadable(err))
	}
	audio, err := a.load(ctx, p, u, c)
	if err != nil {
		return media.Audio{}, fmt.Errorf("loader: %s: %w", name(u), err)
	}
	return audio, nil
}

// parse reads a prompt's URI. In one of HTTP it escapes what may not stand in a request line, which
// servers refuse.
func parse(uri string) (*url.URL, error) {
	if scheme, _, _ := strings.Cut(strings.TrimSpace(uri), ":"); strings.EqualFold(scheme, "http") ||
		strings.EqualFold(scheme, "https") {
		if _, must := egress.ParseURL(uri); must != "" {
			return nil, public("an address that can't be reached, must be %s", must)
		}
		uri = egress.EscapeURL(uri)
	}
	u, err := url.Parse(uri)
	if err != nil { // it quotes the whole URI
		return nil, public("no URI")
	}
	return u, nil
}

func (a *Application) load(
	ctx context.Context, p operation.Prompt, u *url.URL, c media.Codec,
) (audio media.Audio, err error) {
	l := a.library
	switch strings.ToLower(u.Scheme) {
	case "embedded":
		if l.embedded == nil {
			return audio, notDownloadable(public("there are no embedded prompts"))
		}
		return a.file(ctx, p, prompt{l.embedded, u.Opaque}, c)
	case "file":
		path, err := l.pathOf(u)
		if err != nil {
			return audio, notDownloadable(err)
		}
		return a.file(ctx, p, prompt{media.Dir(l.root), path}, c)
	case "http", "https":
		fetch := func(ctx context.Context, old *entry) (*entry, error) {
			return l.fetcher.fetch(ctx, a.share, u, c, old)
		}
		if p.ResourceID != "" {
			return l.cache.get(ctx, key{a.id, p.ResourceID, p.URI, c, ""}, fetch)
		}
		e, err := fetch(ctx, nil)
		if err != nil {
			return audio, err
		}
		return e.audio, nil
	default:
		return audio, notDownloadable(
			public("scheme %.20q, must be https, file or embedded", u.Scheme))
	}
}

// pathOf returns the path in the folder that a URI names. The URI is decoded once, here, and what
// it names is opened below the folder's root, which no name and no link leaves.
func (l *Library) pathOf(u *url.URL) (string, error) {
	if l.root == nil {
		return "", public("no folder of prompts is set")
	}
	path := u.Path
	if u.Opaque != "" { // file:x.wav
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", public("no URI")
		}
	}
	if u.Host != "" && u.Host != "localhost" {
		return "", public("host %.50q, must be none", u.Host)
	}
	if filepath.IsAbs(path) {
		below, ok := strings.CutPrefix(path, l.folder+string(filepath.Separator))
		if !ok {
			return "", public("not in the folder of prompts")
		}
		path = below
	}
	return filepath.ToSlash(path), nil
}

// decode reads a WAV file.
func decode(ctx context.Context, r io.Reader, c media.Codec) (media.Audio, error) {
	audio, err := media.ReadAudio(ctx, r, c)
	if failed := (*media.ReadError)(nil); errors.As(err, &failed) {
		return media.Audio{}, notDownloadable(bare(failed.Err))
	}
	if err != nil {
		return media.Audio{}, fmt.Errorf("%w: %w", operation.BadFormat, public("%v", err))
	}
	return audio, nil
}

// public makes an error whose text the bot gets.
func public(format string, args ...any) error {
	return &operation.PublicError{Text: fmt.Sprintf(format, args...)}
}

func notDownloadable(err error) error {
	return fmt.Errorf("%w: %w", operation.NotDownloadable, err)
}

// bare takes the path out of an error, since the prompt is named once, and makes public what of it
// is the bot's business.
func bare(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	public := (*operation.PublicError)(nil)
	switch {
	case errors.As(err, &public):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &operation.PublicError{Text: "there is no such file", Err: err}
	case errors.Is(err, fs.ErrInvalid):
		return &operation.PublicError{Text: "no name of a file", Err: err}
	default:
		return unread(err)
	}
}

// unread is an error of which the bot gets that the prompt can't be read.
func unread(err error) error { return &operation.PublicError{Text: "can't be read", Err: err} }

// name is a URI as a log may hold it: without query and password, which may be secrets.
func name(u *url.URL) string {
	shown := *u
	shown.RawQuery, shown.Fragment, shown.User = "", "", nil
	if s := shown.String(); len(s) <= 200 {
		return s
	}
	return fmt.Sprintf("%.20s:…", u.Scheme)
}
