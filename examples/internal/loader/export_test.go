package loader

import "net/url"

// Check says whether a prompt may be fetched from there, as far as its URI tells.
func (l *Library) Check(u *url.URL) error { return l.fetcher.check(u) }
