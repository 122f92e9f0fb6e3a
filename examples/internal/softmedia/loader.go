package softmedia

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"ivrqueue/operation"
)

// Loader gets the samples of prompts. Load may block and is called on a goroutine of its own, for
// several calls at once; it must return soon after ctx ends. What it returns is only read. Its
// error should name the prompt and hold the reason: [operation.BadFormat] or
// [operation.NotDownloadable]; without one the operation is unspecified.
type Loader interface {
	Load(ctx context.Context, p operation.Prompt) ([]int16, error)
}

// Files is a [Loader] of the files of a file system whose Open does not block: an [embed.FS], or
// the [Dir] of a folder. A prompt's URI is the path in it. Nothing is kept: every Load reads the
// file again.
type Files struct{ FS fs.FS }

var _ Loader = Files{}

// Load reads the file that p.URI names.
func (f Files) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	if ctx.Err() != nil {
		return nil, notDownloadable(p.URI, context.Cause(ctx))
	}
	file, err := f.FS.Open(p.URI)
	return load(ctx, p.URI, file, err)
}

// LoadFile reads the file at path as a [Loader] does. It is for a path of one's own: it waits for
// the other end of a pipe.
func LoadFile(path string) ([]int16, error) {
	file, err := os.Open(path)
	return load(context.Background(), path, file, err)
}

// load reads what Open returned, and closes it.
func load(
	ctx context.Context, name string, file io.ReadCloser, err error,
) ([]int16, error) {
	if err != nil {
		return nil, notDownloadable(name, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	samples, err := ReadWAV(Until(ctx, file))
	if read := (*ReadError)(nil); errors.As(err, &read) {
		return nil, notDownloadable(name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("softmedia: %s: %w: %w", name, operation.BadFormat, err)
	}
	return samples, nil
}

func notDownloadable(name string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the name is said once
	}
	return fmt.Errorf("softmedia: %s: %w: %w", name, operation.NotDownloadable, err)
}
