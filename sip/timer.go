package sip

import (
	"strconv"
	"strings"
	"time"
)

// minSession is the shortest session interval (RFC 4028, 4).
const minSession = 90 * time.Second

// refresher is who refreshes a session.
type refresher uint8

const (
	nobody refresher = iota
	peer
	ourselves
)

// interval is what is agreed on how long a session lives without a refresh (RFC 4028). The zero
// interval is for ever.
type interval struct {
	length    time.Duration
	refresher refresher
}

// expiry is how long after a refresh the session is ended: a bit before its time (RFC 4028, 10).
func (i interval) expiry() time.Duration {
	return i.length - min(32*time.Second, i.length/3)
}

// refresh is how long after a refresh we make the next one (RFC 4028, 7.2).
func (i interval) refresh() time.Duration { return i.length / 2 }

// asked is what a request or a response says of the session interval.
type asked struct {
	length    time.Duration // zero: nothing
	refresher string        // "uac", "uas" or ""
	supported bool          // the other end knows session timers
}

// parseInterval reads Session-Expires. What can't be read is nothing.
func parseInterval(value string) (length time.Duration, refresher string) {
	seconds, parameters, _ := strings.Cut(value, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 31)
	if err != nil {
		return 0, ""
	}
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return time.Duration(n) * time.Second, refresher
}

// grant returns the interval of a session that the peer's request has established or refreshed;
// tooShort asks for a longer one. The peer is to refresh, if it can, unless it wants us to.
func grant(a asked, ours time.Duration) (i interval, tooShort bool) {
	switch {
	case a.length > 0 && a.length < minSession && a.supported:
		return interval{}, true
	case !a.supported: // RFC 4028, 9: only we could refresh; the peer may be without
		return interval{}, false
	case a.length > 0:
		ours = max(minSession, min(a.length, ours))
	}
	if a.refresher == "uas" {
		return interval{ours, ourselves}, false
	}
	return interval{ours, peer}, false
}

// granted returns the interval that the peer's response to a request of ours has.
func granted(a asked) interval {
	switch {
	case a.length < minSession:
		return interval{}
	case a.refresher == "uas":
		return interval{a.length, peer}
	default:
		return interval{a.length, ourselves}
	}
}

// header returns Session-Expires, where we answer.
func (i interval) header() string {
	who := "uac"
	if i.refresher == ourselves {
		who = "uas"
	}
	return strconv.Itoa(int(i.length/time.Second)) + ";refresher=" + who
}
