package webhook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"ivrqueue/egress"
)

// post makes one attempt at a delivery, and returns the status of its answer, or 0. An error that
// is no permanentError asks for another attempt.
func (n *Notifier) post(ctx context.Context, d *Delivery, attempt int) (status int, err error) {
	policy := &n.config.policy
	ctx, cancel := context.WithTimeout(ctx, policy.AttemptTimeout)
	defer cancel()
	header := http.Header{
		"Content-Type": {"application/json"},
		"User-Agent":   {"ivrqueue"},
		HeaderID:       {d.ID.String()},
		HeaderAttempt:  {strconv.Itoa(attempt)},
	}
	if n.config.token != nil {
		token, err := n.tokenFor(ctx, d.Application)
		if err != nil {
			return 0, fmt.Errorf("webhook: token: %w", err)
		}
		header.Set("Authorization", "Bearer "+token)
	}
	at, _ := egress.ParseURL(d.CallbackURI)
	if at == nil {
		return 0, permanentError{errors.New("webhook: the callback is no URI")} // Check has said so
	}
	for redirects := 0; ; redirects++ {
		status, answer, err := n.send(ctx, at, header, d)
		if err != nil {
			return 0, err
		}
		if redirects == policy.MaxRedirects || !policy.follows(status) {
			return status, policy.judge(status, answer)
		}
		next, err := at.Parse(egress.EscapeURL(answer.Get("Location")))
		if err == nil {
			err = n.Check(next.String())
		}
		if err != nil { // without its text: it names the address, which may hold a secret
			return status, fmt.Errorf(
				"webhook: callback answered %d, and leads to no address that is allowed", status)
		}
		if next.Scheme != at.Scheme || next.Host != at.Host {
			header.Del("Authorization")
		}
		at = next
	}
}

// tokenFor asks for an application's token, on a goroutine of its own: the function is code of
// others, which may panic, exit its goroutine, or not return when ctx ends.
func (n *Notifier) tokenFor(ctx context.Context, application string) (string, error) {
	type answer struct {
		token string
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		a := answer{err: errors.New("WithTokens exited its goroutine")}
		defer func() {
			if v := recover(); v != nil {
				a.err = fmt.Errorf("WithTokens panicked: %v", v)
			}
			answered <- a
		}()
		a.token, a.err = n.config.token(ctx, application)
	}()
	select {
	case a := <-answered:
		return a.token, a.err
	case <-ctx.Done():
		return "", cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
	}
}

// send posts to one address. The status decides, so the body is not waited for: if there is one,
// its connection is closed.
func (n *Notifier) send(
	ctx context.Context, to *url.URL, header http.Header, d *Delivery,
) (status int, answer http.Header, err error) {
	ctx, forbidden, err := n.permitted(ctx, d)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(d.Body))
	if err != nil {
		return 0, nil, permanentError{errors.New("webhook: the callback is no URI")}
	}
	r.Header = header.Clone() // those of an earlier request may be read yet
	// Not by an http.Client: its errors name the address, which may hold a secret and ends up in
	// logs, and it waits for the bodies of redirects.
	transport := n.secure
	if to.Scheme == "http" {
		transport = n.plain
	}
	a, err := transport.RoundTrip(r)
	if err != nil {
		return 0, nil, cmp.Or(forbidden(), err)
	}
	_ = a.Body.Close()
	return a.StatusCode, a.Header, nil
}
