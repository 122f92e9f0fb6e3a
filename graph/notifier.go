package graph

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"ivrqueue/operation"
)

// Defaults of a Notifier.
const (
	DefaultGiveUp         = 2 * time.Minute
	DefaultAttempt        = 10 * time.Second
	DefaultBackoff        = 500 * time.Millisecond
	DefaultMaxBackoff     = 15 * time.Second
	DefaultMaxConnections = 1000
)

// Delivery is a batch of notifications of one call on its way.
type Delivery struct {
	Call          uuid.UUID // its id on the wire
	Application   string
	CallbackURI   string
	Body          []byte    // the JSON of a commsNotifications; not to be changed
	Notifications int       // in the body
	Since         time.Time // when the oldest of them came to be
	Failing       bool      // the call's last delivery was given up
}

// Notifier posts notifications to callback addresses, again and again until they are taken or it is
// time to give up. It is safe for concurrent use.
//
// A delivery is repeated, with the same bytes, after a network error, 408, 429 and 5xx, with
// exponential backoff and jitter, and not before the Retry-After that came with it. Any other
// answer but 2xx is final: redirects are not followed. It is given up when the next attempt would
// come later than [WithGiveUp] after its oldest notification came to be; there is one attempt at
// least.
//
// At most [WithMaxConnections] requests are under way; others wait for a place. At most a quarter
// of the places is for deliveries that are being repeated, or follow one of the same call that was
// given up: so callbacks that are dead can't take the places of those that are not, for longer than
// one attempt each.
type Notifier struct {
	config notifierConfig
	client *http.Client
	places chan struct{}
	again  chan struct{} // places of those that have failed before
}

// NotifierOption configures a Notifier. The last of a kind wins.
type NotifierOption func(*notifierConfig)

type notifierConfig struct {
	addresses   Addresses
	plain       bool
	token       func(ctx context.Context, application string) (string, error)
	tls         *tls.Config
	attempt     time.Duration
	giveUp      time.Duration
	backoff     time.Duration
	maxBackoff  time.Duration
	connections int
	resolver    *net.Resolver // nil: the default one
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
}

// WithAddresses sets which addresses may be connected to. Default: those of the public Internet.
func WithAddresses(a Addresses) NotifierOption {
	return func(c *notifierConfig) { c.addresses = a }
}

// WithLoopback allows callbacks on this machine, with http too: for development. Default: https to
// other machines only.
func WithLoopback() NotifierOption {
	return func(c *notifierConfig) { c.addresses.Loopback, c.plain = true, true }
}

// WithTokens sets where the bearer token for an application's callback comes from; an error of it
// counts as one of the network. It is asked before every attempt, so it should keep tokens as long
// as they are good. Default: no token.
func WithTokens(f func(ctx context.Context, application string) (string, error)) NotifierOption {
	return func(c *notifierConfig) { c.token = f }
}

// WithTLS sets the client's side of TLS, such as the authorities that are trusted. Default: as
// crypto/tls has it.
func WithTLS(t *tls.Config) NotifierOption { return func(c *notifierConfig) { c.tls = t } }

// WithAttempt bounds one attempt, from the place it gets to the end of the answer. It must be
// positive. Default: 10 s.
func WithAttempt(d time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.attempt = d }
}

// WithGiveUp sets how long notifications are tried to be delivered. It must be positive. Default:
// 2 min.
func WithGiveUp(d time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.giveUp = d }
}

// WithBackoff sets the mean wait before the second attempt, which doubles with each further one up
// to longest; each wait is between half and one and a half of it. Both must be positive. Default:
// 0.5 s and 15 s.
func WithBackoff(first, longest time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.backoff, c.maxBackoff = first, longest }
}

// WithMaxConnections bounds the requests that are under way. It must be at least 4. Default: 1,000.
func WithMaxConnections(n int) NotifierOption {
	return func(c *notifierConfig) { c.connections = n }
}

