package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"ivrqueue/examples/ivr/demo"
)

// files are those that the calls leave.
var files = []string{demo.HeardFile, demo.SaidFile, demo.RecordingFile, demo.PictureFile}

// prepare makes the folder if it is missing, and removes the files of the last call from it, so
// that none of them stands beside those of another. A folder that cannot be written to, and
// anything else in the way, is an error before the call. It returns the absolute path.
func prepare(dir string) (folder string, err error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	switch err := os.MkdirAll(path, 0o755); {
	case errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("-out: %w, must be a folder, or nothing yet", err)
	case err != nil:
		return "", fmt.Errorf("-out: %w", err)
	}
	probe, err := os.CreateTemp(path, ".ivr-*")
	if err != nil {
		return "", fmt.Errorf("-out: nothing can be written to %s: %w", path, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	for _, name := range files {
		file := filepath.Join(path, name)
		info, err := os.Lstat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", fmt.Errorf("-out: %w", err)
		case info.IsDir():
			return "", fmt.Errorf("-out: %s is a folder, must be a file, or nothing yet", file)
		}
		if err := os.Remove(file); err != nil {
			return "", fmt.Errorf("-out: the last call's: %w", err)
		}
	}
	return path, nil
}
