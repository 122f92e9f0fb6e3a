//go:build unix

package loader_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// A folder in which files are swapped for pipes holds nobody: each load ends, with the file or with
// an error.
func TestAFolderWhereFilesAreSwappedForPipesBlocksNoLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(path("file"), wav(320), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	app := newLibrary(t, loader.Options{Folder: folder}).For("app")
	const loads = 500
	done := make(chan struct{})
	var swaps, all sync.WaitGroup
	swaps.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			next := []string{"file", "pipe"}[i%2]
			_ = os.Link(path(next), path("next"))
			_ = os.Rename(path("next"), path("a.wav"))
		}
	})
	for range 4 {
		all.Go(func() {
			for range loads {
				_, err := app.Load(within(t, long), operation.Prompt{URI: "file:a.wav"})
				if err != nil {
					wantReason(t, "swapped", err, operation.NotDownloadable, "")
				}
			}
		})
	}
	all.Wait()
	close(done)
	swaps.Wait()
	if err := t.Context().Err(); err != nil {
		t.Error(err)
	}
}
