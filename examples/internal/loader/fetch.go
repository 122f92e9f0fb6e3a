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
	MaxFetch  = 10 << 20 // bytes
	FetchTime = 10 * time.Second
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
	return &fetcher{
		loopback: loopback,
		client: &http.Client{
			Transport: &http.Transport{ // no proxy: it would connect for us, to anywhere
				DialContext:            dialer.DialContext,
				ForceAttemptHTTP2:      true,
				TLSHandshakeTimeout:    FetchTime,
				MaxIdleConnsPerHost:    16,
				MaxConnsPerHost:        64,
				IdleConnTimeout:        time.Minute,
				MaxResponseHeaderBytes: 16 << 10,
				DisableCompression:     true, // 10 MiB are meant as they come
			},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
}

// fetch gets a prompt.
func (f *fetcher) fetch(ctx context.Context, u *url.URL) ([]int16, error) {
	if err := f.check(u); err != nil {
		return nil, notDownloadable(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, FetchTime,
		fmt.Errorf("it takes longer than %v", FetchTime))
	defer cancel()
	data, err := f.get(ctx, u)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, notDownloadable(err)
	}
	return decode(bytes.NewReader(data))
}

func (f *fetcher) get(ctx context.Context, u *url.URL) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("no URI")
	}
	r.Header.Set("User-Agent", "ivrqueue")
	answer, err := f.client.Do(r)
	if err != nil {
		var in *url.Error // names the address, with its query
		if errors.As(err, &in) {
			err = in.Err
		}
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d, must be 200", answer.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, MaxFetch+1))
	if err == nil && len(data) > MaxFetch {
		err = fmt.Errorf("more than %d bytes, must be at most that", MaxFetch)
	}
	return data, err
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