// NewNotifier makes a Notifier. Its errors name what is wrong.
func NewNotifier(opts ...NotifierOption) (*Notifier, error) {
	c := notifierConfig{
		attempt: DefaultAttempt, giveUp: DefaultGiveUp, backoff: DefaultBackoff,
		maxBackoff: DefaultMaxBackoff, connections: DefaultMaxConnections,
	}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
	}
	switch {
	case c.attempt <= 0:
		return nil, fmt.Errorf("graph: WithAttempt(%v): must be more than 0", c.attempt)
	case c.giveUp <= 0:
		return nil, fmt.Errorf("graph: WithGiveUp(%v): must be more than 0", c.giveUp)
	case c.backoff <= 0 || c.maxBackoff < c.backoff:
		return nil, fmt.Errorf("graph: WithBackoff(%v, %v): must be more than 0, and in this order",
			c.backoff, c.maxBackoff)
	case c.connections < 4:
		return nil, fmt.Errorf("graph: WithMaxConnections(%d): must be at least 4", c.connections)
	}
	if c.dial == nil {
		c.dial = (&net.Dialer{
			Timeout: c.attempt, Control: c.addresses.Control, Resolver: c.resolver,
		}).DialContext
	}
	transport := &http.Transport{ // no proxy: it would connect for us, to anywhere
		DialContext:            c.dial,
		TLSClientConfig:        c.tls,
		TLSHandshakeTimeout:    c.attempt,
		MaxIdleConns:           c.connections,
		MaxIdleConnsPerHost:    max(2, c.connections/10),
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
		// One request a connection: where many share one, a peer that stalls stalls them all.
		Protocols: new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	return &Notifier{
		config: c,
		client: &http.Client{
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		places: make(chan struct{}, c.connections),
		again:  make(chan struct{}, c.connections/4),
	}, nil
}

// Check reports whether notifications can be sent to this callback address: it is an absolute https
// URI (http is for loopback, if that is allowed), without a password, and does not name a refused
// IP address. What a name resolves to is looked at when it is connected to. The error is an
// *operation.FieldError.
func (n *Notifier) Check(callbackURI string) error {
	bad := func(limit string) error {
		return &operation.FieldError{
			Field: "callbackUri", Value: fmt.Sprintf("%.200q", callbackURI), Limit: limit,
		}
	}
	u, err := url.Parse(callbackURI)
	if err != nil || u.Host == "" || u.Hostname() == "" || len(callbackURI) > 2048 {
		return bad("an absolute https URI of at most 2048 characters")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	isIP := err == nil
	loopback := isIP && ip.Unmap().IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !n.config.plain || !loopback):
		return bad("https")
	case u.User != nil:
		return bad("without user information")
	case isIP && !n.config.addresses.Allow(ip),
		loopback && !n.config.addresses.Allow(netip.IPv6Loopback()) && !isIP:
		return bad("a public address")
	}
	return nil
}

// Deliver posts d until it is taken; it returns nil then. It is an error when d was given up, which
// is also when ctx ends.
func (n *Notifier) Deliver(ctx context.Context, d Delivery) error {
	if err := n.Check(d.CallbackURI); err != nil {
		return err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = n.config.backoff, n.config.maxBackoff
	wait.Multiplier = 2
	// From the notification's birth, not from now: the bot that is back after a long time gets one
	// attempt for each batch, and no queue of them holds memory for longer than that.
	left := max(1, n.config.giveUp-time.Since(d.Since))
	failed := d.Failing
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		leave, err := n.enter(ctx, failed)
		if err != nil {
			return struct{}{}, err
		}
		defer leave()
		failed = true
		return struct{}{}, n.post(ctx, d)
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(left))
	return err
}

// enter waits for a place.
func (n *Notifier) enter(ctx context.Context, failed bool) (leave func(), err error) {
	if failed {
		select {
		case n.again <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	out := func() {
		if failed {
			<-n.again
		}
	}
	select {
	case n.places <- struct{}{}:
	case <-ctx.Done():
		out()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-n.places
		out()
	}, nil
}

// post makes one attempt.
func (n *Notifier) post(ctx context.Context, d Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.attempt)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.CallbackURI, bytes.NewReader(d.Body))
	if err != nil {
		return backoff.Permanent(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "ivrqueue")
	if n.config.token != nil {
		token, err := n.config.token(ctx, d.Application)
		if err != nil {
			return fmt.Errorf("graph: token: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := n.client.Do(r)
	if err != nil {
		var in *url.Error // names the address, which may hold a secret and ends up in logs
		if errors.As(err, &in) {
			err = in.Err
		}
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // nothing depends on it
	// What little is there is read, so that the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4<<10))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("graph: callback answered %d", answer.StatusCode)
	switch {
	case answer.StatusCode == http.StatusRequestTimeout, answer.StatusCode/100 == 5,
		answer.StatusCode == http.StatusTooManyRequests:
		if after := retryAfter(answer.Header.Get("Retry-After")); after > 0 {
			return errors.Join(err, &backoff.RetryAfterError{Duration: after})
		}
		return err
	default:
		return backoff.Permanent(err)
	}
}

// retryAfter reads the header of this name, seconds or a date (RFC 9110, 10.2.3); zero if there is
// none.
func retryAfter(s string) time.Duration {
	if seconds, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return time.Until(at)
	}
	return 0
}

// CloseIdleConnections closes the connections that no request is using.
func (n *Notifier) CloseIdleConnections() { n.client.CloseIdleConnections() }
