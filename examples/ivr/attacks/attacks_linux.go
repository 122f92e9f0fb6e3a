package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"ivrqueue/media"
)

// attacks are tried in this order, on one service.
var attacks = []struct {
	name string
	run  func(*world) error
}{
	{"nothing at all", func(w *world) error { return w.callsWork() }},
	{"a WAV file whose sizes lie", lyingFile},
	{"many prompts of 10 MiB in one play", largePrompts},
	{"slow downloads of prompts", slowDownloads},
	{"pipes in the place of files", pipes},
	{"a small body that becomes large targets", largeTargets},
	{"small bodies that become large prompts", largeURIs},
	{"a callback that says: again in the year 9999", farRetryAfter},
	{"a callback whose answers do not end", endlessAnswers},
	{"more calls than one may have", manyCalls},
	{"tokens of keys that nobody knows", unknownKeys},
	{"prompts of a byte a second", dribblingDownloads},
	{"callbacks whose answers have a byte a second", dribblingCallbacks},
	{"requests of a byte a second", dribblingRequests},
	{"requests that are each of their own kind", manySeries},
}

// lies is a WAV file of 74 bytes with a chunk in it that speaks of 4 GiB.
var lies = []byte("RIFFB\x00\x00\x00WAVE" +
	"LIST\x10\x00\x00\x00INFOISFT\x04\x00\x00\xff\xffemo" +
	"fmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00" +
	"data\x06\x00\x00\x00\x01\x02\x01\x02\x01\x02")

// prompts is a host of prompts.
func prompts(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/lies.wav":
		_, _ = w.Write(lies)
	case r.URL.Path == "/quick.wav":
		_ = media.EncodeWAV(w, make([]int16, media.FrameSamples))
	case strings.HasPrefix(r.URL.Path, "/large"):
		_ = media.EncodeWAV(w, make([]int16, (10<<20-44)/2))
	case r.URL.Path == "/slow.wav":
		<-r.Context().Done()
	case r.URL.Path == "/dribble.wav":
		dribble(r.Context(), flushed{w}, string(lies[:40]))
	default:
		http.NotFound(w, r)
	}
}

