package loader_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/media/loader"
	"ivrqueue/operation"
)

// long is longer than anything here takes if it is not held up.
const long = time.Minute

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// A hundred slow downloads of one application delay no other one's from the same host, and most of
// them wait their turn.
func TestSlowDownloadsOfOneApplicationDelayNoOther(t *testing.T) {
	t.Parallel()
	slow := make(chan struct{}, 100)
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow <- struct{}{}
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(wav(320))
	})
	library := newLibrary(t, loader.Options{Loopback: true})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 100 {
		id := ""
		if i%2 == 0 {
			id = strconv.Itoa(i) // goes through the cache
		}
		all.Go(func() {
			_, _ = library.For("one").Load(ctx, operation.Prompt{URI: url + "/slow", ResourceID: id})
		})
	}
	for range loader.MaxDownloads {
		<-slow
	}
	if _, err := library.For("other").Load(within(t, long), operation.Prompt{URI: url + "/quick"}); err != nil {
		t.Errorf("another application: %v", err)
	}
	if n := len(slow); n > 0 {
		t.Errorf("%d more downloads are under way, want %d in all", n, loader.MaxDownloads)
	}
	cancel()
	all.Wait()
	// Nothing is left of them: the application is free again.
	if _, err := library.For("one").Load(within(t, long), operation.Prompt{URI: url + "/quick"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The bytes that one application's downloads are read into are bounded.
func TestTheBytesOfDownloadsAreBounded(t *testing.T) {
	t.Parallel()
	const many = loader.MaxDownloaded / loader.MaxFetch // of unknown size
	begun, goOn := make(chan struct{}, many), make(chan struct{})
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		file := wav(loader.MaxFetch / 4)
		if r.URL.Path == "/slow" {
			_, _ = w.Write(file[:len(file)-1]) // which fits into no socket
			begun <- struct{}{}
			<-goOn
			file = file[len(file)-1:]
		}
		_, _ = w.Write(file)
	})
	library := newLibrary(t, loader.Options{Loopback: true})
	load := func(ctx context.Context, app, path string) error {
		_, err := library.For(app).Load(ctx, operation.Prompt{URI: url + path})
		return err
	}
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			if err := load(t.Context(), "one", "/slow"); err != nil {
				t.Error(err)
			}
		})
		<-begun
	}
	if err := load(within(t, 300*time.Millisecond), "one", "/quick"); !errors.Is(err, operation.NotDownloadable) {
		t.Errorf("beside %d others: got %v", many, err)
	}
	if err := load(within(t, long), "other", "/quick"); err != nil {
		t.Errorf("another application: %v", err)
	}
	close(goOn)
	all.Wait()
	if err := load(within(t, long), "one", "/quick"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A fetch that is shared ends when the last one has gone who waited for it, not before.
func TestASharedFetchEndsWithTheLastWhoWaits(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	url, requests := server(t, func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	var cancels []context.CancelFunc
	left := make(chan struct{})
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		cancels = append(cancels, cancel)
		go func() {
			_, err := app.Load(ctx, operation.Prompt{URI: url, ResourceID: "1"})
			if !errors.Is(err, operation.NotDownloadable) {
				t.Errorf("got %v", err)
			}
			left <- struct{}{}
		}()
	}
	<-begun
	for app.Waiting("1", url) < 2 {
		time.Sleep(time.Millisecond)
	}
	cancels[0]()
	<-left
	select {
	case <-ended:
		t.Error("it ended while somebody waited for it")
	case <-time.After(50 * time.Millisecond): // it might have
	}
	cancels[1]()
	<-left
	select {
	case <-ended:
	case <-time.After(long):
		t.Error("it goes on and nobody waits for it")
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// Whoever keeps most makes room.
func TestOneApplicationsPromptsDoNotPushOutAnothers(t *testing.T) {
	t.Parallel()
	small, large := wav(320), wav(5_000_000)
	var other atomic.Int32
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			other.Add(1)
			_, _ = w.Write(small)
			return
		}
		_, _ = w.Write(large)
	})
	library := newLibrary(t, loader.Options{Loopback: true})
	load := func(app, path, id string) {
		t.Helper()
		if _, err := library.For(app).Load(t.Context(), operation.Prompt{URI: url + path, ResourceID: id}); err != nil {
			t.Fatal(err)
		}
	}
	load("other", "/small", "1")
	for i := range 8 {
		load("one", "/large", strconv.Itoa(i))
	}
	load("other", "/small", "1")
	if n := other.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
}

// Two addresses that are given one resourceId are two prompts.
func TestAResourceIDDoesNotPlayWhatAnotherAddressHolds(t *testing.T) {
	t.Parallel()
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(wav(map[string]int{"/welcome.wav": 320, "/goodbye.wav": 640}[r.URL.Path]))
	})
	app := newLibrary(t, loader.Options{Loopback: true}).For("app")
	for path, want := range map[string]int{"/welcome.wav": 320, "/goodbye.wav": 640} {
		samples, err := app.Load(t.Context(), operation.Prompt{URI: url + path, ResourceID: "1"})
		if err != nil || len(samples) != want {
			t.Errorf("%s: got %d samples, %v, want %d", path, len(samples), err, want)
		}
	}
}

// What is given to package fmt is not read without the library's lock.
func TestALibraryIsPrinted(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, loader.Options{})
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v", l, l)
		}
	})
	l.For("a")
	all.Wait()
	if got := fmt.Sprint(l); got != "library of prompts, 1 applications" {
		t.Error(got)
	}
}
