package demo

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/examples/ivr/terminal"
)

// watched is the service, with an eye on the page that shows its calls.
type watched struct {
	service http.Handler

	once   sync.Once
	opened chan struct{} // closed when somebody looks at the page
}

// ServeHTTP is the service's.
func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if _, _, ok := r.BasicAuth(); ok && strings.HasPrefix(r.URL.Path, service.InspectorPath) {
		w.once.Do(func() { close(w.opened) })
	}
	w.service.ServeHTTP(rw, r)
}

// show opens the page, and waits until somebody looks at it, but not for long.
func (w *watched) show(
	ctx context.Context, base string, browse func(url string) error, t *timeline,
) {
	const patience = 15 * time.Second
	page, err := url.Parse(base + service.InspectorPath)
	if err != nil {
		return // it is our own
	}
	t.say("The call is shown at %s (any user, the password is %s).\nIt begins when you have opened "+
		"that, or in %v.\n\n", t.palette.Paint(terminal.Strong, page.String()), token, patience)
	page.User = url.UserPassword("demo", token) // so that the browser does not ask
	page.Fragment = "1"                         // the call, which is the first one
	failed := make(chan error, 1)
	go func() { failed <- browse(page.String()) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case err := <-failed:
			if err != nil {
				t.say("No browser could be opened: %s.\n\n", terminal.Plain(err.Error()))
			}
			failed = nil
		case <-w.opened:
			return
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
