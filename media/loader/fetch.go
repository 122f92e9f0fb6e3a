package loader

import (
	"bytes"
	"cmp"
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

	"ivrqueue/egress"
	"ivrqueue/media"
	"ivrqueue/operation"
)

// Bounds of a prompt that is fetched.
const (
	MaxFetch  = 10 << 20         // bytes
	FetchTime = 10 * time.Second // from when it has a place, redirects included
	MaxHops   = 5                // redirects that are followed
)

// maxIdle is how many connections are kept for the next prompt, of all applications together: a bot
// may name as many hosts as it likes.
const maxIdle = 4 * MaxDownloads

// fetcher gets prompts by HTTP, from addresses that a client may send us to.
type fetcher struct {
	transport *http.Transport
	addresses egress.Addresses
	patience  time.Duration // FetchTime, save in tests
}

func newFetcher(loopback bool) *fetcher {
	addresses := egress.Addresses{Loopback: loopback}
	dialer := &net.Dialer{Timeout: FetchTime, Control: addresses.Control}
	transport := &http.Transport{ // no proxy: it would connect for us, to anywhere
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    FetchTime,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    MaxDownloads,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true, // 10 MiB are meant as they come
		// One request a connection: where applications share one, one that stalls stalls the others.
		Protocols: new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	return &fetcher{transport, addresses, FetchTime}
}

// fetch gets a prompt, or makes an old entry of it fresh, within the application's share. The time
// that it has begins when it has a place; until then it waits as long as ctx does.
func (f *fetcher) fetch(
	ctx context.Context, s *share, u *url.URL, c media.Codec, old *entry,
) (*entry, error) {
	if err := f.check(u); err != nil {
		return nil, notDownloadable(err)
	}
	leave, err := enter(ctx, s.downloads, 1)
	if err != nil {
		return nil, notDownloadable(err)
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, f.patience,
		public("it takes longer than %v", f.patience))
	defer cancel()
	e, err := f.follow(ctx, s, u, c, old)
	if err != nil && !errors.Is(err, operation.BadFormat) {
		err = notDownloadable(late(ctx, err))
	}
	return e, err
}

// follow gets a prompt from where redirects lead. Each address is looked at as the first one is.
func (f *fetcher) follow(
	ctx context.Context, s *share, u *url.URL, c media.Codec, old *entry,
) (*entry, error) {
	var way []freshness
	for at := u; ; {
		e, next, err := f.hop(ctx, s, at, c, old)
		if err == nil && next != nil {
			if len(way) == MaxHops {
				return nil, public("more than %d redirects", MaxHops)
			}
			way = append(way, e.fresh)
			at, err = next, f.check(next)
		}
		switch {
		case err != nil && len(way) > 0: // the host alone: what follows it may be a secret
			err = fmt.Errorf("redirected to %.200s: %w", at.Host, err)
			if !errors.Is(err, operation.BadFormat) { // which is of the file, wherever it is
				err = &operation.PublicError{Text: "a redirect failed", Err: err}
			}
			return nil, err
		case err != nil:
			return nil, err
		case next == nil:
			for _, fresh := range way {
				e.fresh = e.fresh.and(fresh)
			}
			return e, nil
		}
	}
}

// hop asks one address. It returns the prompt, or where it is said to be.
func (f *fetcher) hop(
	ctx context.Context, s *share, at *url.URL, c media.Codec, old *entry,
) (e *entry, next *url.URL, err error) {
	if old != nil && old.from != at.String() {
		old = nil // of another address
	}
	asked := time.Now()
	answer, err := f.get(ctx, at, old)
	answered := time.Now()
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	e = &entry{from: at.String(), header: stored(answer.Header)}
	switch answer.StatusCode {
	case http.StatusOK:
		e.audio, err = f.read(ctx, s, answer, c)
	case http.StatusNotModified:
		if e, err = freshened(old, answer); errors.Is(err, errOther) {
			return f.hop(ctx, s, at, c, nil)
		}
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err = target(at, answer)
	default:
		err = public("answered %d, must be 200", answer.StatusCode)
	}
	if err != nil {
		return nil, nil, err
	}
	status := answer.StatusCode
	if status == http.StatusNotModified {
		status = http.StatusOK
	}
	e.fresh = freshnessOf(status, e.header, asked, answered)
	return e, next, nil
}

var errOther = errors.New("not modified, but of another prompt")

// freshened returns an old entry as an answer of 304 has it.
func freshened(old *entry, answer *http.Response) (*entry, error) {
	if old == nil {
		return nil, public("answered 304, must be 200")
	}
	header, ok := freshen(old.header, answer.Header)
	if !ok {
		return nil, errOther
	}
	return &entry{audio: old.audio, from: old.from, header: header}, nil
}

// target returns where a redirect leads.
func target(at *url.URL, answer *http.Response) (*url.URL, error) {
	next, err := at.Parse(egress.EscapeURL(answer.Header.Get("Location")))
	if err != nil || answer.Header.Get("Location") == "" { // the error quotes it
		return nil, public("answered %d, without a Location that is a URI", answer.StatusCode)
	}
	if _, must := egress.ParseURL(next.String()); must != "" {
		return nil, public("answered %d, with a Location that must be %s", answer.StatusCode, must)
	}
	next.Fragment = ""
	return next, nil
}

// read reads a prompt from an answer.
func (f *fetcher) read(
	ctx context.Context, s *share, answer *http.Response, c media.Codec,
) (a media.Audio, err error) {
	size := answer.ContentLength
	switch {
	case size > MaxFetch:
		return a, errTooLarge
	case size < 0: // unknown
		size = MaxFetch
	}
	release, err := enter(ctx, s.downloaded, size)
	if err != nil {
		return a, err
	}
	defer release()
	data, err := io.ReadAll(io.LimitReader(answer.Body, MaxFetch+1))
	switch {
	case err != nil:
		return a, &operation.PublicError{Text: "broke off", Err: err}
	case len(data) > MaxFetch:
		return a, errTooLarge
	}
	return decode(ctx, bytes.NewReader(data), c)
}

var errTooLarge = public("more than %d bytes, must be at most that", MaxFetch)

// late returns why ctx has ended, if it has, instead of what came of that.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
	}
	return err
}

// get asks for a prompt, or whether what is kept of it has changed.
func (f *fetcher) get(ctx context.Context, u *url.URL, old *entry) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, public("no URI")
	}
	r.Header.Set("User-Agent", "ivrqueue")
	if old != nil {
		condition(r.Header, old.header)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		r.SetBasicAuth(u.User.Username(), password)
	}
	// A client would follow redirects, name the address, and send it on.
	answer, err := f.transport.RoundTrip(r)
	if err != nil {
		err = &operation.PublicError{Text: f.unreachable(u), Err: err}
	}
	return answer, err
}

// check says whether a prompt may be fetched from there, as far as its URI shows. What a name
// resolves to is looked at when it is connected to.
func (f *fetcher) check(u *url.URL) error {
	ip, err := netip.ParseAddr(u.Hostname())
	here := err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return public("scheme %.20q, must be https", u.Scheme)
	case u.Hostname() == "":
		return public("no host")
	case here && !f.addresses.Loopback:
		return public("this machine, must be a public address")
	case u.Scheme == "http" && !here:
		return public("http, must be https")
	}
	return nil
}

// unreachable is the bot's error for an address that can't be reached: that it is refused, if
// its URI shows that. Where a name leads is not the bot's business.
func (f *fetcher) unreachable(u *url.URL) string {
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !f.addresses.Allow(ip) {
		return "not allowed, must be a public address"
	}
	return "can't be reached"
}
