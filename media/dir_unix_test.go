//go:build unix

package media_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ivrqueue/media"
	"ivrqueue/operation"
)

// A pipe in a file's place holds nobody who opens it.
func TestAPipeInAFilesPlaceIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.wav"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(folder, "device.wav")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.wav"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := noise(1, 640)
	if err := media.WriteWAV(filepath.Join(folder, "file.wav"), want); err != nil {
		t.Fatal(err)
	}
	files := media.Files{FS: media.Dir(openRoot(t, folder))}
	for name, text := range map[string]string{
		"pipe.wav":            "not a regular file",
		"folder.wav":          "not a regular file",
		"device.wav":          "path escapes from parent",
		"../x.wav":            "invalid argument",
		"/" + folder + "/pip": "invalid argument",
	} {
		_, err := files.Load(t.Context(), operation.Prompt{URI: name})
		if !errors.Is(err, operation.NotDownloadable) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want %q", name, err, text)
		}
	}
	got, err := files.Load(t.Context(), operation.Prompt{URI: "file.wav"})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d samples, %v, want %d", len(got), err, len(want))
	}
}

// A load ends with its context, in the middle of a file too.
func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	endless := io.TeeReader(zeros{}, writerFunc(func(p []byte) (int, error) {
		cancel(errBroken)
		return len(p), nil
	}))
	if _, err := media.ReadWAV(ctx, endless); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