func lyingFile(w *world) error {
	calls, err := w.evilCalls(4, w.evil.callback.URL)
	if err != nil {
		return err
	}
	for _, uri := range []string{"file:lies.wav", w.host.URL + "/lies.wav"} {
		if err := w.playEach(calls, uri); err != nil {
			return err
		}
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

// playEach plays the prompts in each call, and waits for their ends, whatever they are.
func (w *world) playEach(calls []string, uris ...string) error {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	return each(len(calls), func(i int) error {
		op, err := w.evil.play(ctx, calls[i], uris...)
		if err != nil {
			return err
		}
		return w.evil.wait(ctx, op, "")
	})
}

func largePrompts(w *world) error {
	calls, err := w.evilCalls(4, w.evil.callback.URL)
	if err != nil {
		return err
	}
	uris := make([]string, 20)
	for i := range uris {
		uris[i] = fmt.Sprintf("%s/large-%d.wav", w.host.URL, i)
	}
	if err := w.playEach(calls, uris...); err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

func slowDownloads(w *world) error {
	calls, err := w.evilCalls(100, w.evil.callback.URL)
	if err != nil {
		return err
	}
	ctx, cancel := soon(w.ctx)
	defer cancel()
	err = each(len(calls), func(i int) error {
		_, err := w.evil.play(ctx, calls[i], w.host.URL+"/slow.wav")
		return err
	})
	if err != nil {
		return err
	}
	if err := w.callsWork(w.host.URL + "/quick.wav"); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

func pipes(w *world) error {
	at := func(name string) string { return filepath.Join(w.folder, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		return err
	}
	calls, err := w.evilCalls(8, w.evil.callback.URL)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	var swaps sync.WaitGroup
	swaps.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			_ = os.Link(at([]string{"short.wav", "pipe"}[i%2]), at("next"))
			_ = os.Rename(at("next"), at("swapped.wav"))
		}
	})
	stop := sync.OnceFunc(func() {
		close(done)
		swaps.Wait()
	})
	defer stop()
	uris := make([]string, 20)
	for i := range uris {
		uris[i] = "file:swapped.wav"
	}
	for range 10 {
		if err := w.playEach(calls, uris...); err != nil {
			return err
		}
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	stop()
	return w.hangUpAll(calls)
}

func largeTargets(w *world) error {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	body := callOf(w.evil.callback.URL, strings.Repeat("{},", 349_000)+"{}")
	err := each(30, func(int) error {
		status, size, _, err := w.evil.do(ctx, http.MethodPost, "/communications/calls", body, true)
		if err == nil && (status/100 != 4 || size > 64<<10) {
			err = fmt.Errorf("answered %d and %d bytes, must be 4xx and at most %d",
				status, size, 64<<10)
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.callsWork()
}

func largeURIs(w *world) error {
	calls, err := w.evilCalls(3, w.evil.callback.URL)
	if err != nil {
		return err
	}
	ctx, cancel := soon(w.ctx)
	defer cancel()
	body := playOf("https://example.invalid/" + strings.Repeat("x", 1_000_000))
	err = each(len(calls), func(i int) error {
		// The others wait behind it.
		if _, err := w.evil.play(ctx, calls[i], w.host.URL+"/slow.wav"); err != nil {
			return err
		}
		for range 200 {
			path := "/communications/calls/" + calls[i] + "/playPrompt"
			if _, _, _, err := w.evil.do(ctx, http.MethodPost, path, body, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

// givenUp is what the service logs of notifications that nobody took.
const givenUp = "notifications given up"

func farRetryAfter(w *world) error {
	const many = 20
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer callback.Close()
	before := w.service.log.count(givenUp)
	calls, err := w.evilCalls(many, callback.URL)
	if err != nil {
		return err
	}
	if err := w.hangUpAll(calls); err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	// Each call has a bot that must not be waited for.
	const patience = 10 * giveUp
	for deadline := time.Now().Add(patience); w.service.log.count(givenUp) < before+many; {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d calls' notifications are given up after %v",
				w.service.log.count(givenUp)-before, many, patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func endlessAnswers(w *world) error {
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(bytes.Repeat([]byte{' '}, 1000))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer callback.Close()
	defer callback.CloseClientConnections() // which it would wait for
	calls, err := w.evilCalls(5*callbacks, callback.URL)
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

func manyCalls(w *world) error {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	wish := callOf(w.evil.callback.URL, "{}")
	var mu sync.Mutex
	var calls []string
	err := each(2*maxCalls, func(int) error {
		status, _, id, err := w.evil.do(ctx, http.MethodPost, "/communications/calls", wish, false)
		switch {
		case err != nil:
			return err
		case status == http.StatusCreated:
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, id)
		case status != http.StatusTooManyRequests:
			return fmt.Errorf("answered %d, must be 429", status)
		}
		return nil
	})
	if err == nil && len(calls) > maxCalls {
		err = fmt.Errorf("%d calls, must be at most %d", len(calls), maxCalls)
	}
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

func unknownKeys(w *world) error {
	began := time.Now()
	const many = 200
	ctx, cancel := soon(w.ctx)
	defer cancel()
	err := each(many, func(i int) error {
		token, err := w.issuer.token(fmt.Sprint("unknown-", i))
		if err != nil {
			return err
		}
		stranger := &bot{api: w.service.url, token: token}
		_, err = stranger.must(ctx, http.StatusUnauthorized, http.MethodPost, "/communications/calls",
			callOf(w.evil.callback.URL, "{}"))
		return err
	})
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	const every = 10 * time.Second
	asked, may := int(w.issuer.asked.Load()), 2+int(time.Since(began)/every)
	if asked > may {
		return fmt.Errorf("the issuer is asked for its keys %d times, may be %d", asked, may)
	}
	return nil
}
