package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"ivrqueue/operation"
)

// Loader gets the samples of prompts, at [Rate]. Load may block and is called on a goroutine of its
// own, for several calls at once; it must return soon after ctx ends. What it returns is only read.
// Its error should name the prompt and hold the reason: [operation.BadFormat] or
// [operation.NotDownloadable]; without one the operation is unspecified.
type Loader interface {
	Load(ctx context.Context, p operation.Prompt) ([]int16, error)
}

// CodecLoader is a [Loader] that has prompts in the codecs of lines, so that each is converted once
// for each codec, however many calls play it. The engine calls LoadAudio instead of Load, as it
// would Load. The audio must be in that codec.
type CodecLoader interface {
	Loader

	LoadAudio(ctx context.Context, p operation.Prompt, c Codec) (Audio, error)
}

// Files is a [CodecLoader] of the files of a file system whose Open does not block: an [embed.FS],
// or the [Dir] of a folder. A prompt's URI is the path in it, such as menu.wav, without a scheme;
// package loader takes those with one. Nothing is kept: every Load reads the file again.
type Files struct{ FS fs.FS }

var _ CodecLoader = Files{}

// Load reads the file that p.URI names.
func (f Files) Load(ctx context.Context, p operation.Prompt) ([]int16, error) {
	a, err := f.LoadAudio(ctx, p, Codec{})
	return a.samples, err
}

// LoadAudio reads the file that p.URI names.
func (f Files) LoadAudio(ctx context.Context, p operation.Prompt, c Codec) (Audio, error) {
	if ctx.Err() != nil {
		return Audio{}, notDownloadable(p.URI, context.Cause(ctx))
	}
	file, err := f.FS.Open(p.URI)
	return load(ctx, p.URI, file, err, c)
}

// LoadFile reads the file at path as a [Loader] does. It is for a path of one's own: it waits for
// the other end of a pipe.
func LoadFile(path string) ([]int16, error) {
	file, err := os.Open(path)
	a, err := load(context.Background(), path, file, err, Codec{})
	return a.samples, err
}

// load reads what Open returned, and closes it.
func load(
	ctx context.Context, name string, file io.ReadCloser, err error, c Codec,
) (Audio, error) {
	if err != nil {
		return Audio{}, notDownloadable(name, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	a, err := ReadAudio(ctx, file, c)
	if read := (*ReadError)(nil); errors.As(err, &read) {
		return Audio{}, notDownloadable(name, err)
	}
	if err != nil {
		return Audio{}, fmt.Errorf("media: %s: %w: %w", name, operation.BadFormat,
			&operation.PublicError{Text: err.Error()})
	}
	return a, nil
}

func notDownloadable(name string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the name is said once
	}
	return fmt.Errorf("media: %s: %w: %w", name, operation.NotDownloadable, err)
}
