package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// clientKey finds the client in the context of a request.
type clientKey struct{}

// client is what the functions that graph calls need to know of who made a request, of which they
// get the context alone.
type client struct {
	base     string        // of the URIs that it is given
	answered chan struct{} // closed when its request was answered
}

// ServeHTTP serves the Graph API, the recordings, and with Dev the helpers.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, host := s.origin(r)
	c := client{
		base: cmp.Or(s.options.BaseURL, scheme+"://"+host), answered: make(chan struct{}),
	}
	defer close(c.answered)
	r = r.WithContext(context.WithValue(r.Context(), clientKey{}, c))
	r.Host, r.URL = host, s.below(r.URL, scheme)
	s.routes.ServeHTTP(w, r)
}

// below returns a request's URL without the path of the base URL, which a proxy need not take away,
// and with the scheme that the client used, for graph.
func (s *Service) below(u *url.URL, scheme string) *url.URL {
	rest := *u
	rest.Scheme, rest.Host = scheme, ""
	if cut, ok := strings.CutPrefix(u.Path, s.prefix); ok && strings.HasPrefix(cut, "/") {
		rest.Path, rest.RawPath = cut, strings.TrimPrefix(u.RawPath, s.prefix)
	}
	return &rest
}

// origin returns the scheme and the host by which a client finds the service: as its request says,
// or as a proxy says that is trusted. The headers of anybody else are nothing, since anybody may
// write them. Of several values the last one counts: it is the nearest proxy's own.
func (s *Service) origin(r *http.Request) (scheme, host string) {
	scheme, host = "http", r.Host
	// The scheme of a URL is that of another node, which has forwarded the request; but in a request
	// line of absolute form it is the client's word.
	if r.TLS != nil || r.URL.Scheme == "https" && strings.HasPrefix(r.RequestURI, "/") {
		scheme = "https"
	}
	if !contain(s.options.TrustedProxies, remote(r)) {
		return scheme, host
	}
	proto, name := lastOf(r.Header, "X-Forwarded-Proto"), lastOf(r.Header, "X-Forwarded-Host")
	if forwarded := lastOf(r.Header, "Forwarded"); forwarded != "" {
		proto, name = parseForwarded(forwarded)
	}
	if proto = strings.ToLower(proto); proto == "https" || proto == "http" && r.TLS == nil {
		scheme = proto // but what comes by TLS is https, to graph too
	}
	if isHost(name) {
		host = name
	}
	return scheme, host
}

// redirectBelow adds the slash that is missing. It does so by a relative reference: ServeMux's own
// redirect would leave out the path of the base URL.
func redirectBelow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", path.Base(r.URL.Path)+"/")
	w.WriteHeader(http.StatusPermanentRedirect)
}

// remote returns the address that a request comes from; the zero Addr, which is in no network, if
// it has none.
func remote(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr().Unmap().WithZone("")
}

// contain reports whether an address is in one of the networks.
func contain(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// lastOf returns the last of a header's values, which may be in one line or in several.
func lastOf(h http.Header, name string) string {
	lines := h.Values(name)
	if len(lines) == 0 {
		return ""
	}
	line := lines[len(lines)-1]
	return strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:])
}

// parseForwarded reads what we need of one element of a Forwarded header (RFC 7239, 4).
func parseForwarded(element string) (proto, host string) {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "proto":
			proto = value
		case "host":
			host = value
		}
	}
	return proto, host
}

// isHost reports whether a text is a host with or without a port, and nothing else.
func isHost(s string) bool {
	u, err := url.Parse("//" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" &&
		!strings.ContainsAny(s, " \"<>\\^`{|}%")
}

// checkBaseURL returns a base URL without slashes at its end, and the path in it.
func checkBaseURL(base string) (trimmed, prefix string, err error) {
	if base == "" {
		return "", "", nil
	}
	trimmed = strings.TrimRight(base, "/")
	u, err := url.Parse(trimmed)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Host) || u.User != nil ||
		strings.ContainsAny(base, "?#") || u.Path != "" && path.Clean(u.Path) != u.Path) {
		err = errors.New("must be http or https, a host, and perhaps a path without //, /./ and /../")
	}
	if err != nil {
		return "", "", fmt.Errorf("service: BaseURL is %q: %w", base, err)
	}
	return trimmed, u.Path, nil
}
