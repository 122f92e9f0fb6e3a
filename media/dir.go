package media

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

var errNotRegular = errors.New("not a regular file")

// Dir returns the file system of the regular files below root, which no name and no link leaves.
// Whoever writes to that folder may put a pipe in a file's place, or a device: Open does not wait
// for the other end of it, as that of [os.DirFS] does, but looks at what it has opened, and refuses
// everything that is no regular file.
func Dir(root *os.Root) fs.FS { return dir{root} }

type dir struct{ root *os.Root }

// Open opens a regular file.
func (d dir) Open(name string) (fs.File, error) {
	failed := func(err error) (fs.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return failed(fs.ErrInvalid)
	}
	file, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return failed(err)
	}
	return file, nil
}

// until is a reader that fails when its context has ended, with the cause: between two reads, which
// is soon for a file.
type until struct {
	ctx context.Context //nolint:containedctx // for the one read that it was made for
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
