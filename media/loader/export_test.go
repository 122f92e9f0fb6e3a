package loader

import (
	"net/http"
	"net/url"
	"time"
)

// MaxIdle is how many connections are kept.
const MaxIdle = maxIdle

// Check says whether a prompt may be fetched from there, as far as its URI shows.
func (l *Library) Check(u *url.URL) error { return l.fetcher.check(u) }

// SetFetchTime has fetches take so long. Nothing may be fetched yet.
func (l *Library) SetFetchTime(d time.Duration) { l.fetcher.patience = d }

// FreshnessOf says whether an answer may be kept, and how long it is fresh.
func FreshnessOf(status int, h http.Header, asked, answered time.Time) (store bool, left time.Duration) {
	f := freshnessOf(status, h, asked, answered)
	return f.store, max(0, f.until.Sub(answered))
}

// Waiting returns how many wait for a prompt that is being fetched.
func (a *Application) Waiting(resourceID, uri string) int {
	c := a.library.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.fetches[key{application: a.id, resourceID: resourceID, uri: uri}]; f != nil {
		return f.waiting
	}
	return 0
}
