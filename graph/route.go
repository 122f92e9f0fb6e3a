package graph

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// routes are the endpoints, at their canonical paths; route brings every form to those.
func (h *Handler) routes() *http.ServeMux {
	const calls, call = "/communications/calls", "/communications/calls/{call}"
	mux := http.NewServeMux()
	if h.platform.CreateCall != nil {
		mux.Handle("POST "+calls, h.serve((*request).createCall))
	} else {
		mux.Handle(calls, h.serve(func(*request) (*reply, error) { return nil, notAllowed("") }))
	}
	mux.Handle("GET "+call, h.serveCall((*request).getCall))
	if h.platform.HangUp != nil {
		mux.Handle("DELETE "+call, h.serveCall((*request).deleteCall))
	}
	for action, e := range map[string]endpoint{
		"playPrompt":            (*request).playPrompt,
		"recordResponse":        (*request).recordResponse,
		"record":                (*request).recordResponse, // its name in beta until 2019
		"cancelMediaProcessing": (*request).cancelMediaProcessing,
		"subscribeToTone":       (*request).subscribeToTone,
		"keepAlive":             (*request).keepAlive,
	} {
		mux.Handle("POST "+call+"/"+action, h.serveCall(e))
	}
	mux.Handle("GET "+call+"/operations", h.serveCall((*request).listOperations))
	mux.Handle("GET "+call+"/operations/{operation}", h.serveCall((*request).getOperation))
	return mux
}

// route brings the request's path to its canonical form: no prefix, no alias, no OData qualifier.
// It reports whether there is such a form.
func (x *request) route() (*http.Request, bool) {
	if len(x.r.URL.Path) > MaxPath {
		return nil, false
	}
	segments := strings.Split(strings.TrimSuffix(x.r.URL.Path, "/"), "/")
	at := -1
	for i := 1; i < len(segments) && at < 0; i++ {
		if segments[i] == "calls" && (segments[i-1] == "communications" || segments[i-1] == "app") {
			at = i
		}
	}
	if at < 0 {
		return nil, false
	}
	x.base = x.baseURL(strings.Join(segments[:at-1], "/"))
	rest := segments[at+1:]
	if slices.ContainsFunc(rest, func(s string) bool { return s == "" || s == "." || s == ".." }) {
		return nil, false
	}
	if len(rest) == 2 {
		rest[1] = strings.TrimPrefix(rest[1], "microsoft.graph.")
	}
	routed := x.r.WithContext(context.WithValue(x.r.Context(), requestKey{}, x))
	routed.URL = &url.URL{Path: strings.Join(append([]string{"/communications/calls"}, rest...), "/")}
	return routed, true
}

// baseURL says how the client names the place below which it found us, given what of it is left in
// the path.
func (x *request) baseURL(seen string) string {
	if x.handler.config.base != "" {
		if i := strings.LastIndexByte(seen, '/'); i >= 0 && (seen[i:] == "/v1.0" || seen[i:] == "/beta") {
			return x.handler.config.base + seen[i:]
		}
		return x.handler.config.base
	}
	stripped := "" // by http.StripPrefix and its like
	if u, err := url.ParseRequestURI(x.r.RequestURI); err == nil {
		if s, ok := strings.CutSuffix(u.Path, x.r.URL.Path); ok {
			stripped = s
		}
	}
	u := url.URL{Scheme: "http", Host: x.r.Host, Path: stripped + seen}
	if x.r.TLS != nil {
		u.Scheme = "https"
	}
	return u.String()
}

// unrouted turns what the mux has to say of a request that it has no route for into a apiError.
func unrouted(answer http.Handler, r *http.Request) *apiError {
	var said discard
	answer.ServeHTTP(&said, r)
	if said.status == http.StatusMethodNotAllowed {
		return notAllowed(said.Header().Get("Allow"))
	}
	return errNoResource
}

// discard is a ResponseWriter that remembers status and header.
type discard struct {
	status int
	header http.Header
}

func (d *discard) Header() http.Header {
	if d.header == nil {
		d.header = http.Header{}
	}
	return d.header
}

func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
