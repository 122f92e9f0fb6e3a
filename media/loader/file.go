package loader

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// settled is how long ago a file must have been written to be kept: one that is written again at
// once may have the same time and size.
const settled = 2 * time.Second

// forever is longer than anything is kept.
const forever = 100 * 365 * 24 * time.Hour

// prompt is a file of a file system.
type prompt struct {
	fsys fs.FS
	path string
}

// open opens it. Its version is another when it has changed.
func (p prompt) open() (file fs.File, info fs.FileInfo, version string, err error) {
	if file, err = p.fsys.Open(p.path); err != nil {
		return nil, nil, "", err
	}
	info, err = file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = public("not a regular file")
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, nil, "", err
	}
	return file, info, fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size()), nil
}

// file gets a prompt of a file system: read once, as long as it does not change.
func (a *Application) file(
	ctx context.Context, asked operation.Prompt, p prompt, c media.Codec,
) (media.Audio, error) {
	if ctx.Err() != nil {
		return media.Audio{}, notDownloadable(context.Cause(ctx))
	}
	file, _, version, err := p.open()
	if err != nil {
		return media.Audio{}, notDownloadable(bare(err))
	}
	_ = file.Close() // it was only looked at
	get := func(ctx context.Context, _ *entry) (*entry, error) { return a.read(ctx, p, version, c) }
	return a.library.cache.get(ctx, key{a.id, "", asked.URI, c, version}, get)
}

// read reads a prompt of a file system, within the application's share.
func (a *Application) read(
	ctx context.Context, p prompt, version string, c media.Codec,
) (*entry, error) {
	file, info, found, err := p.open()
	if err != nil {
		return nil, notDownloadable(bare(err))
	}
	defer file.Close() //nolint:errcheck // it was only read
	// Not more than what was asked for is read, even if the file grows.
	size := min(info.Size(), media.MaxWAV+1)
	leave, err := enter(ctx, a.share.files, min(size, MaxFileBytes))
	if err != nil {
		return nil, notDownloadable(err)
	}
	defer leave()
	audio, err := decode(ctx, io.LimitReader(file, size), c)
	if err != nil {
		return nil, err
	}
	keep := found == version && time.Since(info.ModTime()) > settled
	return &entry{audio: audio, fresh: freshness{keep, time.Now().Add(forever)}}, nil
}
