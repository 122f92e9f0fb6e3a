package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Policy is what a [Notifier] does with a delivery that is not taken at once: which answers are
// repeated, when, and for how long. Its options set it, [Notifier.Policy] shows it.
//
// A network error, a redirect that can't be followed, and every answer that is neither 2xx nor
// Final are repeated, so a bot that is away for a moment, or whose front end does not know it yet,
// loses nothing. The wait is Backoff, doubled with each attempt up to MaxBackoff, each between half
// and one and a half of that; where an answer has a Retry-After (RFC 9110, 10.2.3), it is that one,
// at most MaxRetryAfter. Later notifications of the call wait meanwhile, so that they come in
// order.
type Policy struct {
	AttemptTimeout time.Duration // see [WithAttemptTimeout]
	MaxElapsedTime time.Duration // see [WithMaxElapsedTime]
	Backoff        time.Duration // see [WithBackoff]
	MaxBackoff     time.Duration // see [WithBackoff]
	MaxRetryAfter  time.Duration // see [WithMaxRetryAfter]
	MaxRedirects   int           // see [WithMaxRedirects]
	Final          []int         // see [WithFinal]
}

// Defaults of a Policy.
const (
	DefaultGiveUp       = 2 * time.Minute
	DefaultAttempt      = 10 * time.Second
	DefaultBackoff      = 500 * time.Millisecond
	DefaultMaxBackoff   = 15 * time.Second
	DefaultMaxRedirects = 3
)

// longest is of all times that are configured, and of a Retry-After that is read.
const longest = 24 * time.Hour

// mostRedirects is as many as browsers follow.
const mostRedirects = 20

// defaultPolicy gives up what the receiver will never take: that it has understood the request and
// does not want these bytes, which stay the same, or that it is gone for good.
func defaultPolicy() Policy {
	return Policy{
		AttemptTimeout: DefaultAttempt, MaxElapsedTime: DefaultGiveUp, Backoff: DefaultBackoff,
		MaxBackoff: DefaultMaxBackoff, MaxRedirects: DefaultMaxRedirects,
		Final: []int{
			http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		},
	}
}

// check returns an error that names what an option has got wrong.
func (p *Policy) check() error {
	switch {
	case p.AttemptTimeout <= 0 || p.AttemptTimeout > longest:
		return fmt.Errorf("webhook: WithAttemptTimeout(%v): must be more than 0, at most %v",
			p.AttemptTimeout, longest)
	case p.MaxElapsedTime <= 0 || p.MaxElapsedTime > longest:
		return fmt.Errorf("webhook: WithMaxElapsedTime(%v): must be more than 0, at most %v",
			p.MaxElapsedTime, longest)
	case p.Backoff <= 0 || p.MaxBackoff < p.Backoff || p.MaxBackoff > longest:
		return fmt.Errorf("webhook: WithBackoff(%v, %v): must be more than 0, in this order, at most %v",
			p.Backoff, p.MaxBackoff, longest)
	case p.MaxRetryAfter < 0 || p.MaxRetryAfter > longest:
		return fmt.Errorf("webhook: WithMaxRetryAfter(%v): must be 0 (the default) to %v",
			p.MaxRetryAfter, longest)
	case p.MaxRedirects < 0 || p.MaxRedirects > mostRedirects:
		return fmt.Errorf("webhook: WithMaxRedirects(%d): must be 0 (none) to %d",
			p.MaxRedirects, mostRedirects)
	}
	for _, status := range p.Final {
		if status < 300 || status > 599 {
			return fmt.Errorf("webhook: WithFinal(%d): must be 300 to 599", status)
		}
	}
	return nil
}

// Policy returns what the Notifier does with deliveries that are not taken at once.
func (n *Notifier) Policy() Policy {
	p := n.config.policy
	p.Final = slices.Clone(p.Final)
	return p
}

// follows reports whether an answer asks to send the same again to another address. 301 and 302 let
// a client make a GET of a POST (RFC 9110, 15.4), which carries no notification.
func (p *Policy) follows(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return !slices.Contains(p.Final, status)
	default:
		return false
	}
}

// judge says what an answer means for a delivery; nil: it was taken.
func (p *Policy) judge(status int, header http.Header) error {
	if status/100 == 2 {
		return nil
	}
	err := fmt.Errorf("webhook: callback answered %d", status)
	if slices.Contains(p.Final, status) {
		return permanentError{err}
	}
	if wait := p.wait(header); wait > 0 {
		return retryAfterError{err, wait}
	}
	return err
}

// wait is how long an answer asks to be left alone; zero if it does not.
func (p *Policy) wait(header http.Header) time.Duration {
	return min(retryAfter(header.Get("Retry-After")), p.MaxRetryAfter)
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
