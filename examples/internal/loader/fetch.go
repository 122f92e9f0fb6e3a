package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"ivrqueue/graph"
)

// Bounds of a prompt that is fetched.
const (
	MaxFetch  = 10 << 20         // bytes
	FetchTime = 10 * time.Second // from when it has a place
)

// fetcher gets prompts by HTTP, from addresses that a client may send us to.
type fetcher struct {
	client   *http.Client
	loopback bool
}

func newFetcher(loopback bool) *fetcher {
	dialer := &net.Dialer{
		Timeout: FetchTime, Control: graph.Addresses{Loopback: loopback}.Control,
	}
	transport := &http.Transport{ // no proxy: it would connect for us, to anywhere
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    FetchTime,
		MaxIdleConnsPerHost:    MaxDownloads,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true, // 10 MiB are meant as they come
		// One request a connection: where applications share one, one that stalls stalls the others.
		Protocols: new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	return &fetcher{
		loopback: loopback,
		client: &http.Client{
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
}

// fetch gets a prompt, within the application's share. The time that it has begins when it has a
// place; until then it waits as long as ctx does.
func (f *fetcher) fetch(ctx context.Context, s *share, u *url.URL) ([]int16, error) {
	if err := f.check(u); err != nil {
		return nil, notDownloadable(err)
	}
	leave, err := enter(ctx, s.downloads, 1)
	if err != nil {
		return nil, notDownloadable(err)
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, FetchTime,
		fmt.Errorf("it takes longer than %v", FetchTime))
	defer cancel()
	answer, err := f.get(ctx, u)
	if err != nil {
		return nil, notDownloadable(late(ctx, err))
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	size := answer.ContentLength
	if size < 0 { // not told
		size = MaxFetch
	}
	release, err := enter(ctx, s.downloaded, size)
	if err != nil {
		return nil, notDownloadable(err)
	}
	defer release()
	data, err := io.ReadAll(io.LimitReader(answer.Body, MaxFetch+1))
	if err == nil && len(data) > MaxFetch {
		err = errTooLarge
	}
	if err != nil {
		return nil, notDownloadable(late(ctx, err))
	}
	return decode(bytes.NewReader(data))
}

var errTooLarge = fmt.Errorf("more than %d bytes, must be at most that", MaxFetch)

// late returns why ctx has ended, if it has, instead of what came of that.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// get asks for a prompt. The answer is one of success, and does not say that it is too large.
func (f *fetcher) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("no URI")
	}
	r.Header.Set("User-Agent", "ivrqueue")
	answer, err := f.client.Do(r)
	if err != nil {
		if in, ok := errors.AsType[*url.Error](err); ok { // names the address, with its query
			err = in.Err
		}
		return nil, err
	}
	switch {
	case answer.StatusCode != http.StatusOK:
		err = fmt.Errorf("answered %d, must be 200", answer.StatusCode)
	case answer.ContentLength > MaxFetch:
		err = errTooLarge
	default:
		return answer, nil
	}
	_ = answer.Body.Close() // nobody reads it
	return nil, err
}

// check says whether a prompt may be fetched from there, as far as its URI tells. What a name
// resolves to is looked at when it is connected to.
func (f *fetcher) check(u *url.URL) error {
	ip, err := netip.ParseAddr(u.Hostname())
	here := err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
	switch {
	case u.Hostname() == "":
		return errors.New("no host")
	case here && !f.loopback:
		return errors.New("this machine, must be a public address")
	case u.Scheme == "http" && !here:
		return errors.New("http, must be https")
	}
	return nil
}
