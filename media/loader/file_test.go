package loader_test

import (
	"io/fs"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"ivrqueue/media"
	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// counting is a file system that counts the reads of its files.
type counting struct {
	fs.FS

	reads *atomic.Int32
}

func (c counting) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	return countingFile{f, c.reads}, err
}

type countingFile struct {
	fs.File

	reads *atomic.Int32
}

func (f countingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if n > 0 {
		f.reads.Add(1)
	}
	return n, err
}

// A file is read and converted once for each codec, until it changes; one that has just been written
// may change without another time, and is not kept.
func TestAFileIsConvertedOnceForEachCodec(t *testing.T) {
	t.Parallel()
	old := time.Now().Add(-time.Hour)
	files := fstest.MapFS{"a.wav": {Data: wav(320), ModTime: old}}
	reads := new(atomic.Int32)
	app := newLibrary(t, loader.Options{Embedded: counting{files, reads}}).For("app")
	load := func(c media.Codec, want int) media.Audio {
		t.Helper()
		a, err := app.LoadAudio(t.Context(), operation.Prompt{URI: "embedded:a.wav"}, c)
		if err != nil || a.Len() != want || a.Codec() != c {
			t.Fatalf("got %d samples in %v, %v, want %d in %v", a.Len(), a.Codec(), err, want, c)
		}
		return a
	}
	step := func(what string, want bool) {
		t.Helper()
		if got := reads.Swap(0) > 0; got != want {
			t.Errorf("%s: read %v, want %v", what, got, want)
		}
	}
	load(media.Codec{}, 320)
	step("the first time", true)
	first := load(media.PCMU, 160)
	step("in another codec", true)
	if again := load(media.PCMU, 160); &first.Payload()[0] != &again.Payload()[0] {
		t.Error("it was converted twice")
	}
	load(media.Codec{}, 320)
	step("again", false)
	files["a.wav"] = &fstest.MapFile{Data: wav(640), ModTime: old}
	load(media.PCMU, 320)
	step("another size", true)
	files["a.wav"] = &fstest.MapFile{Data: wav(640), ModTime: old.Add(time.Minute)}
	load(media.PCMU, 320)
	step("another time", true)
	files["a.wav"] = &fstest.MapFile{Data: wav(640), ModTime: time.Now().Add(time.Minute)} // however long it takes
	for range 2 {
		load(media.PCMU, 320)
		step("just written", true)
	}
}

// So is a prompt that is fetched.
func TestAFetchedPromptIsConvertedOnceForEachCodec(t *testing.T) {
	t.Parallel()
	url, requests := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(wav(320)) })
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for range 3 {
		for c, want := range map[media.Codec]int{{}: 320, media.PCMU: 160, media.PCMA: 160} {
			a, err := app.LoadAudio(t.Context(), operation.Prompt{URI: url, ResourceID: "1"}, c)
			if err != nil || a.Len() != want {
				t.Errorf("%v: got %d samples, %v, want %d", c, a.Len(), err, want)
			}
		}
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}
