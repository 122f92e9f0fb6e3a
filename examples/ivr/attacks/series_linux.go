package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// manySeries chooses whatever a client may choose, and looks whether the metrics grow by it.
func manySeries(w *world) error {
	ctx, cancel := soon(w.ctx)
	defer cancel()
	before, err := w.series(ctx)
	if err != nil {
		return err
	}
	calls, err := w.evilCalls(1, w.evil.callback.URL)
	if err != nil {
		return err
	}
	const many = 300
	err = each(many, func(i int) error {
		own := fmt.Sprintf("evil-%d", i)
		return errors.Join(w.odd(ctx, own, "/"+own), w.odd(ctx, own, "/v1.0/communications/"+own),
			w.odd(ctx, own, "/v1.0/communications/calls/"+own+"/playPrompt"),
			w.odd(ctx, own, "/v1.0/communications/calls/"+calls[0]+"/"+own+"?q="+own))
	})
	if err != nil {
		return err
	}
	if err := w.callsWork(); err != nil {
		return err
	}
	after, err := w.series(ctx)
	if grown := after - before; err == nil && grown > many {
		err = fmt.Errorf("the metrics have %d series more, must be at most %d", grown, many)
	}
	return errors.Join(err, w.hangUpAll(calls))
}

// odd makes requests of which everything that a client may choose is this word.
func (w *world) odd(ctx context.Context, own, path string) error {
	for _, method := range []string{http.MethodPost, strings.ToUpper(own)} {
		body := strings.NewReader(`{"clientContext":"` + own + `","@odata.type":"` + own + `"}`)
		r, err := http.NewRequestWithContext(ctx, method, w.root()+path, body)
		if err != nil {
			return err
		}
		r.Host = own + ".example"
		for _, name := range []string{
			"User-Agent", "Content-Type", "Origin", "X-Forwarded-Host", "Traceparent", own,
		} {
			r.Header.Set(name, own)
		}
		r.Header.Set("Authorization", "Bearer evil")
		answer, err := client.Do(r)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	return nil
}

// root is the service's address without the API's path.
func (w *world) root() string { return strings.TrimSuffix(w.service.url, "/v1.0") }

// series returns how many lines the metrics have.
func (w *world) series(ctx context.Context) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.root()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(answer.Body)
	return strings.Count(string(text), "\n"), err
}
