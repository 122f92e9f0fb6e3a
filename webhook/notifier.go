package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/egress"
	"ivrqueue/operation"
)

// DefaultMaxConnections is how many requests of a Notifier are under way at most.
const DefaultMaxConnections = 1000

// MaxURI is how many bytes a callback's URI may have.
const MaxURI = 2048

// Headers of a notification's request, besides those of HTTP.
const (
	HeaderID      = "Webhook-Id" // https://www.standardwebhooks.com
	HeaderAttempt = "Webhook-Attempt"
)

// errNoPlace is why a delivery is given up that had no place in its time.
var errNoPlace = errors.New("webhook: no place for a request in time")

// Delivery is a batch of notifications of one call on its way.
type Delivery struct {
	ID            uuid.UUID // its own; for the zero id the Notifier takes a random one
	CallID        uuid.UUID // of the call that it is about
	Application   string    // whose bot gets it
	CallbackURI   string    // where it is posted
	Body          []byte    // JSON, as it is posted; not to be changed
	Notifications int       // in the body
	Since         time.Time // when the oldest of them came to be
	Failing       bool      // the call's last delivery was given up
	Value         any       // of whoever made it; it comes back with each Attempt
}

// Notifier posts notifications to callback addresses, again and again until they are taken or it is
// time to give up. It is safe for concurrent use.
//
// The status of an answer decides: 2xx takes the delivery. The answer's body is not read. What
// else is repeated, when, and for how long is the [Policy]; a delivery is given up when the next
// attempt would come later than [WithMaxElapsedTime] after its oldest notification came to be. One
// that is older than that has one attempt, if there is a place for it within [WithAttemptTimeout].
//
// Every attempt of a delivery has the same bytes, and these headers:
//
//   - [HeaderID]: the id of the delivery, a GUID, as Standard Webhooks has it. A receiver that has
//     seen it has the notifications already.
//   - [HeaderAttempt]: the number of the attempt, from 1. One that never arrived counts as well.
//
// At most [WithMaxConnections] requests are under way; others wait for a place. An application may
// have as many places as are free besides, so half of them at most, and a host three times as many,
// so three quarters: one whose answers are slow delays its own notifications. At most a quarter of
// the places, shared out the same way, is for deliveries that are being repeated, or follow one of
// the same call that was given up: so callbacks that are dead can't take the places of those that
// are not, for longer than one attempt each.
type Notifier struct {
	config config
	secure *http.Transport // of https
	plain  *http.Transport // of http, which reaches less
	places *places
	again  *places // of those that have failed before
	counts struct{ attempts, retries atomic.Uint64 }
}

// Stats counts what a Notifier does, for all that it serves. A redirect that is followed belongs to
// its attempt.
type Stats struct {
	Attempts uint64 // at deliveries
	Retries  uint64 // of these, those after a delivery's first
}

// Stats returns the counts of this moment.
func (n *Notifier) Stats() Stats {
	retries := n.counts.retries.Load() // first, so that there are no more of them than attempts
	return Stats{Attempts: n.counts.attempts.Load(), Retries: retries}
}

// String says how many attempts there were, for logs: what is given to package fmt would be read
// by reflection otherwise, while it changes.
func (n *Notifier) String() string {
	return fmt.Sprintf("webhook notifier, %d attempts", n.counts.attempts.Load())
}

// New makes a Notifier. Its errors name what is wrong.
func New(opts ...Option) (*Notifier, error) {
	c := config{policy: defaultPolicy(), connections: DefaultMaxConnections}
	for _, o := range opts {
		if o != nil {
			o(&c)
		}
		if c.connections < 4 {
			return nil, fmt.Errorf("webhook: WithMaxConnections(%d): must be at least 4", c.connections)
		}
		if err := c.policy.check(); err != nil {
			return nil, err
		}
	}
	if p := &c.policy; p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = max(p.MaxElapsedTime/4, 1)
	}
	n := &Notifier{
		config: c, places: newPlaces(c.connections), again: newPlaces(c.connections / 4),
	}
	n.secure, n.plain = n.transport(c.addresses), n.transport(c.named())
	return n, nil
}

// named are the addresses that are named, without the public Internet: those of plain http.
func (c *config) named() egress.Addresses {
	named := c.addresses
	named.Only = true
	return named
}

