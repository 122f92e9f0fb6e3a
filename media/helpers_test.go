package media_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

const (
	frame    = media.FrameTime
	released = queue.Released
)

// memory is a Loader of samples in memory, by URI.
type memory map[string][]int16

func (m memory) Load(_ context.Context, p operation.Prompt) ([]int16, error) {
	samples, ok := m[p.URI]
	if !ok {
		return nil, &fs.PathError{Op: "load", Path: p.URI, Err: operation.NotDownloadable}
	}
	return samples, nil
}

// bed is one call on an engine of its own, inside a bubble.
type bed struct {
	*queue.Queue

	engine *media.Engine
	media  *media.Media
	phone  *media.Phone
	tones  *tone.Stream
	folder string
	start  time.Time

	mu     sync.Mutex // guards events
	events []queue.Event
}

// newBed makes a call whose parts may be changed before its media is made. What it made is ended
// when the test is.
func newBed(t *testing.T, change ...func(*media.Call)) *bed {
	t.Helper()
	b := &bed{
		engine: media.NewEngine(), phone: media.NewPhone(), tones: new(tone.Stream),
		folder: t.TempDir(), start: time.Now(),
	}
	t.Cleanup(b.engine.Close)
	call := media.Call{
		Sink: b.phone, Source: b.phone, Tones: b.tones, Prompts: memory{}, Folder: b.folder,
	}
	for _, f := range change {
		f(&call)
	}
	var err error
	if b.media, err = b.engine.Media(call); err != nil {
		t.Fatal(err)
	}
	b.Queue, err = queue.New("call", b.media, queue.WithObserver(queue.ObserverFunc(b.observe)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.tones.End()
		b.Close(nil)
		<-b.Done()
	})
	return b
}

func with(l media.Loader) func(*media.Call) {
	return func(c *media.Call) { c.Prompts = l }
}

func (b *bed) observe(e queue.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

// event returns the one event of this kind about op, once all is quiet.
func (b *bed) event(t *testing.T, kind queue.EventKind, op *operation.Operation) queue.Event {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []queue.Event
	for _, e := range b.events {
		if e.Kind == kind && e.Operation == op {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d %v events, want 1", len(found), kind)
	}
	return found[0]
}

func (b *bed) enqueue(t *testing.T, r operation.Request) *operation.Operation {
	t.Helper()
	op, err := b.Enqueue(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func (b *bed) play(t *testing.T, uris ...string) *operation.Operation {
	t.Helper()
	return b.enqueue(t, &operation.PlayPrompt{Prompts: prompts(uris...)})
}

func prompts(uris ...string) []operation.Prompt {
	var ps []operation.Prompt
	for _, uri := range uris {
		ps = append(ps, operation.Prompt{URI: uri})
	}
	return ps
}

// wantEnd waits for the end of op and compares its reason and, in exact bubble time, the instant.
func (b *bed) wantEnd(t *testing.T, op *operation.Operation, why operation.Reason, at time.Duration) operation.Result {
	t.Helper()
	r, err := op.Wait(t.Context())
	if r.Reason != why {
		t.Fatalf("%s ended with %v (%v), want %v", op.Kind(), r.Reason, err, why)
	}
	if got := op.Times().Ended.Sub(b.start); got != at {
		t.Errorf("%s ended at %v, want %v", op.Kind(), got, at)
	}
	return r
}

// noise returns n samples that no other seed has.
func noise(seed uint64, n int) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(r.Uint32()) | 1 // never silent
	}
	return samples
}

// level returns d of a square wave with this amplitude.
func level(amplitude int16, d time.Duration) []int16 {
	samples := make([]int16, media.Samples(d))
	for i := range samples {
		samples[i] = amplitude
		if i%2 == 1 {
			samples[i] = -amplitude
		}
	}
	return samples
}

func silence(d time.Duration) []int16 { return make([]int16, media.Samples(d)) }

// framed fills samples up to whole frames with silence.
func framed(parts ...[]int16) []int16 {
	all := slices.Concat(parts...)
	if odd := len(all) % media.FrameSamples; odd > 0 {
		all = append(all, make([]int16, media.FrameSamples-odd)...)
	}
	return all
}

// wantSamples compares and names the first difference.
func wantSamples(t *testing.T, what string, got, want []int16) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: sample %d (%v) is %d, want %d", what, i, media.Duration(i), got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: got %d samples (%v), want %d (%v)", what,
			len(got), media.Duration(len(got)), len(want), media.Duration(len(want)))
	}
}

// readWAV reads a file that must be a good WAV file.
func readWAV(t *testing.T, path string) []int16 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := media.ReadWAV(t.Context(), f)
	if info, _ := f.Stat(); info.Size() == int64(media.WAVSize(0)) {
		samples, err = nil, nil // an empty one
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return samples
}

// files returns the names in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, hidden...)
}

// openRoot opens a folder until the end of the test.
func openRoot(t *testing.T, folder string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}
