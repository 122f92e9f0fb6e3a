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

const (
	longest  = 24 * time.Hour         // of all times that are configured, and of Retry-After
	bodyTime = 250 * time.Millisecond // for the body of an answer, in which nothing is of interest
)

// errNoPlace is why a delivery is given up that had no place in its time.
var errNoPlace = errors.New("graph: no place for a request in time")

// Delivery is a batch of notifications of one call on its way.
type Delivery struct {
	CallID        uuid.UUID // its id on the wire
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
// come later than [WithMaxElapsedTime] after its oldest notification came to be, whatever the
// callback says. One that is older than that has one attempt, if there is a place for it within
// [WithAttemptTimeout].
//
// At most [WithMaxConnections] requests are under way; others wait for a place. An application may
// have as many places as are free besides, so half of them at most, and a host three times as many,
// so three quarters: one whose answers are slow delays its own notifications. At most a quarter of
// the places, shared out the same way, is for deliveries that are being repeated, or follow one of
// the same call that was given up: so callbacks that are dead can't take the places of those that
// are not, for longer than one attempt each.
type Notifier struct {
	config notifierConfig
	client *http.Client
	places *places
	again  *places // of those that have failed before
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
// as they are good, and it must return when its context ends. Default: no token.
func WithTokens(f func(ctx context.Context, application string) (string, error)) NotifierOption {
	return func(c *notifierConfig) { c.token = f }
}

// WithTLS sets the client's side of TLS, such as the authorities that are trusted. Default: as
// crypto/tls has it.
func WithTLS(t *tls.Config) NotifierOption { return func(c *notifierConfig) { c.tls = t } }

// WithAttemptTimeout bounds one attempt, from the place it gets to the head of the answer. It must
// be positive, and at most a day. Default: 10 s.
func WithAttemptTimeout(d time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.attempt = d }
}

// WithMaxElapsedTime sets how long notifications are tried to be delivered: after it no attempt
// begins. It must be positive, and at most a day. Default: 2 min.
func WithMaxElapsedTime(d time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.giveUp = d }
}

// WithBackoff sets the mean wait before the second attempt, which doubles with each further one up
// to longest; each wait is between half and one and a half of it. Both must be positive, and at
// most a day. Default: 0.5 s and 15 s.
func WithBackoff(first, longest time.Duration) NotifierOption {
	return func(c *notifierConfig) { c.backoff, c.maxBackoff = first, longest }
}

// WithMaxConnections bounds the requests that are under way; an application has half of them at
// most. It must be at least 4. Default: 1,000.
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
	case c.attempt <= 0 || c.attempt > longest:
		return nil, fmt.Errorf("graph: WithAttemptTimeout(%v): must be more than 0, at most %v",
			c.attempt, longest)
	case c.giveUp <= 0 || c.giveUp > longest:
		return nil, fmt.Errorf("graph: WithMaxElapsedTime(%v): must be more than 0, at most %v",
			c.giveUp, longest)
	case c.backoff <= 0 || c.maxBackoff < c.backoff || c.maxBackoff > longest:
		return nil, fmt.Errorf(
			"graph: WithBackoff(%v, %v): must be more than 0, in this order, at most %v",
			c.backoff, c.maxBackoff, longest)
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
		places: newPlaces(c.connections),
		again:  newPlaces(c.connections / 4),
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
	absolute := fmt.Sprintf("an absolute https URI of at most %d bytes", MaxURI)
	if len(callbackURI) > MaxURI {
		return bad(absolute)
	}
	u, err := url.Parse(callbackURI)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return bad(absolute)
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
	to := peer{application: d.Application}
	if u, err := url.Parse(d.CallbackURI); err == nil {
		to.host = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = n.config.backoff, n.config.maxBackoff
	wait.Multiplier = 2
	// From the notification's birth, not from now: the bot that is back after a long time gets one
	// attempt for each batch, and no queue of them holds memory for longer than that.
	left := min(n.config.giveUp, n.config.giveUp-time.Since(d.Since))
	// Whatever keeps an attempt from beginning, the peer's wish or the want of a place, ends here.
	begin, cancel := context.WithTimeoutCause(ctx, max(left, n.config.attempt), errNoPlace)
	defer cancel()
	failed := d.Failing
	var last error
	_, err := backoff.Retry(begin, func() (struct{}, error) {
		leave, err := n.enter(begin, to, failed)
		if err != nil {
			return struct{}{}, err
		}
		defer leave()
		failed = true
		last = n.post(ctx, d)
		return struct{}{}, last
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(max(1, left)))
	if last != nil && errors.Is(err, errNoPlace) {
		return last // says more
	}
	return err
}

// enter waits for a place.
func (n *Notifier) enter(ctx context.Context, to peer, failed bool) (leave func(), err error) {
	if failed {
		if err := n.again.enter(ctx, to); err != nil {
			return nil, err
		}
	}
	out := func() {
		if failed {
			n.again.leave(to)
		}
	}
	if err := n.places.enter(ctx, to); err != nil {
		out()
		return nil, err
	}
	return func() {
		n.places.leave(to)
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
		// It names the address, which may hold a secret and ends up in logs.
		if in, ok := errors.AsType[*url.Error](err); ok {
			err = in.Err
		}
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // nothing depends on it
	// What little is there is read, so that the connection can be used again; not for long, since
	// the answer is known, and the place is wanted.
	enough := time.AfterFunc(bodyTime, cancel)
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4<<10))
	enough.Stop()
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

// retryAfter reads the header of this name, seconds or a date (RFC 9110, 10.2.3). It is between
// zero, for a time that has passed and for what is neither, and a day.
func retryAfter(s string) time.Duration {
	seconds, err := strconv.ParseUint(s, 10, 64)
	switch {
	case err == nil:
		return time.Duration(min(seconds, uint64(longest/time.Second))) * time.Second
	case errors.Is(err, strconv.ErrRange): // a number all the same
		return longest
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(at), 0), longest)
	}
	return 0
}

// CloseIdleConnections closes the connections that no request is using.
func (n *Notifier) CloseIdleConnections() { n.client.CloseIdleConnections() }