// transport makes a transport that connects to these addresses alone.
func (n *Notifier) transport(to egress.Addresses) *http.Transport {
	c := &n.config
	dial := c.dial
	if dial == nil {
		dial = (&net.Dialer{
			Timeout: c.policy.AttemptTimeout, Control: to.Control, Resolver: c.resolver,
		}).DialContext
	}
	t := &http.Transport{ // no proxy: it would connect for us, to anywhere
		DialContext:         dial,
		TLSClientConfig:     c.tls,
		TLSHandshakeTimeout: c.policy.AttemptTimeout,
		MaxIdleConns:        c.connections,
		// As many as a host has places: with fewer, each of many deliveries to one bot connects anew,
		// which costs more than all the rest of it.
		MaxIdleConnsPerHost:    c.connections * 3 / 4,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
		// One request a connection: where many share one, a peer that stalls stalls them all.
		Protocols: new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// Check reports whether notifications can be sent to this callback address: it is an absolute https
// URI (http is for loopback, and for addresses that are named, if that is allowed), without a
// password, with a host name that can be looked up and a port that there is, and does not name a
// refused IP address. What may not stand in its path and query is escaped when it is sent, the rest
// stays as it is. What a name resolves to is looked at when it is connected to. The error is an
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
	u, must := egress.ParseURL(callbackURI)
	if u == nil {
		return bad(cmp.Or(must, absolute))
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil && strings.EqualFold(u.Hostname(), "localhost") {
		ip = netip.IPv6Loopback()
		if v4 := netip.AddrFrom4([4]byte{127, 0, 0, 1}); n.config.addresses.Allow(v4) {
			ip = v4
		}
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !n.allowsPlain(ip)):
		return bad("https")
	case u.User != nil:
		return bad("without user information")
	case ip.IsValid() && !n.config.addresses.Allow(ip):
		return bad("a public address")
	}
	return nil
}

// allowsPlain reports whether http may be used to an address; to a name, if the address is not
// known yet.
func (n *Notifier) allowsPlain(ip netip.Addr) bool {
	c := &n.config
	switch {
	case !ip.IsValid():
		return c.plain && len(c.addresses.Also) > 0
	case ip.Unmap().IsLoopback() && c.plainHere:
		return true
	default:
		return c.plain && c.named().Allow(ip)
	}
}

// Deliver posts d until it is taken; it returns nil then. It is an error when d was given up, which
// is also when ctx ends.
func (n *Notifier) Deliver(ctx context.Context, d Delivery) error {
	if d.ID == uuid.Nil {
		d.ID = uuid.New()
	}
	last := Attempt{
		DeliveryID: d.ID, CallID: d.CallID, Application: d.Application,
		Notifications: d.Notifications, Value: d.Value,
	}
	if err := n.Check(d.CallbackURI); err != nil {
		last.Err, last.Last = err, true
		n.report(last)
		return err
	}
	to := peer{application: d.Application}
	if u, _ := egress.ParseURL(d.CallbackURI); u != nil {
		to.host = hostOf(u)
	}
	policy := &n.config.policy
	// From the notification's birth, not from now: the bot that is back after a long time gets one
	// attempt for each batch, and no queue of them holds memory for longer than that.
	left := min(policy.MaxElapsedTime, policy.MaxElapsedTime-time.Since(d.Since))
	// Whatever keeps an attempt from beginning, the peer's wish or the want of a place, ends here.
	begin, cancel := context.WithTimeoutCause(ctx, max(left, policy.AttemptTimeout), errNoPlace)
	defer cancel()
	failed := d.Failing
	err := policy.retry(begin, max(1, left), func() error {
		leave, err := n.enter(begin, to, failed)
		if err != nil {
			return err
		}
		defer leave()
		failed = true
		last.Number++
		n.counts.attempts.Add(1)
		if last.Number > 1 {
			n.counts.retries.Add(1)
		}
		last.Began = time.Now()
		last.Status, last.Err = n.post(ctx, &d, last.Number)
		last.Took = time.Since(last.Began)
		if last.Err != nil && ctx.Err() != nil { // which begin may not know yet
			return permanentError{cmp.Or(context.Cause(ctx), context.Canceled)}
		}
		return last.Err
	}, func(wait time.Duration) {
		again := last
		again.Wait = wait
		n.report(again)
	})
	if last.Err != nil && errors.Is(err, errNoPlace) {
		err = last.Err // says more
	}
	last.Err, last.Last = err, true
	n.report(last)
	return err
}

// hostOf names the host of an address as others would that mean the same one.
func hostOf(u *url.URL) string {
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
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

// CloseIdleConnections closes the connections that no request is using.
func (n *Notifier) CloseIdleConnections() {
	n.secure.CloseIdleConnections()
	n.plain.CloseIdleConnections()
}
