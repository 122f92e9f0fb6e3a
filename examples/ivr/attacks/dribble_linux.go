package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// dribblers are how many connections send a byte a second.
const dribblers = 1000

// dribbles is a reader of one byte a second, without an end.
type dribbles struct{ ctx context.Context } //nolint:containedctx // of its request

func (d dribbles) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

// dribble writes a beginning, and then a byte a second.
func dribble(ctx context.Context, w io.Writer, beginning string) {
	if _, err := io.WriteString(w, beginning); err == nil {
		_, _ = io.Copy(w, dribbles{ctx})
	}
}

// dribblingRequests has half of the connections dribble their headers, and half their bodies. The
// service must close them in its time.
func dribblingRequests(w *world) error {
	const patience = time.Minute // a request may take 15 s, and the machine may be held up
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	opened := make(chan error, dribblers)
	for i := range dribblers {
		all.Go(func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(w.root(), "http://"))
			opened <- err
			if err != nil {
				return
			}
			defer conn.Close() //nolint:errcheck // nothing more is sent
			beginning := "POST /v1.0/communications/calls HTTP/1.1\r\nHost: ivr\r\n"
			if i%2 == 0 {
				beginning += "Authorization: Bearer evil\r\nContent-Type: application/json\r\n" +
					"Content-Length: 100000\r\n\r\n"
			}
			dribble(ctx, conn, beginning)
		})
	}
	var err error
	for range dribblers {
		err = errors.Join(err, <-opened)
	}
	if err == nil {
		err = w.callsWork()
	}
	if err != nil {
		cancel()
		return err
	}
	all.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("the connections are open after %v", patience)
	}
	return nil
}

// dribblingCallbacks answer with a byte a second: of the status line, and of a header.
func dribblingCallbacks(w *world) error {
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close() //nolint:errcheck // nothing more is sent
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
		defer cancel()
		dribble(ctx, conn, "HTTP/1.1 202 Accepted\r\nX: ")
	}))
	defer callback.Close()
	calls, err := w.evilCalls(5*callbacks, callback.URL)
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	return w.hangUpAll(calls)
}

// dribblingDownloads are prompts that come with a byte a second.
func dribblingDownloads(w *world) error {
	calls, err := w.evilCalls(100, w.evil.callback.URL)
	if err != nil {
		return err
	}
	ctx, cancel := soon(w.ctx)
	defer cancel()
	err = each(len(calls), func(i int) error {
		_, err := w.evil.play(ctx, calls[i], w.host.URL+"/dribble.wav")
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

// flushed sends each write at once.
type flushed struct{ http.ResponseWriter }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	return n, errors.Join(err, http.NewResponseController(f.ResponseWriter).Flush())
}
