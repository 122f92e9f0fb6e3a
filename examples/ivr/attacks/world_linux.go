package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"ivrqueue/graph"
	"ivrqueue/media"
)

// world is the service, and who has to do with it.
type world struct {
	ctx        context.Context //nolint:containedctx // of the program
	folder     string          // of prompts
	service    *process
	good, evil *bot
	host       *httptest.Server // of prompts
	issuer     *issuer
	held       *heldUp

	slowest time.Duration // call of the good bot's
	closers []func()
}

const (
	maxCalls  = 150             // of an application
	callbacks = 8               // requests to callbacks at once
	giveUp    = 3 * time.Second // notifications after so long
)

func newWorld(ctx context.Context) (_ *world, err error) {
	w := &world{ctx: ctx, held: newHeldUp()}
	w.closers = append(w.closers, w.held.stop)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	folder, err := os.MkdirTemp("", "attacks-")
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, func() { _ = os.RemoveAll(folder) })
	w.folder = filepath.Join(folder, "prompts")
	at := func(name string) string { return filepath.Join(w.folder, name) }
	err = errors.Join(
		os.Mkdir(w.folder, 0o700),
		media.WriteWAV(at("short.wav"), make([]int16, media.FrameSamples)),
		os.WriteFile(at("lies.wav"), lies, 0o600),
	)
	if err != nil {
		return nil, err
	}
	if w.issuer, err = newIssuer(); err != nil {
		return nil, err
	}
	w.host = httptest.NewServer(http.HandlerFunc(prompts))
	w.closers = append(w.closers, w.issuer.server.Close, w.host.Close, w.host.CloseClientConnections)
	w.service, err = start(ctx, folder, "-addr", "127.0.0.1:0", "-dev", "-prompts", w.folder,
		"-token", "good="+graph.RoleInitiate, "-token", "evil="+graph.RoleInitiate,
		"-oidc-issuer", w.issuer.server.URL, "-oidc-audience", audience,
		"-max-calls", strconv.Itoa(maxCalls), "-callbacks", strconv.Itoa(callbacks),
		"-give-up", giveUp.String(), "-prompt-bytes", strconv.Itoa(64<<20))
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, w.service.kill)
	w.good, w.evil = newBot(w.service.url, "good"), newBot(w.service.url, "evil")
	w.closers = append(w.closers, w.good.callback.Close, w.evil.callback.Close)
	return w, nil
}

// close ends it all, the last first: a server waits for its requests.
func (w *world) close() {
	for _, f := range slices.Backward(w.closers) {
		f()
	}
}

// callsWork has the good bot make calls, one after the other. They must go in time, but for what
// the machine has held up all of us, and but for one: an attack holds up each of them.
func (w *world) callsWork(uris ...string) error {
	late := 0
	for range 3 {
		ctx, cancel := soon(w.ctx)
		began, held := time.Now(), w.held.soFar()
		err := w.good.live(ctx, append(uris, "file:short.wav")...)
		cancel()
		if err != nil {
			return err
		}
		took := time.Since(began)
		w.slowest = max(w.slowest, took)
		if took > inTime+w.held.soFar()-held {
			late++
		}
	}
	if late > 1 {
		return fmt.Errorf("%d of 3 calls that behave take more than %v", late, inTime)
	}
	return nil
}

// evilCalls makes calls of the evil bot's, whose notifications go to callback.
func (w *world) evilCalls(n int, callback string) (calls []string, err error) {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	calls = make([]string, n)
	err = each(n, func(i int) (err error) {
		calls[i], err = w.evil.call(ctx, callback)
		return err
	})
	return calls, err
}

// hangUpAll ends the evil bot's calls.
func (w *world) hangUpAll(calls []string) error {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	var err error
	for _, call := range calls {
		err = errors.Join(err, w.evil.hangUp(ctx, call))
	}
	return err
}

// each does something for each of n at once, and returns the first error.
func each(n int, do func(i int) error) error {
	var all sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		all.Go(func() { errs <- do(i) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
