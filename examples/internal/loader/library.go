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

	"ivrqueue/examples/internal/softmedia"
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

// New makes a library. Its error names the folder, or the option.
func New(o Options) (*Library, error) {
	if o.Held < 0 {
		return nil, fmt.Errorf("loader: Held is %d, must be 0 or more", o.Held)
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

// Close ends what is being fetched, and lets go of the folder and of idle connections. No prompt
// may be loaded any more: close the engine first.
func (l *Library) Close() error {
	l.cache.close()
	l.fetcher.client.CloseIdleConnections()
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
		a = &Application{softmedia.NewBudget(l.held), l, application, newShare()}
		l.applications[application] = a
	}
	return a
}

// Load gets a prompt.
func (a *Application) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	u, err := url.Parse(p.URI)
	if err != nil { // it quotes the whole URI
		return nil, fmt.Errorf("loader: %w", notDownloadable(errors.New("no URI")))
	}
	samples, err := a.load(ctx, p, u)
	if err != nil {
		return nil, fmt.Errorf("loader: %s: %w", name(u), err)
	}
	return samples, nil
}

func (a *Application) load(
	ctx context.Context, p operation.Prompt, u *url.URL,
) ([]int16, error) {
	l := a.library
	switch strings.ToLower(u.Scheme) {
	case "embedded":
		if l.embedded == nil {
			return nil, notDownloadable(errors.New("there are no embedded prompts"))
		}
		return a.read(ctx, l.embedded, u.Opaque)
	case "file":
		return a.file(ctx, u)
	case "http", "https":
		fetch := func(ctx context.Context) ([]int16, error) {
			return l.fetcher.fetch(ctx, a.share, u)
		}
		if p.ResourceID == "" {
			return fetch(ctx)
		}
		return l.cache.get(ctx, key{a.id, p.ResourceID, p.URI}, fetch)
	default:
		return nil, notDownloadable(
			fmt.Errorf("scheme %.20q, must be https, file or embedded", u.Scheme))
	}
}

// file reads a prompt of the folder. The URI is decoded once, here, and what it names is opened
// below the folder's root, which no name and no link leaves.
func (a *Application) file(ctx context.Context, u *url.URL) ([]int16, error) {
	l := a.library
	if l.root == nil {
		return nil, notDownloadable(errors.New("no folder of prompts is set"))
	}
	path := u.Path
	if u.Opaque != "" { // file:x.wav
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return nil, notDownloadable(errors.New("no URI"))
		}
	}
	if u.Host != "" && u.Host != "localhost" {
		return nil, notDownloadable(fmt.Errorf("host %.50q, must be none", u.Host))
	}
	if filepath.IsAbs(path) {
		below, ok := strings.CutPrefix(path, l.folder+string(filepath.Separator))
		if !ok {
			return nil, notDownloadable(errors.New("not in the folder of prompts"))
		}
		path = below
	}
	return a.read(ctx, softmedia.Dir(l.root), filepath.ToSlash(path))
}

// read reads a prompt of a file system, within the application's share.
func (a *Application) read(ctx context.Context, fsys fs.FS, path string) ([]int16, error) {
	if ctx.Err() != nil {
		return nil, notDownloadable(context.Cause(ctx))
	}
	file, err := fsys.Open(path)
	if err != nil {
		return nil, notDownloadable(bare(err))
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, notDownloadable(bare(err))
	}
	// Not more than what was asked for is read, even if the file grows.
	size := min(info.Size(), softmedia.MaxWAV+1)
	leave, err := enter(ctx, a.share.files, min(size, MaxFileBytes))
	if err != nil {
		return nil, notDownloadable(err)
	}
	defer leave()
	return decode(io.LimitReader(softmedia.Until(ctx, file), size))
}

// decode reads a WAV file.
func decode(r io.Reader) ([]int16, error) {
	samples, err := softmedia.ReadWAV(r)
	if failed := (*softmedia.ReadError)(nil); errors.As(err, &failed) {
		return nil, notDownloadable(bare(failed.Err))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", operation.BadFormat, err)
	}
	return samples, nil
}

func notDownloadable(err error) error {
	return fmt.Errorf("%w: %w", operation.NotDownloadable, err)
}

// bare takes the path out of an error: the prompt is named once.
func bare(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// name is a URI as a log may hold it: without query and password, which may be secrets.
func name(u *url.URL) string {
	shown := *u
	shown.RawQuery, shown.Fragment, shown.User = "", "", nil
	if s := shown.String(); len(s) <= 200 {
		return s
	}
	return fmt.Sprintf("%.20s:…", u.Scheme)
}
