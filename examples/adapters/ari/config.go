package ari

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where the server is, and how long to wait for it. URL, App and User are required.
type Config struct {
	// URL is where ARI is, with http or https, and nothing behind its path:
	// http://pbx.example.com:8088/ari.
	URL string

	// App is the name of the Stasis application whose channels these are. The server sends its events
	// to whoever connected last with this name.
	App string

	// User and Password are those of ari.conf. They are sent as Basic authentication, which anybody
	// on the way can read unless the URL is of https.
	User, Password string

	// RequestTimeout is how long one request may take, and how long a Start waits for an event
	// stream that is broken. A Start may take three of them, so it must be less than a third of the
	// queues' stop timeout. Zero means 1 s; negative is an error.
	RequestTimeout time.Duration

	// MaxOutage is how long the event stream may be away before what is in progress fails. Zero
	// means 15 s; negative is an error.
	MaxOutage time.Duration

	// CheckInterval is how often the server is asked for what is in progress, and sent a ping: one
	// request for each operation in this time. An end that was lost is noticed in twice
	// that time. Zero means 10 s; negative is an error.
	CheckInterval time.Duration

	// Log gets breaks of the stream, and events that are lost. Nil means slog.Default.
	Log *slog.Logger
}

// withDefaults returns c with what was left zero, and the URL; or an error that names what is
// wrong.
func (c Config) withDefaults() (Config, *url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil: // it may quote a password
		return c, nil, errors.New("ari: URL cannot be parsed, must be as in http://HOST:8088/ari")
	case u.User != nil:
		return c, nil, errors.New("ari: URL has a user, must be in User and Password")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return c, nil, fmt.Errorf("ari: URL is %.200q, must be as in http://HOST:8088/ari", c.URL)
	case c.App == "" || strings.Contains(c.App, ","):
		return c, nil, fmt.Errorf("ari: App is %.200q, must be the name of one application", c.App)
	case c.User == "" || strings.Contains(c.User, ":"):
		return c, nil, fmt.Errorf("ari: User is %.200q, must be a name without a colon", c.User)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"RequestTimeout", &c.RequestTimeout, time.Second},
		{"MaxOutage", &c.MaxOutage, 15 * time.Second},
		{"CheckInterval", &c.CheckInterval, 10 * time.Second},
	} {
		if *d.value < 0 {
			return c, nil, fmt.Errorf("ari: %s is %v, must be 0 or more", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return c, u, nil
}

// Bounds of the connections to the server.
const (
	maxConnections = 64 // at once; more requests wait, within their timeout
	maxIdle        = 8
	maxHeader      = 16 << 10 // bytes
	maxBody        = 64 << 10 // bytes that are read of an answer
)

// transport returns what connects to the server. It speaks HTTP/1.1, since a websocket needs that.
func (c Config) transport() *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSHandshakeTimeout:    c.RequestTimeout,
		MaxConnsPerHost:        maxConnections,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}
