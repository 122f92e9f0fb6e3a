package loader

import (
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/cachecontrol/cacheobject"
)

// Heuristic is how long a prompt with a resourceId is fresh if its server says nothing at all: no
// Cache-Control, no Expires, no Last-Modified. One with Last-Modified is for a tenth of its age, a
// day at most (RFC 9111, 4.2.2).
const Heuristic = 5 * time.Minute

// storedFields are the header fields of an answer that say how it may be kept.
var storedFields = []string{
	"Age", "Cache-Control", "Date", "Etag", "Expires", "Last-Modified", "Vary",
}

// freshness is how an answer may be kept: by RFC 9111, as a cache that is private to an
// application.
type freshness struct {
	store bool      // it may be kept
	until time.Time // it may be used without asking, before that
}

// and is the freshness of what needs both answers, as a redirect and what it leads to.
func (f freshness) and(other freshness) freshness {
	f.store = f.store && other.store
	if other.until.Before(f.until) {
		f.until = other.until
	}
	return f
}

// freshnessOf looks at an answer of 200 or a redirect, with the times of the request and of the
// answer.
//
// All our requests for an address are alike, so what a Vary names is the same in each. Only one of
// "*" fails to match.
func freshnessOf(status int, h http.Header, asked, answered time.Time) freshness {
	said, err := cacheobject.ParseResponseCacheControl(strings.Join(h.Values("Cache-Control"), ","))
	if err != nil || said.NoStore || varies(h) {
		return freshness{}
	}
	date := timeOf(h, "Date", answered)
	var lifetime time.Duration
	switch {
	case said.NoCachePresent:
	case said.MaxAge >= 0:
		lifetime = time.Duration(said.MaxAge) * time.Second
	case len(h.Values("Expires")) > 0:
		lifetime = timeOf(h, "Expires", date).Sub(date) // what is no time has passed (5.3)
	case heuristic(status):
		lifetime = Heuristic
		if modified := timeOf(h, "Last-Modified", time.Time{}); !modified.IsZero() {
			lifetime = min(date.Sub(modified)/10, 24*time.Hour)
		}
	}
	// What expired long ago has the least Duration there is, from which no age can be taken.
	left := max(0, lifetime) - age(h, date, asked, answered)
	return freshness{store: true, until: answered.Add(left)}
}

// age returns how old an answer was when it came (4.2.3).
func age(h http.Header, date, asked, answered time.Time) time.Duration {
	apparent := max(0, answered.Sub(date))
	seconds, err := strconv.ParseUint(h.Get("Age"), 10, 64)
	if err != nil {
		seconds = 0
	}
	stated := time.Duration(min(seconds, math.MaxInt32)) * time.Second
	return max(apparent, stated+answered.Sub(asked))
}

// heuristic reports whether an answer of this status may be kept if nothing is said (RFC 9110,
// 15.1).
func heuristic(status int) bool {
	return status == http.StatusOK || status == http.StatusMovedPermanently ||
		status == http.StatusPermanentRedirect
}

func varies(h http.Header) bool {
	for name := range strings.SplitSeq(strings.Join(h.Values("Vary"), ","), ",") {
		if strings.TrimSpace(name) == "*" {
			return true
		}
	}
	return false
}

// timeOf returns the time in a header field, or another if there is none.
func timeOf(h http.Header, field string, other time.Time) time.Time {
	t, err := http.ParseTime(h.Get(field))
	if err != nil {
		return other
	}
	return t
}

// stored returns the fields of a header that are kept.
func stored(h http.Header) http.Header {
	kept := make(http.Header)
	for _, field := range storedFields {
		if values := h.Values(field); len(values) > 0 {
			kept[field] = values
		}
	}
	return kept
}

// freshen returns the kept fields with those of an answer of 304 (3.2, 4.3.4). It reports false if
// that is an answer about something else.
func freshen(kept, answer http.Header) (http.Header, bool) {
	if tag := answer.Get("Etag"); tag != "" && weak(tag) != weak(kept.Get("Etag")) {
		return nil, false
	}
	fresh := stored(kept)
	fresh.Del("Age") // that of an answer that is over
	fresh.Del("Date")
	maps.Copy(fresh, stored(answer))
	return fresh, true
}

func weak(tag string) string { return strings.TrimPrefix(tag, "W/") }

// condition asks only for what is not kept already (4.3.1). It reports false if there is nothing to
// ask by.
func condition(r, kept http.Header) bool {
	tag, modified := kept.Get("Etag"), kept.Get("Last-Modified")
	if tag != "" {
		r.Set("If-None-Match", tag)
	}
	if modified != "" {
		r.Set("If-Modified-Since", modified)
	}
	return tag != "" || modified != ""
}
