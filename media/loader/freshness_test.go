package loader_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ivrqueue/media/loader"
)

// An answer is fresh for as long as RFC 9111 has it.
func TestFreshness(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	const never = -1
	for _, test := range []struct {
		name   string
		status int
		header string        // Name: value | Name: value
		want   time.Duration // fresh; never: it may not be kept
	}{
		{"nothing is said", 200, "", loader.Heuristic},
		{"max-age", 200, "Cache-Control: max-age=60", time.Minute},
		{"max-age goes before Expires", 200, "Cache-Control: max-age=60 | Expires: " + at(time.Hour), time.Minute},
		{"quoted", 200, `Cache-Control: max-age="60"`, time.Minute},
		{"two fields", 200, "Cache-Control: public | Cache-Control: MAX-AGE=60", time.Minute},
		{"s-maxage is for shared caches", 200, "Cache-Control: s-maxage=1, max-age=60, private", time.Minute},
		{"max-age of 0", 200, "Cache-Control: max-age=0", 0},
		{"more than a number holds", 200, "Cache-Control: max-age=99999999999999999999", (1<<31 - 1) * time.Second},
		{"no number", 200, "Cache-Control: max-age=soon", never},
		{"a quote that does not end", 200, `Cache-Control: max-age="60`, never},
		{"no-store", 200, "Cache-Control: max-age=60, no-store", never},
		{"no-cache", 200, "Cache-Control: max-age=60, no-cache", 0},
		{"no-cache for a field", 200, `Cache-Control: max-age=60, no-cache="Set-Cookie"`, 0},
		{"unknown directives", 200, "Cache-Control: max-age=60, immutable, x=y", time.Minute},
		{"Expires", 200, "Date: " + at(0) + " | Expires: " + at(time.Minute), time.Minute},
		{"Expires without Date", 200, "Expires: " + at(time.Minute), time.Minute},
		{"Expires has passed", 200, "Expires: " + at(-time.Minute), 0},
		{"Expires is long before any answer", 200, "Expires: Mon, 01 Jan 0001 00:00:00 GMT | Age: 1", 0},
		{"Date is long after", 200, "Date: Fri, 31 Dec 9999 23:59:59 GMT | Expires: " + at(time.Minute) + " | Age: 1", 0},
		{"Expires is no time", 200, "Expires: 0", 0},
		{"the server's clock is an hour ahead", 200, "Date: " + at(time.Hour) + " | Expires: " + at(time.Hour+time.Minute), time.Minute},
		{"it was on its way for long", 200, "Cache-Control: max-age=60 | Date: " + at(-20*time.Second), 40 * time.Second},
		{"Age", 200, "Cache-Control: max-age=60 | Age: 20", 40 * time.Second},
		{"Age is more than max-age", 200, "Cache-Control: max-age=60 | Age: 61", 0},
		{"Age is no number", 200, "Cache-Control: max-age=60 | Age: old", time.Minute},
		{"Age is more than a number holds", 200, "Cache-Control: max-age=60 | Age: 99999999999", 0},
		{"a tenth of its age", 200, "Last-Modified: " + at(-100*time.Minute), 10 * time.Minute},
		{"a day at most", 200, "Last-Modified: " + at(-1000*time.Hour), 24 * time.Hour},
		{"modified in the future", 200, "Last-Modified: " + at(time.Hour), 0},
		{"Vary: what we always say", 200, "Vary: Accept, User-Agent", loader.Heuristic},
		{"Vary: *", 200, "Cache-Control: max-age=60 | Vary: Accept,*", never},
		{"a redirect for now", 302, "", 0},
		{"a redirect for now that says how long", 307, "Cache-Control: max-age=60", time.Minute},
		{"a redirect for good", 301, "", loader.Heuristic},
		{"another one", 308, "", loader.Heuristic},
	} {
		h := make(http.Header)
		for field := range strings.SplitSeq(test.header, " | ") {
			if name, value, ok := strings.Cut(field, ": "); ok {
				h.Add(name, value)
			}
		}
		store, left := loader.FreshnessOf(test.status, h, now, now)
		switch {
		case test.want == never && store:
			t.Errorf("%s: it may be kept", test.name)
		case test.want != never && (!store || left != test.want):
			t.Errorf("%s: kept %v, fresh for %v, want %v", test.name, store, left, test.want)
		}
	}
	// The time that the answer took counts as age.
	h := http.Header{"Cache-Control": {"max-age=60"}, "Age": {"10"}}
	if _, left := loader.FreshnessOf(200, h, now.Add(-5*time.Second), now); left != 45*time.Second {
		t.Errorf("fresh for %v, want 45s", left)
	}
}
